import { update } from '../../../saga/commit/documents.ts';
import { REDRIVE } from '../../../saga/deliver/message.ts';
import { createRunner } from '../../../saga/deliver/runner.ts';
import { type ConsumerDefinition, type Service, takesOrdersIn } from '../../../saga/deliver/service.ts';
import type { Route } from '../../../saga/http/http.ts';
import { turnOnRequest } from '../../../saga/http/one-order.ts';
import { DEADLINE_SECONDS_MAX } from '../../../saga/ledger/deadline.ts';
import {
  CANCELED,
  complete,
  FAILING,
  isFailed,
  isLedgerPath,
  LEDGERS,
  type Ledger,
  ledgerPath,
  PAUSED,
  shardOf,
} from '../../../saga/ledger/ledger.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../../saga/ports/bus.ts';
import type { Ports } from '../../../saga/ports/ports.ts';
import {
  type GuardedWrite,
  type Path,
  type Store,
  StoreError,
  type Versioned,
} from '../../../saga/ports/store.ts';
import { forkTask } from '../../../saga/steer/fork.ts';
import { compensationTask } from '../../../saga/step/compensate.ts';
import { accountsHeld, isAmount } from '../../../saga/step/holds.ts';
import type { Saga } from '../../../saga/step/saga.ts';
import type { LedgerTask } from '../../../saga/step/turn.ts';
import type { Fields, Subject } from '../subject.ts';
import { type MakeService, realService, type WorldOptions } from '../world/world.ts';
import { declaring, holding } from './declaring.ts';

/**
 * The services, each time without one of their guards. The guard is taken out by wrapping a part from outside: the
 * saga, a port, or what a service makes of a message. The product has no switch for it. What finds nothing wrong with
 * these would prove nothing.
 */

/** The services with a saga that lacks something. */
export const withSaga =
  (broken: (saga: Saga, name: string) => Saga): MakeService =>
  (subject, name, ports, plan) =>
    realService({ ...subject, saga: broken(subject.saga, name) }, name, ports, plan);

/** A step believes that its turn has come where a ledger stands elsewhere than at its beginning. */
const pretending = (isTurn: (saga: Saga, status: string, place: number) => boolean): MakeService =>
  withSaga((saga, name) => {
    const place = saga.groups.findIndex((group) => group.some((step) => step.name === name));
    const own = saga.steps.filter((step) => step.name === name);
    if (place < 0) return saga;
    return {
      ...saga,
      stepsAt: (ledger) => (isTurn(saga, ledger.status, place) ? own : saga.stepsAt(ledger)),
      nextOf: () => saga.statuses,
    };
  });

/** A step runs again although the ledger shows it as done. */
export const withoutLedgerCheck = pretending((saga, status, place) =>
  saga.groups
    .slice(place)
    .flat()
    .some(({ leadsTo }) => leadsTo === status),
);

/** A step runs before its time has come. */
export const withoutTurnCheck = pretending((saga, status, place) => {
  const before = saga.acts.filter(({ step }) => saga.groups.slice(0, place).flat().includes(step));
  return [saga.statuses[0], ...before.map((act) => act.status)].slice(0, -1).includes(status);
});

/** A step is done although operators have stopped the order before it. */
export const withoutPause = pretending((_saga, status) => status === PAUSED);

/** Whether it is the service that takes the steps of orchestrated orders. */
const orchestrates = (saga: Saga, name: string): boolean =>
  saga.services.some(
    (one) =>
      one.name === name && saga.workflow !== undefined && one.reads(saga).includes(saga.workflow.topic),
  );

/** A step is done by its own service although the orchestrator does it. */
export const withoutModeCheck = withSaga((saga, name) =>
  saga.steps.some((step) => step.name === name) ? { ...saga, isOrchestrated: () => false } : saga,
);

/** The orchestrator takes the steps of every order. */
export const orchestratingAll = withSaga((saga, name) =>
  orchestrates(saga, name) ? { ...saga, isOrchestrated: () => true } : saga,
);

/** A step runs although the order is failing or canceled. */
export const withoutFence = pretending((_saga, status) => isFailed({ status }));

/** An order is canceled although its end is final. */
export const withoutFinality = withSaga((saga, name) => {
  // A step that is copied is another one for the rest of its saga. Whoever cancels does no step.
  if (saga.steps.some((step) => step.name === name)) return saga;
  return {
    ...saga,
    steps: saga.steps.map((step) => ({ ...step, isFinal: false })),
    nextOf: (ledger) => [...saga.nextOf(ledger), ...(ledger.status === saga.success ? [FAILING] : [])],
  };
});

