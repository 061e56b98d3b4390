import { pageBehind, parsePage } from '../../saga/http/page.ts';
import type { Store } from '../../saga/ports/store.ts';
import { DEAD_LETTERS, type DeadLetter, type LetterStatus } from './letter.ts';

/** Which letters to list. */
export interface LetterFilter {
  readonly status: LetterStatus;
  readonly reason?: string | undefined;
}

/** What a list shows of a letter, without what may be large or is of no use to operators. */
const OUTLINE_FIELDS = [
  'id',
  'status',
  'reason',
  'subscription',
  'attempts',
  'topic',
  'uuid',
  'messageId',
  'redriveOf',
  'bodyBytes',
  'history',
  'createdAt',
] as const satisfies readonly (keyof DeadLetter)[];
export type LetterOutline = Pick<DeadLetter, (typeof OUTLINE_FIELDS)[number]>;

export interface LetterPage<Letter> {
  readonly letters: readonly Letter[];
  /** The token of the next page, if there may be more. */
  readonly nextPage?: string;
}

/** Lists letters as operators see them, newest first, one page. */
export async function listLetters(
  store: Store,
  filter: LetterFilter,
  limit: number,
  page: string | undefined,
): Promise<LetterPage<LetterOutline>> {
  return (await readPage(store, filter, limit, page, OUTLINE_FIELDS)) as LetterPage<LetterOutline>;
}

/** Lists whole letters, newest first, one page. Don't ask for many at once: each may have 256 KiB. */
export async function listWholeLetters(
  store: Store,
  filter: LetterFilter,
  limit: number,
  page: string | undefined,
): Promise<LetterPage<DeadLetter>> {
  return (await readPage(store, filter, limit, page)) as LetterPage<DeadLetter>;
}

async function readPage(
  store: Store,
  { status, reason }: LetterFilter,
  limit: number,
  page: string | undefined,
  fields?: readonly string[],
): Promise<LetterPage<{ readonly createdAt: Date; readonly id: string }>> {
  const after = page === undefined ? undefined : parsePage(page);
  const where = { status, ...(reason !== undefined && { reason }) };
  const letters = (await store.query({
    collection: DEAD_LETTERS,
    where,
    limit,
    ...(fields && { fields }),
    ...(after && { after }),
  })) as Pick<DeadLetter, 'createdAt' | 'id'>[];
  const last = letters.at(-1);
  return last && letters.length === limit ? { letters, nextPage: pageBehind(last) } : { letters };
}

/** The newest letters that name an order, as operators see them. */
export async function lettersOfOrder(store: Store, uuid: string, limit: number): Promise<LetterOutline[]> {
  const where = { uuid };
  return (await store.query({
    collection: DEAD_LETTERS,
    where,
    fields: OUTLINE_FIELDS,
    limit,
  })) as LetterOutline[];
}

/** The most letters that are counted; if there are more, the newest are enough. */
export const COUNTED_MAX = 2_000;
const COUNTED_AT_ONCE = 500;

/** How many letters are parked for each reason, the most frequent first. */
export interface ReasonCounts {
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  readonly counted: number;
  /** Whether all were counted; otherwise only the newest were. */
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
