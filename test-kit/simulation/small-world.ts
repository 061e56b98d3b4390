import { serviceNames, takesOrdersIn } from '../../saga/deliver/service.ts';
import { Dice } from './chance.ts';
import type { SmallWorld } from './explore-world.ts';
import type { Fault, Plan } from './plan.ts';
import type { Data, Subject } from './subject.ts';

/** A world to be seen in all the ways in which it can go: one or two orders, and one or two faults. */
export interface SmallWorldDeclaration {
  readonly name?: string;
  /** The orders, as their ledgers keep them. They are called o0, o1 and so on, and come in at any moment. */
  readonly orders: readonly object[];
  /** How they come in, by a way of the customers; by default they are published. */
  readonly via?: string;
  /** What there is before the first order; by default the data of the subject. */
  readonly data?: Data;
  readonly faults?: readonly Fault[];
  /** How many processes of a service run; by default one of each. */
  readonly instances?: Readonly<Record<string, number>>;
  /** Whether one process may die, at any of its effects: one of all, or of these services. */
  readonly mayCrash?: boolean | readonly string[];
  /** Whether there are sweeps once nothing else happens: what a source of orders leaves unpublished, nothing else finds. */
  readonly swept?: boolean;
}

/** The small world of a declaration. */
export function smallWorld(subject: Subject, declaration: SmallWorldDeclaration): SmallWorld {
  const { saga } = subject;
  const { name = saga.name, orders, faults = [], instances, mayCrash = false } = declaration;
  const { via = 'topic', swept = false } = declaration;
  const names = serviceNames(saga);
  const plan: Plan = {
    seed: 0,
    deadlineSeconds: 900,
    swept,
    instances: { ...Object.fromEntries(names.map((one) => [one, 1])), ...instances },
    data: declaration.data ?? dataOf(subject),
    orders: orders.map((order, index) => ({ name: `o${index}`, atMs: 0, via, order })),
    faults,
  };
  if (mayCrash === false) return { name, plan };
  // Without sweeps, a source of orders lives.
  const sources = saga.services.filter((one) => !swept && takesOrdersIn(saga, one)).map((one) => one.name);
  const dying = mayCrash === true ? names.filter((one) => !sources.includes(one)) : mayCrash;
  return { name, plan, mayCrash: dying.map((one) => `${one}#0`) };
}

const dataOf = ({ data }: Subject): Data =>
  typeof data === 'function' ? data(new Dice('small world')) : data;
