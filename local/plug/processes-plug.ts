import type { Topology } from '../../saga/deliver/topology.ts';
import { unavailable } from '../../saga/http/http.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { ServiceProcesses } from '../service-processes.ts';
import { freezeProcess } from './frozen-process.ts';
import type { Cuttable, Plug } from './plug.ts';
import { createRecorder } from './recorder.ts';
import type { Relay } from './relay.ts';
import { createSpell, type Spell } from './spell.ts';

/** The plug of services that are processes, behind a relay to each emulator. */
export interface ProcessesPlug extends Plug {
  /** Sends a service again what may have been in the hands of its process when that died. Never rejects. */
  remind(service: string): Promise<void>;
}

/**
 * The broker sends a dead process's messages again when their ack deadline ends, after ten seconds. Messages are hints, so what was
 * published in this time before is simply published again. Longer than a service can be frozen.
 */
const REMIND_SECONDS = 70;
const OUTSTANDING_MAX = 1000;

const recordOf = (topic: string) => `plug-${topic}`;

/** The topology with a subscription of the plug's own for each topic. */
export function withRecords(topology: Topology): Topology {
  const records = topology.topics.map((topic) => [
    recordOf(topic),
    {
      topic,
      ackDeadlineSeconds: 60,
      retentionDays: 1,
      retry: { minBackoffSeconds: 1, maxBackoffSeconds: 1 },
    },
  ]);
  return { ...topology, subscriptions: { ...topology.subscriptions, ...Object.fromEntries(records) } };
}

/**
 * @param ports the world without the relays, with the subscriptions of `withRecords`.
 * @param end is told if a message can't be recorded any more.
 */
export function processesPlug(
  services: readonly string[],
  processes: Pick<ServiceProcesses, 'portOf' | 'pidOf'>,
  relays: Readonly<Record<Cuttable, Relay>>,
  topology: Topology,
  { bus, clock, log }: Pick<Ports, 'bus' | 'clock' | 'log'>,
  end: (error: Error) => void,
): ProcessesPlug {
  const recorded = createRecorder(clock);
  const subscriptions = topology.topics.map((topic) =>
    bus.subscribe(
      recordOf(topic),
      OUTSTANDING_MAX,
      ({ data, attributes, messageId, ack }) => {
        recorded.record({ topic, data, attributes }, messageId);
        ack();
      },
      end,
    ),
  );
  const cutting = (relay: Relay) => createSpell(clock, relay.shut, relay.open);
  const cuts = { store: cutting(relays.store), broker: cutting(relays.broker) };
  /** The processes that are frozen. */
  const frozen = new Map<number, Spell>();

  function runningPid(service: string): number {
    const pid = processes.pidOf(service);
    if (pid === undefined || processes.portOf(service) === undefined) {
      throw unavailable(`${service} is being started; try again`);
    }
    return pid;
  }

  function createFreeze(pid: number): Spell {
    let goOn = () => {};
    return createSpell(
      clock,
      () => {
        goOn = freezeProcess(pid);
      },
      () => {
        goOn();
        frozen.delete(pid);
      },
    );
  }

  return {
    separate: true,
    services,
    stateOf(service) {
      const pid = processes.pidOf(service);
      if (pid === undefined || processes.portOf(service) === undefined) return 'starting';
      return frozen.has(pid) ? 'frozen' : 'running';
    },
    cutUntil: (what) => cuts[what].until(),
    crash(service) {
      const pid = runningPid(service);
      process.kill(pid, 'SIGKILL');
      frozen.get(pid)?.end();
    },
    freeze(service, seconds) {
      const pid = runningPid(service);
      const freeze = frozen.get(pid) ?? createFreeze(pid);
      frozen.set(pid, freeze);
      freeze.begin(seconds);
    },
    cut: (what, seconds) => cuts[what].begin(seconds),
    recorded,
    publish: (messages) => bus.publish(messages),
    async remind(service) {
      const topics = Object.values(topology.subscriptions).flatMap((one) =>
        one.service === service ? [one.topic] : [],
      );
      const since = new Date(clock.now().getTime() - REMIND_SECONDS * 1000);
      const messages = recorded.messagesSince(since).filter(({ topic }) => topics.includes(topic));
      const failed = (await bus.publish(messages)).filter((error) => error !== undefined);
      if (failed.length > 0) {
        // They come when their ack deadline ends.
        log('WARNING', `${service} could not be reminded of ${failed.length} messages`, {
          error: failed[0]?.message,
        });
      }
    },
    async close() {
      for (const spell of [...frozen.values(), ...Object.values(cuts)]) spell.end();
      await Promise.all(subscriptions.map((one) => one.close(1_000)));
    },
  };
}
