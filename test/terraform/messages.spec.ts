import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { readConfig } from '../../programs/config.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { all, type Deployments, deployments, emailOf, urlOf } from './deployments.ts';

interface Template {
  readonly containers: [{ startup_probe: [{ period_seconds: number; failure_threshold: number }] }];
}

describe('The topics and subscriptions that Terraform makes', () => {
  const topology = topologyOf(pipeline);
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
      const { topic, service, retentionDays, retry, deadLetter, ...deadlines } =
        topology.subscriptions[name] ?? ({} as never);
      return [
        name,
        {
          id: `google_pubsub_subscription.subscription/${name}`,
          name,
          topic: `google_pubsub_topic.topic/${topic}`,
          ack_deadline_seconds: service ? deadlines.pushDeadlineSeconds : deadlines.ackDeadlineSeconds,
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

  it('gives a push as long as an instance may take to start, or the store to be read and written', () => {
    const { storeTimeoutMs } = readConfig({ BACKEND: 'memory' }, pipeline);
    const services = all(deployed.byDefault, 'google_cloud_run_v2_service.service');
    for (const [name, { service, pushDeadlineSeconds }] of Object.entries(topology.subscriptions)) {
      if (service === undefined) continue;
      const { template } = services[service] as { template: [Template] };
      const [probe] = template[0].containers[0].startup_probe;
      expect(pushDeadlineSeconds, name).to.be.at.least(probe.period_seconds * probe.failure_threshold);
      expect(pushDeadlineSeconds, name).to.be.above((2 * storeTimeoutMs) / 1000);
    }
  });

  it('pushes nothing where messages are pulled, whose deadline readers prolong', () => {
    const made = all(deployed.withEverything, 'google_pubsub_subscription.subscription');
    const pulled = Object.entries(made).map(([name, one]) => [
      name,
      one.push_config,
      one.ack_deadline_seconds,
    ]);
    expect(pulled).to.have.deep.members(
      Object.entries(topology.subscriptions).map(([name, one]) => [name, [], one.ackDeadlineSeconds]),
    );
  });
});
