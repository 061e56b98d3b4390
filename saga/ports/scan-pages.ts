import type { Path, Snapshot, StoredDocument } from './store.ts';

/**
 * All documents of a snapshot in the collections of one name, page by page.
 * @param limit how many a page has, 1 to 1,000. The last one has fewer, or none.
 */
export async function* scanPages(
  snapshot: Pick<Snapshot, 'scan'>,
  collection: string,
  limit: number,
): AsyncGenerator<readonly StoredDocument[]> {
  let after: Path | undefined;
  let page: readonly StoredDocument[];
  do {
    page = await snapshot.scan({ collection, limit, after });
    after = page.at(-1)?.path;
    yield page;
  } while (page.length === limit);
}
