import { update } from '../../saga/commit/documents.ts';
import { groupCommit, type Task } from '../../saga/commit/group-commit.ts';
import type { ErasedCustomer } from '../../saga/deliver/service.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { scanPages } from '../../saga/ports/scan-pages.ts';
import type { Path } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { hasWord } from '../has-word.ts';
import { DEAD_LETTERS, type DeadLetter, letterLine, malformed } from './letter.ts';

/** A letter may have 256 KiB. */
const PAGE_SIZE = 20;
const ERASED = 'Its customer was erased';

/**
 * Erases a customer from the desk. The letters stay, so that a late repetition of a message finds its letter and stores it no second
 * time; but what they said is gone, and those that were parked are discarded: a customer without a standing order has nothing that
 * a message could still bring about. A letter is the customer's if it says so, or if nothing tells whose it is and the name
 * is in it.
 * @returns how many letters there were.
 * @throws StoreError
 */
export async function eraseFromLetters(saga: Saga, ports: Ports, who: ErasedCustomer): Promise<number> {
  const snapshot = await ports.store.snapshot();
  let count = 0;
  for await (const page of scanPages(snapshot, DEAD_LETTERS, PAGE_SIZE)) {
    const named = page.filter(({ fields }) => isOf(saga, fields as DeadLetter, who.customer));
    const tasks = named.map(({ path }) => eraseTask(saga, path, who, ports.clock.now()));
    for (const settled of await groupCommit(ports.store, ports, tasks)) {
      if (settled.status === 'rejected') throw settled.reason;
      if (settled.value === 'discarded') ports.observe?.({ kind: 'letter', status: 'discarded' });
    }
    count += named.length;
  }
  return count;
}

/** Its result: what has become of the letter by that. */
function eraseTask(
  saga: Saga,
  path: Path,
  { customer, person }: ErasedCustomer,
  now: Date,
): Task<'discarded' | 'erased'> {
  return {
    reads: () => [path],
    decide(documents) {
      const letter = documents.get(path) as DeadLetter | undefined;
      if (letter === undefined || !isOf(saga, letter, customer)) return { writes: [], result: 'erased' };
      const isParked = letter.status !== 'redriven' && letter.status !== 'discarded';
      // Notes of operators may name the customer, too.
      const before = malformed(letter) ? [] : letter.history.map((line) => line.split(' ', 2).join(' '));
      const history = isParked ? [...before, letterLine(now, 'discarded', ERASED, person)] : before;
      const status = isParked ? ('discarded' as const) : letter.status;
      const nothing = { attributes: [], body: '', encoding: 'utf8', bodyBytes: 0 };
      return {
        writes: [update(path, { status, reason: ERASED, history, ...nothing })],
        result: isParked ? 'discarded' : 'erased',
      };
    },
  };
}

/** Whether a letter is about the customer, and was not erased before. */
function isOf({ order: { ownedBy = '' } }: Saga, letter: DeadLetter, customer: string): boolean {
  const { body, encoding, attributes, reason, history } = letter;
  if (reason === ERASED) return false;
  const text = Buffer.from(String(body), encoding === 'base64' ? encoding : 'utf8').toString();
  const content = jsonIn(text);
  const owner = (content as Readonly<Record<string, unknown>> | null | undefined)?.[ownedBy];
  if (typeof owner === 'string') return owner === customer;
  // If somebody has edited the letter, these may be anything.
  const notes = [history].flat().map((line) => String(line).split(' ').slice(2).join(' '));
  const values = [attributes].flat().map((one) => one?.value);
  return textsIn([content ?? text, values, reason, notes]).some((one) => hasWord(one, customer));
}

/** Every text in a value, names of fields as well. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(textsIn)];
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
