/** `order-saga/test-kit`: helpers for specs of your steps, and contracts for a store or a bus of your own. Needs mocha and chai. */

export { type Broker, BUS_TOPOLOGY, busContract } from '../test-kit/contracts/bus-contract.ts';
export { storeContract } from '../test-kit/contracts/store-contract.ts';
export { deepFreeze } from '../test-kit/deep-freeze.ts';
export {
  type Given,
  NOW,
  outcomeOf,
  type StepOutcome,
  UUID,
  whenCanceled,
} from '../test-kit/step-outcome.ts';
