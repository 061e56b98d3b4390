import { serviceNames } from '../../saga/deliver/service.ts';
import { Dice } from './chance.ts';
import type { SmallWorld } from './explore-world.ts';
import type { Fault, Plan } from './plan.ts';
import type { Data, Subject } from './subject.ts';

/** A world to be seen in all the ways in which it can go: one or two orders, and one or two faults. */
export interface SmallWorldDeclaration {
  readonly name?: string;
  /** The orders, as their ledgers keep them. They are called o0, o1 and so on, and are published at any moment. */
  readonly orders: readonly object[];
  /** What there is before the first order; by default the data of the subject. */
  readonly data?: Data;
  readonly faults?: readonly Fault[];
  /** How many processes of a service run; by default one of each. */
  readonly instances?: Readonly<Record<string, number>>;
  /** Whether one process may die, at any of its effects. */
  readonly mayCrash?: boolean;
}

/** The small world of a declaration. */
export function smallWorld(subject: Subject, declaration: SmallWorldDeclaration): SmallWorld {
  const { saga } = subject;
  const { name = saga.name, orders, faults = [], instances, mayCrash = false } = declaration;
  const names = serviceNames(saga);
  const plan: Plan = {
    seed: 0,
    deadlineSeconds: 900,
    swept: false,
    instances: { ...Object.fromEntries(names.map((one) => [one, 1])), ...instances },
    data: declaration.data ?? dataOf(subject),
    orders: orders.map((order, index) => ({ name: `o${index}`, atMs: 0, via: 'topic', order })),
    faults,
  };
  // What a source of orders leaves unpublished, only the sweeper finds.
  const sources = saga.services.filter(({ reads }) => reads(saga).length === 0).map((one) => one.name);
  const dying = names.filter((one) => !sources.includes(one)).map((one) => `${one}#0`);
  return { name, plan, ...(mayCrash && { mayCrash: dying }) };
}

const dataOf = ({ data }: Subject): Data =>
  typeof data === 'function' ? data(new Dice('small world')) : data;
