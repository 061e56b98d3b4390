import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openDurableStore } from '../../adapters/memory/durable-store.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { readOne, type Store } from '../../saga/ports/store.ts';
import { outcomeOf, storeContract } from '../../test-kit/contracts/store-contract.ts';
import { type Child, runProgram } from '../support/child.ts';
import { type Door, hangDoor } from '../support/door.ts';
import { emulatedStore, freshProjectId, requireEmulators } from '../support/emulators.ts';

storeContract('the embedded engine', async () => createMemoryStore());
storeContract('the embedded engine that lasts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-'));
  const store = await openDurableStore(folder);
  return {
    ...store,
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
storeContract('Firestore', (context) => emulatedStore(context));

describe('The store on Firestore, while Firestore is away', () => {
  const TIMEOUT_MS = 300;
  /** Google's client goes on for at least a minute; a machine that is busy takes a while to notice that our time is over. */
  const LATEST_MS = 15_000;
  let door: Door;
  let child: Child;
  let store: Store;
  before(async function () {
    const { firestoreHost } = await requireEmulators(this);
    const projectId = freshProjectId();
    door = await hangDoor(firestoreHost);
    child = runProgram('test/support/away-store.js', [projectId, `${TIMEOUT_MS}`], {
      FIRESTORE_EMULATOR_HOST: door.address,
    });
    // Not through the door: it sees what becomes of the other one's requests.
    store = await emulatedStore(this, projectId);
  });
  after(async () => {
    child?.process.kill('SIGKILL');
    await Promise.all([store?.close(), door?.remove()]);
  });
  const millisecondsIn = (line: string) => Number(/after (\d+) ms/.exec(line)?.[1]);

  for (const request of ['read', 'commit', 'query', 'list', 'due', 'snapshot']) {
    it(`[anomaly 37] says within its time limit that a ${request} is unavailable`, async () => {
      const line = await child.line(new RegExp(`^${request}: unavailable`));
      expect(millisecondsIn(line)).to.be.within(TIMEOUT_MS - 10, LATEST_MS);
    });
  }

  it('[anomaly 35] closes in time although requests are still under way', async () => {
    expect(millisecondsIn(await child.line(/^closed/))).to.be.below(LATEST_MS);
  });

  it('[anomaly 19] may yet apply a commit that it did not answer: a read tells, and a repeat is a conflict', async () => {
    expect(await readOne(store, 'users/joe')).to.equal(undefined);
    door.open();
    let document: object | undefined;
    while (document === undefined) document = await readOne(store, 'users/joe');
    expect(document).to.deep.equal({ by: 'us' });
    expect(
      await outcomeOf(store.commit([{ kind: 'create', path: 'users/joe', fields: { by: 'us' } }])),
    ).to.equal('conflict');
  });
});
