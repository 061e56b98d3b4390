import { collectionsOf } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';

/** The name of every collection in which the programs of a saga write, at the top or below a document. */
export const collectionNames = (saga: Saga): readonly string[] => [
  ...new Set([
    ...collectionsOf(saga),
    ...saga.records.map(({ template }) => template.split('/').at(-2) ?? ''),
  ]),
];

const COLLECTION_SIZE_MAX = 1000;

/**
 * Every document of a store, all of one moment, in the order of the paths.
 * @throws Error where a collection has a thousand or more: some would be missing.
 */
export async function allDocuments(store: Store, saga: Saga = pipeline): Promise<ReadonlyMap<Path, object>> {
  const snapshot = await store.snapshot();
  const documents: [Path, object][] = [];
  for (const collection of collectionNames(saga)) {
    const page = await snapshot.scan({ collection, limit: COLLECTION_SIZE_MAX });
    if (page.length === COLLECTION_SIZE_MAX) {
      throw new Error(`There are more documents in ${collection} than are read at once`);
    }
    documents.push(...page.map(({ path, fields }): [Path, object] => [path, fields]));
  }
  return new Map(documents.sort(([one], [other]) => (one < other ? -1 : 1)));
}
