/** `order-saga/embedded`: a store and a bus in the memory of one process, and a store that lasts. Nothing else is needed. */

export { openDurableStore } from '../adapters/memory/durable-store.ts';
export { createMemoryBus } from '../adapters/memory/memory-bus.ts';
export { createMemoryStore } from '../adapters/memory/memory-store.ts';
export { systemClock } from '../adapters/system-clock.ts';
