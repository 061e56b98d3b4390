import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Hold } from '../../saga/step/document.ts';
import { isAmount } from '../../saga/step/holds.ts';
import type { Step } from '../../saga/step/step.ts';
import { declaring, holding } from '../../test-kit/simulation/checks/declaring.ts';
import { withSaga } from '../../test-kit/simulation/checks/without-guard.ts';
import type { MakeService } from '../../test-kit/simulation/world/world.ts';
import { aLedgerThatIs } from '../support/builders.ts';

/**
 * Steps that say something wrong about themselves. Writes, undo and the product's own audit all follow from what a step
 * says, so only a checker that believes none of it can notice.
 */

const amountsOf = (step: Step): readonly Hold[] => {
  const ledger = aLedgerThatIs(step.leadsTo as Parameters<typeof aLedgerThatIs>[0]);
  return step.holds({ ...ledger, at: ledger.createdAt }).filter(isAmount);
};

/** One unit less of each account, and of each list in a record one entry less; where there is neither, a letter less of its texts. */
function lessened(holds: readonly Hold[]): readonly Hold[] {
  const less = (shorter: (value: unknown) => unknown) =>
    holds.map((hold) => {
      if (isAmount(hold)) return { ...hold, amount: Math.max(0, hold.amount - 1) };
      const fields = Object.entries(hold.fields).map(([name, value]) => [name, shorter(value)]);
      return { ...hold, fields: Object.fromEntries(fields) };
    });
  const ofLists = less((value) => (Array.isArray(value) ? value.slice(1) : value));
  return isDeepStrictEqual(ofLists, holds)
    ? less((value) => (typeof value === 'string' ? value.slice(1) : value))
    : ofLists;
}

/** What may be wrong with what a step says it holds. All services believe it: what it takes wrongly, it gives back wrongly. */
export const wrongDeclarations: Readonly<Record<string, (step: Step) => Partial<Step>>> = {
  'says that it holds too little': holding(lessened),
  'forgets its record': holding((holds) => holds.filter(isAmount)),
  // A step may take nothing from an account, but need it to be there.
  'does not name its account': (step) =>
    amountsOf(step).length === 0
      ? { reads: () => [] }
      : holding((holds) => holds.filter((hold) => !isAmount(hold)))(step),
  'does not say which documents it uses': () => ({ uses: [] }),
};

/** What there is less of than anything: no entry, nothing, or the least that counts. */
const LEAST: readonly unknown[] = [[], 0, 1];

/** What a step learns of which there can be less, by name. */
export const learnedAmounts = ({ learns }: Step): string[] =>
  Object.entries(learns.shape).flatMap(([field, schema]) =>
    LEAST.some((least) => (schema as z.ZodType).safeParse(least).success) ? [field] : [],
  );

/** A step learns less of a field than is so. */
export const learningTooLittle =
  (field: string) =>
  (step: Step): Partial<Step> => ({
    decide(known, read, settings) {
      const decision = step.decide(known, read, settings);
      if (decision.kind === 'refused') return decision;
      const schema = step.learns.shape[field] as z.ZodType;
      const least = LEAST.find((one) => schema.safeParse(one).success);
      return { ...decision, learned: { ...decision.learned, [field]: least } };
    },
  });

/** The services of a saga in which one step declares something wrong. */
export const wronglyDeclared = (name: string, wrong: (step: Step) => Partial<Step>): MakeService =>
  withSaga((saga) => declaring(saga, (step) => (step.name === name ? wrong(step) : {})));
