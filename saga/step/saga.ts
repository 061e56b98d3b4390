import type { z } from 'zod';
import type { ServiceDefinition } from '../deliver/service.ts';
import type { InputFault } from '../input/input-faults.ts';
import { statusIn } from '../ledger/history.ts';
import {
  CANCELED,
  CANCELED_BY_OPERATOR,
  DEADLINE_EXCEEDED,
  FAILING,
  type Ledger,
  PAUSED,
  RECEIVED,
  RESUMED,
  STEP_FAILED,
  stageOf,
} from '../ledger/ledger.ts';
import { faultsOf } from './declaration-faults.ts';
import type { Account, AnyKind, Hold, RecordKind } from './document.ts';
import type { Step } from './step.ts';
import type { Wait } from './wait.ts';

/**
 * A saga: its steps in order, and what is not a step. The state machine, the topics, the reasons, the documents and the
 * services follow from it.
 */

/** The topic of every saga for messages that can't be processed. */
export const DEAD_LETTER_TOPIC = 'dead-letter';

/** The reader of a subscription that no service reads. */
export const PEOPLE = 'people';

/** What can be ordered, and how people see it. */
export interface OrderKind<Order extends object = object> {
  /** The order as the ledger keeps it. */
  readonly schema: z.ZodObject & z.ZodType<Order>;
  /** The fields by which orders are listed, besides their status. */
  readonly listedBy: readonly string[];
  /**
   * The names by which an order can be found besides, such as those of its items. The ledger keeps them from its first commit on,
   * and each is an entry in the index.
   */
  mentions?(order: Order): readonly string[];
  /** The field with the name of the customer whose order it is; absent: where customers are told apart, only operators see it. */
  readonly ownedBy?: string;
  /**
   * The field, optional and a string, in which an order may name a step that then refuses it, so that a failure can be seen or
   * tested at every place; absent: orders can't ask for that.
   */
  readonly failsAt?: string;
  /** The field by which an order asks for the mode in which its steps are done; only `ORCHESTRATION` means anything there. */
  readonly modeIn?: string;
  /** Reads an order that was published without the frontend, or a snapshot of an order. Unknown fields are left out. */
  parse(body: Readonly<Record<string, unknown>>): ParsedOrder<Order>;
  /** What people see of an order, in messages and over HTTP, besides its uuid, its status and why it failed. */
  shows(ledger: Ledger): Readonly<Record<string, unknown>>;
  /** The schemas of what `shows` returns, by field; absent: anything. */
  readonly shown?: z.ZodRawShape;
}

/** Either an order, or everything that is wrong with it. */
export type ParsedOrder<Order extends object = object> =
  | { readonly order: Order }
  | { readonly faults: readonly InputFault[] };

/** The mode in which one service does all steps, in turn, instead of each its own. */
export const ORCHESTRATION = 'orchestration';

/** A place in the order of the steps: one step, or several that don't need each other and run beside one another. */
export type StepOrGroup = Step | readonly Step[];

/** A topic, and what a message on it says. */
export interface Announcement<Topic extends string = string> {
  readonly topic: Topic;
  readonly says: string;
}

export interface SagaDeclaration<
  Order extends object,
  Steps extends readonly StepOrGroup[],
  Entry extends string,
  Failure extends string,
  End extends string,
  Reason extends string,
  Resumption extends string = string,
  Pause extends string = string,
