/** `order-saga/test-kit/contracts`: contracts for a store or a bus of your own. Needs mocha and chai. */

export { type Broker, BUS_TOPOLOGY, busContract } from '../test-kit/contracts/bus-contract.ts';
export { storeContract } from '../test-kit/contracts/store-contract.ts';
