import { pipeline } from '../../pipeline.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import type { GuardedWrite, Path, Store } from '../../saga/ports/store.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';

/** A store that notes every path outside the fences, whoever reads or writes there. */
export interface FencedStore extends Store {
  /** What was done outside the fences, as sentences. */
  readonly trespasses: readonly string[];
  /** From now on the fences stand; before, accounts may be loaded. */
  fence(): void;
}

/** Of any version; in lower case, so that an order has one ledger however its id was written. */
const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const NAME = '(?!\\.{1,2}(/|$)|__.*__(/|$))[^/\\p{Cc}\\p{Cs}]{1,128}';
const pattern = (source: string) => new RegExp(`^${source}$`, 'su');
/** Where the documents of a kind may be: below names that are such, and under the uuid of an order. */
const patternOf = ({ template }: { readonly template: string }) =>
  pattern(template.replaceAll(/\{(\w+)\}/g, (_, brace) => (brace === 'uuid' ? UUID : NAME)));

/** Every document that the services may make, change and remove. */
const RECORDS = [
  pattern(`sagas/${UUID}`),
  pattern(`dead-letters/${UUID}`),
  ...pipeline.records.map(patternOf),
  pattern(`inventory/${NAME}/changes/${UUID}`),
];
/** What they may change, but neither make nor remove. */
const SHARED = pipeline.accounts.map(patternOf);
/** What becomes of an order is remembered for ever; a letter and what operators change of the stock, too. */
const KEPT = /^(sagas|dead-letters|inventory\/[^/]+\/changes)\//;

/**
 * Those of them that come into being with the first order that they count, the items that operators bring in, and the pseudonyms
 * of customers who are erased.
 */
const CREATED = [
  ...pipeline.accounts.filter((kind) => kind.whole === undefined || kind === stock).map(patternOf),
  pattern(`users/${UUID}`),
];
/** Those of them that go: customers who are erased. */
const REMOVED = [patternOf(customers)];

const isAmong = (patterns: readonly RegExp[], path: string) => patterns.some((one) => one.test(path));

export function fenceStore(inner: Store): FencedStore {
  const trespasses: string[] = [];
  let fenced = false;

  function faultOf(write: GuardedWrite): string | undefined {
    const { kind, path } = write;
    if (kind === 'create' && isAmong(CREATED, path)) return undefined;
    if (kind === 'remove' && isAmong(REMOVED, path)) return undefined;
    if (isAmong(SHARED, path)) return kind === 'update' ? undefined : `${kind} of ${path}`;
    if (!isAmong(RECORDS, path)) return `${kind} of ${path}`;
    if (kind === 'remove' && KEPT.test(path)) return `remove of ${path}`;
    if (kind !== 'create') return undefined;
    const { uuid = '' } = write.fields as { uuid?: string };
    return path.startsWith('sagas/') && path !== ledgerPath(uuid)
      ? `${path} says that it is ${uuid}`
      : undefined;
  }
  const noteReads = (paths: readonly Path[]) => {
    if (!fenced) return;
    for (const path of paths) if (!isAmong([...RECORDS, ...SHARED], path)) trespasses.push(`read of ${path}`);
  };

  return {
    ...inner,
    trespasses,
    fence() {
      fenced = true;
    },
    read(paths) {
      noteReads(paths);
      return inner.read(paths);
    },
    commit(writes) {
      if (fenced) trespasses.push(...writes.map(faultOf).filter((fault) => fault !== undefined));
      return inner.commit(writes);
    },
  };
}
