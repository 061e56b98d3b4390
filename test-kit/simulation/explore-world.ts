import { createHash } from 'node:crypto';
import type { Plan } from './plan.ts';
import { isAnyStanding, untilNextSweepMs } from './run-world.ts';
import type { Subject } from './subject.ts';
import { People } from './world/people.ts';
import type { Memory } from './world/process.ts';
import type { Happening } from './world/scheduler.ts';
import { World, type WorldOptions } from './world/world.ts';

/** A world small enough to be seen in all the ways in which it can go. */
export interface SmallWorld {
  readonly name: string;
  /** Orders come in, and people do what the plan says, at any moment; `atMs` is only what the clock then shows. */
  readonly plan: Plan;
  /** Which processes may die, once in all, at any of their effects. */
  readonly mayCrash?: readonly string[];
}

/** What was seen of a world. */
export interface Exploration {
  readonly stateCount: number;
  /** How many ways lead from the beginning to rest, one effect after the other. */
  readonly interleavingCount: bigint;
  /** How many different states of rest there are. */
  readonly restCount: number;
  /** The first thing that is wrong, and how it comes about. */
  readonly fault?: { readonly sentence: string; readonly trace: readonly string[] };
  /** Whether the bound was reached before everything was seen. */
  readonly isPartial: boolean;
}

/** An alarm of a process that is not longer than this is a pause before it tries again: it may end at any moment. */
const PAUSE_MAX_MS = 1_000;
/** No way through a small world is longer; one that is never rests. */
const STEPS_MAX = 500;

/**
 * Goes every way through a world: in each state, each effect that is pending may be the next one. The world can't be
 * copied, so each way is gone from the beginning; a state that was seen before, whichever way led to it, is not entered
 * again. Of the broker's deadlines, the next one passes when nothing else can happen.
 */
export async function exploreWorld(
  subject: Subject,
  small: SmallWorld,
  options: WorldOptions = {},
  statesMax = Number.POSITIVE_INFINITY,
): Promise<Exploration> {
  const successors = new Map<string, Set<string>>();
  const begin = async () => {
    const world = new World(subject, small.plan, { ...options, latencyMs: () => 0, answersAtOnce: true });
    const people = new People(world);
    await world.begin();
    people.begin();
    await world.settle();
    return { world, people };
  };
  let restCount = 0;
  let start = '';
  const ways: Way[] = [{ choices: [] }];
  for (let way = ways.pop(); way !== undefined && successors.size < statesMax; way = ways.pop()) {
    const { world, people } = await begin();
    let crashes = small.mayCrash === undefined ? 0 : 1;
    let from = way.from;
    for (let step = 0; ; step++) {
      const mayCrash = crashes > 0 ? (small.mayCrash ?? []) : [];
      let choices = choicesIn(world, mayCrash);
      // People are slower than any program, and the sweeper is the last resort.
      if (choices.length === 0 && (people.answerWaits() || isSwept(world, people)))
        choices = choicesIn(world, mayCrash);
      // What stands at the beginning of the way was seen when the way was found.
      if (step >= way.choices.length) {
        if (choices.length === 0) await world.rest(people);
        if (step > STEPS_MAX) world.fail(`nothing rests after ${STEPS_MAX} effects`);
        const [sentence] = world.wrongs;
        if (sentence !== undefined) {
          return { ...summary(successors, start, restCount, true), fault: { sentence, trace: world.trace } };
        }
        const state = await stateOf(world, people, crashes);
        if (from === undefined) start = state;
        else successors.get(from)?.add(state);
        if (successors.has(state)) break;
        successors.set(state, new Set());
        if (choices.length === 0) restCount++;
        if (choices.length === 0) break;
        const soFar = [...way.choices, ...Array.from({ length: step - way.choices.length }, () => 0)];
        for (let other = 1; other < choices.length; other++) {
          ways.push({ choices: [...soFar, other], from: state });
        }
        from = state;
      }
      // The last choice of the way is the first that is new.
      world.isSeen = step + 1 < way.choices.length;
      await make(choices[way.choices[step] ?? 0], world);
      if (world.processes.some(({ isAlive }) => !isAlive)) crashes = 0;
    }
  }
  return summary(successors, start, restCount, ways.length > 0);
}

/** Whether a sweep follows, for what stands although nothing more happens. */
function isSwept(world: World, people: People): boolean {
  if (!world.plan.swept || !isAnyStanding(world.subject.saga, world.documents)) return false;
  world.later('somebody sweeps', untilNextSweepMs(world), () => people.sweep());
  return true;
}

