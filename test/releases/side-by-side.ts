import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { readTopology } from '../../programs/config.ts';
import { allServices } from '../../programs/services.ts';
import type { Saga } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import { Dice } from '../simulation/chance.ts';
import { allDocuments } from '../support/all-documents.ts';
import { SETTINGS } from '../support/builders.ts';
import { createCourier } from './courier.ts';
import { type Cast, openPlay, type Parcel, type Play } from './play.ts';
import { readRecording } from './recordings.ts';
import { loadRecording } from './verdict.ts';

/**
 * Lets the processes of two releases work side by side on one store, as in a rollout and a rollback, and counts what is wrong
 * once this release alone is left. The other one is a checkout that was built; its recording is what they begin with.
 *
 *   node dist/test/releases/side-by-side.js ../previous/dist 0.1.0 --worlds 100
 */

type Side = 'old' | 'new' | 'both';
/** Which release runs each service; of a service that both run, any process may get a message. */
type Fleet = (service: string) => Side;

/** The fleets that follow one another. In the end this release runs everything. */
const ROLLOUTS: Readonly<Record<string, readonly Fleet[]>> = {
  'all at once': [],
  'rolling, all services': [() => 'both'],
  'rolling, the janitor first': [
    (service) => (service === 'janitor' ? 'both' : 'old'),
    (service) => (service === 'janitor' ? 'new' : 'both'),
  ],
  'rolling, the janitor last': [
    (service) => (service === 'janitor' ? 'old' : 'both'),
    (service) => (service === 'janitor' ? 'both' : 'new'),
  ],
  'forth, and back at once': [() => 'new', () => 'old'],
  'forth, and back but for the janitor': [() => 'new', (service) => (service === 'janitor' ? 'new' : 'old')],
};

/** In each phase: how many batches are delivered, twice, and how many orders are placed and canceled. */
const PHASE = { batchesMax: 60, orders: 10, cancels: 10 };
/** After so many deliveries in the mixed fleet, a message waits until this release alone is left. */
const HANDED_BACK_MAX = 4;

const { values, positionals } = parseArgs({
  options: { worlds: { type: 'string', default: '100' }, repair: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [otherDist, otherRelease] = positionals;
if (otherDist === undefined || otherRelease === undefined) {
  throw new Error('Side by side with whom? Give the folder dist of the other release, and its version');
}
const recording = readRecording(otherRelease);
const other = (file: string) => import(pathToFileURL(resolve(otherDist, file)).href);
const [otherServices, otherStore, otherAudit, otherRepair] = await Promise.all([
  other('programs/services.js'),
  other('saga/ports/store.js'),
  other('janitor/audit/take-audit.js'),
  other('janitor/audit/repair.js'),
]);
const { subscriptions } = readTopology();

/** What went wrong, by its sentence, and how often. */
class Tally {
  readonly #counts = new Map<string, number>();
  add(sentence: string): void {
    // Which order and which amount it was makes no difference.
    const kind = sentence.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…').replaceAll(/\b\d+\b/g, 'n');
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }
  get lines(): string[] {
    return [...this.#counts].sort().map(([kind, count]) => `${String(count).padStart(6)} × ${kind}`);
  }
}

/** Errors are known by their class, and each release has its own. */
function inTheirWords(store: Store): Store {
  const translated = Object.entries(store).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw error instanceof StoreError ? new otherStore.StoreError(error.kind, error.message) : error;
      }
    },
  ]);
  return Object.fromEntries(translated);
}

type MakeServices = (ports: Ports, settings: typeof SETTINGS) => ReturnType<Cast>;

/** The services of a release, whose surprises are counted. */
const castOf =
  (release: string, make: MakeServices, tally: Tally): Cast =>
  (ports) => {
    const log: Ports['log'] = (severity, _message, fields) => {
      if (severity === 'ERROR') tally.add(`${release}: ${fields?.step}: ${fields?.error}`);
    };
    return make({ ...ports, log }, SETTINGS);
  };

