import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openDurableStore } from '../../adapters/memory/durable-store.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { type Path, readOne, type Store } from '../../saga/ports/store.ts';
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

/**
 * Nothing is committed here until the new listener has answered: if a listener is opened while the emulator applies a commit, the
 * emulator now and then tells nobody of that commit, or answers UNKNOWN although it has applied it
 * (docs/decisions/0017-live-routes-watch-the-store.md).
 */
describe('A watch on Firestore', () => {
  const [COLLECTION, ROUND, MINUTE_MS] = ['watched', 400, 60_000];
  const BEGINNING_MS = Date.UTC(2026, 0, 2);
  let store: Store;
  before(async function () {
    store = await emulatedStore(this);
  });
  after(() => store?.close());

  it('begins anew after a thousand documents, with those that moved last, and misses none', async () => {
    const told: Path[] = [];
    let wake = () => {};
    const watching = store.watchChanges(
      { collection: COLLECTION, where: { shard: 1 }, field: 'movedAt', since: new Date(BEGINNING_MS) },
      (documents) => {
        told.push(...documents.map(({ path }) => path));
        wake();
      },
      (error) => {
        throw error;
      },
    );
    const until = async (isSo: () => boolean) => {
      while (!isSo()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    const timesTold = (path: Path) => told.filter((one) => one === path).length;
    try {
      for (let round = 1; round <= 5; round++) {
        const paths = Array.from({ length: ROUND }, (_, n) => `${COLLECTION}/${round}-${n}`);
        const fields = { shard: 1, movedAt: new Date(BEGINNING_MS + round * MINUTE_MS) };
        await store.commit(paths.map((path) => ({ kind: 'create', path, fields })));
        await until(() => paths.every((path) => told.includes(path)));
        // Each listener begins with the last round of the one before it, and three rounds are more than a thousand documents.
        if (round === 3 || round === 5) await until(() => paths.every((path) => timesTold(path) === 2));
        expect(timesTold(`${COLLECTION}/1-0`), 'the first one').to.equal(1);
      }
    } finally {
      watching.close();
    }
  });
});

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
