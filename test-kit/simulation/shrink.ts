import type { Plan } from './plan.ts';
import { type Outcome, runWorld } from './run-world.ts';
import type { Subject } from './subject.ts';
import type { WorldOptions } from './world/world.ts';

/**
 * Finds the smallest part of a failing plan that still fails: leaves out one order or one fault after the other, as long
 * as that makes it smaller. What chance brings does not depend on what else is in the plan, so most of it stays the same.
 * @returns the outcome of the smallest plan that was found.
 */
export async function shrink(
  subject: Subject,
  failed: Outcome,
  options: WorldOptions = {},
): Promise<Outcome> {
  let smallest = failed;
  for (;;) {
    const smaller = await firstFailing(subject, smallerPlans(smallest.plan), options);
    if (smaller === undefined) return smallest;
    smallest = smaller;
  }
}

async function firstFailing(
  subject: Subject,
  plans: Iterable<Plan>,
  options: WorldOptions,
): Promise<Outcome | undefined> {
  for (const plan of plans) {
    const outcome = await runWorld(subject, plan, options);
    if (outcome.fault !== undefined) return outcome;
  }
  return undefined;
}

function* smallerPlans(plan: Plan): Iterable<Plan> {
  const { orders, faults, instances } = plan;
  for (const order of orders) {
    yield {
      ...plan,
      orders: orders.filter((one) => one !== order),
      faults: faults.filter((fault) => !('order' in fault) || fault.order !== order.name),
    };
  }
  for (const fault of faults) yield { ...plan, faults: faults.filter((one) => one !== fault) };
  for (const [service, count] of Object.entries(instances)) {
    if (count > 1) yield { ...plan, instances: { ...instances, [service]: 1 } };
  }
  for (const planned of orders) {
    for (const [field, list] of Object.entries(planned.order)) {
      if (!Array.isArray(list) || list.length < 2) continue;
      const shorter = { ...planned, order: { ...planned.order, [field]: list.slice(0, -1) } };
      yield { ...plan, orders: orders.map((one) => (one === planned ? shorter : one)) };
    }
  }
}
