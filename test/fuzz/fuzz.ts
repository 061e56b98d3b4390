import fc from 'fast-check';
import { bombard } from './fuzz-world.ts';
import { damage, missile } from './missiles.ts';

/** What a fuzz came to. */
export interface FuzzReport {
  readonly inputCount: number;
  /** The seed and the shrunk inputs of the first failure. */
  readonly failure?: { readonly seed: number; readonly story: string };
}

/** So many worlds have one seed: few enough for a failure to be seen again quickly. */
const WORLDS_PER_SEED = 20;
const MISSILES_MAX = 200;

const inWorlds = (count: (missiles: number) => void) =>
  fc.asyncProperty(
    fc.array(missile, { minLength: 1, maxLength: MISSILES_MAX, size: 'max' }),
    async (missiles) => {
      count(missiles.length);
      const fault = await bombard(missiles);
      if (fault !== undefined) throw new Error(fault);
    },
  );

/** Some documents were edited by hand, and cannot be worked with; that is said, and spoils nothing else. */
const inDamagedWorlds = (count: (missiles: number) => void) =>
  fc.asyncProperty(
    fc.array(damage, { minLength: 1, maxLength: 4 }),
    fc.array(missile, { minLength: 1, maxLength: MISSILES_MAX / 4, size: 'max' }),
    async (damages, missiles) => {
      count(missiles.length);
      const fault = await bombard(missiles, damages);
      if (fault !== undefined) throw new Error(fault);
    },
  );

/**
 * Throws so many inputs at the pipeline, in worlds of up to 200.
 * @param seed of the first worlds; each next seed has the next ones.
 * @param onProgress is told after each seed.
 */
export async function fuzz(
  inputs: number,
  seed: number,
  onProgress: (inputCount: number) => void = () => {},
): Promise<FuzzReport> {
  let inputCount = 0;
  const count = (missiles: number) => {
    inputCount += missiles;
  };
  for (let next = seed; inputCount < inputs; next++) {
    for (const [property, numRuns] of [
      [inWorlds(count), WORLDS_PER_SEED],
      [inDamagedWorlds(count), WORLDS_PER_SEED],
    ] as const) {
      const details = await fc.check<unknown[]>(property as fc.IAsyncProperty<unknown[]>, {
        seed: next,
        numRuns,
      });
      if (details.failed) return { inputCount, failure: { seed: next, story: storyOf(details) } };
    }
    onProgress(inputCount);
  }
  return { inputCount };
}

function storyOf({ counterexample, errorInstance }: fc.RunDetails<unknown[]>): string {
  const shown = JSON.stringify(counterexample, (_key, value) => bytesAsText(value), 2);
  return `${errorInstance instanceof Error ? errorInstance.message : errorInstance}\nThe smallest input that shows it:\n${shown}`;
}

/** Bytes are told as text where they are some. */
function bytesAsText(value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: number[] };
  return type === 'Buffer' && data ? Buffer.from(data).toString('latin1') : value;
}
