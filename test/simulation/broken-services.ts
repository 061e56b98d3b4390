import { reserveStock } from '../../inventory/reserve-stock.ts';
import { compensate } from '../../janitor/compensate.ts';
import { takeOrder } from '../../order/take-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import type { Documents, Write } from '../../saga/commit/documents.ts';
import { createRunner } from '../../saga/deliver/runner.ts';
import type { ConsumerDefinition, Service } from '../../saga/deliver/service.ts';
import { doneSteps, type Saga, type Status } from '../../saga/ledger/ledger.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type GuardedWrite, type Store, StoreError } from '../../saga/ports/store.ts';
import type { Reaction, Turn } from '../../saga/step/reaction.ts';
import { reactionOf } from '../../saga/step/step.ts';
import type { Plan, ServiceName } from './plan.ts';
import { type MakeService, realService } from './world.ts';

/**
 * The services, each time without one of their guards. The guard is taken out by wrapping a part from outside: the
 * product has no switch for it. What finds nothing wrong with these would prove nothing.
 */

type Break = (reaction: Reaction, from: Status, plan: Plan) => Reaction;

/** The services with reactions that lack something. */
const withReactions =
  (broken: Break): MakeService =>
  (name, ports, plan) => {
    const service = realService(name, ports, plan);
    const found = reactionOfService(name, plan);
    if (found === undefined) return service;
    const process = createRunner(broken(found.reaction, found.from, plan), ports, {
      allowNameless: name === 'order',
    });
    const consumers = service.consumers.map((consumer, index) =>
      index > 0 ? consumer : { ...consumer, process },
    );
    return { ...service, consumers };
  };

function reactionOfService(
  name: ServiceName,
  { deadlineSeconds }: Plan,
): { reaction: Reaction; from: Status } | undefined {
  if (name === 'order') return { reaction: takeOrder(deadlineSeconds), from: 'RECEIVED' };
  if (name === 'inventory') return { reaction: reactionOf(reserveStock), from: 'CREATED' };
  if (name === 'payments') return { reaction: reactionOf(chargeCustomer()), from: 'RESERVED' };
  if (name === 'janitor') return { reaction: compensate, from: 'FAILING' };
  return undefined;
}

/** Where the ledger stands elsewhere than at the step's beginning, the step takes it for standing there all the same. */
const pretending = (where: (saga: Saga) => boolean): MakeService =>
  withReactions((reaction, from) => {
    if (from === 'FAILING') return reaction;
    const asIf = (saga: Saga | undefined) => (saga && where(saga) ? { ...saga, status: from } : saga);
    return {
      ...reaction,
      reads: (saga, message) => reaction.reads(asIf(saga), message),
      react: (saga, message, documents, now) => reaction.react(asIf(saga), message, documents, now),
    };
  });

const isOver = ({ status }: Saga): boolean => status === 'FAILING' || status === 'CANCELED';

/** A step runs again although the ledger shows it as done. */
export const withoutLedgerCheck = pretending((saga) => !isOver(saga) && doneSteps(saga).length > 0);

/** A step runs although the order is failing or canceled. */
export const withoutFence = pretending(isOver);

/** An `error` for an order that nobody knows leaves nothing behind. */
export const withoutTombstone = withReactions((reaction, from) => ({
  ...reaction,
  react: (saga, message, documents, now) =>
    saga === undefined && from === 'FAILING'
      ? { outcome: 'ignored', writes: [] }
      : reaction.react(saga, message, documents, now),
}));

/** Who finds the ledger where a crash left it does not publish what it calls for. */
export const withoutRepublication = withReactions((reaction) => ({
  ...reaction,
  react(saga, message, documents, now) {
    const turn = reaction.react(saga, message, documents, now);
    return turn.outcome === 'duplicate' ? { outcome: 'duplicate', writes: [] } : turn;
  },
}));

/** A compensation whose writes are not the exact inverse. */
const withUndo = (mend: (writes: readonly Write[], documents: Documents, plan: Plan) => readonly Write[]) =>
  withReactions((reaction, from, plan) => ({
    ...reaction,
    react(saga, message, documents, now): Turn {
      const turn = reaction.react(saga, message, documents, now);
      return from === 'FAILING' ? { ...turn, writes: mend(turn.writes, documents, plan) } : turn;
    },
  }));

const isStock = (write: Write): write is Extract<Write, { kind: 'update' }> =>
  write.kind === 'update' && write.path.startsWith('inventory/');
const quantityOf = (fields: object | undefined): number => (fields as { quantity: number }).quantity;

/** Stock is taken again instead of given back. */
export const withInvertedUndo = withUndo((writes, documents) =>
  writes.map((write) => {
    if (!isStock(write)) return write;
    const before = quantityOf(documents.get(write.path));
    return { ...write, fields: { quantity: 2 * before - quantityOf(write.fields) } };
  }),
);

/** Of several lines, only the first is given back. */
export const withPartialUndo = withUndo((writes) => {
  const first = writes.find(isStock);
  return writes.filter((write) => !isStock(write) || write === first);
});

/** The stock is set to what it was at the beginning, whatever others have taken since. */
export const withAbsoluteUndo = withUndo((writes, _documents, { items }) =>
  writes.map((write) =>
    isStock(write)
      ? { ...write, fields: { quantity: items[write.path.split('/')[1] ?? '']?.quantity } }
      : write,
  ),
);

/** The services with ports that lack something. */
const withPorts =
  (broken: (ports: Ports) => Partial<Ports>): MakeService =>
  (name, ports, plan) =>
    realService(name, { ...ports, ...broken(ports) }, plan);

/** Whoever commits overwrites what is there, whatever was read. */
export const withoutVersionGuard = withPorts(({ store }) => ({ store: unguarded(store) }));

/** A store that takes every write, as a database without transactions does. */
export function unguarded(store: Store): Store {
  return {
    ...store,
    async commit(writes) {
      for (;;) {
        const found = await store.read(writes.map(({ path }) => path));
        const blind = writes.flatMap((write): GuardedWrite[] => {
          const version = found.get(write.path)?.version;
          if (write.kind === 'remove') return [{ kind: 'remove', path: write.path }];
          if (version === undefined) return [{ kind: 'create', path: write.path, fields: write.fields }];
          return [{ kind: 'update', path: write.path, fields: write.fields, version }];
        });
        try {
          return await store.commit(blind);
        } catch (error) {
          if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error;
        }
      }
    },
  };
}

/** What the ledger calls for is published before the ledger is committed. */
export const publishingFirst = withPorts(({ store, bus }) => {
  let waiting: readonly GuardedWrite[] = [];
  return {
    store: {
      ...store,
      async commit(writes) {
        waiting = writes;
      },
    },
    bus: {
      ...bus,
      async publish(messages) {
        const results = await bus.publish(messages);
        const writes = waiting;
        waiting = [];
        if (writes.length > 0) await store.commit(writes);
        return results;
      },
    },
  };
});

/** Messages are acked before anything is done about them. */
export const ackingFirst: MakeService = (name, ports, plan): Service => {
  const service = realService(name, ports, plan);
  const consumers = service.consumers.map(
    (consumer): ConsumerDefinition => ({
      ...consumer,
      process: async (deliveries) => {
        for (const delivery of deliveries) delivery.ack();
        await consumer.process(
          deliveries.map((delivery): Delivery => ({ ...delivery, ack() {}, nack() {} })),
        );
      },
    }),
  );
  return { ...service, consumers };
};
