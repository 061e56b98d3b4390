import {
  executeRepair,
  planRepair,
  type RepairAction,
  type RepairResult,
} from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import { pause } from '../../saga/ports/clock.ts';
import { holdsOf, recordsIn } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { Deed } from '../../test-kit/simulation/subject.ts';
import type { People } from '../../test-kit/simulation/world/people.ts';

/** What the operators of the shop do while orders are under way. */

/** How long people read what would be done before they say yes. */
const READING_MS_MAX = 60_000;

/** @param execute carries out the actions; a test of that gives one here that lacks something. */
export const repairs = (saga: Saga, execute = executeRepair): Readonly<Record<string, Deed>> => ({
  /** The books are right, so only an order that stands is moved on. */
  repair: ({ world }, _uuid, chance) =>
    world.run('repair', async (ports) => {
      const report = await takeAudit(saga, ports);
      for (const { sentence } of report.violations) world.fail(`the audit found: ${sentence}`);
      const { actions } = planRepair(report);
      await pause(ports.clock, READING_MS_MAX * chance());
      count(world, await execute(saga, actions, ports));
    }),

  /** All that a repair can do to an order, as an audit long ago may have asked for it. */
  'a needless repair': ({ world }, uuid, chance) => {
    const ledger = uuid === undefined ? undefined : (world.documents.get(ledgerPath(uuid)) as Ledger);
    if (ledger === undefined) return;
    world.run('needless repair', async (ports) => {
      await pause(ports.clock, 1_000 * chance());
      const results = await execute(saga, everythingFor(saga, ledger), ports);
      count(world, results);
      for (const { action, outcome } of results) {
        if ('path' in action && outcome === 'done')
          world.fail(`the repair did ${action.kind} ${action.path}, and nothing was wrong`);
      }
    });
  },
});

function everythingFor(saga: Saga, ledger: Ledger): RepairAction[] {
  const asked = { uuid: ledger.uuid, sentence: 'It is mended', effect: 'none' };
  return [
    ...recordsIn(holdsOf(saga, ledger)).flatMap(({ path }): RepairAction[] => [
      { ...asked, kind: 'restore', path },
      { ...asked, kind: 'remove', path },
    ]),
    { ...asked, kind: 'announce' },
    { ...asked, kind: 'compensate' },
  ];
}

function count(world: People['world'], results: readonly RepairResult[]): void {
  for (const { action, outcome } of results) world.count(`repair, ${action.kind}: ${outcome}`);
}

/** Units come in, or more are taken out than may be there; what nobody knew may come in, too. */
export const restock =
  (items: readonly string[]): Deed =>
  (people, _uuid, chance) => {
    const item = items[Math.floor(items.length * chance())] ?? '';
    const body = {
      price_per_unit: Math.ceil(9 * chance()),
      loaded: Math.floor(15 * chance()),
      note: 'As counted',
    };
    people.ask('/inventory/{item}', { item }, { method: 'PUT', body });
  };
