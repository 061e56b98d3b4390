/** `order-saga/google`: Firestore and Pub/Sub, and Google's emulators of both. */

export { createFirestoreStore } from '../adapters/google/firestore-store.ts';
export { createPubSubBus } from '../adapters/google/pubsub-bus.ts';
export { createTopology } from '../adapters/google/pubsub-topology.ts';
export { type Emulators, missingForEmulators, startEmulators } from '../local/emulators.ts';
