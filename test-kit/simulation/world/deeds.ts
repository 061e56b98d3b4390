import { hasEnded } from '../../../saga/ledger/deadline.ts';
import { statusIn } from '../../../saga/ledger/history.ts';
import { isFailed, isLedgerPath, type Ledger, ledgerPath, stageOf } from '../../../saga/ledger/ledger.ts';
import type { Step } from '../../../saga/step/step.ts';
import type { Deed, Subject } from '../subject.ts';
import type { People } from './people.ts';

/** What people may do at any moment besides ordering: what the subject says, and what the janitor lets operators do. */
export const deedsOf = ({ deeds }: Subject): Readonly<Record<string, Deed>> => ({ ...atTheDesk, ...deeds });

/** In a saga whose services don't answer that, nothing comes of it. */
const atTheDesk: Readonly<Record<string, Deed>> = {
  redrive(people, _order, chance) {
    const id = aLetter(people, chance);
    if (id !== undefined) people.ask('/dead-letters/{id}/redrive', { id }, {});
  },
  'redrive all': (people) => people.ask('/dead-letters/redrive', {}, { query: {} }),
  discard(people, _order, chance) {
    const id = aLetter(people, chance);
    if (id !== undefined) people.ask('/dead-letters/{id}', { id }, { method: 'DELETE', query: {} });
  },
  announce(people, uuid) {
    if (uuid !== undefined) people.ask('/sagas/{uuid}/announce', { uuid }, {});
  },
  cancel(people, uuid) {
    if (uuid !== undefined) people.askToCancel(uuid);
  },
  pause(people, uuid) {
    if (uuid !== undefined) people.steer(uuid, 'pause');
  },
  resume(people, uuid) {
    if (uuid !== undefined) people.steer(uuid, 'resume');
  },
  /** Mostly of an order whose turn it is, otherwise of any. */
  skip(people, uuid, chance) {
    const skippable = people.world.subject.saga.steps.filter(({ standIn }) => standIn !== undefined);
    const step = oneOf(skippable, chance);
    if (step === undefined) return;
    const whose = oneOf(ordersBefore(people, step), chance) ?? uuid;
    const body = { step: step.name, note: 'It was done elsewhere' };
    if (whose !== undefined) people.ask('/sagas/{uuid}/skip', { uuid: whose }, { body });
  },
  /** At once if the order has ended, otherwise once all have; from any status that it has had, and at times asked for twice. */
  fork(people, uuid, chance) {
    const path = ledgerPath(uuid ?? '');
    const isImpatient = chance() < 0.3;
    const fork = () => {
      const ledger = people.world.documents.get(path) as Ledger | undefined;
      const from = ledger && oneOf(ledger.history.map(statusIn), chance);
      if (ledger === undefined || from === undefined) return;
      people.fork(ledger, from);
      if (isImpatient) people.fork(ledger, from);
    };
    const ledger = people.world.documents.get(path) as Ledger | undefined;
    if (ledger !== undefined && hasEnded(ledger)) fork();
    else people.putOff(fork);
  },
};

/** Where dead letters are. */
export const LETTERS = 'dead-letters/';

/** The id of a dead letter, whatever became of it. */
function aLetter({ world }: People, chance: () => number): string | undefined {
  const paths = [...world.documents.keys()].filter((path) => path.startsWith(LETTERS));
  return oneOf(paths, chance)?.slice(LETTERS.length);
}

/** The orders that stand before a step, paused or not. */
function ordersBefore({ world }: People, step: Step): string[] {
  return [...world.documents].flatMap(([path, fields]) => {
    if (!isLedgerPath(path)) return [];
    const ledger = fields as Ledger;
    const isNext = world.subject.saga.stepsAt({ ...ledger, status: stageOf(ledger) }).includes(step);
    return isNext && !isFailed(ledger) ? [ledger.uuid] : [];
  });
}

const oneOf = <T>(choices: readonly T[], chance: () => number): T | undefined =>
  choices[Math.floor(chance() * choices.length)];
