import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { fail, ledgerPath } from '../../saga/ledger/ledger.ts';
import { aDelivery, aLedger, NOW, SETTINGS } from '../support/builders.ts';
import { type LogLine, recordedPorts } from '../support/recorded-ports.ts';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration, terraformFolder } from './configuration.ts';
import { all, type Deployments, deployments, only, REQUIRED } from './deployments.ts';
import { evaluate, type Resources } from './evaluate.ts';

describe('The service level objectives that Terraform sets', () => {
  const guide = readFileSync(new URL('README.md', terraformFolder), 'utf8');
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  const first = (resources: Resources, block: string): Body => all(resources, block)['0'] ?? {};
  const sliOf = (resources: Resources, name: string, kind: string): Body => {
    const [sli] = first(resources, `google_monitoring_slo.${name}`).request_based_sli as [Body];
    return (sli[kind] as [Body])[0];
  };

  /** The janitor, that compensates an order, and is told to do so again. */
  async function linesOfAnEnd(): Promise<LogLine[]> {
    const cause = { by: 'order', reason: 'INVALID_ORDER', detail: 'There is no user joe', now: NOW };
    const failing = fail(pipeline, aLedger(), cause);
    const ports = await recordedPorts({ [ledgerPath(failing.uuid)]: failing });
    const janitor = allServices(pipeline, ports, SETTINGS).find(({ name }) => name === 'janitor');
    const compensation = janitor?.consumers.find(({ topic }) => topic === pipeline.failure.topic);
    if (compensation === undefined) throw new Error('The janitor has lost a room');
    for (const _ of [1, 2]) {
      await ports.clock.finish(compensation.process([aDelivery({ uuid: failing.uuid })]));
    }
    return ports.logged;
  }

  it('count each order once, by the line that says how long it took', async () => {
    const [counted, ...others] = (await linesOfAnEnd()).filter((line) => 'processingSeconds' in line);
    expect(counted).to.include({ message: 'janitor: compensated', processingSeconds: 0 });
    expect(others).to.deep.equal([]);
    const metrics = ['processing_seconds', 'processed'].map((name) =>
      only(deployed.byDefault, `google_logging_metric.${name}`),
    );
    expect(metrics.map(({ filter }) => filter)).to.deep.equal([
      'jsonPayload.processingSeconds>=0',
      'jsonPayload.processingSeconds>=0',
    ]);
    expect(metrics[0]).to.include({ value_extractor: 'EXTRACT(jsonPayload.processingSeconds)' });
  });

  it('are that 99.9 % of orders are processed within 30 s, and that as many go their way by themselves', () => {
    for (const name of ['in_time', 'moving']) {
      expect(first(deployed.byDefault, `google_monitoring_slo.${name}`), name).to.include({
        goal: 0.999,
        rolling_period_days: 28,
      });
    }
    const { bucket_options: [buckets] = [] } = only(
      deployed.byDefault,
      'google_logging_metric.processing_seconds',
    ) as { bucket_options?: [{ explicit_buckets: [{ bounds: number[] }] }] };
    const { range } = sliOf(deployed.byDefault, 'in_time', 'distribution_cut');
    expect(range).to.deep.equal([{ max: 30 }]);
    // Within a bucket, Google could only estimate.
    expect(buckets?.explicit_buckets[0].bounds).to.include(30);
  });

  it('count where the lines are written: by services that are pushed to, or by workers that pull', () => {
    const counted = 'metric.type="logging.googleapis.com/user/saga_processed_orders" AND resource.type=';
    const seconds = 'metric.type="logging.googleapis.com/user/saga_processing_seconds" AND resource.type=';
    for (const [resources, writer] of [
      [deployed.byDefault, '"cloud_run_revision"'],
      [deployed.withEverything, '"cloud_run_worker_pool"'],
    ] as const) {
      expect(sliOf(resources, 'in_time', 'distribution_cut').distribution_filter).to.equal(seconds + writer);
      expect(sliOf(resources, 'moving', 'good_total_ratio')).to.deep.equal({
        good_service_filter: counted + writer,
        // The sweep is asked for over HTTP, however messages come.
        bad_service_filter:
          'metric.type="logging.googleapis.com/user/saga_stuck_orders" AND resource.type="cloud_run_revision"',
      });
    }
  });

  it('ring where a budget burns fast, and where it burns slowly for long', () => {
    const alerts = all(deployed.withEverything, 'google_monitoring_alert_policy.burn');
    expect(Object.keys(alerts)).to.have.members(['in_time', 'moving']);
    for (const [name, { conditions, notification_channels: channels }] of Object.entries(alerts)) {
      const rings = (conditions as { condition_threshold: [Body] }[]).map(
        ({ condition_threshold: [{ filter, threshold_value: rate, comparison }] }) => [
          filter,
          comparison,
          rate,
        ],
      );
      const slo = first(deployed.withEverything, `google_monitoring_slo.${name}`).name;
      expect(rings).to.deep.equal([
        [`select_slo_burn_rate("${slo}", "3600s")`, 'COMPARISON_GT', 10],
        [`select_slo_burn_rate("${slo}", "86400s")`, 'COMPARISON_GT', 2],
      ]);
      expect(channels).to.deep.equal(['google_monitoring_notification_channel.email/email']);
    }
  });

  it('have their price in the guide, which counts the conditions that Google bills', () => {
    const policies = Object.entries(deployed.byDefault).filter(([address]) =>
      address.startsWith('google_monitoring_alert_policy.'),
    );
    const count = policies.flatMap(([, { conditions }]) => conditions as Body[]).length;
    expect(guide).to.contain(
      `By default there are ${['twelve', 'thirteen', 'fourteen'][count - 12]} conditions`,
    );
    expect(guide).to.contain(`conditions, $${(Math.ceil(count * 3.5) / 10).toFixed(2)} a month`);
  });

  longTest('are not set where the log lacks the lines that they count', async function () {
    this.timeout(60_000);
    const quiet = await evaluate(await readConfiguration(), { ...REQUIRED, log_level: 'warn' });
    const set = Object.keys(quiet).filter((address) => /^google_monitoring_slo|\.burn\b/.test(address));
    expect(set).to.deep.equal([]);
  });
});

describe('The data access logs that Terraform turns on', () => {
  it('are those of the database, of messages and of secrets, and only where they are wanted', async function () {
    const { byDefault, withEverything } = await deployments(this);
    const block = 'google_project_iam_audit_config.data_access';
    expect(all(byDefault, block)).to.deep.equal({});
    const logged = all(withEverything, block);
    expect(Object.keys(logged)).to.have.members([
      'datastore.googleapis.com',
      'pubsub.googleapis.com',
      'secretmanager.googleapis.com',
    ]);
    for (const [service, config] of Object.entries(logged)) {
      expect(config).to.deep.include({
        service,
        audit_log_config: [{ log_type: 'DATA_READ' }, { log_type: 'DATA_WRITE' }],
      });
    }
  });
});
