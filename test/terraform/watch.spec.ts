import type { Meter } from '@opentelemetry/api';
import { expect } from 'chai';
import { createMetrics } from '../../adapters/telemetry/metrics.ts';
import { REPEATS_UNTIL_SHOWN } from '../../janitor/sweep/sweep.ts';
import { pipeline } from '../../pipeline.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { aDelivery, aLedgerThatIs, SETTINGS, uuidOf } from '../support/builders.ts';
import { type LogLine, recordedPorts } from '../support/recorded-ports.ts';
import type { Body } from './configuration.ts';
import { all, type Deployments, deployments, only } from './deployments.ts';
import type { Resources } from './evaluate.ts';

describe('The watch that Terraform keeps', () => {
  const topology = topologyOf(pipeline);
  const read = Object.keys(topology.subscriptions).filter(
    (name) => topology.subscriptions[name]?.service !== undefined,
  );
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  /** The janitor at work: a letter that it parks, an order that stands still, a compensation that does not succeed. */
  async function linesOfTheJanitor(): Promise<LogLine[]> {
    const still = aLedgerThatIs('CREATED', { uuid: uuidOf(1) });
    const failing = {
      ...aLedgerThatIs('FAILING', { uuid: uuidOf(2) }),
      repeats: REPEATS_UNTIL_SHOWN - 1,
    };
    const ports = await recordedPorts({
      [ledgerPath(still.uuid)]: still,
      [ledgerPath(failing.uuid)]: failing,
    });
    const janitor = allServices(pipeline, ports, SETTINGS).find(({ name }) => name === 'janitor');
    const desk = janitor?.consumers.find(({ topic }) => topic === DEAD_LETTER_TOPIC);
    const sweep = janitor?.routes().find(({ path }) => path === '/sweep');
    if (desk === undefined || sweep === undefined) throw new Error('The janitor has lost a room');
    await ports.clock.finish(desk.process([aDelivery('poison')]));
    const pause = new Promise<void>((resolve) => {
      ports.clock.after(30_000, resolve);
    });
    await ports.clock.finish(pause);
    await ports.clock.finish(Promise.resolve(sweep.handle({} as never)));
    return ports.logged;
  }

  it('counts the lines that the janitor writes', async () => {
    const lines = await linesOfTheJanitor();
    const counted = Object.entries(all(deployed.byDefault, 'google_logging_metric.line')).flatMap(
      ([name, { filter }]) => {
        const [, isPattern, sentence = ''] = /^jsonPayload\.message(=|=~)"(.*)"$/.exec(String(filter)) ?? [];
        if (isPattern === undefined) return [];
        const matches = ({ message }: LogLine) =>
          isPattern === '=~' ? new RegExp(sentence).test(message) : message === sentence;
        return [[name, lines.filter(matches).map(({ message }) => message)]];
      },
    );
    expect(Object.fromEntries(counted)).to.deep.equal({
      saga_dead_letters: ['janitor: a dead letter was parked'],
      saga_failed_compensations: ['janitor: a compensation does not succeed'],
      saga_stuck_orders: [
        'janitor: an order stood still: announced',
        'janitor: an order stood still: announced',
      ],
    });
  });

  type Condition = Body & { readonly filter: string };
  const alertsOf = (resources: Resources) =>
    Object.values(all(resources, 'google_monitoring_alert_policy.alert'));
  const conditionsOf = ({ conditions }: Body): Condition[] =>
    (conditions as { condition_threshold: [Condition] }[]).map(({ condition_threshold: [one] }) => one);

  it('calls somebody for each figure that it counts, and for what Google counts', () => {
    const filters = alertsOf(deployed.byDefault)
      .flatMap(conditionsOf)
      .map(({ filter }) => filter);
    const metrics = filters.map((filter) => /metric\.type="([^"]+)"/.exec(filter)?.[1] ?? '');
    const counted = Object.keys(all(deployed.byDefault, 'google_logging_metric.line')).map(
      (name) => `logging.googleapis.com/user/${name}`,
    );
    expect(metrics).to.have.members([
      ...counted,
      'pubsub.googleapis.com/subscription/oldest_unacked_message_age',
      'pubsub.googleapis.com/subscription/push_request_count',
      'run.googleapis.com/request_latencies',
      'run.googleapis.com/request_count',
    ]);
    // Without its type of resource, Google refuses the filter.
    expect(filters.filter((filter) => !/resource\.type="\w+"/.test(filter))).to.deep.equal([]);
    for (const alert of alertsOf(deployed.withEverything)) {
      expect(alert.notification_channels).to.deep.equal([
        'google_monitoring_notification_channel.email/email',
      ]);
    }
  });

  it('calls nobody for pushes where messages are pulled', () => {
    const titles = (resources: Resources) => alertsOf(resources).map(({ display_name: title }) => title);
    const pushed = titles(deployed.byDefault);
    expect(pushed).to.include('order-saga: Pushes fail');
    expect(titles(deployed.withEverything)).to.have.members(
      pushed.filter((title) => title !== 'order-saga: Pushes fail'),
    );
  });

  it('hears that no sweep is asked for any more, whether that is counted as nothing or not at all', () => {
    const { failed_sweeps: alert = {} } = all(deployed.byDefault, 'google_monitoring_alert_policy.alert');
    const [, silence] = conditionsOf(alert);
    const { saga_scheduled_sweeps: line = {} } = all(deployed.byDefault, 'google_logging_metric.line');
    const { name } = only(deployed.byDefault, 'google_cloud_scheduler_job.sweep');
    expect(line.filter).to.equal(`resource.type="cloud_scheduler_job" AND resource.labels.job_id="${name}"`);
    expect(silence).to.deep.include({
      filter:
        'metric.type="logging.googleapis.com/user/saga_scheduled_sweeps" AND resource.type="cloud_scheduler_job"',
      comparison: 'COMPARISON_LT',
      threshold_value: 1,
      duration: '300s',
      evaluation_missing_data: 'EVALUATION_MISSING_DATA_ACTIVE',
    });
  });

  it('watches the age of messages that services read, not of those that people may leave', () => {
    const { conditions } = all(deployed.byDefault, 'google_monitoring_alert_policy.alert').backlog ?? {};
    const [condition] = conditions as [{ condition_threshold: [{ filter: string }] }];
    const [, watched = ''] = /one_of\((.*)\)/.exec(condition.condition_threshold[0].filter) ?? [];
    expect(watched.split(', ').map((name) => JSON.parse(name) as string)).to.have.members(read);
  });

  it('watches that of events, too, where they are written to BigQuery', () => {
    const { conditions } = all(deployed.withEverything, 'google_monitoring_alert_policy.alert').backlog ?? {};
    const made = Object.values(all(deployed.withEverything, 'google_pubsub_subscription.bigquery'));
    expect(made).to.not.be.empty;
    for (const { name } of made) expect(JSON.stringify(conditions)).to.contain(`\\"${name}\\"`);
  });

  interface Chart {
    readonly title: string;
    readonly xyChart: {
      readonly thresholds?: readonly object[];
      readonly dataSets: readonly [
        {
          readonly timeSeriesQuery: {
            readonly timeSeriesFilter: {
              readonly filter: string;
              readonly aggregation: { readonly groupByFields?: readonly string[] };
            };
          };
        },
      ];
    };
  }
  const dashboardOf = (resources: Resources) => {
    const { dashboard_json: text } = only(resources, 'google_monitoring_dashboard.dashboard');
    const { mosaicLayout } = JSON.parse(String(text)) as {
      mosaicLayout: {
        columns: number;
        tiles: { xPos?: number; yPos?: number; width: number; height: number; widget: Chart }[];
      };
    };
    return mosaicLayout;
  };

  /** Every metric that the code sends, under the name that Google gives it, with its labels. */
  async function metricsOfTheCode(): Promise<Map<string, Set<string>>> {
    const sent = new Map<string, Set<string>>();
    const note = (name: string, kind: string) => {
      const type = `prometheus.googleapis.com/${name}/${kind}`;
      const labels = new Set<string>();
      sent.set(type, labels);
      return (_value: number, attributes: object = {}) => {
        for (const label of Object.keys(attributes)) labels.add(label);
      };
    };
    const meter = {
      createCounter: (name: string) => ({ add: note(name, 'counter') }),
      createHistogram: (name: string) => ({ record: note(name, 'histogram') }),
    } as unknown as Meter;
    const canceled = aLedgerThatIs('CANCELED');
    const { store, observe } = createMetrics(pipeline, meter).ports(await recordedPorts());
    observe?.({ kind: 'commit', by: 'janitor', ledgers: [{ before: undefined, after: canceled }] });
    // The second of two that create one document fails, and is counted, too.
    const commit = () =>
      store.commit([{ kind: 'create', path: ledgerPath(canceled.uuid), fields: canceled }]);
    await commit();
    await commit().catch(() => {});
    return sent;
  }

  it('draws what the services send, by names and labels that they have, and only where they send it', async () => {
    const sent = await metricsOfTheCode();
    const drawn = (resources: Resources) =>
      dashboardOf(resources).tiles.flatMap(({ widget }) => {
        const { filter, aggregation } = widget.xyChart.dataSets[0].timeSeriesQuery.timeSeriesFilter;
        const [, type] = /^metric\.type="(prometheus\.googleapis\.com\/[^"]+)"/.exec(filter) ?? [];
        return type === undefined ? [] : [{ type, filter, labels: aggregation.groupByFields ?? [] }];
      });
    expect(drawn(deployed.byDefault)).to.have.length(4);
    for (const { type, filter, labels } of drawn(deployed.byDefault)) {
      expect(filter).to.contain('resource.type="prometheus_target"');
      expect([...(sent.get(type) ?? [])].map((label) => `metric.labels.${label}`)).to.have.members(labels);
    }
    expect(drawn(deployed.withEverything)).to.deep.equal([]);
  });

  it('says nothing of the dashboard that Google would not keep, because each plan would say it again', () => {
    const empty = (value: unknown, path: string): string[] => {
      if (value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0))
        return [path];
      if (typeof value !== 'object' || value === null) return [];
      return Object.entries(value).flatMap(([name, member]) => empty(member, `${path}.${name}`));
    };
    for (const resources of [deployed.byDefault, deployed.withEverything]) {
      expect(empty(dashboardOf(resources), 'dashboard')).to.deep.equal([]);
    }
  });

  it('draws each alert, one chart beside the other', () => {
    const { tiles, columns } = dashboardOf(deployed.byDefault);
    const places = tiles.map(({ xPos = 0, yPos = 0 }) => `${xPos}/${yPos}`);
    expect(new Set(places).size).to.equal(tiles.length);
    expect(tiles.filter(({ xPos = 0, width }) => xPos + width > columns)).to.deep.equal([]);
    for (const resources of [deployed.byDefault, deployed.withEverything]) {
      const titles = alertsOf(resources).map(
        ({ conditions }) => (conditions as [{ display_name: string }])[0].display_name,
      );
      const watched = dashboardOf(resources).tiles.filter(
        ({ widget }) => widget.xyChart.thresholds !== undefined,
      );
      expect(watched.map(({ widget }) => widget.title)).to.have.members(titles);
    }
  });

  it('limits the cost only where somebody names an amount', () => {
    expect(all(deployed.byDefault, 'google_billing_budget.budget')).to.deep.equal({});
    expect(all(deployed.withEverything, 'google_billing_budget.budget')['0']).to.deep.include({
      billing_account: '000000-000000-000000',
      amount: [{ specified_amount: [{ units: '50' }] }],
    });
  });
});
