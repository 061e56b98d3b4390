import { pipeline } from '../../pipeline.ts';

const steps = pipeline.steps.map(({ name }) => name);

/** What is mutated in one run, and the suites that see what it does. */
export interface Room {
  /** How many of a hundred changes must be found: as many as were when it was last measured. It may only rise, to 95. */
  readonly scoreMin: number;
  readonly folders: readonly string[];
  /** Folders with the specs beside the code. */
  readonly specs: readonly string[];
  /** Of the suites over HTTP those that are in one process and know the room. */
  readonly endToEnd: readonly string[];
}

const UNMEASURED = 0;

const kernel = (folder: string, scoreMin: number, ...endToEnd: readonly string[]): Room => ({
  scoreMin,
  folders: [`saga/${folder}`],
  specs: ['saga'],
  endToEnd,
});

const janitor = (folder: string, scoreMin: number, ...endToEnd: readonly string[]): Room => ({
  scoreMin,
  folders: [`janitor/${folder}`],
  specs: ['janitor'],
  endToEnd,
});

/** All that is mutated, by the name of its run. */
export const ROOMS: Readonly<Record<string, Room>> = {
  'saga/commit': { ...kernel('commit', 95), specs: ['saga/commit'] },
  'saga/deliver': kernel('deliver', UNMEASURED),
  'saga/http': {
    scoreMin: UNMEASURED,
    folders: ['saga/http'],
    // No other room of the kernel goes over HTTP.
    specs: ['saga/http'],
    endToEnd: ['http', 'operators', 'order-at', 'steer', 'customers', 'answers-in-time'],
  },
  'saga/ledger': { ...kernel('ledger', UNMEASURED), specs: ['saga/ledger', 'saga/steer'] },
  // What the adapters promise is held to the ports, and some of it is said by the ports themselves.
  'saga/ports': { ...kernel('ports', 56), specs: ['saga', 'adapters/google', 'test/contracts'] },
  'saga/steer': kernel('steer', 85, 'steer'),
  'saga/step': kernel('step', UNMEASURED),
  shop: {
    scoreMin: 90,
    folders: ['shop'],
    specs: ['shop', ...steps],
    endToEnd: ['customers', 'erase-customer'],
  },
  steps: { scoreMin: 90, folders: steps, specs: steps, endToEnd: ['stock', 'http'] },
  'janitor/audit': janitor('audit', 84, 'audit', 'repair'),
  'janitor/desk': janitor('desk', 87, 'desk', 'operators'),
  'janitor/one-order': janitor('one-order', 68, 'operators', 'steer'),
  'janitor/sweep': janitor('sweep', 90, 'operators'),
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
  readonly scoreMin: number;
} {
  const room = roomOf(path);
  const mutated = path in ROOMS ? room.folders : [path];
  return {
    scoreMin: room.scoreMin,
    mutate: [...mutated.map((one) => (one.endsWith('.ts') ? one : `${one}/**/*.ts`)), '!**/*.spec.ts'],
    specs: [
      ...room.specs.map((folder) => `dist/${folder}/**/*.spec.js`),
      ...room.endToEnd.map((name) => `dist/test/end-to-end/${name}.spec.js`),
    ],
  };
}
