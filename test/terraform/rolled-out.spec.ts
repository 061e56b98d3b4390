import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { type Deployments, deployments } from './deployments.ts';

/** What `infra/roll-out` and the workflow take for granted of Terraform's files. */
describe('What is rolled out bit by bit', () => {
  const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });

  it('is watched by every alert that there is: the roll-out knows them by the beginning of their names', () => {
    const [, prefix = ''] =
      /\.policy\.displayName .*?startswith\("(.+?)"\)/.exec(text('infra/roll-out')) ?? [];
    const policies = Object.entries(deployed.withEverything).filter(([address]) =>
      address.startsWith('google_monitoring_alert_policy.'),
    );
    expect(new Set(policies.map(([address]) => address.replace(/\[.*/, ''))).size).to.equal(3);
    expect(prefix).to.equal('order-saga: ');
    for (const [address, { display_name: name }] of policies)
      expect(name, address).to.match(new RegExp(`^${prefix}`));
  });

  /**
   * The role with which the deployer makes each kind of resource, by the documents of Google: of everything that Terraform can make,
   * so that no setting is left that the workflow may not apply.
   */
  const ROLES: Readonly<Record<string, string>> = {
    google_artifact_registry: 'artifactregistry.admin',
    google_bigquery: 'bigquery.admin',
    google_billing_budget: 'billing.costsManager',
    google_cloud_run: 'run.admin',
    google_cloud_scheduler: 'cloudscheduler.admin',
    google_compute_security_policy: 'compute.securityAdmin',
    google_compute: 'compute.loadBalancerAdmin',
    google_firestore: 'datastore.owner',
    google_logging: 'logging.configWriter',
    google_monitoring: 'monitoring.editor',
    google_project_service: 'serviceusage.serviceUsageAdmin',
    // Under a condition. Whether that lets it set audit configs, only a real project can show: infra/rehearsal.md.
    google_project_iam: 'resourcemanager.projectIamAdmin',
    google_pubsub: 'pubsub.admin',
    google_secret_manager: 'secretmanager.admin',
    google_service_account: 'iam.serviceAccountAdmin',
    google_storage: 'storage.admin',
  };

  it('is made with roles that the guide gives to the deployer', () => {
    const guide = text('infra/continuous-deployment.md');
    const types = new Set(
      [deployed.byDefault, deployed.withEverything].flatMap((made) =>
        Object.keys(made).flatMap((address) => address.match(/^google_\w+(?=\.)/) ?? []),
      ),
    );
    const kinds = Object.keys(ROLES).sort((one, other) => other.length - one.length);
    const needed = [...types].map(
      (type) => ROLES[kinds.find((kind) => type.startsWith(kind)) ?? ''] ?? `none for ${type}`,
    );
    const given = [
      ...[...guide.matchAll(/^for role in ((?:.*\\\n)*.*); do\s+grant deployer \$role/gm)].flatMap(
        ([, list = '']) => list.match(/[\w.]+/g) ?? [],
      ),
      ...(guide.match(/(?<=^grant deployer )[\w.]+/gm) ?? []),
      ...(guide.match(/(?<=\bdeployer\/)\w+(?=; do\n {2}gcloud billing)/g) ?? []).map(
        (role) => `billing.${role}`,
      ),
      ...(guide.match(/(?<=saga-deployer@\S+ \\\n +--role=roles\/)[\w.]+/g) ?? []),
    ];
    expect(given).to.include.members([...new Set(needed)]);
  });
});
