import type { WaitingStep } from '../../saga/step/saga.ts';
import type { Word } from '../../saga/step/wait.ts';
import type { Subject } from './subject.ts';

/**
 * A word that somebody says to an order.
 * @param order what was asked, or its ledger.
 * @param chance gives a number in [0, 1).
 */
export function wordFor(subject: Subject, step: WaitingStep, order: object, chance: () => number): Word {
  const own = subject.aWord?.(step, order, chance);
  if (own !== undefined) return own;
  const words = Object.entries(step.waits.words).flatMap(([word, { shape }]) =>
    Object.keys(shape).length === 0 ? [word] : [],
  );
  const word = words[Math.floor(chance() * words.length)];
  if (word === undefined)
    throw new Error(`Every word of ${step.name} carries something: give the subject aWord`);
  return { word };
}
