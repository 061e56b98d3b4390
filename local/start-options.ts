import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packageRoot } from '../programs/config.ts';
import type { DataFolder } from '../programs/open-ports.ts';

export const USAGE = `\
Usage: npm start [-- --memory | --fresh | --data FOLDER]
  --memory       keeps nothing: all data is gone when the process ends
  --fresh        deletes what was kept, and begins anew
  --data FOLDER  keeps data there instead of in .data`;

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
      data: { type: 'string' },
    },
  });
  const { memory, fresh, data } = values;
  if (memory && (fresh || data !== undefined))
    throw new Error('--memory keeps nothing: leave the others out');
  if (data === '') throw new Error('--data needs the name of a folder');
  return memory ? undefined : { path: data ?? join(fileURLToPath(packageRoot), '.data'), fresh };
}