/** What an order held before is forgotten: each step takes all that the order holds, not the difference. */
export const withoutDifference = withSaga((saga, name) => {
  const own = saga.steps.find((step) => step.name === name);
  if (own === undefined) return saga;
  const isOwn = (status: string) => saga.acts.some((act) => act.status === status && act.step === own);
  return { ...saga, actsOf: (ledger) => (isOwn(ledger.status) ? saga.actsOf(ledger) : []) };
});

/** Whether it is the service that compensates. */
const compensates = (saga: Saga, name: string): boolean =>
  saga.services.some((one) => one.name === name && one.reads(saga).includes(saga.failure.topic));

/** A compensation that goes by another saga than the steps. */
const compensatingBy = (broken: (saga: Saga) => Saga): MakeService =>
  withSaga((saga, name) => (compensates(saga, name) ? broken(saga) : saga));

/** A canceled order goes on holding what it held. */
export const withoutUndo = compensatingBy((saga) => ({
  ...saga,
  actsOf: ({ status, history }) => saga.actsOf({ history, status: status === CANCELED ? FAILING : status }),
}));

/** What the last step took is not given back. */
export const withForgottenStep = compensatingBy((saga) => ({
  ...saga,
  actsOf: (ledger) => saga.actsOf(ledger).slice(0, -1),
}));

/** What was taken is taken again instead of given back. */
export const withInvertedUndo = compensatingBy((saga) =>
  declaring(
    saga,
    holding((holds) => holds.map((hold) => (isAmount(hold) ? { ...hold, amount: -hold.amount } : hold))),
  ),
);

/** Of several amounts, only the first is given back. */
export const withPartialUndo = compensatingBy((saga) =>
  declaring(
    saga,
    holding((holds) => {
      const first = holds.find(isAmount);
      return holds.filter((hold) => !isAmount(hold) || hold === first);
    }),
  ),
);

/** Operators can skip a step that is done. */
export const withoutSkipCheck = compensatingBy((saga) => {
  const done = (ledger: Parameters<Saga['actsOf']>[0]) =>
    saga.actsOf(ledger).flatMap(({ step }) => (step.standIn === undefined ? [] : [step]));
  return {
    ...saga,
    stepsAt: (ledger) => [...saga.stepsAt(ledger), ...done(ledger)],
    nextOf: (ledger) => [...saga.nextOf(ledger), ...done(ledger).map(({ leadsTo }) => leadsTo)],
  };
});

/** A fork has the records of what it holds, but takes nothing for it from the accounts. */
export const forkingForFree = compensatingBy((saga) => ({
  ...saga,
  actsOf: (ledger) =>
    saga.actsOf(ledger).map((act) => ({
      ...act,
      holds: (known) => act.holds(known).filter((hold) => !('forkOf' in known && isAmount(hold))),
    })),
}));

/** A fork that is asked for again is another one. */
export const forkingAnew: MakeService = (subject, name, ports, plan) => {
  const service = realService(subject, name, ports, plan);
  const { saga } = subject;
  if (!compensates(saga, name)) return service;
  const forkUnder = (fresh: string, { reads, take }: LedgerTask, path: Path): LedgerTask => ({
    uuid: fresh,
    reads: reads ?? (() => []),
    take(fork, documents, now) {
      const turn = take(fork, documents, now);
      if (turn.outcome !== 'steered' || turn.ledger === undefined) return turn;
      const { forks = [] } = (documents.get(path) ?? {}) as Partial<Ledger>;
      return {
        ...turn,
        ledger: { ...turn.ledger, uuid: fresh, shard: shardOf(fresh) },
        besides: [update(path, { forks: [...forks, fresh] })],
      };
    },
  });
  const anew = (route: Route): Route => ({
    ...route,
    async handle({ params: { uuid = '' }, body }) {
      const { from, note } = body as { readonly from: string; readonly note: string };
      const task = (fresh: string) =>
        forkUnder(fresh, forkTask(saga, uuid, from, { by: name, note }), ledgerPath(uuid));
      const { ledger } = await turnOnRequest(saga, name, ports.newUuid(), task, uuid, ports);
      return { status: 202, body: { uuid: ledger.uuid, status: ledger.status } };
    },
  });
  return {
    ...service,
    routes: () => service.routes().map((route) => (route.path.endsWith('/fork') ? anew(route) : route)),
  };
};

