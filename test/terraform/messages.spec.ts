import { expect } from 'chai';
import { readTopology } from '../../adapters/config.ts';
import { all, type Deployments, deployments, emailOf, urlOf } from './deployments.ts';

describe('The topics and subscriptions that Terraform makes', () => {
  const topology = readTopology();
  const names = Object.keys(topology.subscriptions);
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  it('[anomaly 26] makes the topics and subscriptions of the topology, setting by setting', () => {
    expect(Object.keys(all(deployed.byDefault, 'google_pubsub_topic.topic'))).to.have.members(
      topology.topics,
    );
    const made = all(deployed.byDefault, 'google_pubsub_subscription.subscription');
    const expected = names.map((name) => {
      const { topic, service, ackDeadlineSeconds, retentionDays, retry, deadLetter } =
        topology.subscriptions[name] ?? ({} as never);
      return [
        name,
        {
          id: `google_pubsub_subscription.subscription/${name}`,
          name,
          topic: `google_pubsub_topic.topic/${topic}`,
          ack_deadline_seconds: ackDeadlineSeconds,
          message_retention_duration: `${retentionDays * 86_400}s`,
          expiration_policy: [{ ttl: '' }],
          retry_policy: [
            {
              minimum_backoff: `${retry.minBackoffSeconds}s`,
              maximum_backoff: `${retry.maxBackoffSeconds}s`,
            },
          ],
          dead_letter_policy: deadLetter
            ? [
                {
                  dead_letter_topic: `google_pubsub_topic.topic/${deadLetter.topic}`,
                  max_delivery_attempts: deadLetter.maxDeliveryAttempts,
                },
              ]
            : [],
          push_config: service
            ? [
                {
                  push_endpoint: `${urlOf(service)}/push/${name}`,
                  oidc_token: [
                    {
                      service_account_email: emailOf('push'),
                      audience: urlOf(service),
                    },
                  ],
                },
              ]
            : [],
        },
      ];
    });
    expect(made).to.deep.equal(Object.fromEntries(expected));
  });

  it('[anomaly 31] leaves no dead-letter topic without a subscription', () => {
    const subscriptions = Object.values(
      all(deployed.byDefault, 'google_pubsub_subscription.subscription'),
    ) as {
      topic: string;
      dead_letter_policy: { dead_letter_topic: string }[];
    }[];
    const targets = subscriptions.flatMap(({ dead_letter_policy: policy }) =>
      policy.map(({ dead_letter_topic: topic }) => topic),
    );
    expect(targets).to.not.be.empty;
    expect(subscriptions.map(({ topic }) => topic)).to.include.members(targets);
  });

  it('pushes nothing where messages are pulled', () => {
    const pushed = Object.values(
      all(deployed.withEverything, 'google_pubsub_subscription.subscription'),
    ).flatMap(({ push_config: config }) => config);
    expect(pushed).to.deep.equal([]);
  });
});
