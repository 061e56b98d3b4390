import { DEAD_LETTER_TOPIC, type Saga } from '../../../saga/step/saga.ts';
import type { PlanLimits } from '../plan.ts';
import type { WorldOptions } from '../world/world.ts';
import {
  ackingFirst,
  believingErrors,
  forgettingCanceled,
  forgettingFinished,
  forkingAnew,
  forkingForFree,
  orchestratingAll,
  publishingFirst,
  sleepingWatchdog,
  withForgottenStep,
  withoutDifference,
  withoutFence,
  withoutFinality,
  withoutFloor,
  withoutLedgerCheck,
  withoutModeCheck,
  withoutPatrol,
  withoutPause,
  withoutRedrive,
  withoutRepublication,
  withoutSkipCheck,
  withoutTombstone,
  withoutTurnCheck,
  withoutUndo,
  withoutVersionGuard,
  withStaleTime,
} from './without-guard.ts';

/** The services without a guard, and the worlds in which that shows. */
export interface Guard extends Pick<WorldOptions, 'makeService' | 'startWatchdog'> {
  readonly limits: PlanLimits;
  /** Whether a saga has what it guards; absent: every saga does. */
  readonly guards?: (saga: Saga) => boolean;
}

/** There are no sweeps, and each order comes in as a message: what goes wrong, redelivery alone must mend. */
export const REDELIVERY_ALONE: PlanLimits = {
  kinds: ['crash', 'publish', 'commit', 'read', 'pause', 'late', 'lost ack', 'duplicate'],
  via: ['topic', 'nameless'],
  swept: false,
};
const NO_FAULTS: PlanLimits = { kinds: [] };
const FORGED: PlanLimits = { kinds: ['forged'] };
/** What somebody takes away, only a patrol brings back. */
export const PATROL_ALONE: PlanLimits = {
  kinds: ['stolen'],
  always: [{ kind: 'patrol', everySeconds: 5 }],
  swept: false,
};
/** Messages that nobody can read come to the desk, and operators send them back. */
export const REDRIVES: PlanLimits = { kinds: ['poison', 'deed'], deeds: ['redrive', 'redrive all'] };
/** Orders end by themselves, and operators make others of them. */
const FORKS: PlanLimits = { kinds: ['deed'], deeds: ['fork'] };
const isSteered = ({ pause }: Saga): boolean => pause !== undefined;
const hasDesk = (saga: Saga): boolean =>
  saga.services.some(({ reads }) => reads(saga).includes(DEAD_LETTER_TOPIC));
const bothModes = ({ workflow }: Saga): boolean => workflow !== undefined;

/** The guards of the kernel that can be taken out. In every saga, the simulation must notice that one is missing. */
export const guards = {
  /** A step that the ledger shows as done is not done again. */
  'done-step check': { makeService: withoutLedgerCheck, limits: { kinds: ['duplicate', 'publish'] } },
  /** No step is done for an order that operators have stopped. */
  'pause check': {
    makeService: withoutPause,
    limits: { kinds: ['deed', 'late'], deeds: ['pause'] },
    guards: isSteered,
  },
  /** Operators skip the next step of an order and no other. */
  'skip check': {
    makeService: withoutSkipCheck,
    limits: { kinds: ['deed', 'late'], deeds: ['skip'] },
    guards: (saga) => isSteered(saga) && saga.steps.some(({ standIn }) => standIn !== undefined),
  },
  /** A fork takes all that it then holds from the accounts. */
  'holds of forks': { makeService: forkingForFree, limits: FORKS, guards: isSteered },
  /** Asked for twice, a fork is one order. */
  'uuid of forks': { makeService: forkingAnew, limits: FORKS, guards: isSteered },
  /** A step waits for the one before it. */
  'turn check': { makeService: withoutTurnCheck, limits: FORGED },
  /** A step leaves orchestrated orders to the orchestrator. */
  'mode check': { makeService: withoutModeCheck, limits: FORGED, guards: bothModes },
  /** The orchestrator leaves all other orders to the steps. */
  'mode check of the orchestrator': { makeService: orchestratingAll, limits: FORGED, guards: bothModes },
  /** No step is done for an order that fails or is canceled. */
  fence: { makeService: withoutFence, limits: { kinds: ['duplicate', 'late', 'cancel'] } },
  /** Nothing leaves an end that is final. */
  'final ends': {
    makeService: withoutFinality,
    limits: { kinds: ['cancel', 'word'] },
    guards: ({ isFinal, success }) => isFinal(success),
  },
  /** A commit takes what the order holds now and did not hold before. */
  'difference of holds': { makeService: withoutDifference, limits: NO_FAULTS },
  /** No balance falls below zero. */
  floor: { makeService: withoutFloor, limits: NO_FAULTS },
  /** A failure of an unknown order leaves a ledger behind. */
  tombstone: { makeService: withoutTombstone, limits: FORGED },
  /** A failure is not believed: the ledger says whether the order fails. */
  'doubt about failures': { makeService: believingErrors, limits: FORGED },
  /** A stage never begins before the one before it, whatever the clocks of their services show. */
  'moment of a turn': { makeService: withStaleTime, limits: { kinds: ['clock'] } },
  /** A commit demands the versions that were read. */
  'version guard': { makeService: withoutVersionGuard, limits: NO_FAULTS },
  /** What the ledger calls for is published after it was committed. */
  'commit before publish': { makeService: publishingFirst, limits: REDELIVERY_ALONE },
  /** A message is acked after everything it leads to was published. */
  'publish before ack': { makeService: ackingFirst, limits: REDELIVERY_ALONE },
  /** What a crash left unpublished is published when the message comes again. */
  'publication after a crash': { makeService: withoutRepublication, limits: REDELIVERY_ALONE },
  /** Orders that stand still are announced again, unasked. */
  patrol: { makeService: withoutPatrol, limits: PATROL_ALONE },
  /** A process ends if one of its subscriptions is silent. */
  watchdog: { startWatchdog: sleepingWatchdog, limits: { kinds: ['silent'] } },
  /** A dead letter counts as sent only once the broker has taken it. */
  'sent before marked': { makeService: withoutRedrive, limits: REDRIVES, guards: hasDesk },
  /** A canceled order holds nothing. */
  undo: { makeService: withoutUndo, limits: NO_FAULTS },
  /** The undo is exact: what the last step took is part of it. */
  'exact undo': { makeService: withForgottenStep, limits: { kinds: ['cancel'] } },
  /** The ledger of a finished order stays. */
  'memory of finished orders': { makeService: forgettingFinished, limits: NO_FAULTS },
  /** The ledger of a canceled order stays longer than any message of it can. */
  'memory of canceled orders': { makeService: forgettingCanceled, limits: NO_FAULTS },
} as const satisfies Readonly<Record<string, Guard>>;

export type GuardName = keyof typeof guards;
