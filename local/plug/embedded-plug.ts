import type { Ports } from '../../saga/ports/ports.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { cuttableBus, gatedStore } from './cuttable-ports.ts';
import type { Plug } from './plug.ts';
import { createRecorder } from './recorder.ts';
import { createSpell } from './spell.ts';

/** The plug of services that share a process, with the ports that they must be given so that it can be pulled. */
export interface EmbeddedPlug extends Plug {
  /** What all of them share. */
  readonly ports: Ports;
  /** What each of them works with. */
  portsOf(service: string): Ports;
}

/** @param crash ends this process as SIGKILL does. */
export function embeddedPlug(world: Ports, services: readonly string[], crash: () => void): EmbeddedPlug {
  const { clock } = world;
  const recorded = createRecorder(clock);
  const bus = cuttableBus(world.bus, recorded.record);
  const cuts = {
    store: createSpell(
      clock,
      () => {},
      () => {},
    ),
    broker: createSpell(clock, bus.cut, bus.mend),
  };
  const reachable = async () => {
    if (cuts.store.until()) throw new StoreError('unavailable', 'The store is cut off');
  };
  const ports: Ports = { ...world, bus, store: gatedStore(world.store, reachable) };
  const frozen = new Map(services.map((name) => [name, createFreeze(world)]));

  return {
    ports,
    portsOf(service) {
      const released = () => frozen.get(service)?.over() ?? Promise.resolve();
      return {
        ...ports,
        store: gatedStore(ports.store, released),
        bus: { ...ports.bus, publish: (messages) => released().then(() => ports.bus.publish(messages)) },
      };
    },
    separate: false,
    services,
    stateOf: (service) => (frozen.get(service)?.spell.until() ? 'frozen' : 'running'),
    cutUntil: (what) => cuts[what].until(),
    // The answer to whoever asked goes out first.
    crash: () => void setImmediate(crash),
    freeze: (service, seconds) => frozen.get(service)?.spell.begin(seconds),
    cut: (what, seconds) => cuts[what].begin(seconds),
    recorded,
    publish: (messages) => bus.publish(messages),
    async close() {
      for (const { spell } of [...frozen.values(), ...Object.values(cuts).map((spell) => ({ spell }))])
        spell.end();
    },
  };
}

/** A service that is frozen stands still at its next call of the store or the broker, and so at anything it does. */
function createFreeze({ clock }: Pick<Ports, 'clock'>) {
  let waiting: (() => void)[] = [];
  const spell = createSpell(
    clock,
    () => {},
    () => {
      const released = waiting;
      waiting = [];
      for (const goOn of released) goOn();
    },
  );
  return {
    spell,
    over: () =>
      spell.until() === undefined ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)),
  };
}
