import { update } from '../../saga/commit/documents.ts';
import { groupCommit, type Task } from '../../saga/commit/group-commit.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { scanPages } from '../../saga/ports/scan-pages.ts';
import type { Path } from '../../saga/ports/store.ts';
import { hasWord } from '../has-word.ts';
import { REPAIRS, type RepairEntry } from './repair-journal.ts';

const PAGE_SIZE = 100;
const ERASED = 'erased';

/**
 * Erases a customer from the journal of repairs: from the paths, and with the notes that have the name in them. The entries stay.
 * May run twice.
 * @throws StoreError
 */
export async function eraseFromRepairs({ store, ...environment }: Ports, customer: string): Promise<void> {
  const snapshot = await store.snapshot();
  for await (const page of scanPages(snapshot, REPAIRS, PAGE_SIZE)) {
    const naming = page.filter(({ fields }) => nameless(fields as RepairEntry, customer) !== undefined);
    const tasks = naming.map(({ path }) => eraseTask(path as Path<RepairEntry>, customer));
    for (const settled of await groupCommit(store, environment, tasks)) {
      if (settled.status === 'rejected') throw settled.reason;
    }
  }
}

const eraseTask = (path: Path<RepairEntry>, customer: string): Task<undefined> => ({
  reads: () => [path],
  decide(documents) {
    const entry = documents.get(path);
    const changed = entry && nameless(entry, customer);
    return { writes: changed ? [update(path, changed)] : [], result: undefined };
  },
});

/** The fields of an entry that name the customer, without the name; undefined if none does. */
function nameless({ path, note }: RepairEntry, customer: string): Partial<RepairEntry> | undefined {
  const isIn = (text: string | undefined) => text !== undefined && hasWord(text, customer);
  const segments = path?.split('/') ?? [];
  const changed = {
    ...(segments.includes(customer) && {
      path: segments.map((one) => (one === customer ? ERASED : one)).join('/'),
    }),
    ...(isIn(note) && { note: ERASED }),
  };
  return Object.keys(changed).length > 0 ? changed : undefined;
}
