import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { Path } from '../../saga/ports/store.ts';
import { fieldsIn, textOf } from './document-text.ts';
import { makeFolder } from './make-folder.ts';
import type { DocumentChanges } from './memory-store.ts';

/** A folder that keeps documents beyond the process. */
export interface Disk {
  /** Every document that there is, frozen. */
  load(): Promise<ReadonlyMap<Path, object>>;
  /** Resolves once all of it would survive the loss of power. Rejects if it is not known what of it would: all or nothing. */
  write(changes: DocumentChanges): Promise<void>;
  close(): Promise<void>;
}

export interface DiskOptions {
  /** `keep` demands what was there before; `fresh` deletes it; `open` begins if there is nothing. */
  readonly how: 'open' | 'keep' | 'fresh';
}

/**
 * The form in which documents are stored. It changes with every release that could not read what an earlier one wrote, or the
 * reverse.
 */
const FORMAT = 'documents 1';
/** No path of a document is a single name. */
const FORMAT_KEY = 'format';

/** The files of LevelDB: https://github.com/google/leveldb/blob/main/doc/impl.md */
const LEVEL_FILE = /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/;
/** Those that hold what was stored. None is there before CURRENT is, which ends the making of a database. */
const DATA_FILE = /^\d+\.(log|ldb|sst)$/;

/**
 * Opens a folder, which then belongs to this process alone.
 * @throws Error that says in one sentence why it can't be used.
 */
export async function openDisk(folder: string, { how }: DiskOptions): Promise<Disk> {
  const names = await assertNotForeign(folder);
  if (how !== 'fresh' && names.some((name) => DATA_FILE.test(name)) && !names.includes('CURRENT'))
    throw new Error(damaged(folder, 'the file CURRENT is missing'));
  let database: ClassicLevel;
  try {
    if (how === 'fresh') {
      await assertOurs(folder);
      await ClassicLevel.destroy(folder);
    }
    makeFolder(folder);
    database = new ClassicLevel(folder, { createIfMissing: how !== 'keep' });
    await database.open();
  } catch (error) {
    throw new Error(whyClosed(folder, error as Error), { cause: error });
  }
  try {
    await assertNothingDropped(folder);
    await assertFormat(database, folder, how);
  } catch (error) {
    await database.close();
    throw new Error(whyClosed(folder, error as Error), { cause: error });
  }
  return {
    async load() {
      const documents = new Map<Path, object>();
      try {
        for await (const [path, text] of database.iterator()) {
          if (path !== FORMAT_KEY) documents.set(path, fieldsIn(text));
        }
      } catch (error) {
        throw new Error(whyClosed(folder, error as Error), { cause: error });
      }
      return documents;
    },
    write: (changes) =>
      database.batch(
        [...changes].map(([key, fields]) =>
          fields === undefined ? { type: 'del', key } : { type: 'put', key, value: textOf(fields) },
        ),
        { sync: true },
      ),
    close: () => database.close(),
  };
}

const BEGIN_ANEW = 'To begin anew, start with --fresh: that deletes what it holds';

/** Nothing of what other programs keep must be mixed with ours, or be deleted. */
async function assertNotForeign(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new Error(`${folder} can't be used for data: ${error.message}`, { cause: error });
  });
  const foreign = names.find((name) => !LEVEL_FILE.test(name) && !name.startsWith('.'));
  if (foreign !== undefined) {
    throw new Error(
      `${folder} holds other things, such as ${foreign}: name a folder of its own for the data`,
    );
  }
  return names;
}

/**
 * LevelDB opens a log with a damaged record, drops that and what follows in its block, and says so in its own log alone. What could
 * be read is in a table by then, so the next start finds nothing of it: whoever starts has to hear of it now.
 */
async function assertNothingDropped(folder: string): Promise<void> {
  const said = await readFile(join(folder, 'LOG'), 'utf8');
  const [, bytes] = /dropping (\d+) bytes; Corruption/.exec(said) ?? [];
  if (bytes === undefined) return;
  throw new Error(
    `${folder} was damaged: ${bytes} bytes of what was written last could not be read, and are lost. ` +
      `To go on with the rest, start again, and run the doctor. ${BEGIN_ANEW}`,
  );
}

/** The form of the documents in a database; undefined if there is nothing in it yet, or nothing of ours. */
async function formatIn(database: ClassicLevel): Promise<{ format: string | undefined; isEmpty: boolean }> {
  const format = await database.get(FORMAT_KEY);
  const isEmpty = (await database.keys({ limit: 1 }).all()).length === 0;
  return { format, isEmpty };
}

async function assertFormat(database: ClassicLevel, folder: string, how: DiskOptions['how']): Promise<void> {
  const { format, isEmpty } = await formatIn(database);
  if (format === FORMAT) return;
  if (format !== undefined) {
    throw new Error(
      `${folder} was written by another version of this program (${format}; this one reads ${FORMAT}). ${BEGIN_ANEW}`,
    );
  }
  if (how === 'keep' || !isEmpty) throw foreignDatabase(folder);
  await database.put(FORMAT_KEY, FORMAT, { sync: true });
}

const foreignDatabase = (folder: string): Error =>
  new Error(`${folder} is a database of another program: name a folder of its own for the data`);

/** What is damaged can't be asked whose it is, and may be deleted. */
async function assertOurs(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  // Every database has this file.
  if (!names.includes('CURRENT')) return;
  const database = new ClassicLevel(folder, { createIfMissing: false });
  let isForeign = false;
  try {
    await database.open();
    const { format, isEmpty } = await formatIn(database);
    isForeign = format === undefined && !isEmpty;
  } catch (error) {
    // Whatever else keeps it closed, such as missing rights or another order of its keys, says nothing of whose it is.
    if (!isDamage(error as Error)) throw error;
  } finally {
    await database.close();
  }
  if (isForeign) throw foreignDatabase(folder);
}

const isLocked = (error: Error): boolean => (causeOf(error) as NodeJS.ErrnoException).code === 'LEVEL_LOCKED';

/** Whether what is stored can't be read, and not whether it may or can be now. */
const isDamage = (error: Error): boolean =>
  error instanceof SyntaxError ||
  (!isLocked(error) &&
    /corruption|IO error/i.test(causeOf(error).message) &&
    !/denied|too many open|read-only|no space/i.test(causeOf(error).message));

const causeOf = (error: Error): Error => (error.cause ?? error) as Error;

const damaged = (folder: string, how: string): string => `${folder} is damaged (${how}). ${BEGIN_ANEW}`;

function whyClosed(folder: string, error: Error): string {
  // It is a sentence of ours.
  if (error.message.startsWith(folder)) return error.message;
  if (isLocked(error)) return `${folder} is in use by another process: stop that, or start with --memory`;
  const { message } = causeOf(error);
  return isDamage(error) ? damaged(folder, message) : `${folder} can't be used for data: ${message}`;
}
