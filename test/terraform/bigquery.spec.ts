import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { z } from 'zod';
import type { Column } from '../../generate/bigquery-columns.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { snapshot } from '../../saga/deliver/message.ts';
import { wordTopics } from '../../saga/deliver/topology.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { aLedgerThatIs } from '../support/builders.ts';
import { topology } from '../support/pipeline.ts';
import { all, type Deployments, deployments } from './deployments.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');
const columns = JSON.parse(text('infra/bigquery-events.json')) as readonly Column[];

describe('The events in BigQuery', () => {
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });

  it('are off by default: nothing of it is made', () => {
    expect(Object.keys(deployed.byDefault).filter((address) => /bigquery/.test(address))).to.deep.equal([]);
  });

  it('are those of every topic on which a status is announced, orchestrated or not, and of no other', () => {
    const announced = pipeline.statuses.flatMap((status) =>
      [{}, { mode: 'orchestration' }].map((mode) => pipeline.topicFor({ status, ...mode })),
    );
    const made = Object.values(all(deployed.withEverything, 'google_pubsub_subscription.bigquery'));
    expect(made.map(({ topic }) => String(topic).split('/').at(-1))).to.have.members([...new Set(announced)]);
    expect([
      ...announced,
      ...wordTopics(pipeline).map(({ topic }) => topic),
      DEAD_LETTER_TOPIC,
    ]).to.include.members(topology.topics);
  });

  it('[anomaly 31] are kept as long as other messages, and go to the desk if they can not be written', () => {
    const ofServices = all(deployed.withEverything, 'google_pubsub_subscription.subscription')['error-sub'];
    for (const one of Object.values(all(deployed.withEverything, 'google_pubsub_subscription.bigquery'))) {
      for (const setting of [
        'message_retention_duration',
        'expiration_policy',
        'retry_policy',
        'dead_letter_policy',
      ])
        expect(one[setting], `${one.name} ${setting}`).to.deep.equal(ofServices?.[setting]);
      expect(one.name).not.to.be.oneOf(Object.keys(topology.subscriptions));
    }
  });

  it('go into one table, a partition a day, with their attributes', () => {
    const { 0: table } = all(deployed.withEverything, 'google_bigquery_table.events');
    const { 0: dataset } = all(deployed.withEverything, 'google_bigquery_dataset.events');
    expect(dataset).to.include({ location: 'europe-west1' });
    expect(table).to.deep.include({ time_partitioning: [{ type: 'DAY', field: 'publish_time' }] });
    expect(JSON.parse(String(table?.schema))).to.deep.equal(columns);
    for (const { bigquery_config: config } of Object.values(
      all(deployed.withEverything, 'google_pubsub_subscription.bigquery'),
    )) {
      expect(config).to.deep.equal([
        {
          table: `my-project.${dataset?.dataset_id}.${table?.table_id}`,
          use_table_schema: true,
          write_metadata: true,
          drop_unknown_fields: true,
        },
      ]);
    }
  });
});

describe('The table of events', () => {
  /** A schema that takes what the columns take, and refuses a field that has none. */
  const rowOf = (all: readonly Column[]): z.ZodType =>
    z.strictObject(
      Object.fromEntries(
        all.map((column) => {
          const one = oneOf(column);
          return [column.name, (column.mode === 'REPEATED' ? z.array(one) : one).optional()];
        }),
      ),
    );
  const oneOf = ({ type, fields = [] }: Column): z.ZodType =>
    type === 'RECORD' ? rowOf(fields) : type === 'INTEGER' ? z.int() : z.string();
  /** What Pub/Sub makes a row of. */
  const messageOf = (ledger: OrderLedger) => JSON.parse(JSON.stringify(snapshot(pipeline, ledger)));

  it('has a column for each field of a message, of its type, but for one whose name no column can have', () => {
    const row = rowOf(columns);
    const fields = { mode: 'orchestration', on_shortage: 'ask', fail: 'inventory' } as const;
    for (const status of pipeline.statuses) {
      const told = messageOf(aLedgerThatIs(status, fields));
      expect(row.safeParse(told).error?.issues ?? [], status).to.deep.equal([]);
    }
    const asked = messageOf(aLedgerThatIs('FAILING', { paymentError: '[null]' }));
    expect(row.safeParse(asked).error?.issues[0]).to.deep.include({ keys: ['payment-error'] });
  });

  it('has names that Pub/Sub can write, each once, and requires nothing of what others publish', () => {
    const names = (all: readonly Column[]): string[] => {
      const own = all.map(({ name }) => name);
      expect(own).to.deep.equal([...new Set(own)]);
      expect(all.map(({ mode }) => mode)).not.to.include('REQUIRED');
      return [...own, ...all.flatMap(({ fields = [] }) => names(fields))];
    };
    for (const name of names(columns)) expect(name).to.match(/^[A-Za-z_][A-Za-z0-9_]*$/);
  });
});

describe('docs/bigquery.md', () => {
  const queries = [...text('docs/bigquery.md').matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
  const [event = '', ...asked] = queries;

  it('asks for columns and attributes that there are', () => {
    expect(asked).to.have.length(3);
    // Keywords and functions are in capitals.
    const code = queries.join('\n').replaceAll(/'[^']*'|--.*|order_saga\.events/g, '');
    const [defined, named] = [/\b(?:AS|WITH) ([a-z]\w*)/g, /\b([a-z]\w*)/g].map((pattern) =>
      [...code.matchAll(pattern)].map(([, name]) => name),
    );
    expect([...columns.map(({ name }) => name), ...(defined ?? [])]).to.include.members(named ?? []);
    expect(named).to.include.members(['attributes', 'publish_time', 'total_invoice']);
    const attributes = [...event.matchAll(/'\$\."([\w-]+)"'/g)].map(([, name]) => name);
    expect(new Set(attributes)).to.deep.equal(new Set(['ce-id', 'ce-time']));
  });

  it('names statuses that there are', () => {
    const literals = asked.flatMap((sql) => [...sql.matchAll(/'([A-Z_]+)'/g)].map(([, word]) => word));
    expect(literals).to.not.be.empty;
    expect(pipeline.statuses).to.include.members(literals);
  });

  it('names the table as Terraform does', async function () {
    const { withEverything } = await deployments(this);
    const { 0: table } = all(withEverything, 'google_bigquery_table.events');
    expect(event).to.contain(`FROM ${table?.dataset_id}.${table?.table_id}`);
  });
});
