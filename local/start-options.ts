import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dataFolder } from '../programs/local-stack.ts';
import type { DataFolder } from '../programs/open-ports.ts';

export const USAGE = `\
Usage: npm start [-- --memory | --fresh]
  --memory  keeps nothing: all data is gone when the process ends
  --fresh   deletes what was kept, and begins anew`;

/** Where the engine keeps its documents, below the folder of the local stack. */
export const engineFolderIn = (folder: string): string => join(folder, 'engine');

/**
 * What `npm start` was told.
 * @returns where to keep data; undefined: nowhere.
 * @throws Error that says what is wrong with the arguments.
 */
export function startOptions(args: readonly string[]): DataFolder | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      memory: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
    },
  });
  const { memory, fresh } = values;
  if (memory && fresh) throw new Error('--memory keeps nothing: leave --fresh out');
  return memory ? undefined : { path: engineFolderIn(dataFolder()), fresh };
}
