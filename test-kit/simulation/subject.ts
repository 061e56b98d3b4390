import type { Path } from '../../saga/ports/store.ts';
import type { Saga, WaitingStep } from '../../saga/step/saga.ts';
import type { Word } from '../../saga/step/wait.ts';
import type { Dice } from './chance.ts';
import type { Plan, PlannedOrder } from './plan.ts';
import type { People } from './world/people.ts';
import type { World } from './world/world.ts';

// biome-ignore lint/suspicious/noExplicitAny: a checker believes nothing about what it checks.
export type Fields = Readonly<Record<string, any>>;
/** All documents by their paths. */
export type AllDocuments = ReadonlyMap<string, Fields>;

/** Accounts by collection and name, as a data file has them: the field for the whole is added where it is not given. */
export type Data = Readonly<Record<string, Readonly<Record<string, Fields>>>>;

/** A commit, as a checker sees it: each document that it wrote, before and after; undefined where there is none. */
export interface Commit {
  readonly plan: Plan;
  /** What the fastest clock of the world shows. */
  readonly latestMs: number;
  readonly changes: readonly {
    readonly path: string;
    readonly before: Fields | undefined;
    readonly after: Fields | undefined;
  }[];
}

/**
 * What is simulated. The services, topics, subscriptions and faults follow from the saga, and so does what must hold; the
 * first three fields are enough.
 */
export interface Subject {
  readonly saga: Saga;
  /** What there is before the first order; drawn anew for each seed if it is a function. */
  readonly data: Data | ((dice: Dice) => Data);
  /** Draws an order, as its ledger keeps it. Make some too large, and some for what does not exist. */
  anOrder(dice: Dice): object;
  /** The values of the settings that steps and services declare; by default those of an empty environment. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What must hold after every commit besides what holds for every saga, as sentences about what is wrong. */
  check?(documents: AllDocuments, commit: Commit): readonly string[];
  /** The same for a world in which nothing more happens. */
  checkRest?(world: World, people: People): readonly string[] | Promise<readonly string[]>;
  /** Draws what an operator changes by hand while orders are under way, such as a price; without it, nothing is. */
  anEdit?(dice: Dice): { readonly path: Path; readonly fields: object };
  /** Draws a word for a step that waits; without it, one of those that carry nothing. Make some that can't be heeded. */
  aWord?(step: WaitingStep, order: object, chance: () => number): Word | undefined;
  /** What somebody may do at any moment besides, by its name, such as an operator who changes an account by the routes of a service. */
  readonly deeds?: Readonly<Record<string, Deed>>;
  /** The people who order and cancel over HTTP; without them, orders come in on the entry topic, and the janitor is asked to cancel. */
  readonly customers?: Customers;
}

/**
 * Something that people do.
 * @param uuid an order of the plan; undefined if nobody knows it yet.
 * @param chance gives a number in [0, 1).
 */
export type Deed = (people: People, uuid: string | undefined, chance: () => number) => void | Promise<void>;

/** Customers who come in by doors of their own. */
export interface Customers {
  /** How orders come in, each way as often as it is named here. `topic` and `nameless` are ways that every saga has. */
  readonly via: readonly string[];
  /** The uuid of an order, if it is known before the order comes in. */
  uuidOf(order: PlannedOrder): string | undefined;
  /** Brings in an order that comes by a way of these customers. */
  order(people: People, order: PlannedOrder): void;
  cancel(people: People, uuid: string): void;
}
