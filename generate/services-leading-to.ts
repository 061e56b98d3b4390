import { serviceNames, takesOrdersIn } from '../saga/deliver/service.ts';
import { publishedBy } from '../saga/deliver/topology.ts';
import { CANCELED, FAILING } from '../saga/ledger/ledger.ts';
import type { Saga } from '../saga/step/saga.ts';

/** The services that lead a ledger to a status. */
export function servicesLeadingTo(saga: Saga, status: string | undefined): readonly string[] {
  const step = saga.steps.find(({ leadsTo }) => leadsTo === status);
  if (step !== undefined) return [step.name];
  // Every service that may announce a failure may cause it.
  if (status === FAILING) return publishersOf(saga, saga.failure.topic);
  const beside = saga.services.filter((service) =>
    status === CANCELED ? service.reads(saga).includes(saga.failure.topic) : takesOrdersIn(saga, service),
  );
  return beside.map(({ name }) => name);
}

/** The services that publish on a topic. */
export const publishersOf = (saga: Saga, topic: string): readonly string[] =>
  serviceNames(saga).filter((name) => publishedBy(saga, name).includes(topic));