> {
  readonly name: string;
  readonly order: OrderKind<Order>;
  /** Where orders come in: an order was accepted. */
  readonly entry: Announcement<Entry>;
  /**
   * The steps in their order. Those in a list of their own run beside one another, and what follows begins when all of them are
   * done; the first refusal fails the order.
   */
  readonly steps: Steps;
  /** An order that waited has heard a word, or the clock, and goes on. Needed if a step waits. */
  readonly resumption?: Announcement<Resumption>;
  /** An operator has stopped an order before its next step. Without it, no order can be paused. */
  readonly pause?: Announcement<Pause>;
  /** An orchestrated order goes on: the next step, or its compensation. Without it, no order is orchestrated. */
  readonly workflow?: Announcement;
  /** An order fails: what it holds must be given back. */
  readonly failure: Announcement<Failure>;
  /** An order is canceled: it holds nothing any more. */
  readonly end: Announcement<End>;
  /** How long an order may take from beginning to end, in seconds, waits included; then it fails. By default, any time. */
  readonly lifetimeSeconds?: number;
  /** Reasons to fail that no step declares. */
  readonly reasons: readonly Reason[];
  /** The one of them for a tombstone whose failure named no reason. */
  readonly unknownReason: NoInfer<Reason>;
  /** The services beside the steps. */
  readonly services: readonly ServiceDefinition[];
  /**
   * The reader of each subscription named `{topic}-sub`; all others are `{topic}-{service}-sub`, and stand here only if
   * another step was put in front of their reader. None ever changes its reader.
   */
  readonly subscriptions: Readonly<Record<`${string}-sub`, string>>;
}

/**
 * What an order holds because of a step: while it waits there, or because the step is done. It stands for the status with which
 * that begins.
 */
export interface Act {
  readonly status: string;
  readonly step: Step;
  /** The status with which the order began to hold that. */
  readonly since: string;
  /** What the ledger learns with it. */
  readonly learns: z.ZodObject;
  holds(known: object): readonly Hold[];
}

/** A saga, with literal types for the compiler. The kernel sees plain strings. */
export interface Saga<
  Order extends object = object,
  Status extends string = string,
  Topic extends string = string,
  Reason extends string = string,
  Learned extends object = object,
> extends SagaDeclaration<Order, readonly Step[], string, string, string, Reason> {
  /** All statuses: the first, those of the steps in their order, then those of a failure. */
  readonly statuses: readonly Status[];
  /** The status of an order that has ended well. */
  readonly success: Status;
  /** All reasons for which an order may fail. */
  readonly reasons: readonly Reason[];
  readonly accounts: readonly Account[];
  readonly records: readonly RecordKind[];
  /** Every kind of document that a step uses, once. */
  readonly kinds: readonly AnyKind[];
  /** The variables in the environment that its services and steps declare. */
  readonly settings: z.ZodRawShape;
  /** The fields of an order, which its ledger has, too. */
  readonly orderFields: readonly string[];
  /** The topic on which a ledger in this status is announced, if it is not orchestrated. */
  topicOf(status: string): Topic;
  /** Whether one service does all steps of this order. */
  isOrchestrated(ledger: object): boolean;
  /** The topic on which this ledger is announced: while somebody has to act on an orchestrated one, that of the workflow. */
  topicFor(ledger: Pick<Ledger, 'status'>): string;
  /** The same steps, with those that run beside one another together. */
  readonly groups: readonly (readonly Step[])[];
  /**
   * The topics on which a ledger that stands still is announced again: its own, and, where one of several steps beside one another
   * is done, the one by which the others begin.
   */
  topicsAgain(ledger: Pick<Ledger, 'status' | 'history'>): readonly string[];
  /** The acts of all steps, in their order. */
  readonly acts: readonly Act[];
  /** The steps that may follow in this status, if any. */
  stepsAfter(status: string): readonly Step[];
  /** The steps whose turn it is, if any: those that follow and are not done yet, or the one that has heard a word. */
  stepsAt(ledger: Pick<Ledger, 'status' | 'history'>): readonly Step[];
  /** Whether nothing leaves this status. */
  isFinal(status: string): boolean;
  /** The step for which an order waits in this status, if any. */
  waitingIn(status: string): WaitingStep | undefined;
  /** The statuses to which a ledger may go now. */
  nextOf(ledger: Pick<Ledger, 'status' | 'history'>): readonly string[];
  /** Whether a history with these statuses may go on to another one. It may lack steps that did not exist yet. */
  mayHaveFollowed(statuses: readonly string[], to: string): boolean;
  /**
   * What makes the order hold something, according to the history alone, in its order. Nothing does for a canceled one, and a
   * wait no longer does once its step is done.
   */
  actsOf(ledger: Pick<Ledger, 'status' | 'history'>): readonly Act[];
  /** For the compiler alone. */
  readonly learned?: Learned;
}

