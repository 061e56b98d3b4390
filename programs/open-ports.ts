import { v4 as uuidv4 } from 'uuid';
import { post } from '../adapters/http/post.ts';
import { createMemoryBus } from '../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import type { Topology } from '../saga/deliver/topology.ts';
import type { Bus } from '../saga/ports/bus.ts';
import type { Log } from '../saga/ports/log.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Store } from '../saga/ports/store.ts';
import type { Config } from './config.ts';

/** A folder of this machine for the documents of the embedded engine. */
export interface DataFolder {
  readonly path: string;
  /** Whether to delete first what it holds. */
  readonly fresh: boolean;
}

/** Google's clients take half a second each to load, so a program loads only what it needs, once its configuration is right. */

/**
 * Connects to the store and the bus that the configuration names.
 * @param folder where the embedded engine keeps its documents; without it, in memory alone.
 */
export async function openPorts(
  config: Config,
  topology: Topology,
  log: Log,
  folder?: DataFolder,
): Promise<Ports> {
  const [store, bus] = await Promise.all([openStore(config, folder), openBus(config, topology)]);
  return { store, bus, clock: systemClock, random: Math.random, newUuid: uuidv4, log, post };
}

/** Connects to the store that the configuration names. */
export async function openStore(config: Config, folder?: DataFolder): Promise<Store> {
  if (config.backend === 'memory') {
    if (folder === undefined) return createMemoryStore();
    const { openDurableStore } = await import('../adapters/memory/durable-store.ts');
    return openDurableStore(folder.path, { fresh: folder.fresh });
  }
  const { createFirestoreStore } = await import('../adapters/google/firestore-store.ts');
  const { projectId, firestoreDatabase: databaseId, storeTimeoutMs: timeoutMs } = config;
  return createFirestoreStore({ projectId, databaseId, timeoutMs });
}

async function openBus(config: Config, topology: Topology): Promise<Bus> {
  if (config.backend === 'memory') return createMemoryBus(topology, systemClock);
  const { createPubSubBus } = await import('../adapters/google/pubsub-bus.ts');
  const { projectId, publishTimeoutMs, isEmulated } = config;
  return createPubSubBus({ projectId, publishTimeoutMs, retryHere: isEmulated ? topology : undefined });
}
