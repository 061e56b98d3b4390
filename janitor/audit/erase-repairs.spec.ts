import { expect } from 'chai';
import { NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { eraseFromRepairs } from './erase-repairs.ts';
import { REPAIRS, type RepairEntry, repairEntryPath } from './repair-journal.ts';

const entry = (number: number, fields: Partial<RepairEntry>): RepairEntry => ({
  id: uuidOf(number),
  createdAt: NOW,
  kind: 'correct',
  ...fields,
});

/** Entries once joe is erased. */
async function withoutJoe(...entries: readonly RepairEntry[]): Promise<readonly unknown[]> {
  const paths = entries.map(({ id }) => repairEntryPath(id));
  const ports = await recordedPorts(Object.fromEntries(entries.map((one) => [repairEntryPath(one.id), one])));
  await ports.clock.finish(eraseFromRepairs(ports, 'joe'));
  const found = await ports.store.read(paths);
  return paths.map((path) => found.get(path)?.fields);
}

describe('A customer who is erased from the journal of repairs', () => {
  it('[anomaly 57] is neither in a path nor in a note, and the entries stay', async () => {
    const account = entry(1, { path: 'users/joe', correction: { field: 'credit', by: -5 }, person: 'alice' });
    const record = entry(2, { kind: 'restore', uuid: UUID, path: `users/joe/orders/${UUID}` });
    const noted = entry(3, { kind: 'announce', uuid: UUID, note: 'joe, of 3 Mill Lane, had called' });
    expect(await withoutJoe(account, record, noted)).to.deep.equal([
      { ...account, path: 'users/erased' },
      { ...record, path: `users/erased/orders/${UUID}` },
      { ...noted, note: 'erased' },
    ]);
  });

  it('leaves the entries about others as they are', async () => {
    const others = [
      entry(1, { path: 'users/joey', note: 'joey called' }),
      entry(2, { path: 'inventory/widget' }),
    ];
    expect(await withoutJoe(...others)).to.deep.equal(others);
  });

  it('[anomaly 57] is not said to be gone while an entry could not be changed', async () => {
    const one = entry(1, { path: 'users/joe' });
    const ports = await recordedPorts({ [repairEntryPath(one.id)]: one });
    ports.store.poison = () => true;
    const erasing = eraseFromRepairs(ports, 'joe').catch((error: Error) => error);
    expect(String(await ports.clock.finish(erasing))).to.equal('StoreError: The spec says: rejected');
  });

  it('[anomaly 57] may be erased in two places at once, and while entries go', async () => {
    const [one, gone] = [entry(1, { note: 'joe called' }), entry(2, { note: 'joe called' })];
    const other = entry(3, { note: 'jack called' });
    const entries = [one, gone, other];
    const ports = await recordedPorts(Object.fromEntries(entries.map((it) => [repairEntryPath(it.id), it])));
    ports.store.commitFaults.push(async () => {
      await ports.store.commit([{ kind: 'remove', path: repairEntryPath(gone.id) }]);
      await eraseFromRepairs(ports, 'joe');
    });
    await ports.clock.finish(eraseFromRepairs(ports, 'joe'));
    const left = await ports.store.list(REPAIRS, 10);
    expect(left.map(({ fields }) => fields)).to.have.deep.members([{ ...one, note: 'erased' }, other]);
    // Once by the one, and not again by the other.
    expect(ports.store.commits.flat()).to.have.length(2);
    // What is about others is only scanned.
    expect(ports.store.reads.flat()).not.to.include(repairEntryPath(other.id));
  });

  it('[anomaly 57] is erased from more entries than one page has', async () => {
    const many = Array.from({ length: 201 }, (_, n) => entry(n, { path: 'users/joe' }));
    const after = (await withoutJoe(...many)) as RepairEntry[];
    expect(new Set(after.map(({ path }) => path))).to.deep.equal(new Set(['users/erased']));
  });
});