/** A step that can wait. */
export type WaitingStep = Step & { readonly waits: Wait };

type LearnedOf<One> =
  One extends Step<infer _N, infer _S, infer _T, infer _R, infer Learned> ? Learned : never;
type NeededOf<One> = One extends { readonly needed?: infer Needed } ? Needed : never;

/** The steps in one place of the order. */
type StepsOf<One> = One extends readonly Step[] ? One[number] : One;

/** A step, if it needs only what was asked or learned before it; otherwise a type that names what is missing. */
type Fits<Before, One> =
  Before extends NeededOf<One> ? One : { readonly 'needs what no earlier step learns': NeededOf<One> };

/** The steps, if each needs only what was asked or learned before it. */
type Fitting<Before, Steps extends readonly StepOrGroup[]> = Steps extends readonly [
  infer Head,
  ...infer Tail extends readonly StepOrGroup[],
]
  ? readonly [
      Head extends readonly Step[]
        ? { readonly [Place in keyof Head]: Fits<Before, Head[Place]> }
        : Fits<Before, Head>,
      ...Fitting<Before & AllLearned<[Head]>, Tail>,
    ]
  : readonly [];

type AllLearned<Steps extends readonly unknown[]> = Steps extends readonly [infer Head, ...infer Tail]
  ? (Head extends readonly unknown[] ? AllLearned<Head> : LearnedOf<Head>) & AllLearned<Tail>
  : object;

/** The literal types of a saga. */
export type StatusOf<S> = S extends Saga<infer _O, infer Status> ? Status : never;
export type TopicOf<S> = S extends Saga<infer _O, infer _S, infer Topic> ? Topic : never;
export type ReasonOf<S> = S extends Saga<infer _O, infer _S, infer _T, infer Reason> ? Reason : never;
export type LedgerOf<S> =
  S extends Saga<infer Order, infer _S, infer _T, infer _R, infer Learned> ? Ledger<Order, Learned> : never;

/**
 * Makes a saga of its declaration.
 * @throws Error that names every contradiction in the declaration.
 */
export function defineSaga<
  Order extends object,
  const Steps extends readonly StepOrGroup[],
  const Entry extends string,
  const Failure extends string,
  const End extends string,
  const Reason extends string,
  const Resumption extends string = never,
  const Pause extends string = never,
>(
  declaration: SagaDeclaration<
    Order,
    Steps & Fitting<Order, Steps>,
    Entry,
    Failure,
    End,
    Reason,
    Resumption,
    Pause
  >,
): Saga<
  Order,
  | typeof RECEIVED
  | StepsOf<Steps[number]>['leadsTo']
  | ([Resumption] extends [never] ? never : typeof RESUMED)
  | ([Pause] extends [never] ? never : typeof PAUSED)
  | typeof FAILING
  | typeof CANCELED,
  Entry | StepsOf<Steps[number]>['announces'] | Resumption | Pause | Failure | End,
  | Reason
  | StepsOf<Steps[number]>['reasons'][number]
  | typeof CANCELED_BY_OPERATOR
  | typeof DEADLINE_EXCEEDED
  | typeof STEP_FAILED,
  AllLearned<Steps>
