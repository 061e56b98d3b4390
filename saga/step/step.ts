import { z } from 'zod';
import type { Route } from '../http/http.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { Account, AnyKind, DocumentRef, Hold } from './document.ts';
import type { Saga } from './saga.ts';
import { type Wait, type WaitDeclaration, type WordOf, type Words, waitOf } from './wait.ts';

/**
 * A step of a saga: a value, not a class, that says everything about itself once. Its writes, its compensation, what the
 * audit expects and what operators see all follow from `holds`. Its functions are pure: the same input gives the same
 * output, and nothing else happens.
 */

/** The type of these schemas; without any, a plain object. */
export type Infer<Shape extends z.ZodRawShape> = keyof Shape extends never
  ? object
  : z.infer<z.ZodObject<Shape>>;

/** What a step knows about an order: its uuid, the moment of the step, what was asked, and what earlier steps have learned. */
export type Known<Order, Needs extends z.ZodRawShape> = {
  readonly uuid: string;
  readonly at: Date;
} & Readonly<Order> &
  Readonly<Infer<Needs>>;

/** The same for the kernel. @param at the moment of the step. */
export const knownTo = ({ name }: Pick<Step, 'name'>, ledger: Ledger, at: Date | undefined): object => ({
  at,
  ...ledger,
  ...(ledger.heard?.[name] && { word: ledger.heard[name] }),
});

/** Returns a document that the step reads; undefined only if there is none and its kind names no reason to refuse. */
export type Read = <T extends object, Missing extends string | undefined>(
  document: DocumentRef<T, Missing>,
) => Missing extends string ? T : T | undefined;

/** A business "no", not an error. */
export interface Refused<Reason extends string = string> {
  readonly kind: 'refused';
  readonly reason: Reason;
  readonly detail: string;
}

/** The order waits for a word from outside; what is known so far is learned at once. */
export interface Waiting<Learned extends object = object> {
  readonly kind: 'waiting';
  readonly seconds: number;
  readonly learned: Learned;
}

/** What the step has learned, a refusal, or a wait for a word from outside. */
export type Decision<
  Learned extends object = object,
  Reason extends string = string,
  WaitLearned extends object = object,
> = { readonly kind: 'accepted'; readonly learned: Learned } | Refused<Reason> | Waiting<WaitLearned>;

export const accept = <Learned extends object>(
  learned: Learned,
): { readonly kind: 'accepted'; readonly learned: Learned } => ({ kind: 'accepted', learned });

/** @param detail a sentence for people. */
export const refuse = <const Reason extends string>(reason: Reason, detail: string): Refused<Reason> => ({
  kind: 'refused',
  reason,
  detail,
});

/** @param seconds how long, at most `DEADLINE_SECONDS_MAX`. */
export const wait = <Learned extends object>(seconds: number, learned: Learned): Waiting<Learned> => ({
  kind: 'waiting',
  seconds,
  learned,
});

type MissingOf<Kind> = Kind extends { readonly missing: infer Missing extends string } ? Missing : never;
type ShortageOf<Kind> = Kind extends Account<infer _T, infer _M, infer Shortage> ? Shortage : never;
/** The reasons that come with the documents a step uses. */
type ReasonsOf<Uses extends readonly AnyKind[]> = MissingOf<Uses[number]> | ShortageOf<Uses[number]>;

/** What a step says about itself. */
export interface StepDeclaration<
  Order extends object,
  Name extends string,
  Status extends string,
  Topic extends string,
  Refusal extends string,
  Uses extends readonly AnyKind[],
  Learns extends z.ZodRawShape,
  Needs extends z.ZodRawShape,
  Settings extends z.ZodRawShape,
  WaitStatus extends string,
  WaitTopic extends string,
  WaitLearns extends z.ZodRawShape,
  W extends Words,
