import { pageBehind, parsePage } from '../saga/page.ts';
import type { Store } from '../saga/store.ts';
import type { DeadLetter, LetterStatus } from './documents.ts';

/** Which letters to list. */
export interface LetterFilter {
  readonly status: LetterStatus;
  readonly reason?: string | undefined;
}

/**
 * Lists letters, newest first.
 * @returns one page, and the token of the next one where there may be more.
 */
export async function listLetters(
  store: Store,
  { status, reason }: LetterFilter,
  limit: number,
  page: string | undefined,
): Promise<{ letters: DeadLetter[]; nextPage?: string }> {
  const after = page === undefined ? undefined : parsePage(page);
  const where = { status, ...(reason !== undefined && { reason }) };
  const letters = (await store.query({
    collection: 'dead-letters',
    where,
    limit,
    ...(after && { after }),
  })) as DeadLetter[];
  const last = letters.at(-1);
  return last && letters.length === limit ? { letters, nextPage: pageBehind(last) } : { letters };
}

/** How many letters are counted at most; on a desk with more, the newest tell enough. */
export const COUNTED_MAX = 2_000;
/** A letter may have 256 KiB, so that not many of them are held at once. */
const COUNTED_AT_ONCE = 100;

/** How many letters are parked for each reason, the most frequent first. */
export interface ReasonCounts {
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  readonly counted: number;
  /** Whether that is all of them; otherwise the newest were counted, and there may be more. */
  readonly isComplete: boolean;
}

export async function countReasons(store: Store): Promise<ReasonCounts> {
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
  return {
    reasons: reasons.sort((one, other) => other.count - one.count || (one.reason < other.reason ? -1 : 1)),
    counted,
    isComplete: page === undefined,
  };
}
