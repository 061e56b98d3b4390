import { readPage } from '../../saga/http/page.ts';
import type { Cursor, Store } from '../../saga/ports/store.ts';
import {
  DEAD_LETTERS,
  type DeadLetter,
  type LetterOutline,
  type LetterStatus,
  OUTLINE_FIELDS,
  outlineOf,
} from './letter.ts';

/** Which letters to list. */
export interface LetterFilter {
  readonly status: LetterStatus;
  readonly reason?: string | undefined;
}

export interface LetterPage<Letter> {
  readonly letters: readonly Letter[];
  /** The token of the next page, if there may be more. */
  readonly nextPage?: string;
}

/** Lists letters in outline, newest first, one page. */
export const listLetters = (store: Store, filter: LetterFilter, limit: number, page: string | undefined) =>
  lettersIn<LetterOutline>(store, filter, limit, page, OUTLINE_FIELDS);

/** Lists whole letters, newest first, one page. Don't ask for many at once: each may have 256 KiB. */
export const listWholeLetters = (
  store: Store,
  filter: LetterFilter,
  limit: number,
  page: string | undefined,
) => lettersIn<DeadLetter>(store, filter, limit, page);

async function lettersIn<Letter extends Cursor>(
  store: Store,
  { status, reason }: LetterFilter,
  limit: number,
  page: string | undefined,
  fields?: readonly string[],
): Promise<LetterPage<Letter>> {
  const where = { status, ...(reason !== undefined && { reason }) };
  const query = { collection: DEAD_LETTERS, where, ...(fields && { fields }) };
  const { documents: letters, ...next } = await readPage<Letter>(store, query, limit, page);
  return { letters, ...next };
}

/** The most letters that are shown of one order. */
const OF_ORDER_MAX = 20;

/** The newest letters that name an order, as operators see them. */
export async function lettersOfOrder(store: Store, uuid: string) {
  const query = { collection: DEAD_LETTERS, where: { uuid }, fields: OUTLINE_FIELDS, limit: OF_ORDER_MAX };
  return ((await store.query(query)) as LetterOutline[]).map(outlineOf);
}

/** The most letters that are counted; if there are more, the newest are enough. */
export const COUNTED_MAX = 2_000;
const COUNTED_AT_ONCE = 500;

/**
 * How many letters are parked for each reason, the most frequent first; how many were counted; and whether these are all, or
 * only the newest.
 */
export async function countReasons(store: Store) {
  const counts = new Map<string, number>();
  let counted = 0;
  let page: string | undefined;
  do {
    const { letters, nextPage } = await listLetters(store, { status: 'parked' }, COUNTED_AT_ONCE, page);
    for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    counted += letters.length;
    page = nextPage;
  } while (page !== undefined && counted < COUNTED_MAX);
  const reasons = [...counts].map(([reason, count]) => ({ reason, count }));
  reasons.sort((one, other) => other.count - one.count || (one.reason < other.reason ? -1 : 1));
  return { reasons, counted, complete: page === undefined };
}