> {
  /** The name of the step, and of the service that does it. */
  readonly name: Name;
  /** The status of an order once the step is done. */
  readonly leadsTo: Status;
  /** The topic that announces that status, and what a message on it says. */
  readonly announces: Topic;
  readonly says: string;
  /** Its own reasons to refuse. Those of the documents it uses are added. */
  readonly refusals?: readonly Refusal[];
  /** The kinds of documents that it reads or holds. */
  readonly uses: Uses;
  /** What the ledger learns from it, by name. Every name is required. */
  readonly learns?: Learns;
  /** What it needs from what earlier steps have learned. */
  readonly needs?: Needs;
  /** Its variables in the environment. */
  readonly settings?: Settings;
  /**
   * What it answers over HTTP. A route that changes documents does it in a group commit, for which it gets all ports; one that
   * reads or changes orders gets the saga.
   */
  readonly routes?: (
    store: Store,
    settings: Readonly<Infer<NoInfer<Settings>>>,
    ports: Ports,
    saga: Saga,
  ) => readonly Route[];
  /**
   * What the ledger learns instead if an operator skips the step, because its work is done elsewhere; without it, the step can't
   * be skipped. The order then holds what follows from that.
   */
  readonly standIn?: Infer<NoInfer<Learns>>;
  /** Whether nothing leaves the end to which the step leads; otherwise, an order that has come to it can still be canceled. */
  readonly isFinal?: boolean;
  /** How long an order may stand before this step, in seconds; by default what the configuration says for every stage. */
  readonly deadlineSeconds?: number;
  /** How it waits for a word from outside, if `decide` ever says so. */
  readonly waits?: WaitDeclaration<Order, WaitStatus, WaitTopic, WaitLearns, Needs, W>;
  /**
   * The documents that `decide` looks at, and the accounts of which `holds` takes an amount. It sees only what was asked, so
   * that the documents are read along with the ledger.
   */
  reads(order: Readonly<Order>): readonly DocumentRef[];
  /** Is asked again once a word was heard: then `word` is there, and what it learned when it began to wait. */
  decide(
    known: Known<Order, Needs> & Readonly<Partial<Infer<WaitLearns>>> & { readonly word?: WordOf<W> },
    read: Read,
    settings: Readonly<Infer<Settings>>,
  ): Decision<Infer<Learns>, NoInfer<Refusal | ReasonsOf<Uses>>, NoInfer<Infer<WaitLearns>>>;
  /**
   * What the order holds because the step is done: amounts of accounts, and records. A step that always waits may leave it out:
   * then the order holds what it held meanwhile.
   */
  holds?(known: Known<Order, Needs & Learns>): readonly Hold[];
}

/** A step, with literal types for the compiler. */
export interface Step<
  Name extends string = string,
  Status extends string = string,
  Topic extends string = string,
  Reason extends string = string,
  Learned extends object = object,
  Needed extends object = object,
> {
  readonly name: Name;
  readonly leadsTo: Status;
  readonly announces: Topic;
  readonly says: string;
  /** All reasons for which it may refuse an order. */
  readonly reasons: readonly Reason[];
  readonly uses: readonly AnyKind[];
  readonly learns: z.ZodObject;
  readonly needs: z.ZodRawShape;
  readonly settings: z.ZodRawShape;
  readonly routes: (store: Store, settings: never, ports: Ports, saga: Saga) => readonly Route[];
  readonly standIn?: object;
  readonly isFinal?: boolean;
  readonly deadlineSeconds?: number;
  readonly waits?: Wait;
  // Declared as methods, so that a step for any kind of order is a Step. The saga checks that its steps fit its order.
  reads(order: object): readonly DocumentRef[];
  decide(known: object, read: Read, settings: object): Decision<Learned, Reason>;
  holds(known: object): readonly Hold[];
  /** The status with which the order began to hold that. */
  readonly heldSince: string;
  /** For the compiler alone. */
  readonly needed?: Needed;
}

/** Makes steps for one kind of order. */
export const stepsFor =
  <Order extends object>() =>
  <
    const Name extends string,
    const Status extends string,
    const Topic extends string,
    const Uses extends readonly AnyKind[],
    const Refusal extends string = never,
    // biome-ignore lint/complexity/noBannedTypes: no name at all.
    Learns extends z.ZodRawShape = {},
    // biome-ignore lint/complexity/noBannedTypes: no name at all.
    Needs extends z.ZodRawShape = {},
    // biome-ignore lint/complexity/noBannedTypes: no name at all.
    Settings extends z.ZodRawShape = {},
    const WaitStatus extends string = never,
    const WaitTopic extends string = never,
    // biome-ignore lint/complexity/noBannedTypes: no name at all.
    WaitLearns extends z.ZodRawShape = {},
    // biome-ignore lint/complexity/noBannedTypes: no word at all.
    W extends Words = {},
  >(
    declaration: StepDeclaration<
      Order,
      Name,
      Status,
      Topic,
      Refusal,
      Uses,
      Learns,
      Needs,
      Settings,
      WaitStatus,
      WaitTopic,
      WaitLearns,
      W
    >,
  ): Step<
    Name,
    Status | WaitStatus,
    Topic | WaitTopic,
    Refusal | ReasonsOf<Uses>,
    Infer<Learns> & Partial<Infer<WaitLearns>>,
    Order & Infer<Needs>
  > => {
    const { refusals = [], uses, learns = {}, needs = {}, settings = {}, routes = () => [] } = declaration;
    const { name, waits } = declaration;
    const brought = uses.flatMap((kind) => [
      kind.missing,
      kind.held === 'amounts' ? kind.shortage : undefined,
    ]);
    return {
      ...declaration,
      reasons: [...new Set([...refusals, ...brought.filter((reason) => reason !== undefined)])] as never,
      // Strict: what a step returns besides would overwrite what was asked, or what others have learned.
      learns: z.strictObject(learns),
      needs,
      settings,
      routes,
      ...(waits && { waits: waitOf(name, waits) }),
      holds: declaration.holds ?? waits?.holds ?? (() => []),
      heldSince: declaration.holds === undefined && waits ? waits.as : declaration.leadsTo,
    } as never;
  };
