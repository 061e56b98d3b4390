import { createFirestoreStore } from '../../adapters/google/firestore-store.ts';
import { StoreError } from '../../saga/ports/store.ts';

/**
 * A program that asks Firestore for everything at once and then closes its store, and says what came of it. The
 * contract of the store runs it while Firestore is away. It is a program of its own because Firestore's client goes on
 * with what nobody waits for any more, for minutes, and would keep the tests from ending.
 * Usage: node away-store.js PROJECT TIMEOUT_MS, with FIRESTORE_EMULATOR_HOST
 */
const [projectId = '', timeoutMs = ''] = process.argv.slice(2);
const store = createFirestoreStore({ projectId, databaseId: '(default)', timeoutMs: Number(timeoutMs) });
const startedAt = performance.now();
const say = (text: string) =>
  process.stdout.write(`${text} after ${Math.round(performance.now() - startedAt)} ms\n`);

const requests = {
  read: store.read(['users/jack']),
  commit: store.commit([{ kind: 'create', path: 'users/joe', fields: { by: 'us' } }]),
  query: store.query({ collection: 'users', where: {}, limit: 1 }),
  list: store.list('users', 1),
  due: store.due({ collection: 'users', where: {}, field: 'at', until: new Date(0), limit: 1 }),
  snapshot: store.snapshot(),
};
await Promise.all(
  Object.entries(requests).map(async ([name, request]) => {
    try {
      await request;
      say(`${name}: done`);
    } catch (error) {
      say(`${name}: ${error instanceof StoreError ? error.kind : error}`);
    }
  }),
);
await store.close();
say('closed');
