import { drawPlan, type PlanLimits } from '../../test-kit/simulation/plan.ts';
import { type Outcome, runWorld } from '../../test-kit/simulation/run-world.ts';
import type { WorldOptions } from '../../test-kit/simulation/world/world.ts';
import { shop } from './shop.ts';

/** How a failure is reported in a spec: the sentence, and the command that shows it. */
export const told = ({ plan, fault, trace }: Outcome): string =>
  `seed ${plan.seed}: ${fault}\n${JSON.stringify(plan)}\n${trace.join('\n')}`;

/** Passes where nothing was found. An assertion would cut what is told after 40 characters, or print it as one line. */
export function expectNothing(told: string | undefined): void {
  if (told !== undefined) throw new Error(told);
}

/** Runs the worlds of the seeds 1 to `seedCount`. @returns the first in which something is wrong (that `wanted` matches). */
export async function findFault(
  seedCount: number,
  limits: PlanLimits,
  options: WorldOptions = {},
  wanted = /./,
  subject = shop,
): Promise<Outcome | undefined> {
  for (let seed = 1; seed <= seedCount; seed++) {
    const outcome = await runWorld(subject, drawPlan(subject, seed, limits), options);
    if (outcome.wrongs.some((wrong) => wanted.test(wrong))) return outcome;
  }
  return undefined;
}