/** A step goes on where there is no document that it needs. */
export const withoutMissingCheck = withSaga((saga) =>
  declaring(saga, (step) => ({
    reads: (order) => step.reads(order).map((ref) => ({ ...ref, kind: { ...ref.kind, missing: undefined } })),
  })),
);

/** What is made of a failure lacks something. */
const withCompensation =
  (broken: (task: LedgerTask, saga: Saga) => LedgerTask, changed = (saga: Saga) => saga): MakeService =>
  (subject, name, ports, plan) => {
    const service = realService(subject, name, ports, plan);
    const { saga } = subject;
    if (!compensates(saga, name)) return service;
    const process = createRunner(
      changed(saga),
      {
        name,
        taskFor: (message) =>
          broken(compensationTask(changed(saga), message, name, plan.deadlineSeconds), saga),
      },
      ports,
    );
    const consumers = service.consumers.map((consumer) =>
      consumer.topic === saga.failure.topic ? { ...consumer, process } : consumer,
    );
    return { ...service, consumers };
  };

/** A failure of an unknown order leaves nothing behind. */
export const withoutTombstone = withCompensation((task) => ({
  ...task,
  take: (ledger, documents, now) =>
    ledger === undefined ? { outcome: 'ignored' } : task.take(ledger, documents, now),
}));

/** A failure is believed, whatever the ledger of the order says. */
const gullible = (saga: Saga): Saga => ({ ...saga, nextOf: () => saga.statuses });
export const believingErrors = withCompensation(
  (task, saga) => ({
    ...task,
    reads: (ledger, known) =>
      ledger === undefined ? (task.reads?.(ledger, known) ?? []) : accountsHeld(saga, ledger),
    take: (ledger, documents, now) =>
      ledger === undefined || isFailed(ledger)
        ? task.take(ledger, documents, now)
        : { outcome: 'compensated', ledger: complete(gullible(saga), ledger, 'janitor', now) },
  }),
  gullible,
);

/** The services with ports that lack something. */
export const withPorts =
  (broken: (ports: Ports, name: string, subject: Subject) => Partial<Ports>): MakeService =>
  (subject, name, ports, plan) =>
    realService(subject, name, { ...ports, ...broken(ports, name, subject) }, plan);

const isStep = ({ saga }: Subject, name: string): boolean => saga.steps.some((step) => step.name === name);

/** A store whose documents look different from what they are, and are written accordingly. */
export function veiled(
  store: Store,
  show: (path: Path, fields: object) => object,
  write: (path: Path, fields: object, kind: 'create' | 'update') => object = (_path, fields) => fields,
): Store {
  return {
    ...store,
    async read(paths) {
      const found = await store.read(paths);
      return new Map(
        [...found].map(([path, { fields, version }]): [Path, Versioned] => [
          path,
          { fields: show(path, fields), version },
        ]),
      );
    },
    commit: (writes) =>
      store.commit(
        writes.map((one) =>
          one.kind === 'remove' ? one : { ...one, fields: write(one.path, one.fields, one.kind) },
        ),
      ),
  };
}

/** Accounts look so full that nothing is ever refused for a shortage. */
export const withoutFloor = withPorts(({ store }, _name, { saga }) => {
  const plus = (amount: number) => (path: Path, fields: object) => {
    const account = saga.accounts.find((kind) => kind.namesIn(path) !== undefined);
    const left = account && (fields as Readonly<Record<string, unknown>>)[account.balance];
    return account && typeof left === 'number' ? { ...fields, [account.balance]: left + amount } : fields;
  };
  return { store: veiled(store, plus(1_000_000), plus(-1_000_000)) };
});

/** The services for which the condition holds believe that each stage of an order may take so long. */
const believing = (
  deadlineSeconds: number,
  isTheirs: (subject: Subject, name: string) => boolean,
): MakeService =>
  withPorts(({ store }, name, subject) => {
    if (!isTheirs(subject, name)) return {};
    const show = (path: Path, fields: object) =>
      isLedgerPath(path) ? { ...fields, deadlineSeconds } : fields;
    return { store: veiled(store, show) };
  });
const isSweeper = ({ saga }: Subject, name: string): boolean => compensates(saga, name);

/** A step is done although it comes too late. */
export const withoutStepDeadline = believing(DEADLINE_SECONDS_MAX, isStep);

/** The sweeper never fails an order. */
export const withoutSweptDeadline = believing(DEADLINE_SECONDS_MAX, isSweeper);

