import { expect } from 'chai';
import { LETTER_STATUSES } from '../../janitor/desk/letter.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { statusIn } from '../../saga/ledger/history.ts';
import { isFailed } from '../../saga/ledger/ledger.ts';
import { isTombstone } from '../../saga/ledger/read-ledger.ts';
import { isWaitingStep } from '../../saga/step/saga.ts';
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

  const missingIn = (expected: readonly string[], found: Iterable<string>) => {
    const all = new Set(found);
    return expected.filter((one) => !all.has(one));
  };
  /** Every status in which an order stands or has ended well. */
  const forward = pipeline.statuses.filter((status) => status !== 'FAILING' && status !== 'CANCELED');

  it('has orders in every standing, and failing and canceled ones from each of them', () => {
    const statusBefore = ({ history }: OrderLedger, to: string) => {
      const statuses = history.map(statusIn);
      return statuses[statuses.indexOf(to) - 1];
    };
    const standings = ledgers.flatMap((ledger) => {
      const { status } = ledger;
      return isFailed(ledger) ? [`${status} after ${statusBefore(ledger, 'FAILING')}`] : [status];
    });
    const cancelable = forward.filter((status) => !pipeline.isFinal(status));
    const failed = cancelable.flatMap((status) => [`FAILING after ${status}`, `CANCELED after ${status}`]);
    expect(missingIn([...forward, ...failed], standings)).to.deep.equal([]);
  });

  it('has orders that heard each word and go on, and others that have come to the end of what follows', () => {
    const heard = ledgers.flatMap(({ status, heard }) =>
      Object.entries(heard ?? {}).map(([step, { word }]) => `${step}: ${word}, ${status}`),
    );
    const expected = pipeline.steps.filter(isWaitingStep).flatMap(({ name, leadsTo, waits }) =>
      Object.keys(waits.words).flatMap((word) => {
        const isRefused = heard.some((one) => one === `${name}: ${word}, FAILING`);
        const ends = isRefused ? ['FAILING', 'CANCELED'] : [leadsTo, pipeline.success];
        return ['RESUMED', ...ends].map((status) => `${name}: ${word}, ${status}`);
      }),
    );
    expect(missingIn(expected, heard)).to.deep.equal([]);
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
    // A wait is announced again only to show people that its time is over.
    const repeated = pipeline.statuses.filter(
      (status) =>
        isStanding(pipeline, { status }) &&
        (pipeline.waitingIn(status)?.waits.afterwards ?? 'show') === 'show',
    );
    const found = ledgers.flatMap(({ status, repeats = 0 }) => (repeats > 0 ? [status] : []));
    expect(missingIn(repeated, found)).to.deep.equal([]);
    expect([
      has(({ repeats }) => repeats === 0),
      has(({ trace }) => trace !== undefined),
      has(({ history }) => history[0]?.endsWith(` RECEIVED ${pipeline.steps[0]?.name}`) ?? false),
      has((ledger) => isTombstone(pipeline, ledger)),
    ]).to.deep.equal([true, true, true, true]);
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
