import type { ConsumerDefinition } from '../../saga/deliver/service.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { GuardedWrite, Path, Store } from '../../saga/ports/store.ts';
import { unguarded } from '../../test-kit/simulation/checks/without-guard.ts';
import type { MakeService } from '../../test-kit/simulation/world/world.ts';

/**
 * The algorithm of the Python original of this pipeline, as a model: every step reads, calculates and writes without a
 * guard; nobody keeps a ledger; what was saved is then published, and nobody remembers whether that succeeded. It
 * stands here so that the checker can show that it sees the faults which that algorithm is known to have.
 */

interface Message {
  readonly uuid: string;
  readonly user: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
  readonly 'payment-error'?: boolean;
  /** Set by the step that refused, where stock is to be put back. */
  readonly reserved?: boolean;
}

type Step = (message: Message, store: Store) => Promise<{ topic: string; message: Message }>;

const createOrder: Step = async (message, store) => {
  await put(store, `users/${message.user}/orders/${message.uuid}`, { items: message.items });
  return { topic: 'order-created', message };
};

const reserveStock: Step = async (message, store) => {
  for (const { item, quantity } of message.items) {
    const available = await quantityOf(store, item);
    if (available < quantity) return { topic: 'error', message };
  }
  for (const { item, quantity } of message.items) {
    const available = await quantityOf(store, item);
    await put(store, `inventory/${item}`, { quantity: available - quantity });
    await put(store, `inventory/${item}/orders/${message.uuid}`, { quantity });
  }
  return { topic: 'inventory-updated', message };
};

const charge: Step = async (message, store) => {
  if (message['payment-error']) return { topic: 'error', message: { ...message, reserved: true } };
  await put(store, `payments/${message.uuid}`, { user: message.user });
  return { topic: 'payment-created', message };
};

const compensate: Step = async (message, store) => {
  const { uuid, user, items, reserved } = message;
  for (const { item, quantity } of items) {
    if (!reserved) continue;
    const available = await quantityOf(store, item);
    await put(store, `inventory/${item}`, { quantity: available + quantity });
    await store.commit([{ kind: 'remove', path: `inventory/${item}/orders/${uuid}` }]);
  }
  await store.commit([
    { kind: 'remove', path: `users/${user}/orders/${uuid}` },
    { kind: 'remove', path: `payments/${uuid}` },
  ]);
  return { topic: 'order-canceled', message };
};

const quantityOf = async (store: Store, item: string): Promise<number> => {
  const path: Path<{ quantity: number }> = `inventory/${item}`;
  return ((await store.read([path])).get(path)?.fields as { quantity: number } | undefined)?.quantity ?? 0;
};

const put = (store: Store, path: Path, fields: object): Promise<void> =>
  store.commit([{ kind: 'create', path, fields } satisfies GuardedWrite]);

const STEPS: Readonly<Record<string, readonly [topic: string, step: Step]>> = {
  order: ['frontend', createOrder],
  inventory: ['order-created', reserveStock],
  payments: ['inventory-updated', charge],
  janitor: ['error', compensate],
};

/** The four services of the original; its frontend only publishes. */
export const originalService: MakeService = (_subject, name, ports) => {
  const found = STEPS[name];
  return { name, routes: () => [], consumers: found ? [consumerOfStep(...found, ports)] : [] };
};

function consumerOfStep(topic: string, step: Step, { store, bus }: Ports): ConsumerDefinition {
  const careless = unguarded(store);
  const take = async (delivery: Delivery) => {
    try {
      const next = await step(JSON.parse(delivery.data.toString()), careless);
      const data = Buffer.from(JSON.stringify(next.message));
      await bus.publish([{ topic: next.topic, data, attributes: { 'ce-subject': next.message.uuid } }]);
      delivery.ack();
    } catch {
      delivery.nack();
    }
  };
  // Each request has a thread of its own there: nothing waits for anything else.
  return {
    topic,
    process: async (deliveries) => {
      for (const delivery of deliveries) void take(delivery);
    },
  };
}