/** The sweeper fails orders before their time. */
export const withHastySweeper = believing(1, isSweeper);

/** A transition bears the moment at which its batch began, although the order has moved on since. */
export const withStaleTime = withPorts(({ store, clock }, name, subject) => {
  if (!isStep(subject, name)) return {};
  let begun = clock.now();
  const write = (path: Path, fields: object, kind: 'create' | 'update') => {
    const { history } = fields as { readonly history?: readonly string[] };
    if (!isLedgerPath(path) || kind === 'create' || history === undefined) return fields;
    const [last = ''] = history.slice(-1);
    return {
      ...fields,
      history: [...history.slice(0, -1), `${begun.toISOString()}${last.slice(last.indexOf(' '))}`],
    };
  };
  return {
    clock: {
      ...clock,
      now() {
        begun = clock.now();
        return begun;
      },
    },
    store: veiled(store, (_path, fields) => fields, write),
  };
});

/** Ledgers are written with other fields than the kernel says. */
export const rewriting = (changed: (fields: Fields, now: Date, saga: Saga) => Fields): MakeService =>
  withPorts(({ store, clock }, _name, { saga }) => {
    const write = (path: Path, fields: object) =>
      isLedgerPath(path) ? { ...fields, ...changed(fields as Fields, clock.now(), saga) } : fields;
    return { store: veiled(store, (_path, fields) => fields, write) };
  });

/** A finished order may be deleted. */
export const forgettingFinished = rewriting(({ status }, now, { success }) =>
  status === success ? { expireAt: now } : {},
);

/** A canceled order may be deleted at once. */
export const forgettingCanceled = rewriting(({ status }, now) =>
  status === CANCELED ? { expireAt: now } : {},
);

/** A service that finds the ledger where a crash left it does not publish what it calls for. */
export const withoutRepublication = withPorts(({ store, bus }) => {
  const written = new Set<string>();
  return {
    store: {
      ...store,
      async commit(writes) {
        await store.commit(writes);
        for (const { path } of writes) if (isLedgerPath(path)) written.add(path.slice(LEDGERS.length + 1));
      },
    },
    bus: publishingOnly(
      bus,
      ({ attributes: { 'ce-subject': uuid } }) => uuid === undefined || written.delete(uuid),
    ),
  };
});

/** Each commit overwrites what is there, whatever was read. */
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

/** A service goes on before it knows whether its commit went through. */
export const committingLater = (isOne: (saga: Saga, name: string) => boolean): MakeService =>
  withPorts(({ store, log }, name, { saga }) =>
    isOne(saga, name)
      ? {
          store: {
            ...store,
            async commit(writes) {
              void store.commit(writes).catch(() => log('INFO', 'It did not go through, and it is too late'));
            },
          },
        }
      : {},
  );

/** The source of orders answers its customers before it has stored what they ordered. */
export const acceptingFirst = committingLater((saga, name) =>
  saga.services.some((one) => one.name === name && takesOrdersIn(saga, one)),
);

/** Operators are told that an order is canceled before that is so. */
export const cancelingLater = committingLater(compensates);

/** Nothing is done at intervals. */
export const withoutPatrol: MakeService = (subject, name, ports, plan) => {
  const { start: _, ...service } = realService(subject, name, ports, plan);
  return service;
};

/** Nothing notices that a subscription is silent. */
export const sleepingWatchdog: NonNullable<WorldOptions['startWatchdog']> = () => () => {};

/** A letter is marked as sent although the broker did not take it. */
export const withoutRedrive = withPorts(({ bus }) => ({
  bus: publishingOnly(bus, ({ attributes }) => !(REDRIVE.letter in attributes)),
}));

/** A bus that takes all messages, and publishes some of them. */
export const publishingOnly = (bus: Bus, isPublished: (message: OutgoingMessage) => boolean): Bus => ({
  ...bus,
  async publish(messages) {
    const own = messages.filter(isPublished);
    const results = new Map((await bus.publish(own)).map((result, index) => [own[index], result]));
    return messages.map((message) => results.get(message));
  },
});

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
        try {
          if (writes.length > 0) await store.commit(writes);
          return results;
        } catch (error) {
          // What is published stays published; its message comes again.
          return messages.map(() => error as Error);
        }
      },
    },
  };
});

/** Messages are acked before anything is done about them. */
export const ackingFirst: MakeService = (subject, name, ports, plan): Service => {
  const service = realService(subject, name, ports, plan);
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
