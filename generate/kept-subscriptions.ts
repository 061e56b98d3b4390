import { PEOPLE } from '../saga/step/saga.ts';

/** A subscription that is deleted takes what waits in it along, and one that changes its reader takes it to a stranger. */

interface Declared {
  readonly subscriptions?: Readonly<Record<string, { readonly service?: string }>>;
}

/**
 * What would happen to the subscriptions that are written down if they were replaced by others, as sentences; empty if all of
 * them stay as they are. New ones may come.
 */
export function lostSubscriptions(written: Declared, fresh: Declared): string[] {
  return Object.entries(written.subscriptions ?? {}).flatMap(([name, { service = PEOPLE }]) => {
    const after = fresh.subscriptions?.[name];
    if (after === undefined)
      return [`${name} (${service}) would be deleted, with the messages that wait in it`];
    const reader = after.service ?? PEOPLE;
    return reader === service ? [] : [`${name} would go from ${service} to ${reader}`];
  });
}
