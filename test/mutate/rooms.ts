import { pipeline } from '../../pipeline.ts';

const steps = pipeline.steps.map(({ name }) => name);

/** What is mutated in one run, and the suites that see what it does. */
export interface Room {
  readonly folders: readonly string[];
  /** Folders with the specs beside the code. */
  readonly specs: readonly string[];
  /** Of the suites over HTTP those that are in one process and know the room. */
  readonly endToEnd: readonly string[];
}

/** How many of a hundred changes must be found in each room. */
export const SCORE_MIN = 95;

const kernel = (folder: string, ...endToEnd: readonly string[]): Room => ({
  folders: [`saga/${folder}`],
  specs: ['saga'],
  endToEnd,
});

const janitor = (folder: string, ...endToEnd: readonly string[]): Room => ({
  folders: [`janitor/${folder}`],
  specs: ['janitor'],
  endToEnd,
});

/** All that is mutated, by the name of its run. */
export const ROOMS: Readonly<Record<string, Room>> = {
  'saga/commit': { ...kernel('commit'), specs: ['saga/commit'] },
  'saga/deliver': kernel('deliver'),
  'saga/http': {
    folders: ['saga/http', 'saga/input'],
    // No other room of the kernel goes over HTTP.
    specs: ['saga/http', 'saga/input'],
    endToEnd: ['http', 'operators', 'order-at', 'steer', 'customers', 'answers-in-time'],
  },
  'saga/ledger': { ...kernel('ledger'), specs: ['saga/ledger', 'saga/steer'] },
  // What the adapters promise is held to the ports, and some of it is said by the ports themselves.
  'saga/ports': { ...kernel('ports'), specs: ['saga', 'adapters/google', 'test/contracts'] },
  'saga/steer': kernel('steer', 'steer'),
  'saga/step': kernel('step'),
  shop: { folders: ['shop'], specs: ['shop', ...steps], endToEnd: ['customers', 'erase-customer'] },
  steps: { folders: steps, specs: steps, endToEnd: ['stock', 'http'] },
  'janitor/audit': janitor('audit', 'audit', 'repair'),
  'janitor/desk': janitor('desk', 'desk', 'operators'),
  'janitor/one-order': janitor('one-order', 'operators', 'steer'),
  'janitor/sweep': janitor('sweep', 'operators'),
};

/** The run of a file or folder, or of the name of a run. @throws Error if nothing of it is mutated. */
export function roomOf(path: string): Room {
  const room =
    ROOMS[path] ??
    Object.values(ROOMS).find(({ folders }) => folders.some((folder) => `${path}/`.startsWith(`${folder}/`)));
  if (room === undefined)
    throw new Error(`${path} is not mutated: name a file or folder in ${Object.keys(ROOMS).join(', ')}`);
  return room;
}

/** What Stryker is told to mutate, and which compiled specs are run. */
export function scopeOf(path: string): {
  readonly mutate: string[];
  readonly specs: string[];
} {
  const room = roomOf(path);
  const mutated = path in ROOMS ? room.folders : [path];
  return {
    mutate: [...mutated.map((one) => (one.endsWith('.ts') ? one : `${one}/**/*.ts`)), '!**/*.spec.ts'],
    specs: [
      ...room.specs.map((folder) => `dist/${folder}/**/*.spec.js`),
      ...room.endToEnd.map((name) => `dist/test/end-to-end/${name}.spec.js`),
    ],
  };
}
