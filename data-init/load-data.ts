import { z } from 'zod';
import { REPAIRS } from '../janitor/audit/repair-journal.ts';
import { DEAD_LETTERS } from '../janitor/desk/letter.ts';
import { createOnce } from '../saga/commit/create-once.ts';
import { type Environment, groupCommit } from '../saga/commit/group-commit.ts';
import { nameSchema } from '../saga/input/name.ts';
import { LEDGERS } from '../saga/ledger/ledger.ts';
import type { Path, Store } from '../saga/ports/store.ts';
import type { Account, DocumentKind } from '../saga/step/document.ts';
import type { Saga } from '../saga/step/saga.ts';

/** Accounts by collection and name: what there is of each before the first order. */
export type Data = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

const collectionOf = ({ template }: DocumentKind): string => template.split('/')[0] ?? '';

/** Every top-level collection that the services write. Whatever is below its documents belongs to it. */
export const collectionsOf = ({ kinds }: Saga): readonly string[] => [
  ...new Set([LEDGERS, ...kinds.map(collectionOf), DEAD_LETTERS, REPAIRS]),
];

/** The accounts that a data file may load: those with a whole and one name, in a collection of its own. */
const loadable = ({ accounts }: Saga) =>
  accounts.filter(
    (kind): kind is Account & { readonly whole: string } =>
      kind.whole !== undefined && /^[^/]+\/\{\w+\}$/.test(kind.template),
  );

/** The fields that people write into a data file, by collection; the whole follows from the balance. Accounts may share a document. */
function fieldsByCollection(saga: Saga): Readonly<Record<string, z.ZodRawShape>> {
  const collections: Record<string, z.ZodRawShape> = {};
  for (const account of loadable(saga)) {
    const { fields, balance, mayBeUnlimited } = account;
    const amount = z.int('must be a whole number').min(0, 'must be 0 or more');
    const collection = collectionOf(account);
    const own = { ...fields, [balance]: mayBeUnlimited ? amount.exactOptional() : amount };
    collections[collection] = { ...collections[collection], ...own };
  }
  return collections;
}

/**
 * Checks the content of a data file.
 * @throws Error that names every fault, with its document and field.
 */
export function parseData(saga: Saga, text: string, name: string): Data {
  let json: unknown;
  try {
    // Some editors begin a file with a byte order mark.
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`);
  }
  const collections = fieldsByCollection(saga);
  const named = Object.entries(collections).map(([collection, fields]) => [
    collection,
    z.record(nameSchema, z.strictObject(fields)),
  ]);
  const parsed = z.strictObject(Object.fromEntries(named)).safeParse(json, { reportInput: true });
  if (parsed.success) return parsed.data as Data;
  const faults = parsed.error.issues.flatMap((issue) => faultsIn(issue, collections));
  throw new Error(`${name} is wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}

/** What one issue says, as sentences that begin with the document. */
function faultsIn(issue: z.core.$ZodIssue, collections: ReturnType<typeof fieldsByCollection>): string[] {
  const [collection = '', id, ...field] = issue.path.map(String);
  const document = id === undefined ? collection : `${collection}/${id}`;
  if (issue.code === 'unrecognized_keys') {
    const [what, known] =
      id === undefined
        ? ['no collection of accounts', collections]
        : [`no field of ${document} that is written here`, collections[collection] ?? {}];
    return issue.keys.map((key) => `${key} is ${what}: there are ${Object.keys(known).join(', ')}`);
  }
  const subject = field.length === 0 ? document || 'the file' : `${document}: ${field.join('.')}`;
  if (issue.code === 'invalid_type' && issue.input === undefined) return [`${subject} is missing`];
  const messages = issue.code === 'invalid_key' ? issue.issues : [issue];
  return messages.map(({ message }) => `${subject}: ${message}`);
}

/**
 * Loads accounts. May run at any time and any number of times: existing documents stay as they are, so that no change by a
 * running order is lost.
 * @returns how many documents were loaded, and how many existed already.
 * @throws the store's error if a document could not be written.
 */
export async function loadData(
  saga: Saga,
  store: Store,
  environment: Environment,
  data: Data,
): Promise<{ loaded: number; present: number }> {
  const tasks = accountsIn(saga, data).map(([path, fields]) => createOnce(path, fields));
  const settled = await groupCommit(store, environment, tasks);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const loaded = settled.filter((result) => result.status === 'fulfilled' && result.value).length;
  return { loaded, present: tasks.length - loaded };
}

/** The documents of these accounts, by their paths. */
export const accountsIn = (saga: Saga, data: Data): [Path, object][] =>
  Object.entries(data).flatMap(([section, named]) =>
    Object.entries(named).map(([name, fields]): [Path, object] => [
      `${section}/${name}`,
      withWhole(saga, section, fields),
    ]),
  );

/** Adds the whole beside the balance, so that the audit can compare both. */
function withWhole(saga: Saga, section: string, fields: Readonly<Record<string, unknown>>): object {
  const wholes = loadable(saga)
    .filter((account) => collectionOf(account) === section && fields[account.balance] !== undefined)
    .map(({ balance, whole }) => [whole, fields[balance]]);
  return { ...fields, ...Object.fromEntries(wholes) };
}

/**
 * Deletes every order, account, record and dead letter, however many there are. May run again.
 * @param onProgress gets the collection and the number of documents deleted so far.
 */
export async function resetData(
  saga: Saga,
  store: Store,
  onProgress: (collection: string, deletedCount: number) => void,
) {
  for (const collection of collectionsOf(saga)) {
    await store.erase(collection, (deletedCount) => onProgress(collection, deletedCount));
  }
}