/** One world: what the other release left behind, and a rollout. @returns whether all is well in the end. */
async function rollOut(rollout: readonly Fleet[], seed: number, tally: Tally): Promise<boolean> {
  const dice = new Dice(`side by side/${seed}`);
  const store = createMemoryStore();
  await loadRecording(store, recording);
  const ours = openPlay(store, recording.moment, castOf('new', allServices, tally), 10_000);
  const theirs = openPlay(
    inTheirWords(store),
    recording.moment,
    castOf('old', otherServices.allServices, tally),
    20_000,
  );
  let fleet: Fleet = () => 'new';
  const playOf = (service = ''): Play => {
    const side = fleet(service);
    return side === 'new' || (side === 'both' && dice.often(0.5)) ? ours : theirs;
  };
  const attempts = new Map<Parcel, number>();
  let left: Parcel[] = [];
  const courier = createCourier([ours, theirs], {
    dice,
    playFor: ({ subscription }) => playOf(subscriptions[subscription]?.service),
    onHandedBack(parcel) {
      const attempt = (attempts.get(parcel) ?? 0) + 1;
      attempts.set(parcel, attempt);
      if (attempt % HANDED_BACK_MAX === 0) left.push(parcel);
      else courier.postAgain(parcel);
    },
  });
  const moveOn = (seconds: number) => {
    for (const play of [ours, theirs]) play.moveOn(seconds);
  };
  /** What was handed back again and again comes again later. */
  async function deliver(batchesMax?: number): Promise<void> {
    for (const parcel of left) courier.postAgain(parcel);
    left = [];
    await courier.deliver(batchesMax);
  }

  courier.post(recording.messages);
  for (const next of rollout) {
    fleet = next;
    for (let count = 0; count < PHASE.orders; count++) {
      const order = {
        user: dice.oneOf(['jack', 'joe']),
        item: dice.oneOf(['widget', 'wotsit']),
        quantity: 1,
      };
      const { status } = await playOf('frontend').ask('POST', '/order', order);
      if (status !== 202) throw new Error(`An order was not accepted: ${status}`);
    }
    await deliver(dice.whole(1, PHASE.batchesMax));
    const uuids = [...(await allDocuments(store)).keys()].flatMap(
      (path) => /^sagas\/(.*)/.exec(path)?.[1] ?? [],
    );
    for (let count = 0; count < PHASE.cancels; count++) {
      await playOf('frontend').ask('POST', `/order/${dice.oneOf(uuids)}/cancel`);
    }
    moveOn(1);
    await deliver(dice.whole(1, PHASE.batchesMax));
    moveOn(40);
    await playOf('janitor').ask('POST', '/sweep');
    const report = await otherAudit.takeAudit(theirs.ports);
    for (const { kind } of report.violations) tally.add(`the old doctor finds a violation: ${kind}`);
    if (values.repair) await otherRepair.executeRepair(otherRepair.planRepair(report).actions, theirs.ports);
  }
  fleet = () => 'new';
  for (let hour = 0; hour < 3; hour++) {
    await deliver();
    moveOn(3600);
    await ours.ask('POST', '/sweep');
  }
  return judge(ours, tally);
}

/** What this release finds wrong once it is alone, and what its doctor can't mend. */
async function judge(play: Play, tally: Tally): Promise<boolean> {
  const sagas = [...(await allDocuments(play.store))].flatMap(([path, fields]) =>
    path.startsWith('sagas/') ? [fields as Saga] : [],
  );
  const standing = sagas.filter(({ status }) => status !== 'PAID' && status !== 'CANCELED');
  for (const { status } of standing) tally.add(`in the end: an order is still ${status}`);
  const report = await takeAudit(play.ports);
  for (const { sentence } of report.violations) tally.add(`in the end: ${sentence}`);
  for (let round = 0; round < 3; round++) {
    await executeRepair(planRepair(await takeAudit(play.ports)).actions, play.ports);
  }
  const mended = await takeAudit(play.ports);
  for (const { sentence } of mended.violations) tally.add(`after a repair: ${sentence}`);
  return standing.length + report.violations.length === 0;
}

let isWell = true;
for (const [name, rollout] of Object.entries(ROLLOUTS)) {
  const tally = new Tally();
  const worlds = Number(values.worlds);
  let wrong = 0;
  for (let seed = 1; seed <= worlds; seed++) if (!(await rollOut(rollout, seed, tally))) wrong++;
  process.stdout.write(`${name}: something is wrong in ${wrong} of ${worlds} worlds\n`);
  for (const line of tally.lines) process.stdout.write(`${line}\n`);
  isWell &&= wrong === 0;
}
process.exit(isWell ? 0 : 1);
