import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { loadData } from '../../data-init/load-data.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline } from '../../pipeline.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import { Dice } from '../../test-kit/simulation/chance.ts';
import { allDocuments } from '../support/all-documents.ts';
import { SETTINGS } from '../support/builders.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { type Cast, openPlay, type Play, subscriptionsOf } from './play.ts';
import { readRecording } from './recordings.ts';
import { type Fleet, ROLLOUTS, rollOut } from './rollouts.ts';
import { ledgersIn, loadRecording } from './verdict.ts';

/**
 * Lets the processes of two releases work side by side on one store, as in a rollout and a rollback, and counts what is wrong
 * once this release alone is left. The other one is a checkout that was built; its recording is what they begin with.
 *
 *   node dist/test/releases/side-by-side.js ../previous/dist 0.3.0 --worlds 100
 */

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
const [otherServices, otherPipeline, otherStore, otherAudit, otherRepair] = await Promise.all([
  other('saga/deliver/service.js'),
  other('pipeline.js'),
  other('saga/ports/store.js'),
  other('janitor/audit/take-audit.js'),
  other('janitor/audit/repair.js'),
]);
const subscriptions = { ...recording.subscriptions, ...subscriptionsOf(pipeline) };

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

/** The services of a release, whose surprises are counted. */
const castOf =
  (release: string, make: Cast, tally: Tally): Cast =>
  (ports) => {
    const log: Ports['log'] = (severity, message, fields) => {
      if (severity === 'ERROR')
        tally.add(`${release}: ${fields?.error ? `${fields.step}: ${fields.error}` : message}`);
    };
    return make({ ...ports, log });
  };
const newServices: Cast = (ports) => allServices(pipeline, ports, SETTINGS);
const oldServices: Cast = (ports) => otherServices.allServices(otherPipeline.pipeline, ports, SETTINGS);

/** One world: what the other release left behind, and a rollout. @returns whether all is well in the end. */
async function isWellAfter(rollout: readonly Fleet[], seed: number, tally: Tally): Promise<boolean> {
  const store = createMemoryStore();
  await loadRecording(store, recording);
  const ours = openPlay(store, recording.moment, castOf('new', newServices, tally), { firstId: 10_000 });
  const theirs = openPlay(inTheirWords(store), recording.moment, castOf('old', oldServices, tally), {
    subscriptions: recording.subscriptions,
    firstId: 20_000,
  });
  // What the accounts of new steps say is loaded before their services run.
  await loadData(
    pipeline,
    store,
    ours.ports,
    withFurtherAccounts({ users: {}, inventory: {} }, pipeline, plenty),
  );
  await rollOut(rollout, {
    recording,
    ours,
    theirs,
    subscriptions,
    dice: new Dice(`side by side/${seed}`),
    saga: pipeline,
    ledgers: async () => ledgersIn(await allDocuments(store)),
    async onPhase() {
      const report = await otherAudit.takeAudit(otherPipeline.pipeline, theirs.ports);
      for (const { kind } of report.violations) tally.add(`the old doctor finds a violation: ${kind}`);
      const { actions } = otherRepair.planRepair(report);
      if (values.repair) await otherRepair.executeRepair(otherPipeline.pipeline, actions, theirs.ports);
    },
  });
  return judge(ours, tally);
}

/** What this release finds wrong once it is alone, and what its doctor can't mend. */
async function judge(play: Play, tally: Tally): Promise<boolean> {
  const ledgers = ledgersIn(await allDocuments(play.store));
  const standing = ledgers.filter((ledger) => isStanding(pipeline, ledger));
  for (const { status } of standing) tally.add(`in the end: an order is still ${status}`);
  const report = await takeAudit(pipeline, play.ports);
  for (const { sentence } of report.violations) tally.add(`in the end: ${sentence}`);
  for (let round = 0; round < 3; round++) {
    await executeRepair(pipeline, planRepair(await takeAudit(pipeline, play.ports)).actions, play.ports);
  }
  const mended = await takeAudit(pipeline, play.ports);
  for (const { sentence } of mended.violations) tally.add(`after a repair: ${sentence}`);
  return standing.length + report.violations.length === 0;
}

let isWell = true;
for (const [name, rollout] of Object.entries(ROLLOUTS)) {
  const tally = new Tally();
  const worlds = Number(values.worlds);
  let wrong = 0;
  for (let seed = 1; seed <= worlds; seed++) if (!(await isWellAfter(rollout, seed, tally))) wrong++;
  process.stdout.write(`${name}: something is wrong in ${wrong} of ${worlds} worlds\n`);
  for (const line of tally.lines) process.stdout.write(`${line}\n`);
  isWell &&= wrong === 0;
}
process.exit(isWell ? 0 : 1);
