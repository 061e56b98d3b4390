/** `order-saga/test-kit`: specs of your steps, and the simulation of your saga. It needs no test framework. */

export { deepFreeze } from '../test-kit/deep-freeze.ts';
export type { Dice } from '../test-kit/simulation/chance.ts';
export type { GuardName } from '../test-kit/simulation/checks/guards.ts';
export type { Exploration } from '../test-kit/simulation/explore-world.ts';
export type { Fault, FaultKind, Plan } from '../test-kit/simulation/plan.ts';
export {
  type ExploreOptions,
  explore,
  missedGuards,
  type SimulateOptions,
  type Simulation,
  type SimulationFailure,
  simulate,
} from '../test-kit/simulation/simulate.ts';
export type { SmallWorldDeclaration } from '../test-kit/simulation/small-world.ts';
export type { AllDocuments, Commit, Customers, Data, Deed, Subject } from '../test-kit/simulation/subject.ts';
export {
  type Given,
  NOW,
  outcomeOf,
  type StepOutcome,
  UUID,
  whenCanceled,
} from '../test-kit/step-outcome.ts';
