import { validate as isUuid } from 'uuid';
import { gatesBy } from '../../adapters/http/gates.ts';
import { httpApp } from '../../adapters/http/http-server.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { pushHandlers } from '../../adapters/push/push-receiver.ts';
import { loadData } from '../../data-init/load-data.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline } from '../../pipeline.ts';
import { inboxesOf } from '../../saga/deliver/inbox.ts';
import { allServices } from '../../saga/deliver/service.ts';
import type { Route } from '../../saga/http/http.ts';
import { CANCELED, type Ledger } from '../../saga/ledger/ledger.ts';
import { pause } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path } from '../../saga/ports/store.ts';
import { place, type World } from '../support/audited-world.ts';
import { SETTINGS, uuidOf } from '../support/builders.ts';
import { DATA, topology } from '../support/pipeline.ts';
import { fenceStore } from './fenced-store.ts';
import { createFuzzClock } from './fuzz-clock.ts';
import { ask, type LightRequest } from './light-request.ts';

/** What is thrown at the pipeline: a request, or a message that anybody with rights on a topic may publish. */
export type Missile =
  | ({ readonly kind: 'request' } & LightRequest)
  | {
      readonly kind: 'message';
      readonly topic: string;
      readonly data: Buffer;
      readonly attributes: Readonly<Record<string, string>>;
    };

/** An edit by hand, before anything is thrown. */
export interface Damage {
  readonly path: Path;
  readonly fields: object;
}

export const OPERATOR_TOKEN = 'fuzz-fuzz-fuzz-fuzz-fuzz-fuzz-fuzz-fuzz';
/** Longer than a compensation that never succeeds takes to be shown to people. */
const ALL_DEADLINES_SECONDS = 5_000;

/** Orders that are there from the beginning, so that missiles have something to aim at. */
const STANDING = standingOrders();

function standingOrders(): ReadonlyMap<Path, object> {
  const world: World = new Map<Path, object>([['users/jack', { address: '1 Hill Road' }]]);
  place(world, 0xa0, { done: 0 });
  place(world, 0xa1, { done: 1 });
  place(world, 0xa2, { done: 1, end: 'canceled' });
  world.delete('users/jack');
  return world;
}

/**
 * Throws everything at a pipeline of its own, all services in one process.
 * @returns what is wrong, as a sentence; undefined where nothing is.
 */
export async function bombard(
  missiles: readonly Missile[],
  damages: readonly Damage[] = [],
): Promise<string | undefined> {
  const world = await openWorld(damages);
  for (const missile of missiles) {
    const fault = await world.take(missile);
    if (fault !== undefined) return fault;
  }
  return damages.length === 0 ? world.settle() : undefined;
}

async function openWorld(damages: readonly Damage[]) {
  const clock = createFuzzClock();
  const store = fenceStore(createMemoryStore());
  let drawn = 0;
  const ports: Ports = {
    store,
    bus: createMemoryBus(topology, clock),
    clock,
    random: () => 0.5,
    newUuid: () => uuidOf(++drawn),
    log: () => {},
  };
  await loadData(pipeline, store, ports, DATA);
  await store.commit([...STANDING].map(([path, fields]) => ({ kind: 'create', path, fields })));
  for (const { path, fields } of damages) {
    await store.commit([{ kind: 'remove', path }]);
    await store.commit([{ kind: 'create', path, fields }]);
  }
  const services = allServices(pipeline, ports, SETTINGS);
  const subscribed = services.flatMap((service) => inboxesOf(service, topology));
  for (const { subscription, inbox } of subscribed) {
    inbox.pull(ports.bus, subscription, () => {});
  }
  /** The route whose own code has the request. */
  const answering: Route[] = [];
  const routes = services
    .flatMap((service) => service.routes())
    .map(
      (route): Route => ({
        ...route,
        handle(request) {
          answering.push(route);
          return route.handle(request);
        },
      }),
    );
  const app = httpApp(routes, [], ports.log, {
    gatesOf: gatesBy({ operators: { by: 'token', token: OPERATOR_TOKEN } }),
    push: pushHandlers(subscribed, async () => undefined, ports),
  });
  // Of damaged documents some name others that nobody can read.
  if (damages.length === 0) store.fence();

  async function request(sent: LightRequest): Promise<string | undefined> {
    answering.length = 0;
    const { status, headers, body } = await ask(app, sent);
    const [route] = answering;
    const said = `${status} ${body.slice(0, 300)}`;
    // Damage is told; the answer to HEAD has no words for it.
    const isTold = damages.length > 0 && (sent.method === 'HEAD' || TOLD.test(`${status} ${body}`));
    if (status >= 500 && !isTold) return said;
    const isStream = headers['content-type'] === 'text/event-stream';
    if (status === 204 ? body !== '' : sent.method !== 'HEAD' && !isStream && !isJson(body))
      return `No JSON: ${said}`;
    if (status >= 400 && !String(headers['content-type']).startsWith('application/problem+json'))
      return `No problem: ${said}`;
    if (headers['x-content-type-options'] !== 'nosniff') return `No security headers: ${said}`;
    if (route?.audience === 'operators' && sent.headers.authorization !== `Bearer ${OPERATOR_TOKEN}`) {
      return `${route.path} let a stranger in: ${said}`;
    }
    if (route && !(status in route.responses)) return `${route.path} does not document ${said}`;
    return undefined;
  }

  return {
    async take(missile: Missile): Promise<string | undefined> {
      const fault = missile.kind === 'request' ? await request(missile) : await publish(missile);
      const [trespass] = store.trespasses;
      return fault ?? (trespass && `Outside its collection: ${trespass}`);
    },
    /** Lets everything come to its end: each order in a final state, and stock, money and records as the ledgers say. */
    async settle(): Promise<string | undefined> {
      await ask(app, RESUME);
      await clock.pass(ALL_DEADLINES_SECONDS);
      for (let sweep = 0; sweep < 2; sweep++) {
        await ask(app, SWEEP);
        await clock.pass(ALL_DEADLINES_SECONDS);
      }
      const { violations, stuck } = await takeAudit(pipeline, { store, clock }, () => pause(clock, 0));
      const [violation] = violations;
      if (violation) return `The books do not balance: ${JSON.stringify(violation)}`;
      if (stuck.length > 0) return `It never ends: ${JSON.stringify(stuck[0])}`;
      const ledgers = (await store.list('sagas', 1000)) as { id: string; fields: Ledger }[];
      const open = ledgers.find(
        ({ id, fields }) =>
          !isUuid(id) ||
          (![pipeline.success, CANCELED].includes(fields.status) && !pipeline.waitingIn(fields.status)),
      );
      return open && `It has no final state: ${JSON.stringify(open)}`;
    },
  };

  async function publish({ topic, data, attributes }: Missile & { kind: 'message' }): Promise<undefined> {
    await ports.bus.publish([{ topic, data, attributes }]);
    await clock.pass(0);
  }
}

/** What is answered where a damaged document is in the way. */
const TOLD = /^500 .*Malformed ledger|^503 .*(was not accepted|could not be processed)/s;

/** Lets all go on that operators have paused. */
const RESUME: LightRequest = {
  method: 'POST',
  url: '/sagas/resume',
  headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
  body: Buffer.from('{"note":"It is over"}'),
};

const SWEEP: LightRequest = {
  method: 'POST',
  url: '/sweep',
  headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
  body: Buffer.alloc(0),
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
