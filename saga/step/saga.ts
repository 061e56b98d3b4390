import type { z } from 'zod';
import type { ServiceDefinition } from '../deliver/service.ts';
import type { InputFault } from '../http/input-faults.ts';
import { statusIn } from '../ledger/history.ts';
import {
  CANCELED,
  CANCELED_BY_OPERATOR,
  DEADLINE_EXCEEDED,
  FAILING,
  type Ledger,
  RECEIVED,
  RESUMED,
  STEP_FAILED,
} from '../ledger/ledger.ts';
import { LEDGER_FIELDS } from '../ledger/read-ledger.ts';
import type { Account, AnyKind, Hold, RecordKind } from './document.ts';
import type { Step } from './step.ts';
import { SILENCE, type Wait } from './wait.ts';

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

/** A topic, and what a message on it says. */
export interface Announcement<Topic extends string = string> {
  readonly topic: Topic;
  readonly says: string;
}

export interface SagaDeclaration<
  Order extends object,
  Steps extends readonly Step[],
  Entry extends string,
  Failure extends string,
  End extends string,
  Reason extends string,
  Resumption extends string = string,
> {
  readonly name: string;
  readonly order: OrderKind<Order>;
  /** Where orders come in: an order was accepted. */
  readonly entry: Announcement<Entry>;
  readonly steps: Steps;
  /** An order that waited has heard a word, or the clock, and goes on. Needed if a step waits. */
  readonly resumption?: Announcement<Resumption>;
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
  /** The acts of all steps, in their order. */
  readonly acts: readonly Act[];
  /** The step that follows in this status, if any. */
  stepAfter(status: string): Step | undefined;
  /** The step whose turn it is, if any: the one that follows, or the one that has heard a word. */
  stepAt(ledger: Pick<Ledger, 'status' | 'history'>): Step | undefined;
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

/** The steps, if each needs only what was asked or learned before it; otherwise a type that names what is missing. */
type Fitting<Before, Steps extends readonly Step[]> = Steps extends readonly [
  infer Head extends Step,
  ...infer Tail extends readonly Step[],
]
  ? readonly [
      Before extends NeededOf<Head> ? Head : { readonly 'needs what no earlier step learns': NeededOf<Head> },
      ...Fitting<Before & LearnedOf<Head>, Tail>,
    ]
  : readonly [];

type AllLearned<Steps extends readonly Step[]> = Steps extends readonly [
  infer Head extends Step,
  ...infer Tail extends readonly Step[],
]
  ? LearnedOf<Head> & AllLearned<Tail>
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
  const Steps extends readonly Step[],
  const Entry extends string,
  const Failure extends string,
  const End extends string,
  const Reason extends string,
  const Resumption extends string = never,
>(
  declaration: SagaDeclaration<Order, Steps & Fitting<Order, Steps>, Entry, Failure, End, Reason, Resumption>,
): Saga<
  Order,
  | typeof RECEIVED
  | Steps[number]['leadsTo']
  | ([Resumption] extends [never] ? never : typeof RESUMED)
  | typeof FAILING
  | typeof CANCELED,
  Entry | Steps[number]['announces'] | Resumption | Failure | End,
  | Reason
  | Steps[number]['reasons'][number]
  | typeof CANCELED_BY_OPERATOR
  | typeof DEADLINE_EXCEEDED
  | typeof STEP_FAILED,
  AllLearned<Steps>
> {
  const steps: readonly Step[] = declaration.steps;
  const { order, entry, failure, end } = declaration;
  const faults = faultsOf(
    declaration as SagaDeclaration<object, readonly Step[], string, string, string, string>,
  );
  if (faults.length > 0) {
    throw new Error(
      `The saga ${declaration.name} contradicts itself:\n${faults.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  const { resumption } = declaration;
  const acts = steps.flatMap(actsOfStep);
  const forward = [RECEIVED, ...acts.map(({ status }) => status)];
  const placeOf = new Map(forward.map((status, place) => [status, place]));
  const topics = new Map<string, string>([
    [RECEIVED, entry.topic],
    ...steps.flatMap(announcementsOf).map(({ status, topic }) => [status, topic] as const),
    ...(resumption ? [[RESUMED, resumption.topic] as const] : []),
    [FAILING, failure.topic],
    [CANCELED, end.topic],
  ]);
  const actOf = new Map(acts.map((act) => [act.status, act]));
  const waiting = new Map(steps.flatMap((step) => (isWaitingStep(step) ? [[step.waits.as, step]] : [])));
  /** The step that follows where one is done. */
  const followers = new Map(
    [RECEIVED, ...steps.map(({ leadsTo }) => leadsTo)].map((status, place) => [status, steps[place]]),
  );
  const kinds = [...new Set(steps.flatMap(({ uses }) => uses))];
  const lastPlaced = (statuses: readonly string[]) => statuses.findLast((status) => placeOf.has(status));

  const stepAfter = (status: string) => followers.get(status);
  const stepAt: Saga['stepAt'] = ({ status, history }) =>
    status === RESUMED ? waiting.get(lastPlaced(history.map(statusIn)) ?? '') : stepAfter(status);

  const isOrchestrated = (ledger: object): boolean =>
    declaration.workflow !== undefined &&
    order.modeIn !== undefined &&
    ledger[order.modeIn as keyof typeof ledger] === ORCHESTRATION;

  function topicOf(status: string) {
    const topic = topics.get(status);
    if (topic === undefined) throw new Error(`${declaration.name} has no status ${status}`);
    return topic as never;
  }

  return {
    ...declaration,
    steps,
    statuses: [...forward, ...(resumption ? [RESUMED] : []), FAILING, CANCELED] as never,
    success: forward.at(-1) as never,
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
    topicFor(ledger) {
      const { status } = ledger;
      const isDue = status === FAILING || status === RESUMED || followers.get(status) !== undefined;
      return isDue && isOrchestrated(ledger) ? (declaration.workflow?.topic ?? '') : topicOf(status);
    },
    acts,
    stepAfter,
    stepAt,
    waitingIn: (status) => waiting.get(status),
    nextOf(ledger) {
      if (ledger.status === FAILING) return [CANCELED];
      if (ledger.status === CANCELED) return [];
      if (waiting.has(ledger.status)) return [RESUMED, FAILING];
      const step = stepAt(ledger);
      if (step === undefined) return placeOf.has(ledger.status) ? [FAILING] : [];
      // A step that has heard a word has to decide.
      const waits = ledger.status === RESUMED ? undefined : step.waits;
      return [...(waits ? [waits.as] : []), step.leadsTo, FAILING];
    },
    mayHaveFollowed(statuses, to) {
      const from = statuses.at(-1) ?? '';
      if (to === CANCELED) return from === FAILING;
      if (from !== RESUMED && !placeOf.has(from)) return false;
      if (to === FAILING) return true;
      if (to === RESUMED) return waiting.has(from);
      return (placeOf.get(lastPlaced(statuses) ?? '') ?? forward.length) < (placeOf.get(to) ?? -1);
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

/** The contradictions in a declaration, as sentences. Includes what the compiler finds, for callers in plain JavaScript. */
function faultsOf({
  order,
  entry,
  steps,
  resumption,
  workflow,
  failure,
  end,
  services,
  reasons,
  unknownReason,
  subscriptions,
}: SagaDeclaration<object, readonly Step[], string, string, string, string>): string[] {
  const topics = [
    entry.topic,
    ...steps.flatMap(announcementsOf).map(({ topic }) => topic),
    ...(resumption ? [resumption.topic] : []),
    ...(workflow ? [workflow.topic] : []),
    ...steps.flatMap(({ waits }) => waits?.listensTo?.topic ?? []),
    failure.topic,
    end.topic,
    DEAD_LETTER_TOPIC,
  ];
  const names = [...services, ...steps].map(({ name }) => name);
  const kinds = new Set(steps.flatMap(({ uses }) => uses));
  const statuses = steps.flatMap((step) =>
    announcementsOf(step).map(({ status }) => ({ name: step.name, status })),
  );
  // Two may have the same variable, if they declare it with one schema.
  const settings = new Map(
    [...services, ...steps].flatMap((one) =>
      Object.entries(one.settings ?? {}).map(([name, schema]) => [schema, name] as const),
    ),
  );
  const twice = (what: string, names: readonly string[]) =>
    [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
      (name) => `${what} ${name} is there twice`,
    );
  const known = new Map<string, unknown>(Object.entries(order.schema.shape));
  const faults: string[] = steps.length === 0 ? ['it has no steps'] : [];
  for (const { name, needs, learns, waits } of steps) {
    for (const [field, schema] of Object.entries(needs)) {
      if (!known.has(field)) faults.push(`${name} needs ${field}, which no earlier step learns`);
      else if (known.get(field) !== schema) faults.push(`${name} needs another ${field} than is learned`);
    }
    for (const [field, schema] of [waits?.learns.shape ?? {}, learns.shape].flatMap(Object.entries)) {
      if (known.has(field)) faults.push(`${name} learns ${field}, which is known before`);
      known.set(field, schema);
    }
  }
  return [
    ...faults,
    ...[...known.keys()]
      .filter((field) => LEDGER_FIELDS.has(field))
      .map((field) => `${field} is a field of every ledger: give yours another name`),
    ...(order.failsAt === undefined || order.failsAt in order.schema.shape
      ? []
      : [`an order names the step that fails in ${order.failsAt}, which is no field of it`]),
    ...(order.modeIn === undefined || order.modeIn in order.schema.shape
      ? []
      : [`an order names its mode in ${order.modeIn}, which is no field of it`]),
    ...(order.ownedBy === undefined || order.ownedBy in order.schema.shape
      ? []
      : [`an order names its customer in ${order.ownedBy}, which is no field of it`]),
    ...twice('the service', [...names, PEOPLE]),
    ...twice('the status', [RECEIVED, ...statuses.map(({ status }) => status), RESUMED, FAILING, CANCELED]),
    ...twice('the topic', topics),
    ...twice(
      'the kind of document',
      [...kinds].map(({ name }) => name),
    ),
    ...twice('the setting', [...settings.values()]),
    ...(reasons.includes(unknownReason) ? [] : [`${unknownReason} is none of its reasons`]),
    ...statuses.flatMap(({ name, status }) =>
      /^[A-Z][A-Z_]*$/.test(status) ? [] : [`the status ${status} of ${name} is not in CAPITAL_LETTERS`],
    ),
    ...steps.flatMap((step) => waitFaults(step, names)),
    ...(resumption === undefined && steps.some(isWaitingStep)
      ? ['a step waits, but no topic announces that an order goes on: give it a resumption']
      : []),
    ...[...new Set([...names, ...topics])].flatMap((text) =>
      /^[a-z][a-z0-9-]*$/.test(text) ? [] : [`the service or topic ${text} is not in small-letters`],
    ),
    ...Object.entries(subscriptions).flatMap(([subscription, reader]) => {
      const place = steps.findIndex(({ name }) => name === reader);
      // A step goes on reading what came before it; whether another service reads a topic is its own affair.
      const before = [
        entry.topic,
        ...steps
          .slice(0, place)
          .flatMap(announcementsOf)
          .map(({ topic }) => topic),
      ];
      const heard = [steps[place]?.waits?.listensTo?.topic, resumption?.topic];
      const readable = place < 0 ? topics : [...before, ...heard.filter((topic) => topic !== undefined)];
      if (![...names, PEOPLE].includes(reader))
        return [`${subscription} has the reader ${reader}, which is no service`];
      return readable.some((topic) =>
        (subscriptionsOf(topic, reader) as readonly string[]).includes(subscription),
      )
        ? []
        : [`${subscription} is no subscription by which ${reader} can read a topic`];
    }),
  ];
}

function waitFaults({ name, waits }: Step, services: readonly string[]): string[] {
  if (waits === undefined) return [];
  return [
    ...(services.includes(waits.heardBy)
      ? []
      : [`${name} is heard by ${waits.heardBy}, which is no service`]),
    ...Object.entries(waits.words).flatMap(([word, { shape }]) => [
      ...(/^[a-z][a-z-]*$/.test(word) && word !== SILENCE
        ? []
        : [`the word ${word} of ${name} can't be said`]),
      ...['word', 'uuid', 'outcome']
        .filter((taken) => taken in shape)
        .map((field) => `the word ${word} of ${name} can't carry ${field}`),
    ]),
  ];
}