> {
  const groups = declaration.steps.map((stride: StepOrGroup): readonly Step[] => [stride].flat());
  const steps = groups.flat();
  const { order, entry, failure, end } = declaration;
  const faults = faultsOf(
    declaration as SagaDeclaration<object, readonly StepOrGroup[], string, string, string, string>,
    groups,
  );
  if (faults.length > 0) {
    throw new Error(
      `The saga ${declaration.name} contradicts itself:\n${faults.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  const { resumption, pause } = declaration;
  const acts = steps.flatMap(actsOfStep);
  const forward = [RECEIVED, ...acts.map(({ status }) => status)];
  const success = forward.at(-1);
  /** Statuses of steps that run beside one another have the same place; a wait comes before its step. */
  const placeOf = new Map<string, number>([
    [RECEIVED, -1],
    ...groups.flatMap((group, place) =>
      group.flatMap((step) =>
        actsOfStep(step).map(({ status }, later) => [status, place + later / 2] as const),
      ),
    ),
  ]);
  const topics = new Map<string, string>([
    [RECEIVED, entry.topic],
    ...steps.flatMap(announcementsOf).map(({ status, topic }) => [status, topic] as const),
    ...(resumption ? [[RESUMED, resumption.topic] as const] : []),
    ...(pause ? [[PAUSED, pause.topic] as const] : []),
    [FAILING, failure.topic],
    [CANCELED, end.topic],
  ]);
  const actOf = new Map(acts.map((act) => [act.status, act]));
  const waiting = new Map(steps.flatMap((step) => (isWaitingStep(step) ? [[step.waits.as, step]] : [])));
  /** Where a step is done: the group that it belongs to, and the one behind it. */
  const around = new Map<string, { readonly group: readonly Step[]; readonly next: readonly Step[] }>([
    [RECEIVED, { group: [], next: groups[0] ?? [] }],
    ...groups.flatMap((group, index) =>
      group.map(({ leadsTo }) => [leadsTo, { group, next: groups[index + 1] ?? [] }] as const),
    ),
  ]);
  const kinds = [...new Set(steps.flatMap(({ uses }) => uses))];
  const lastPlaced = (statuses: readonly string[]) => statuses.findLast((status) => placeOf.has(status));

  const stepsAfter: Saga['stepsAfter'] = (status) => {
    const { group = [], next = [] } = around.get(status) ?? {};
    return [...group.filter(({ leadsTo }) => leadsTo !== status), ...next];
  };
  const stepsAt: Saga['stepsAt'] = ({ status, history }) => {
    if (status === RESUMED) return [waiting.get(lastPlaced(history.map(statusIn)) ?? '') ?? []].flat();
    const { group = [], next = [] } = around.get(status) ?? {};
    const isDone = (step: Step) => history.some((line) => statusIn(line) === step.leadsTo);
    const left = group.filter((step) => step.leadsTo !== status && !isDone(step));
    return left.length > 0 ? left : next;
  };

  /** What calls for the orchestrator, if it does the steps of this order. */
  const workflowFor = (ledger: object): Announcement | undefined =>
    order.modeIn !== undefined && ledger[order.modeIn as keyof typeof ledger] === ORCHESTRATION
      ? declaration.workflow
      : undefined;
  const isOrchestrated = (ledger: object): boolean => workflowFor(ledger) !== undefined;

  const isFinal = (status: string): boolean =>
    status === CANCELED ||
    (status === success && steps.some((step) => step.isFinal && step.leadsTo === success));

  function topicOf(status: string) {
    const topic = topics.get(status);
    if (topic === undefined) throw new Error(`${declaration.name} has no status ${status}`);
    return topic as never;
  }

  function topicFor(ledger: Pick<Ledger, 'status'>): string {
    const { status } = ledger;
    const isDue = status === FAILING || status === RESUMED || stepsAfter(status).length > 0;
    return (isDue ? workflowFor(ledger) : undefined)?.topic ?? topicOf(status);
  }

  return {
    ...declaration,
    steps,
    groups,
    statuses: [
      ...forward,
      ...(resumption ? [RESUMED] : []),
      ...(pause ? [PAUSED] : []),
      FAILING,
      CANCELED,
    ] as never,
    success: success as never,
    reasons: [
      ...new Set([
        ...declaration.reasons,
        ...steps.flatMap(({ reasons }) => reasons),
        CANCELED_BY_OPERATOR,
        DEADLINE_EXCEEDED,
        STEP_FAILED,
      ]),
    ] as never,
    kinds,
    accounts: kinds.filter((kind): kind is Account => kind.held === 'amounts'),
    records: kinds.filter((kind): kind is RecordKind => kind.held === 'records'),
    settings: Object.assign({}, ...[...declaration.services, ...steps].map(({ settings }) => settings)),
    orderFields: Object.keys(order.schema.shape),
    topicOf,
    isOrchestrated,
    topicFor,
    topicsAgain(ledger) {
      const { group = [] } = around.get(ledger.status) ?? {};
      const own = topicFor(ledger);
      if (isOrchestrated(ledger) || !stepsAt(ledger).some((step) => group.includes(step))) return [own];
      const isBeside = (status: string) => group.some(({ leadsTo }) => leadsTo === status);
      const begun = ledger.history
        .map(statusIn)
        .findLast((status) => placeOf.has(status) && !isBeside(status));
      return [own, topicOf(begun ?? RECEIVED)];
    },
    acts,
    stepsAfter,
    stepsAt,
    isFinal,
    waitingIn: (status) => waiting.get(status),
    nextOf(ledger) {
      if (ledger.status === FAILING) return [CANCELED];
      if (ledger.status === PAUSED) return [stageOf(ledger), FAILING];
      if (waiting.has(ledger.status)) return [RESUMED, FAILING];
      if (ledger.status !== RESUMED && !placeOf.has(ledger.status)) return [];
      // A step that has heard a word has to decide.
      const mayWait = ledger.status !== RESUMED;
      const due = stepsAt(ledger);
      return [
        ...due.flatMap(({ waits, leadsTo }) => [...(waits && mayWait ? [waits.as] : []), leadsTo]),
        ...(pause && due.length > 0 ? [PAUSED] : []),
        ...(isFinal(ledger.status) ? [] : [FAILING]),
      ];
    },
    mayHaveFollowed(statuses, to) {
      const from = statuses.at(-1) ?? '';
      if (to === CANCELED) return from === FAILING;
      if (from === PAUSED) return to === FAILING || to === statuses.findLast((status) => status !== PAUSED);
      if (from !== RESUMED && !placeOf.has(from)) return false;
      if (to === FAILING) return true;
      if (to === RESUMED) return waiting.has(from);
      if (to === PAUSED) return from === RESUMED || stepsAfter(from).length > 0;
      // What has no place is neither before nor behind another.
      const place = (status = '') => placeOf.get(status) ?? Number.NaN;
      const [last, next] = [place(lastPlaced(statuses)), place(to)];
      return last < next || (last === next && !statuses.includes(to));
    },
    actsOf({ status, history }) {
      if (status === CANCELED) return [];
      const done: Act[] = [];
      for (const line of history) {
        const act = actOf.get(statusIn(line));
        if (act === undefined) continue;
        if (done.at(-1)?.step === act.step) done.pop();
        done.push(act);
      }
      return done;
    },
  };
}

export const isWaitingStep = (step: Step): step is WaitingStep => step.waits !== undefined;

/** A step that waits makes the order hold something while it waits, and the same or something else because it is done. */
function actsOfStep(step: Step): readonly Act[] {
  const { waits, leadsTo, learns, holds, heldSince } = step;
  return [
    ...(waits ? [{ status: waits.as, step, since: waits.as, learns: waits.learns, holds: waits.holds }] : []),
    { status: leadsTo, step, since: heldSince, learns, holds },
  ];
}

/** The statuses that a step leads to, each with the topic that announces it. */
export const announcementsOf = ({ waits, leadsTo, announces, says }: Step) => [
  ...(waits ? [{ status: waits.as, topic: waits.announces, says: waits.says }] : []),
  { status: leadsTo, topic: announces, says },
];

/** The names that the subscription of a topic can have: the first reader's, and those of all others. */
export const subscriptionsOf = (topic: string, reader: string) =>
  [`${topic}-sub`, `${topic}-${reader}-sub`] as const;
