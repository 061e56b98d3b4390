import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { TOMBSTONE_DAYS } from '../../saga/ledger/ledger.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { all, type Deployments, deployments, only } from './deployments.ts';

const daysOf = (duration: unknown): number => Number.parseInt(String(duration), 10) / 86_400;

describe('The database that Terraform makes', () => {
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  it('is copied every day, for longer than it leads back by itself', () => {
    const {
      database,
      retention,
      daily_recurrence: daily,
    } = only(deployed.withEverything, 'google_firestore_backup_schedule.daily');
    expect({ database, daily }).to.deep.equal({ database: 'orders', daily: [{}] });
    expect(daysOf(retention)).to.be.greaterThan(7);
  });

  it('[anomaly 32] can be restored to the oldest copy, and the messages since then still be sought back', () => {
    const { retention } = only(deployed.byDefault, 'google_firestore_backup_schedule.daily');
    const kept = Object.entries(all(deployed.byDefault, 'google_pubsub_topic.topic')).flatMap(
      ([topic, { message_retention_duration: kept }]) => (kept === undefined ? [] : [[topic, daysOf(kept)]]),
    );
    const days = daysOf(retention) + 1;
    const sought = [pipeline.entry.topic, pipeline.failure.topic];
    expect(Object.fromEntries(kept)).to.deep.equal(Object.fromEntries(sought.map((topic) => [topic, days])));
    // What comes so late, and fails at every delivery then, must still meet the ledger of an order that is at rest.
    const read = Object.values(topologyOf(pipeline).subscriptions).filter(
      ({ service }) => service !== undefined,
    );
    const slowest = (topics: readonly string[]) =>
      Math.max(
        ...read.filter(({ topic }) => topics.includes(topic)).map(({ retentionDays }) => retentionDays),
      );
    const longest = days + slowest(sought) + slowest([DEAD_LETTER_TOPIC]);
    expect(longest).to.be.lessThan(TOMBSTONE_DAYS);
  });

  it('makes the indexes, the exemptions and the expiry that the code is tested with', () => {
    const { indexes, fieldOverrides } = JSON.parse(
      readFileSync(new URL('infra/firestore.indexes.json', packageRoot), 'utf8'),
    ) as {
      indexes: {
        collectionGroup: string;
        queryScope: string;
        fields: { fieldPath: string; order?: string; arrayConfig?: string }[];
      }[];
      fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[]; ttl?: boolean }[];
    };
    for (const { fields } of indexes) {
      const [before, last] = fields.slice(-2);
      expect(last, 'what Firestore adds by itself').to.deep.equal({
        fieldPath: '__name__',
        order: before?.order,
      });
    }
    const made = Object.values(all(deployed.byDefault, 'google_firestore_index.index')).map(
      ({ collection, query_scope: queryScope, fields }) => ({
        collectionGroup: collection,
        queryScope,
        fields,
      }),
    );
    expect(made).to.have.deep.members(
      indexes.map((index) => ({
        ...index,
        fields: index.fields.slice(0, -1).map(({ fieldPath, order, arrayConfig }) => ({
          field_path: fieldPath,
          ...(order && { order }),
          ...(arrayConfig && { array_config: arrayConfig }),
        })),
      })),
    );
    const overridden = Object.values(all(deployed.byDefault, 'google_firestore_field.field')).map(
      ({ collection, field, index_config: config, ttl_config: ttl }) => [collection, field, config, ttl],
    );
    expect(overridden).to.have.deep.members(
      fieldOverrides.map(({ collectionGroup, fieldPath, ttl }) => [
        collectionGroup,
        fieldPath,
        [{ indexes: [] }],
        ttl ? [{}] : [],
      ]),
    );
  });
});
