import { expect } from 'chai';
import { LETTER_STATUSES } from '../../janitor/desk/letter.ts';
import { readTopology } from '../../programs/config.ts';
import { allServices } from '../../programs/services.ts';
import { doneSteps, REASONS, type Saga, STATUSES, STEP_NAMES } from '../../saga/ledger/ledger.ts';
import { SETTINGS } from '../support/builders.ts';
import { parseRecording, type Recording, textOf } from './recording.ts';
import { record } from './stories.ts';

const recorded = () => record('0.0.0', (ports) => allServices(ports, SETTINGS));

/** What was not recorded lacks a story in `test/releases/stories.ts`. */
describe('The recording of a release', () => {
  let recording: Recording;
  let sagas: readonly Saga[];
  before(async () => {
    recording = await recorded();
    const inCollection = (name: string) =>
      [...recording.documents].flatMap(([path, fields]) => (path.startsWith(`${name}/`) ? [fields] : []));
    sagas = inCollection('sagas') as Saga[];
  });

  it('is the same whenever it is made, and is read back as it was written', async () => {
    const text = textOf(recording);
    expect(textOf(await recorded())).to.equal(text);
    expect(parseRecording(text)).to.deep.equal(recording);
  });

  it('has orders in every standing, and failing ones from each stage', () => {
    const standings = new Set(
      sagas.map((saga) => `${saga.status} with ${doneSteps(saga).length} steps done`),
    );
    const failing = [0, ...STEP_NAMES.map((_, index) => index + 1)].map((steps) => `FAILING with ${steps}`);
    const expected = [...STATUSES.filter((status) => status !== 'FAILING'), ...failing];
    expect(
      expected.filter((one) => ![...standings].some((standing) => standing.startsWith(one))),
    ).to.deep.equal([]);
  });

  it('has orders that fail for every reason, and others that were canceled for it', () => {
    for (const status of ['FAILING', 'CANCELED'] as const) {
      const reasons = new Set(sagas.filter((saga) => saga.status === status).map(({ reason }) => reason));
      expect(REASONS.filter((reason) => !reasons.has(reason))).to.deep.equal([]);
    }
  });

  it('has re-driven orders, some with a trace, some that came without the frontend, and a tombstone of nobody', () => {
    const has = (holds: (saga: Saga) => boolean) => sagas.some(holds);
    expect([
      ...(['RECEIVED', 'CREATED', 'FAILING'] as const).map((status) =>
        has((saga) => saga.status === status && (saga.redrives ?? 0) > 0),
      ),
      has(({ redrives }) => redrives === 0),
      has(({ trace }) => trace !== undefined),
      has(({ history }) => history[0]?.endsWith(' RECEIVED order') ?? false),
      has(({ user }) => user === ''),
    ]).to.deep.equal([true, true, true, true, true, true, true]);
  });

  it('has letters of every status', () => {
    const letters = [...recording.documents].flatMap(([path, fields]) =>
      path.startsWith('dead-letters/') ? [(fields as { status: string }).status] : [],
    );
    expect(LETTER_STATUSES.filter((status) => !letters.includes(status))).to.deep.equal([]);
  });

  it('has messages on every topic', () => {
    const topics = new Set(recording.messages.map(({ topic }) => topic));
    expect(readTopology().topics.filter((topic) => !topics.has(topic))).to.deep.equal([]);
  });
});
