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
  STEP_FAILED,
} from '../ledger/ledger.ts';
import { LEDGER_FIELDS } from '../ledger/read-ledger.ts';
import type { Account, AnyKind, RecordKind } from './document.ts';
import type { Step } from './step.ts';

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
   * The field, optional and a string, in which an order may name a step that then refuses it, so that a failure can be seen or
   * tested at every place; absent: orders can't ask for that.
   */
  readonly failsAt?: string;
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
> {
  readonly name: string;
  readonly order: OrderKind<Order>;
  /** Where orders come in: an order was accepted. */
  readonly entry: Announcement<Entry>;
  readonly steps: Steps;
  /** An order fails: what it holds must be given back. */
  readonly failure: Announcement<Failure>;
  /** An order is canceled: it holds nothing any more. */
  readonly end: Announcement<End>;
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
  /** The topic on which a ledger in this status is announced. */
  topicOf(status: string): Topic;
  /** The step that follows in this status, if any. */
  stepAt(status: string): Step | undefined;
  /** Whether a ledger may go from one status to the other now. */
  mayFollow(from: string, to: string): boolean;
  /**
   * Whether a history may go from one status to the other. It may lack steps that did not exist yet.
   */
  mayHaveFollowed(from: string, to: string): boolean;
  /** The done steps, in their order, according to the history alone. None for a canceled order: it holds nothing any more. */
  doneSteps(ledger: Pick<Ledger, 'status' | 'history'>): readonly Step[];
  /** For the compiler alone. */
  readonly learned?: Learned;
}

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
>(
  declaration: SagaDeclaration<Order, Steps & Fitting<Order, Steps>, Entry, Failure, End, Reason>,
): Saga<
  Order,
  typeof RECEIVED | Steps[number]['leadsTo'] | typeof FAILING | typeof CANCELED,
  Entry | Steps[number]['announces'] | Failure | End,
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
  const forward = [RECEIVED, ...steps.map(({ leadsTo }) => leadsTo)];
  const placeOf = new Map(forward.map((status, place) => [status, place]));
  const topics = new Map([
    [RECEIVED, entry.topic as string],
    ...steps.map(({ leadsTo, announces }) => [leadsTo, announces] as const),
    [FAILING, failure.topic],
    [CANCELED, end.topic],
  ]);
  const stepOfStatus = new Map(steps.map((step) => [step.leadsTo, step]));
  const kinds = [...new Set(steps.flatMap(({ uses }) => uses))];

  function mayHaveFollowed(from: string, to: string): boolean {
    if (to === CANCELED) return from === FAILING;
    const place = placeOf.get(from);
    if (place === undefined) return false;
    return to === FAILING || place < (placeOf.get(to) ?? -1);
  }

  const stepAt = (status: string): Step | undefined => steps[placeOf.get(status) ?? steps.length];

  return {
    ...declaration,
    steps,
    statuses: [...forward, FAILING, CANCELED] as never,
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
    topicOf(status) {
      const topic = topics.get(status);
      if (topic === undefined) throw new Error(`${declaration.name} has no status ${status}`);
      return topic as never;
    },
    stepAt,
    mayFollow: (from, to) =>
      to === FAILING || to === CANCELED ? mayHaveFollowed(from, to) : stepAt(from)?.leadsTo === to,
    mayHaveFollowed,
    doneSteps({ status, history }) {
      if (status === CANCELED) return [];
      const done: Step[] = [];
      for (const line of history) {
        const step = stepOfStatus.get(statusIn(line));
        if (step !== undefined) done.push(step);
      }
      return done;
    },
  };
}

/** The names that the subscription of a topic can have: the first reader's, and those of all others. */
export const subscriptionsOf = (topic: string, reader: string) =>
  [`${topic}-sub`, `${topic}-${reader}-sub`] as const;

/** The contradictions in a declaration, as sentences. Includes what the compiler finds, for callers in plain JavaScript. */
function faultsOf({
  order,
  entry,
  steps,
  failure,
  end,
  services,
  reasons,
  unknownReason,
  subscriptions,
}: SagaDeclaration<object, readonly Step[], string, string, string, string>): string[] {
  const topics = [
    entry.topic,
    ...steps.map(({ announces }) => announces),
    failure.topic,
    end.topic,
    DEAD_LETTER_TOPIC,
  ];
  const names = [...services, ...steps].map(({ name }) => name);
  const kinds = new Set(steps.flatMap(({ uses }) => uses));
  const settings = [...services, ...steps].flatMap((one) => Object.keys(one.settings ?? {}));
  const twice = (what: string, names: readonly string[]) =>
    [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
      (name) => `${what} ${name} is there twice`,
    );
  const known = new Map<string, unknown>(Object.entries(order.schema.shape));
  const faults: string[] = steps.length === 0 ? ['it has no steps'] : [];
  for (const { name, needs, learns } of steps) {
    for (const [field, schema] of Object.entries(needs)) {
      if (!known.has(field)) faults.push(`${name} needs ${field}, which no earlier step learns`);
      else if (known.get(field) !== schema) faults.push(`${name} needs another ${field} than is learned`);
    }
    for (const [field, schema] of Object.entries(learns.shape)) {
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
    ...twice('the service', [...names, PEOPLE]),
    ...twice('the status', [RECEIVED, ...steps.map(({ leadsTo }) => leadsTo), FAILING, CANCELED]),
    ...twice('the topic', topics),
    ...twice(
      'the kind of document',
      [...kinds].map(({ name }) => name),
    ),
    ...twice('the setting', settings),
    ...(reasons.includes(unknownReason) ? [] : [`${unknownReason} is none of its reasons`]),
    ...steps.flatMap(({ name, leadsTo }) =>
      /^[A-Z][A-Z_]*$/.test(leadsTo) ? [] : [`the status ${leadsTo} of ${name} is not in CAPITAL_LETTERS`],
    ),
    ...[...new Set([...names, ...topics])].flatMap((text) =>
      /^[a-z][a-z0-9-]*$/.test(text) ? [] : [`the service or topic ${text} is not in small-letters`],
    ),
    ...Object.entries(subscriptions).flatMap(([subscription, reader]) => {
      const place = steps.findIndex(({ name }) => name === reader);
      // A step goes on reading what came before it; whether another service reads a topic is its own affair.
      const readable = place < 0 ? topics : topics.slice(0, place + 1);
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
