import { serviceNames, takesOrdersIn } from '../saga/deliver/service.ts';
import { publishedBy } from '../saga/deliver/topology.ts';
import { CANCELED, FAILING, PAUSED, RESUMED } from '../saga/ledger/ledger.ts';
import type { Saga } from '../saga/step/saga.ts';

/** The services that lead a ledger to a status. */
export function servicesLeadingTo(saga: Saga, status: string | undefined): readonly string[] {
  const step = saga.acts.find((act) => act.status === status)?.step;
  if (step !== undefined) return [step.name];
  // Whoever hears a word lets the order go on.
  if (status === RESUMED) return saga.steps.flatMap(({ waits }) => waits?.heardBy ?? []);
  if (status === PAUSED) return publishersOf(saga, saga.pause?.topic ?? '');
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
