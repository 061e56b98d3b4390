import { pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import type { Scene } from './scene.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Stack } from './stack.ts';

/** Something that goes wrong on purpose. */
export type Fault =
  | { readonly kind: 'kill' | 'terminate'; readonly service: string }
  | { readonly kind: 'cut'; readonly door: keyof Stack['doors']; readonly forMs: number }
  | {
      readonly kind: 'slow';
      readonly door: keyof Stack['doors'];
      readonly forMs: number;
      readonly delayMs: number;
    }
  /** Messages that were published before are published again, of any topic. */
  | { readonly kind: 'repeat'; readonly messageCount: number }
  /** A message that nobody can process, on any topic that a service reads. */
  | { readonly kind: 'poison'; readonly topic: string }
  /** No fault: the doctor looks at everything in the midst of it. */
  | { readonly kind: 'audit' };

/** The topics on which orders go their way: what services read, apart from the desk. Of some there are several readers. */
const READ = Object.values(topologyOf(pipeline).subscriptions).flatMap(({ topic, service }) =>
  service === undefined || topic === DEAD_LETTER_TOPIC ? [] : [topic],
);
const POISONED = [...new Set(READ)];

export interface PlannedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/** How many of each there are in a run. */
export interface FaultCounts {
  /** Kills of each of the services in the plan. */
  readonly kills: number;
  readonly terminations: number;
  readonly cuts: number;
  readonly slowdowns: number;
  readonly repeats: number;
  readonly poison: number;
  readonly audits: number;
}

/** Draws what goes wrong in a run, and when: each service's kills and terminations, then the rest, in time order. */
export function drawFaults(
  random: SeededRandom,
  durationMs: number,
  services: readonly string[],
  counts: FaultCounts,
): PlannedFault[] {
  const times = (count: number, draw: () => Fault) => Array.from({ length: count }, draw);
  const door = () => random.pick(['pubsub', 'firestore'] as const);
  const faults: Fault[] = [
    ...services.flatMap((service) => times(counts.kills, () => ({ kind: 'kill', service }))),
    ...times(counts.terminations, () => ({ kind: 'terminate', service: random.pick(services) })),
    ...times(counts.cuts, () => ({ kind: 'cut', door: door(), forMs: random.between(100, 4_000) })),
    ...times(counts.slowdowns, () => ({
      kind: 'slow',
      door: door(),
      forMs: random.between(1_000, 8_000),
      delayMs: random.between(5, 100),
    })),
    ...times(counts.repeats, () => ({ kind: 'repeat', messageCount: random.between(10, 100) })),
    ...times(counts.poison, () => ({
      kind: 'poison',
      topic: random.pick(POISONED),
    })),
    ...times(counts.audits, () => ({ kind: 'audit' })),
  ];
  return faults
    .map((fault) => ({ atMs: Math.round(durationMs * (0.05 + 0.85 * random.next())), fault }))
    .sort((one, other) => one.atMs - other.atMs);
}

/** What came of the faults. */
export interface FaultLog {
  kills: number;
  readonly terminations: { readonly service: string; readonly durationMs: number; readonly manner: string }[];
  repeated: number;
  audits: number;
  /** What the doctor found that does not balance. */
  readonly violations: string[];
}

/**
 * Brings one fault about.
 * @returns when it is over: the service is up again, the door is open.
 */
export type Saboteur = (fault: Fault) => Promise<void>;

/** Faults of one service or door follow each other, so that each is what the plan says. */
export function openSaboteur(scene: Scene, random: SeededRandom): { log: FaultLog; bring: Saboteur } {
  const { stack, tap } = scene;
  const log: FaultLog = { kills: 0, terminations: [], repeated: 0, audits: 0, violations: [] };
  const busy = new Map<string, Promise<void>>();

  async function carryOut(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        await stack.kill(fault.service);
        log.kills++;
        return stack.isUp(fault.service);
      case 'terminate':
        log.terminations.push({ service: fault.service, ...(await stack.terminate(fault.service)) });
        return stack.isUp(fault.service);
      case 'cut':
      case 'slow': {
        const door = stack.doors[fault.door];
        if (fault.kind === 'cut') door.shut();
        else door.slow(fault.delayMs);
        await new Promise((resolve) => setTimeout(resolve, fault.forMs));
        door.open();
        return;
      }
      case 'repeat': {
        const known = tap.heard.filter(isRepeatable);
        const again = known.length
          ? Array.from({ length: fault.messageCount }, () => random.pick(known))
          : [];
        const results = await stack.bus.publish(again);
        log.repeated += results.filter((error) => error === undefined).length;
        return;
      }
      case 'poison': {
        // A number makes each of them another message, and none of them an order.
        const data = Buffer.from(`This is no order, for the ${scene.poisonCount + 1}. time`);
        const [error] = await stack.bus.publish([{ topic: fault.topic, data, attributes: POISON }]);
        if (error) throw error;
        // Each service that reads the topic hands it to the desk.
        scene.poisonCount += READ.filter((topic) => topic === fault.topic).length;
        return;
      }
      case 'audit': {
        const { violations } = await scene.audit();
        log.violations.push(...violations.map(({ sentence }) => `In the midst of it: ${sentence}`));
        log.audits++;
      }
    }
  }

  return {
    log,
    bring(fault) {
      const target = 'service' in fault ? fault.service : 'door' in fault ? fault.door : fault.kind;
      const turn = (busy.get(target) ?? Promise.resolve()).then(() => carryOut(fault));
      busy.set(target, turn);
      return turn;
    },
  };
}

const POISON = { 'chaos-poison': 'yes' };

/** Poison that is published again is another message, and another dead letter; its dead letter is the same one. */
const isRepeatable = ({ topic, attributes }: OutgoingMessage): boolean =>
  topic === DEAD_LETTER_TOPIC || !('chaos-poison' in attributes);

/** A fault in words, for the printed plan. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `SIGKILL ${fault.service}`;
    case 'terminate':
      return `SIGTERM ${fault.service}`;
    case 'cut':
      return `cut ${fault.door} off for ${fault.forMs} ms`;
    case 'slow':
      return `hold up ${fault.door} by ${fault.delayMs} ms for ${fault.forMs} ms`;
    case 'repeat':
      return `publish ${fault.messageCount} messages again`;
    case 'poison':
      return `publish what is no order to ${fault.topic}`;
    case 'audit':
      return 'audit';
  }
}
