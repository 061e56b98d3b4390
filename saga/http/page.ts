import { z } from 'zod';
import type { Cursor, Query, Store } from '../ports/store.ts';

/** Listings are read a page at a time. A page token names the last document of the page before it. */

const PAGE_MAX = 100;
const limitFault = `must be a whole number from 1 to ${PAGE_MAX}`;

/** The query parameters of every listing. */
export const pageParameters = {
  limit: z.coerce
    .number({ error: limitFault })
    .int({ error: limitFault })
    .min(1, { error: limitFault })
    .max(PAGE_MAX, { error: limitFault })
    .default(20),
  page: z
    .string()
    .refine((token) => parsePage(token) !== undefined, 'is not a page that this API has handed out')
    .optional(),
};

/**
 * Reads one page of a listing, newest first.
 * @returns its documents, and the token of the next page if there may be more.
 */
export async function readPage<Fields extends Cursor>(
  store: Pick<Store, 'query'>,
  query: Omit<Query, 'limit' | 'after'>,
  limit: number,
  page: string | undefined,
): Promise<{ readonly documents: readonly Fields[]; readonly nextPage?: string }> {
  const after = page === undefined ? undefined : parsePage(page);
  const documents = (await store.query({ ...query, limit, ...(after && { after }) })) as Fields[];
  const last = documents.at(-1);
  return last && documents.length === limit ? { documents, nextPage: pageBehind(last) } : { documents };
}

/** The token of the page that begins behind this document, whose id is a uuid. */
export function pageBehind({ createdAt, id }: Cursor): string {
  return Buffer.from(`${createdAt.getTime()}/${id}`).toString('base64url');
}

/** @returns the place that a token names; undefined if the token is not one of ours. */
export function parsePage(token: string): Cursor | undefined {
  const match = /^(\d{1,14})\/([0-9a-f-]{36})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) return undefined;
  const [, createdMs, id = ''] = match;
  return { createdAt: new Date(Number(createdMs)), id };
}
