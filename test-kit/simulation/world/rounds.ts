import { announcedAt, isStanding, isWaiting } from '../../../saga/ledger/deadline.ts';
import { lastTransition } from '../../../saga/ledger/history.ts';
import { isLedgerPath, type Ledger } from '../../../saga/ledger/ledger.ts';
import { clockRange } from '../clocks.ts';
import type { Plan } from '../plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** A patrol goes on while an order stands that it may move on, and looks for that so often. */
const PATROL_ROUND_MS = 60_000;
const PATROL_MAX_MS = 3_600_000;
/** Long enough for a watchdog to notice, however long its own process sleeps. */
const WATCH_MS = 2_400_000;
/** A watchdog must have noticed by its end that an order has stood since this moment. */
const NOTICED_MS = 600_000;
/** A watchdog learns this late that something was delivered. */
const WATCH_PAUSE_MS = 30_000;
/** How often a patrol sweeps where the plan does not say it: without one, a watchdog has little to go by. */
const PATROL_SECONDS = 30;

/** How often the services sweep unasked, in seconds; 0: never. */
export const sweepSecondsIn = ({ faults }: Plan): number =>
  faults.find((fault) => fault.kind === 'patrol')?.everySeconds ??
  (faults.some(({ kind }) => kind === 'silent') ? PATROL_SECONDS : 0);

/** What goes on unasked in a world: patrols, and watchdogs where a subscription falls silent. It must end, or nothing would rest. */
export class Rounds {
  readonly #world: World;
  readonly #watched: ReadonlySet<string>;
  #isPatrolled: boolean;

  constructor(world: World) {
    const { plan } = world;
    this.#world = world;
    this.#isPatrolled = sweepSecondsIn(plan) > 0;
    this.#watched = new Set(plan.faults.flatMap((fault) => (fault.kind === 'silent' ? fault.service : [])));
  }

  /** Whether services do what they do at intervals. */
  get isPatrolled(): boolean {
    return this.#isPatrolled;
  }

  /** Whether a watchdog guards the processes of this service. */
  isWatched(service: string): boolean {
    return this.#watched.has(service) && this.#world.scheduler.elapsedMs < WATCH_MS;
  }

  begin(): void {
    const world = this.#world;
    for (const fault of world.plan.faults) {
      if (fault.kind !== 'silent') continue;
      const { process: name, subscription, atMs } = fault;
      world.later(`${subscription} falls silent for ${name}`, atMs, () =>
        world.processes.find((one) => one.name === name)?.fallSilent(subscription),
      );
    }
    if (this.#isPatrolled) world.later('a round of the patrols', PATROL_ROUND_MS, () => this.#endPatrols());
    if (this.#watched.size > 0) world.later('the watchdogs end', WATCH_MS, () => this.#endWatch());
  }

  #endPatrols(): void {
    const world = this.#world;
    const isNeeded = this.#ledgers.some(
      (ledger) => isStanding(world.subject.saga, ledger) && !isWaiting(world.subject.saga, ledger),
    );
    if (isNeeded && world.scheduler.elapsedMs < PATROL_MAX_MS) {
      world.later('a round of the patrols', PATROL_ROUND_MS, () => this.#endPatrols());
      return;
    }
    this.#isPatrolled = false;
    for (const process of world.processes) process.drain();
  }

  #endWatch(): void {
    for (const process of this.#world.processes) {
      const missed = this.#missedBy(process);
      if (missed !== undefined) this.#world.fail(missed);
      process.endWatch();
    }
  }

  /** What its watchdog had to notice and did not, as a sentence. */
  #missedBy({ name, silence }: SimulatedProcess): string | undefined {
    if (silence === undefined) return undefined;
    const { subject, scheduler, topology, plan } = this.#world;
    const { subscription, sinceMs } = silence;
    const slept = plan.faults.map((fault) =>
      fault.kind === 'pause' && fault.process === name ? 1000 * fault.seconds : 0,
    );
    const { slowestMs, fastestMs } = clockRange(plan);
    const spreadMs = fastestMs - slowestMs;
    const heardMs = sinceMs + WATCH_PAUSE_MS + spreadMs + slept.reduce((sum, one) => sum + one, 0);
    const untilMs = scheduler.nowMs - scheduler.elapsedMs + NOTICED_MS - spreadMs;
    const missed = this.#ledgers.find((ledger) => {
      if (!isStanding(subject.saga, ledger) || isWaiting(subject.saga, ledger)) return false;
      const topics = ledger.repeats ? subject.saga.topicsAgain(ledger) : [subject.saga.topicFor(ledger)];
      const isFor = topics.includes(topology.subscriptions[subscription]?.topic ?? '');
      const stoodMs = lastTransition(ledger).at.getTime();
      return isFor && stoodMs < untilMs && announcedAt(subject.saga, ledger).getTime() > heardMs;
    });
    return (
      missed &&
      `${subscription} is silent for ${name}, order ${missed.uuid} waits for it, and no watchdog noticed`
    );
  }

  get #ledgers(): Ledger[] {
    return [...this.#world.documents].flatMap(([path, fields]) =>
      isLedgerPath(path) ? [fields as Ledger] : [],
    );
  }
}
