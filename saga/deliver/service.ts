import type { z } from 'zod';
import type { Route } from '../http/http.ts';
import { wordRoutes } from '../http/word-routes.ts';
import type { Delivery } from '../ports/bus.ts';
import { pause } from '../ports/clock.ts';
import type { Ports } from '../ports/ports.ts';
import { wordMessageTask } from '../step/hear-word.ts';
import { isWaitingStep, type Saga, subscriptionsOf, type WaitingStep } from '../step/saga.ts';
import type { Step } from '../step/step.ts';
import { stepTask } from '../step/take-step.ts';
import type { SagaMessage } from './message.ts';
import { createRunner } from './runner.ts';

/** A service: what it reads from the bus, and what it answers over HTTP. A process hosts one, or all of them. */
export interface Service {
  readonly name: string;
  readonly consumers: readonly ConsumerDefinition[];
  /** Made anew each time it is asked, because schemas cost more than all the rest of a service. */
  routes(): readonly Route[];
  /** The folder of a web page for browsers, with an `index.html`; absent if the service has none. */
  readonly webPage?: URL;
  /** Starts what the service does by itself, such as sweeps. */
  start?(): void;
  /** Finishes the work under way and takes nothing new. */
  drain?(): Promise<void>;
}

export interface ConsumerDefinition {
  readonly topic: string;
  /** Processes a batch: must not reject, and acks or nacks each delivery. */
  readonly process: (deliveries: readonly Delivery[]) => Promise<void>;
}

/** A service beside the steps, such as the one that takes orders in. */
export interface ServiceDefinition {
  readonly name: string;
  /** The topics that it reads, and those on which it publishes. */
  readonly reads: (saga: Saga) => readonly string[];
  readonly publishes: (saga: Saga) => readonly string[];
  /** Its variables in the environment. */
  readonly settings?: z.ZodRawShape;
  create(saga: Saga, ports: Ports, settings: ServiceSettings): Service;
  /**
   * Erases a customer from the documents that it keeps and no order holds; absent if it keeps none. Any process may call it, and
   * may repeat it.
   * @returns how many documents it has changed.
   * @throws StoreError
   */
  erase?(saga: Saga, ports: Ports, who: ErasedCustomer): Promise<number>;
}

/** A customer who is to be erased, and the operator who wants it. */
export interface ErasedCustomer {
  readonly customer: string;
  readonly person?: string | undefined;
}

/** What services get besides their saga. */
export interface ServiceSettings {
  /** How long each stage of an order may take. */
  readonly deadlineSeconds: number;
  /** The pause between two sweeps; 0: only on request. */
  readonly sweepIntervalSeconds: number;
  /** How long a step waits before it takes a batch of messages, in milliseconds, by the step's name; absent: not at all. */
  readonly slowDownMs?: Readonly<Record<string, number>>;
  /** The values of the settings that steps and services declare. */
  readonly declared: Readonly<Record<string, unknown>>;
}

/** Whether a service takes orders in from outside: it reads no topic. */
export const takesOrdersIn = (saga: Saga, { reads }: ServiceDefinition): boolean => reads(saga).length === 0;

/** The names of all services, in the order an order meets them: those that take orders in, the steps, then all others. */
export function serviceNames(saga: Saga): readonly string[] {
  const isSource = (service: ServiceDefinition) => takesOrdersIn(saga, service);
  const named = (services: readonly { readonly name: string }[]) => services.map(({ name }) => name);
  const { services, steps } = saga;
  return [
    ...named(services.filter(isSource)),
    ...named(steps),
    ...named(services.filter((one) => !isSource(one))),
  ];
}

/**
 * One service of a saga.
 * @throws Error if the saga has no such service.
 */
export function serviceOf(saga: Saga, name: string, ports: Ports, settings: ServiceSettings): Service {
  const step = saga.steps.find((one) => one.name === name);
  const beside = saga.services.find((one) => one.name === name);
  const service = step ? stepService(saga, step, ports, settings) : beside?.create(saga, ports, settings);
  if (service === undefined)
    throw new Error(`${saga.name} has no service ${name}; it has ${serviceNames(saga).join(', ')}`);
  const wordsOf = (one: WaitingStep) => wordRoutes(saga, one, name, ports);
  return { ...service, routes: () => [...service.routes(), ...stepsHeardBy(saga, name).flatMap(wordsOf)] };
}

/** The steps whose words this service takes over HTTP. */
export const stepsHeardBy = (saga: Saga, name: string): readonly WaitingStep[] =>
  saga.steps.filter((one): one is WaitingStep => one.waits?.heardBy === name);

/** All services of a saga, for a process that hosts them together. */
export const allServices = (saga: Saga, ports: Ports, settings: ServiceSettings): readonly Service[] =>
  serviceNames(saga).map((name) => serviceOf(saga, name, ports, settings));

/** The topics whose messages begin a step. Behind steps beside one another they are several; the ledger tells when all are done. */
export function topicsBefore(saga: Saga, step: Step): readonly string[] {
  const place = saga.groups.findIndex((group) => group.includes(step));
  return saga.groups[place - 1]?.map(({ announces }) => announces) ?? [saga.entry.topic];
}

/**
 * The topics that a step reads: those whose messages begin it, that of resumption if it waits, and those of older
 * subscriptions that it owned before another step was put in front of it. What still waits there is acked, because the order
 * now goes the longer way.
 */
export function topicsReadBy(saga: Saga, step: Step): readonly string[] {
  const owns = (topic: string) =>
    subscriptionsOf(topic, step.name).some((name) => saga.subscriptions[name] === step.name);
  const topics = saga.statuses.map((status) => saga.topicOf(status));
  const resumption = step.waits && saga.resumption ? [saga.resumption.topic] : [];
  return [...new Set([...topicsBefore(saga, step), ...resumption, ...topics.filter(owns)])];
}

function stepService(
  saga: Saga,
  step: Step,
  ports: Ports,
  { deadlineSeconds, slowDownMs = {}, declared }: ServiceSettings,
): Service {
  const settings = settingsOf(step, declared);
  const delayMs = slowDownMs[step.name] ?? 0;
  const consumers = topicsReadBy(saga, step).map((topic): ConsumerDefinition => {
    const options = { settings, deadlineSeconds, isEntry: topic === saga.entry.topic };
    const party = {
      name: step.name,
      taskFor: (message: SagaMessage) => stepTask(saga, step, message, options),
    };
    const run = createRunner(saga, party, ports, { allowNameless: options.isEntry });
    if (delayMs === 0) return { topic, process: run };
    return { topic, process: (deliveries) => pause(ports.clock, delayMs).then(() => run(deliveries)) };
  });
  return {
    name: step.name,
    consumers: [...consumers, ...listeners(saga, step, settings, ports)],
    routes: () => step.routes(ports.store, settings as never, ports, saga),
  };
}

export const settingsOf = (step: Step, declared: ServiceSettings['declared']): object =>
  Object.fromEntries(Object.keys(step.settings).map((name) => [name, declared[name]]));

/** What a step that waits hears by a topic. */
function listeners(saga: Saga, step: Step, settings: object, ports: Ports): readonly ConsumerDefinition[] {
  if (!isWaitingStep(step) || step.waits.listensTo === undefined) return [];
  const party = {
    name: step.name,
    taskFor: (message: SagaMessage) => wordMessageTask(saga, step, message, settings),
  };
  return [{ topic: step.waits.listensTo.topic, process: createRunner(saga, party, ports) }];
}
