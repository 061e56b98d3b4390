import type { Clock } from '../../../saga/ports/clock.ts';

/** What makes something happen: a simulated process, the broker, a customer. What the dead have begun never happens. */
export interface Owner {
  readonly name: string;
  alive: boolean;
  /** A process that sleeps: until then nothing of its own happens. */
  pausedUntilMs: number;
}

/** Something that will happen: an effect of a process, or an alarm of its clock. */
export interface Happening {
  readonly owner: Owner;
  readonly label: string;
  readonly atMs: number;
  /** How long its owner asked to wait, where it is an alarm of its clock; undefined for an effect. */
  readonly alarmMs: number | undefined;
  /**
   * `local`: whatever else happens first, it comes to the same, and it stands in nobody's way (an ack, a publication).
   * `first read`: the same, where the process has only just been given what it reads for.
   */
  readonly reach: Reach;
  run(): void | Promise<void>;
}

export type Reach = 'local' | 'first read' | 'shared';

/** When the simulated time begins. */
const BEGINNING_MS = Date.UTC(2026, 0, 1);

/**
 * Everything that happens in a simulated world waits here, effects and alarms alike, each with its moment. Whoever
 * drives the world picks what happens next, and time is what the picked one says. Nothing else moves.
 */
export class Scheduler {
  #nowMs = BEGINNING_MS;
  #pending: Happening[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Milliseconds since the world began. */
  get elapsedMs(): number {
    return this.#nowMs - BEGINNING_MS;
  }

  /** What may happen, in the order in which it was asked for. */
  get pending(): readonly Happening[] {
    this.#pending = this.#pending.filter(({ owner }) => owner.alive);
    return this.#pending;
  }

  /** @returns what calls it off. */
  add(
    owner: Owner,
    label: string,
    delayMs: number,
    run: Happening['run'],
    { alarmMs, reach = 'shared' }: { alarmMs?: number; reach?: Reach } = {},
  ): () => void {
    const happening = { owner, label, atMs: this.#nowMs + delayMs, alarmMs, reach, run };
    this.#pending.push(happening);
    return () => {
      this.#pending = this.#pending.filter((one) => one !== happening);
    };
  }

  /** The pending one whose moment comes first; of two at the same moment, the one that was asked for first. */
  get next(): Happening | undefined {
    let next: Happening | undefined;
    for (const one of this.pending) if (next === undefined || dueMs(one) < dueMs(next)) next = one;
    return next;
  }

  /** Lets one of the pending happen. A moment that is past happens now. */
  async happen(one: Happening): Promise<void> {
    this.#pending = this.#pending.filter((other) => other !== one);
    this.#nowMs = Math.max(this.#nowMs, dueMs(one));
    await one.run();
  }

  clockOf(owner: Owner): Clock {
    return {
      now: () => new Date(this.#nowMs),
      after: (delayMs, action) =>
        this.add(owner, `${owner.name}: alarm`, delayMs, action, { alarmMs: delayMs }),
    };
  }
}

const dueMs = ({ atMs, owner }: Happening): number => Math.max(atMs, owner.pausedUntilMs);
