import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { readConfig } from '../../programs/config.ts';
import { readersOf, topologyOf } from '../../saga/deliver/topology.ts';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration } from './configuration.ts';
import {
  agentOf,
  all,
  type Deployments,
  deployments,
  emailOf,
  only,
  REQUIRED,
  urlOf,
} from './deployments.ts';
import { evaluate } from './evaluate.ts';

describe('What Terraform does for functions', () => {
  const topology = topologyOf(pipeline);
  const { subscriptions } = topology;
  const [first = '', ...others] = readersOf(topology);
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });

  longTest('leads the messages of a service to its function, and lets Pub/Sub call that', async function () {
    this.timeout(60_000);
    const configuration = await readConfiguration();
    const given = { ...REQUIRED, functions: [first] };
    const [made, pulled] = await Promise.all([
      evaluate(configuration, given),
      evaluate(configuration, { ...given, subscriber: 'pull' }),
    ]);
    const pushes = Object.entries(all(made, 'google_pubsub_subscription.subscription')).map(
      ([name, { push_config: push }]) => [name, push],
    );
    const urlNow = (service: string) => urlOf(service === first ? `${first}-function` : service);
    expect(Object.fromEntries(pushes)).to.deep.equal(
      Object.fromEntries(
        Object.entries(subscriptions).map(([name, { service }]) => [
          name,
          service === undefined
            ? []
            : [
                {
                  push_endpoint: `${urlNow(service)}/push/${name}`,
                  oidc_token: [{ service_account_email: emailOf('push'), audience: urlNow(service) }],
                },
              ],
        ]),
      ),
    );
    expect(all(made, 'google_cloud_run_v2_service_iam_member.function')).to.deep.equal({
      [first]: {
        name: `${first}-function`,
        location: REQUIRED.region,
        role: 'roles/run.invoker',
        member: agentOf('push'),
        id: `google_cloud_run_v2_service_iam_member.function/${first}-function`,
      },
    });
    expect(all(pulled, 'google_cloud_run_v2_service_iam_member.function')).to.deep.equal({});
  });

  it('says in which environment each runs: that of its service, which the code understands', () => {
    const { value } = only(deployed.byDefault, 'output.function_environments') as {
      value: Record<string, Record<string, string>>;
    };
    expect(Object.keys(value)).to.have.members([first, ...others]);
    const services = all(deployed.byDefault, 'google_cloud_run_v2_service.service');
    for (const [name, environment] of Object.entries(value)) {
      const { template } = services[name] as { template: [{ containers: [{ env: Body[] }] }] };
      const { env } = template[0].containers[0];
      const ofService = env.flatMap((one) => ('value' in one ? [[one.name, one.value]] : []));
      expect(environment, name).to.deep.equal(Object.fromEntries(ofService));
      expect(readConfig(environment, pipeline)).to.include({ subscriber: 'push', pushIdentity: 'platform' });
    }
  });
});
