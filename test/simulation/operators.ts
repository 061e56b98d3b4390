import {
  executeRepair,
  planRepair,
  type RepairAction,
  type RepairResult,
} from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { Problem } from '../../saga/http/http.ts';
import { type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import { pause } from '../../saga/ports/clock.ts';
import { holdsOf, recordsIn } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { eraseCustomer } from '../../shop/erase-customer.ts';
import type { Deed } from '../../test-kit/simulation/subject.ts';
import type { People } from '../../test-kit/simulation/world/people.ts';
import type { World } from '../../test-kit/simulation/world/world.ts';

/** What the operators of the shop do while orders are under way. */

/** How long people read what would be done before they say yes. */
const READING_MS_MAX = 60_000;

/** @param execute carries out the actions; a test of that gives one here that lacks something. */
export const repairs = (saga: Saga, execute = executeRepair): Readonly<Record<string, Deed>> => ({
  /** The books are right, so only an order that stands is moved on. */
  repair: ({ world }, _uuid, chance) =>
    world.run('repair', async (ports) => {
      const report = await takeAudit(saga, ports);
      for (const { path, sentence } of report.violations) {
        if (!isErasedMeanwhile(world, path)) world.fail(`the audit found: ${sentence}`);
      }
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

/** A step that was at work while a customer was marked and erased has not seen that, and its order stands until the next step. */
export const isErasedMeanwhile = ({ plan, documents }: World, path: string): boolean =>
  !documents.has(path) && plan.faults.some((fault) => fault.kind === 'deed' && fault.deed === 'erase');

/** An erasure that its operator repeats so often must have been done. */
const ERASURES_MAX = 20;
const erasedCustomers = new WeakMap<World, Set<string>>();

/** The customers of whom nothing may be left. */
export function erasedIn(world: World): Set<string> {
  const erased = erasedCustomers.get(world) ?? new Set();
  erasedCustomers.set(world, erased);
  return erased;
}

/**
 * A customer wants to be erased. An operator tries at once, and again when all orders rest, each time by a program that may break
 * off; then they ask for it until it is done.
 * @param erase erases the customer; a test of that gives one here that lacks something.
 */
export const erasure =
  (saga: Saga, users: readonly string[], erase = eraseCustomer): Deed =>
  (people, _uuid, chance) => {
    const { world } = people;
    const user = users[Math.floor(users.length * chance())] ?? '';
    const attempt = () =>
      world.run('erasure', async (ports) => {
        try {
          await erase(saga, ports, { user, by: saga.steps[0]?.name ?? '' });
          world.count('erasure: done');
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          world.count(`erasure: ${error.status}`);
        }
      });
    attempt();
    people.putOff(attempt);
    people.putOff(() => askUntilErased(people, user, ERASURES_MAX));
  };

function askUntilErased(people: People, user: string, timesLeft: number): void {
  const { world } = people;
  people.putOff(() => {
    if (erasedIn(world).has(user)) return;
    if (timesLeft === 0) return world.fail(`${user} was not erased, however often an operator asked for it`);
    people.ask('/users/{user}', { user }, { method: 'DELETE' }, (status) => {
      if (status === 200 || status === 404) erasedIn(world).add(user);
    });
    askUntilErased(people, user, timesLeft - 1);
  });
}
