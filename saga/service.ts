import type { Delivery } from './bus.ts';
import type { Route } from './http.ts';
import type { Ports } from './ports.ts';
import type { Reaction } from './reaction.ts';
import { createRunner } from './runner.ts';

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
  /** Makes the function that processes a batch; it must not reject, and acks or nacks each delivery. */
  processorFor(subscription: string): (deliveries: readonly Delivery[]) => Promise<void>;
}

/** A consumer that lets a reaction answer the messages of a topic. */
export function consumerOf(
  topic: string,
  reaction: Reaction,
  ports: Ports,
  { allowNameless = false } = {},
): ConsumerDefinition {
  return {
    topic,
    processorFor: (subscription) => createRunner({ reaction, subscription, allowNameless }, ports),
  };
}
