import type { Route } from '../http/http.ts';
import type { Delivery } from '../ports/bus.ts';

/** A service: what it reads from the bus, and what it answers over HTTP. A process hosts one, or all of them. */
export interface Service {
  readonly name: string;
  readonly consumers: readonly ConsumerDefinition[];
  readonly routes: readonly Route[];
  /** Begins what the service does of its own accord, once it is hosted. */
  start?(): void;
  /** Finishes what is under way and takes nothing new. */
  drain?(): Promise<void>;
}

export interface ConsumerDefinition {
  readonly topic: string;
  /** Processes a batch: must not reject, and acks or nacks each delivery. */
  readonly process: (deliveries: readonly Delivery[]) => Promise<void>;
}
