import { expect } from 'chai';
import { LETTER_STATUSES } from '../../janitor/desk/letter.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { isTombstone } from '../../saga/ledger/read-ledger.ts';
import { parseRecording, type Recording, textOf } from './recording.ts';
import { record } from './stories.ts';

const recorded = () => record('0.0.0');

/** What was not recorded lacks a story in `test/releases/stories.ts`. */
describe('The recording of a release', () => {
  let recording: Recording;
  let ledgers: readonly OrderLedger[];
  before(async () => {
    recording = await recorded();
    const inCollection = (name: string) =>
      [...recording.documents].flatMap(([path, fields]) => (path.startsWith(`${name}/`) ? [fields] : []));
    ledgers = inCollection('sagas') as OrderLedger[];
  });

  it('is the same whenever it is made, and is read back as it was written', async () => {
    const text = textOf(recording);
    expect(textOf(await recorded())).to.equal(text);
    expect(parseRecording(text)).to.deep.equal(recording);
  });

  it('is the same in whichever order the services are made', async () => {
    const reversed = await record('0.0.0', {
      arrange: (services) => services.toReversed(),
    });
    expect(textOf(reversed)).to.equal(textOf(recording));
    const services = pipeline.services.toReversed();
    expect(textOf(await record('0.0.0', { saga: { ...pipeline, services } }))).to.equal(textOf(recording));
  });

  it('has its own subscriptions, those that people read as well', () => {
    expect(Object.keys(recording.subscriptions)).to.have.members(
      Object.keys(topologyOf(pipeline).subscriptions),
    );
  });

  it('has orders in every standing, and failing ones from each stage', () => {
    const standings = new Set(
      ledgers.map((ledger) => `${ledger.status} with ${pipeline.actsOf(ledger).length} steps done`),
    );
    const failing = [0, ...pipeline.steps.map((_, index) => index + 1)].map(
      (steps) => `FAILING with ${steps}`,
    );
    const expected = [...pipeline.statuses.filter((status) => status !== 'FAILING'), ...failing];
    expect(
      expected.filter((one) => ![...standings].some((standing) => standing.startsWith(one))),
    ).to.deep.equal([]);
  });

  it('has orders that fail for every reason, and others that were canceled for it', () => {
    for (const status of ['FAILING', 'CANCELED'] as const) {
      const reasons = new Set(
        ledgers.filter((ledger) => ledger.status === status).map(({ reason }) => reason),
      );
      const missing = pipeline.reasons.filter((reason) => !reasons.has(reason));
      expect(missing, `reasons of which test/releases/stories.ts has no ${status} order`).to.deep.equal([]);
    }
  });

  it('has orders that were announced again, some with a trace, some that came without the frontend, and a tombstone of nobody', () => {
    const has = (holds: (ledger: OrderLedger) => boolean) => ledgers.some(holds);
    // The one that stood before the last step has gone on.
    const standing = pipeline.statuses.filter((status) => isStanding(pipeline, { status }));
    const lastStanding = pipeline.statuses[pipeline.steps.length - 1];
    expect([
      ...standing
        .filter((status) => status !== lastStanding)
        .map((status) => has((ledger) => ledger.status === status && (ledger.repeats ?? 0) > 0)),
      has(({ repeats }) => repeats === 0),
      has(({ trace }) => trace !== undefined),
      has(({ history }) => history[0]?.endsWith(` RECEIVED ${pipeline.steps[0]?.name}`) ?? false),
      has((ledger) => isTombstone(pipeline, ledger)),
    ]).to.deep.equal([...standing.slice(1).map(() => true), true, true, true, true]);
  });

  it('has letters of every status', () => {
    const letters = [...recording.documents].flatMap(([path, fields]) =>
      path.startsWith('dead-letters/') ? [(fields as { status: string }).status] : [],
    );
    expect(LETTER_STATUSES.filter((status) => !letters.includes(status))).to.deep.equal([]);
  });

  it('has messages on every topic', () => {
    const topics = new Set(recording.messages.map(({ topic }) => topic));
    expect(topologyOf(pipeline).topics.filter((topic) => !topics.has(topic))).to.deep.equal([]);
  });
});