/** The choices that lead to a state which is still to be seen, and the state in which the last of them is made. */
interface Way {
  readonly choices: readonly number[];
  readonly from?: string;
}

async function make(choice: Choice | undefined, world: World): Promise<void> {
  if (choice === undefined) throw new Error('The world went another way this time: it is not deterministic');
  if ('crash' in choice) choice.crash();
  else await world.scheduler.happen(choice);
  await world.settle();
}

type Choice = Happening | { readonly crash: () => void };

/**
 * What may happen next. Where something is pending whose moment makes no difference to anything else, it is the only
 * choice, besides the death of the process that it belongs to: every other way comes to the same.
 */
function choicesIn({ scheduler, processes }: World, mayCrash: readonly string[]): Choice[] {
  const { pending } = scheduler;
  const free = pending.filter(
    ({ owner, alarmMs }) =>
      alarmMs === undefined || (processes.some(({ name }) => name === owner.name) && alarmMs <= PAUSE_MAX_MS),
  );
  if (free.length === 0) return scheduler.next ? [scheduler.next] : [];
  const indifferent = free.find(({ reach, owner }) => {
    const process = processes.find(({ name }) => name === owner.name);
    // A process that has only just been given something reads for it: to be given it later would be the same.
    return reach === 'local' || (reach === 'first read' && process && process.memory.length <= 1);
  });
  const choices = indifferent ? [indifferent] : free;
  const dying = processes.filter(
    ({ name }) => mayCrash.includes(name) && choices.some(({ owner }) => owner.name === name),
  );
  return [...choices, ...dying.map((process) => ({ crash: () => process.crash() }))];
}

/**
 * Everything that the future of a world can depend on, as a hash: the documents, what is pending, who holds which
 * message, and what each process knows. Moments are left out: no decision of a small world depends on them, except
 * on the big steps of its clock.
 */
async function stateOf(world: World, { accepted, canceled }: People, crashes: number): Promise<string> {
  const { documents, scheduler, processes, unsettled, faults } = world;
  const paths = new Set(
    processes.flatMap(({ memory }) => memory.flatMap((one) => (typeof one === 'string' ? [] : one.paths))),
  );
  const present = await world.store.read([...paths]);
  const known = (one: Memory): unknown =>
    typeof one === 'string'
      ? one
      : one.paths.map((path) => {
          const read = one.found.get(path);
          return [path, read && timeless(read.fields), read?.version === present.get(path)?.version];
        });
  const state = [
    [...documents].map(([path, fields]) => `${path} ${timeless(fields)}`).sort(),
    scheduler.pending.map(({ label, alarmMs }) => `${label} ${alarmMs}`).sort(),
    [...unsettled.values()].sort(),
    processes.map(({ isAlive, memory }) => [isAlive, memory.map(known)]),
    world.waiting,
    accepted,
    [...canceled],
    faults.left,
    crashes,
    Math.floor(scheduler.elapsedMs / 60_000),
  ];
  return createHash('sha1').update(JSON.stringify(state)).digest('base64');
}

/** The fields without their moments, as text. Of a line of the history, the first word is one. */
function timeless(fields: object): string {
  let text = timelessTexts.get(fields);
  if (text === undefined) {
    const kept = Object.entries(fields)
      .filter(([, value]) => !(value instanceof Date))
      .map(([name, value]) => [
        name,
        name === 'history' ? value.map((line: string) => line.slice(24)) : value,
      ]);
    text = JSON.stringify(kept.sort());
    timelessTexts.set(fields, text);
  }
  return text;
}
/** Each state has most of its documents in common with the one before. */
const timelessTexts = new WeakMap<object, string>();

function summary(
  successors: ReadonlyMap<string, ReadonlySet<string>>,
  start: string,
  restCount: number,
  isPartial: boolean,
): Exploration {
  const ways = new Map<string, bigint | null>();
  const waysFrom = (state: string): bigint => {
    const counted = ways.get(state);
    if (counted === null) throw new Error('A way leads back to where it was: two states look the same');
    if (counted !== undefined) return counted;
    ways.set(state, null);
    const next = [...(successors.get(state) ?? [])];
    const count = next.length === 0 ? 1n : next.map(waysFrom).reduce((sum, one) => sum + one, 0n);
    ways.set(state, count);
    return count;
  };
  return {
    stateCount: successors.size,
    interleavingCount: isPartial ? 0n : waysFrom(start),
    restCount,
    isPartial,
  };
}
