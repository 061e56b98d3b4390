import type { Definition } from '../../definition-route.ts';
import {
  CANCELED,
  FAILING,
  type Order,
  PAUSED,
  RECEIVED,
  RESUMED,
  type Took,
  type Transition,
} from './order.ts';

/** The saga of one order as a picture: a stage for the entry and for each step, and the way back if it failed. */
export interface Picture {
  /** Stages in one list run beside one another. */
  readonly groups: readonly (readonly Stage[])[];
  /** How the order failed; absent if it did not. */
  readonly failure?: Failure;
  /** From the first transition to the last, in milliseconds. */
  readonly elapsedMs: number;
}

/**
 * - `ahead`: not begun; `active`: its turn; `waiting`: for a word from outside; `paused`: an operator holds the order before it.
 * - `done`, or `skipped` by an operator; `refused`: here the order failed.
 * - `undoing`, `undone`: done once, and what it took goes back, or has gone back.
 */
export type StageState =
  | 'ahead'
  | 'active'
  | 'waiting'
  | 'paused'
  | 'done'
  | 'skipped'
  | 'refused'
  | 'undoing'
  | 'undone';

export interface Stage {
  readonly name: string;
  /** The status to which it leads, and what that means. */
  readonly status: string;
  readonly says: string;
  readonly state: StageState;
  /** When it last changed, and how long after the transition before, in milliseconds. */
  readonly at?: string;
  readonly afterMs?: number;
  readonly took: readonly Took[];
}

export interface Failure {
  readonly at: string;
  readonly reason: string;
  readonly detail: string;
  /** Who gave the order up: the step that refused it, or the service where somebody canceled it. */
  readonly by: string;
  readonly person?: string;
  /** Which service gives back, and when all was given back. */
  readonly undoneBy: string;
  readonly undoneAt?: string;
  readonly tookMs?: number;
  /** The steps that are undone, in the order of the way back. */
  readonly undoes: readonly string[];
}

/** Draws what is known of the order. Statuses that the definition does not have are passed over. */
export function pictureOf(definition: Definition, order: Order): Picture {
  const steps = definition.groups.flat();
  const reached = new Map<string, Mark>();
  let previous: Transition | undefined;
  let [waitsAt, isPaused, failedAt]: [string | undefined, boolean, Transition | undefined] = [
    undefined,
    false,
    undefined,
  ];
  let canceledAt: Transition | undefined;
  for (const line of order.history) {
    const mark = { line, afterMs: previous ? msBetween(previous.at, line.at) : 0 };
    const step = steps.find(({ leadsTo }) => leadsTo === line.status);
    const waiting = steps.find(({ waits }) => waits?.status === line.status);
    if (line.status === PAUSED) isPaused = true;
    else if (isPaused) {
      // It goes back to where it stood.
      isPaused = false;
      if (line.status === FAILING) failedAt = line;
    } else if (line.status === FAILING) failedAt = line;
    else if (line.status === CANCELED) canceledAt = line;
    else if (line.status === RECEIVED) reached.set(RECEIVED, mark);
    else if (line.status === RESUMED) waitsAt = undefined;
    else if (waiting) {
      waitsAt = waiting.name;
      reached.set(waiting.leadsTo, { ...mark, began: true });
    } else if (step) {
      waitsAt = undefined;
      reached.set(step.leadsTo, mark);
    }
    previous = line;
  }

  const isDone = (status: string) => reached.has(status) && reached.get(status)?.began !== true;
  /** The first group with a step that is not done. */
  const current = definition.groups.find((group) => group.some(({ leadsTo }) => !isDone(leadsTo)));
  const hasFailed = failedAt !== undefined;
  const refusing = failedAt && refuserOf(failedAt, current ?? [], definition);

  function stateOf(name: string, status: string): StageState {
    const mark = reached.get(status);
    if (hasFailed && name === refusing) return 'refused';
    if (hasFailed && mark) return canceledAt ? 'undone' : 'undoing';
    if (hasFailed) return 'ahead';
    if (name === waitsAt && !isPaused) return 'waiting';
    if (isDone(status)) {
      const { by } = mark?.line ?? { by: name };
      return isByHand(by, definition) ? 'skipped' : 'done';
    }
    if (!current?.some((one) => one.name === name)) return 'ahead';
    return isPaused ? 'paused' : 'active';
  }

  function stageOf(name: string, status: string, says: string): Stage {
    const mark = reached.get(status);
    return {
      name,
      status,
      says,
      state: stateOf(name, status),
      ...(mark && { at: mark.line.at, afterMs: mark.afterMs }),
      took: (order.took ?? []).filter(({ step }) => step === name),
    };
  }

  const { entry } = definition;
  const groups = [
    [stageOf(entry.service, RECEIVED, entry.says)],
    ...definition.groups.map((group) =>
      group.map(({ name, leadsTo, says }) => stageOf(name, leadsTo, says)),
    ),
  ];
  const undoes = groups
    .flat()
    .filter(({ state }) => state === 'undone' || state === 'undoing')
    .map(({ name }) => name)
    .reverse();
  return {
    groups,
    elapsedMs: msBetween(order.history[0]?.at ?? order.createdAt, order.history.at(-1)?.at ?? order.createdAt),
    ...(failedAt && {
      failure: {
        at: failedAt.at,
        reason: order.reason ?? '',
        detail: order.detail ?? '',
        by: refusing ?? failedAt.by,
        ...(failedAt.person !== undefined && { person: failedAt.person }),
        undoneBy: definition.failure.service,
        ...(canceledAt && { undoneAt: canceledAt.at, tookMs: msBetween(failedAt.at, canceledAt.at) }),
        undoes,
      },
    }),
  };
}

/** When a status was reached, and whether the step has only begun there, because it waits. */
interface Mark {
  readonly line: Transition;
  readonly afterMs: number;
  readonly began?: boolean;
}

type StepView = Definition['groups'][number][number];

/**
 * The step that refused the order: the one that says so, or, where one coordinator does them all, the one whose turn it was.
 * Undefined if the order was given up from outside.
 */
function refuserOf(
  { by, reason }: Transition,
  current: readonly StepView[],
  { groups, entry, failure }: Definition,
): string | undefined {
  if (groups.flat().some(({ name }) => name === by)) return by;
  if (by === entry.service || by === failure.service) return undefined;
  return (current.find(({ reasons }) => reasons.some((one) => one === reason)) ?? current[0])?.name;
}

/** Operators act through the service that compensates, so a step done by it was passed over. */
const isByHand = (by: string, { failure }: Definition): boolean => by === failure.service;

const msBetween = (from: string, to: string): number => Date.parse(to) - Date.parse(from);
