import { takesOrdersIn } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import { CANCELED, FAILING } from '../saga/ledger/ledger.ts';
import type { Saga } from '../saga/step/saga.ts';

/** The services that lead a ledger to a status. */
export function leadersTo(saga: Saga, status: string | undefined): readonly string[] {
  const step = saga.steps.find(({ leadsTo }) => leadsTo === status);
  if (step !== undefined) return [step.name];
  // Whoever may announce a failure may cause it.
  if (status === FAILING) return publishersOf(saga, saga.failure.topic);
  const beside = saga.services.filter((service) =>
    status === CANCELED ? service.reads(saga).includes(saga.failure.topic) : takesOrdersIn(saga, service),
  );
  return beside.map(({ name }) => name);
}

/** The services that publish on a topic. */
export const publishersOf = (saga: Saga, topic: string): readonly string[] =>
  Object.entries(declareTopology(saga).services)
    .filter(([, { publishes }]) => publishes.includes(topic))
    .map(([name]) => name);
