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
  const { entry, failure, groups } = definition;
  const past = readHistory(definition, order.history);
  const isDone = (status: string) => past.reached.get(status)?.isBegun === false;
  /** The first group with a step that is not done; none before there is an order. */
  const current =
    (isDone(RECEIVED) && groups.find((group) => group.some(({ leadsTo }) => !isDone(leadsTo)))) || [];
  const refusing = past.failedAt && refuserOf(past.failedAt, current, definition);

  function stateOf(name: string, status: string): StageState {
    const mark = past.reached.get(status);
    if (past.failedAt) {
      if (name === refusing) return 'refused';
      if (mark === undefined) return 'ahead';
      return past.canceledAt ? 'undone' : 'undoing';
    }
    // Operators act through the service that compensates, so a step done by it was passed over.
    if (mark && isDone(status)) return mark.by === failure.service ? 'skipped' : 'done';
    if (!current.some((step) => step.name === name)) return 'ahead';
    if (past.isPaused) return 'paused';
    return name === past.waitsAt ? 'waiting' : 'active';
  }

  function stageOf(name: string, status: string, says: string, waits?: StepView['waits']): Stage {
    const mark = past.reached.get(status);
    const state = stateOf(name, status);
    return {
      name,
      status,
      says: state === 'waiting' && waits ? waits.says : says,
      state,
      ...(mark && { at: mark.at, afterMs: mark.afterMs }),
      took: (order.took ?? []).filter(({ step }) => step === name),
    };
  }

  const stages = [
    [stageOf(entry.service, RECEIVED, entry.says)],
    ...groups.map((group) =>
      group.map(({ name, leadsTo, says, waits }) => stageOf(name, leadsTo, says, waits)),
    ),
  ];
  const { failedAt, canceledAt } = past;
  return {
    groups: stages,
    elapsedMs: msBetween(order.createdAt, order.history.at(-1)?.at ?? order.createdAt),
    ...(failedAt && {
      failure: {
        at: failedAt.at,
        reason: order.reason ?? '',
        detail: order.detail ?? '',
        by: refusing ?? failedAt.by,
        ...(failedAt.person !== undefined && { person: failedAt.person }),
        undoneBy: failure.service,
        ...(canceledAt && { undoneAt: canceledAt.at, tookMs: msBetween(failedAt.at, canceledAt.at) }),
        undoes: stages
          .flat()
          .flatMap(({ name, state }) => (state === 'undone' || state === 'undoing' ? [name] : []))
          .reverse(),
      },
    }),
  };
}

/** What the history says of each status that stands for a stage, and where the order is now. */
interface Past {
  readonly reached: ReadonlyMap<string, Mark>;
  readonly waitsAt?: string | undefined;
  readonly isPaused: boolean;
  readonly failedAt?: Transition | undefined;
  readonly canceledAt?: Transition | undefined;
}

interface Mark {
  readonly at: string;
  readonly afterMs: number;
  readonly by: string;
  /** The step has only begun, because it waits. */
  readonly isBegun: boolean;
}

function readHistory({ groups }: Definition, history: readonly Transition[]): Past {
  const reached = new Map<string, Mark>();
  let waitsAt: string | undefined;
  for (const [index, { at, status, by }] of history.entries()) {
    const before = history[index - 1];
    // After a pause an order goes back to where it stood.
    if (before?.status === PAUSED) continue;
    const step = groups.flat().find(({ leadsTo, waits }) => leadsTo === status || waits?.status === status);
    if (status === RESUMED) waitsAt = undefined;
    if (step === undefined && status !== RECEIVED) continue;
    const isBegun = step?.waits?.status === status;
    waitsAt = isBegun ? step?.name : undefined;
    reached.set(step?.leadsTo ?? RECEIVED, {
      at,
      afterMs: before ? msBetween(before.at, at) : 0,
      by,
      isBegun,
    });
  }
  return {
    reached,
    waitsAt,
    isPaused: history.at(-1)?.status === PAUSED,
    failedAt: history.find(({ status }) => status === FAILING),
    canceledAt: history.find(({ status }) => status === CANCELED),
  };
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

const msBetween = (from: string, to: string): number => Date.parse(to) - Date.parse(from);
