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

/** One unit less, of a record one entry less. */
function lessened(hold: Hold): Hold {
  if (isAmount(hold)) return { ...hold, amount: Math.max(0, hold.amount - 1) };
  const fields = Object.entries(hold.fields).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.slice(1) : value,
  ]);
  return { ...hold, fields: Object.fromEntries(fields) };
}

/** What may be wrong with what a step says it holds. All services believe it: what it takes wrongly, it gives back wrongly. */
export const wrongDeclarations: Readonly<Record<string, (step: Step) => Partial<Step>>> = {
  'says that it holds too little': holding((holds) => holds.map(lessened)),
  'forgets its record': holding((holds) => holds.filter(isAmount)),
  // The first step takes nothing from an account, but needs it to be there.
  'does not name its account': (step) =>
    amountsOf(step).length === 0
      ? { reads: () => [] }
      : holding((holds) => holds.filter((hold) => !isAmount(hold)))(step),
  'does not say which documents it uses': () => ({ uses: [] }),
};

/** A step learns less than is so: of a list no entry, of an amount nothing. */
export const learningNothing = (step: Step): Partial<Step> => ({
  decide(known, read, settings) {
    const decision = step.decide(known, read, settings);
    if (decision.kind === 'refused') return decision;
    const learned = Object.entries(decision.learned).map(([field, value]) => [
      field,
      Array.isArray(value) ? [] : 0,
    ]);
    return { ...decision, learned: Object.fromEntries(learned) };
  },
});

/** The services of a saga in which one step declares something wrong. */
export const wronglyDeclared = (name: string, wrong: (step: Step) => Partial<Step>): MakeService =>
  withSaga((saga) => declaring(saga, (step) => (step.name === name ? wrong(step) : {})));
