import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { reservations } from '../../inventory/reservations.ts';
import { orderRecords } from '../../order/order-records.ts';
import type { OrderLedger } from '../../pipeline.ts';
import { derivedUuid, messageFor, REDRIVE } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { advance, fail, type Ledger, ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import type { Log } from '../../saga/ports/log.ts';
import { type Path, type Store, StoreError } from '../../saga/ports/store.ts';
import { stock } from '../../shop/stock.ts';
import { emulatedBus, emulatedStore, freshProjectId } from '../support/emulators.ts';
import {
  type Backend,
  type Pipeline,
  sampledBackends,
  startPipeline,
  topology,
} from '../support/pipeline.ts';
import { shopOfThree as saga } from '../support/shop-of-three.ts';
import { manners } from '../support/tracking-bus.ts';

const SUCCESS = saga.success;
const JSON_REASON = 'The message is not JSON';
const UNKNOWN_REASON = 'No order has the uuid of the message';

for (const backend of sampledBackends) {
  for (const [manner, wrap] of manners) {
    describe(`The dead-letter desk on ${backend.name}, ${manner}`, () => {
      let pipeline: Pipeline;
      before(async function () {
        pipeline = await startPipeline(await backend.open(this), wrap, undefined, saga);
      });
      after(() => pipeline?.close());

      const lettersOf = async (query: string) => (await pipeline.get(`/dead-letters?${query}`)).body.letters;
      /** Publishes to a topic, and returns the letter that this becomes. */
      async function poison(topic: string, body: string | object, attributes: Record<string, string> = {}) {
        const known = new Set((await pipeline.store.list('dead-letters', 1000)).map(({ id }) => id));
        const data = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
        await pipeline.bus.publish([{ topic, data, attributes }]);
        await pipeline.bus.idle();
        const added = (await pipeline.store.list('dead-letters', 1000)).filter(({ id }) => !known.has(id));
        expect(added).to.have.length(1);
        return (await pipeline.get(`/dead-letters/${added[0]?.id}`)).body;
      }

      it('[anomalies 22, 31] shows a message as it came, once, with its reason and where it came from', async () => {
        const letter = await poison('order-created', 'not json', { note: 'by hand', 'ce-subject': uuidv4() });
        expect(letter).to.deep.include({
          status: 'parked',
          reason: JSON_REASON,
          topic: 'order-created',
          subscription: 'order-created-sub',
          uuid: letter.attributes['ce-subject'],
          body: 'not json',
        });
        expect(letter.attributes).to.include({ note: 'by hand' });
        const large = ['attributes', 'body', 'encoding', 'expireAt'];
        const outline = Object.fromEntries(
          Object.entries(letter).filter(([field]) => !large.includes(field)),
        );
        expect(await lettersOf(`reason=${encodeURIComponent(JSON_REASON)}&limit=1`)).to.deep.equal([outline]);
      });

      it('[anomaly 31] redrives a message once its cause is mended, and the order goes on', async () => {
        const ledger = created(uuidv4());
        const letter = await poison('order-created', { uuid: ledger.uuid });
        expect(letter).to.include({ reason: UNKNOWN_REASON, uuid: ledger.uuid });
        await storeAll(pipeline.store, {
          [ledgerPath(ledger.uuid)]: ledger,
          [orderRecords.of('jack', ledger.uuid).path]: { items: ledger.items, createdAt: ledger.createdAt },
        });
        const { status, body } = await pipeline.post(`/dead-letters/${letter.id}/redrive`, '');
        await pipeline.bus.idle();
        expect([status, body.status, body.history.length]).to.deep.equal([200, 'redriven', 2]);
        expect((await pipeline.get(`/order/${ledger.uuid}`)).body).to.include({
          status: SUCCESS,
          total_invoice: 15,
        });

        const again = await pipeline.post(`/dead-letters/${letter.id}/redrive`, '');
        await pipeline.bus.idle();
        expect([again.status, again.body]).to.deep.equal([200, body]);
        expect(await lettersOf(`reason=${encodeURIComponent(UNKNOWN_REASON)}`)).to.deep.equal([]);
      });

      it('[anomalies 1, 31] redrives what was done meanwhile, in two places at once, and changes nothing', async () => {
        const uuid = uuidv4();
        const letter = await poison('order-created', { uuid });
        await pipeline.bus.publish([
          {
            topic: 'frontend',
            data: Buffer.from(JSON.stringify({ uuid, user: 'jack', item: 'wotsit', quantity: 1 })),
            attributes: {},
          },
        ]);
        await pipeline.bus.idle();
        const before = [await pipeline.ledger(uuid), await pipeline.remaining()];
        const answers = await Promise.all([
          pipeline.post(`/dead-letters/${letter.id}/redrive`, ''),
          pipeline.post(`/dead-letters/${letter.id}/redrive`, ''),
        ]);
        await pipeline.bus.idle();
        expect(answers.map(({ status }) => status)).to.deep.equal([200, 200]);
        expect([await pipeline.ledger(uuid), await pipeline.remaining()]).to.deep.equal(before);
        expect((before[0] as Ledger).status).to.equal(SUCCESS);
        expect((await pipeline.get(`/dead-letters/${letter.id}`)).body.history).to.have.length(2);
      });

      it('[anomaly 31] redrives what fails again: that becomes a letter of its own, which names the first', async () => {
        const first = await poison('order-created', 'still not json');
        await pipeline.post(`/dead-letters/${first.id}/redrive`, '');
        await pipeline.bus.idle();
        const [second] = await lettersOf('limit=1');
        expect(second).to.deep.include({ status: 'parked', reason: JSON_REASON, redriveOf: first.id });
        expect((await pipeline.get(`/dead-letters/${second.id}`)).body.attributes).to.include({
          [REDRIVE.letter]: first.id,
        });
        expect((await pipeline.get(`/dead-letters/${first.id}`)).body.status).to.equal('redriven');
      });

      it('[anomaly 31] keeps a discarded message with its note, and never sends it', async () => {
        const letter = await poison('order-created', 'a test');
        const path = `/dead-letters/${letter.id}`;
        const { status, body } = await pipeline.delete(`${path}?note=Was%20a%20test`);
        expect([status, body.status]).to.deep.equal([200, 'discarded']);
        expect(body.history[1]).to.match(/^\S+ discarded Was a test$/);
        expect((await pipeline.delete(`${path}?note=Something%20else`)).body).to.deep.equal(body);
        const { published } = pipeline.bus;
        const publishedBefore = published.length;
        const redrive = await pipeline.post(`${path}/redrive`, '');
        expect([redrive.status, redrive.body.detail, published.length]).to.deep.equal([
          409,
          'The letter was discarded; its history says why',
          publishedBefore,
        ]);
        expect((await lettersOf('status=discarded'))[0]).to.include({ id: letter.id });
      });

      it('[anomaly 31] leaves alone what people decided, when the dead letter is delivered once more', async () => {
        const [one, other] = [await poison('order-created', 'one'), await poison('order-created', 'other')];
        await pipeline.delete(`/dead-letters/${one.id}?note=No`);
        await pipeline.post(`/dead-letters/${other.id}/redrive`, '');
        await pipeline.bus.idle();
        const before = await pipeline.store.list('dead-letters', 1000);
        const late = pipeline.bus.published.filter(({ topic }) => topic === 'dead-letter');
        await pipeline.bus.publish(late);
        await pipeline.bus.idle();
        expect(await pipeline.store.list('dead-letters', 1000)).to.deep.equal(before);
      });

      it('counts what is parked by its reason, and redrives all of one reason', async () => {
        const uuids = [uuidv4(), uuidv4(), uuidv4()];
        for (const uuid of uuids) await poison('order-created', { uuid });
        const countOf = async (reason: string) =>
          (await pipeline.get('/dead-letters/reasons')).body.reasons.find(
            (one: { reason: string }) => one.reason === reason,
          )?.count;
        expect(await countOf(UNKNOWN_REASON)).to.equal(3);
        const others = await countOf(JSON_REASON);
        await storeAll(
          pipeline.store,
          Object.fromEntries(uuids.map((uuid) => [ledgerPath(uuid), created(uuid)])),
        );
        const { status, body } = await pipeline.post(
          `/dead-letters/redrive?reason=${encodeURIComponent(UNKNOWN_REASON)}`,
          '',
        );
        await pipeline.bus.idle();
        expect([status, body]).to.deep.equal([200, { sent: 3, refused: [], failed: [] }]);
        const sagas = await Promise.all(uuids.map((uuid) => pipeline.ledger(uuid)));
        expect(sagas.map((ledger) => ledger?.status)).to.deep.equal([SUCCESS, SUCCESS, SUCCESS]);
        expect([await countOf(UNKNOWN_REASON), await countOf(JSON_REASON)]).to.deep.equal([
          undefined,
          others,
        ]);
      });
    });
  }
}

/** The topology with another patience: no pauses, and so many deliveries. */
const withDeliveries = (maxDeliveryAttempts: number): Topology => ({
  ...topology,
  subscriptions: Object.fromEntries(
    Object.entries(topology.subscriptions).map(([name, { deadLetter, ...settings }]) => [
      name,
      {
        ...settings,
        retry: { minBackoffSeconds: 0, maxBackoffSeconds: 0 },
        ...(deadLetter && { deadLetter: { ...deadLetter, maxDeliveryAttempts } }),
      },
    ]),
  ),
});
const backendsWith = (patience: Topology): Backend[] => [
  {
    name: 'the embedded engine',
    open: async () => ({ store: createMemoryStore(), bus: createMemoryBus(patience, systemClock) }),
  },
  {
    name: "Google's emulators",
    async open(context) {
      const projectId = freshProjectId();
      return {
        store: await emulatedStore(context, projectId),
        bus: await emulatedBus(context, patience, projectId),
      };
    },
  },
];

describe('A message that fails at every delivery', () => {
  for (const backend of backendsWith(withDeliveries(5))) {
    it(`[anomaly 12] such as a compensation, which the broker gives up, is parked and redriven once mended: on ${backend.name}`, async function () {
      this.timeout(60_000);
      const watched = watchedLog();
      const pipeline = await startPipeline(
        await backend.open(this),
        () => ({ log: watched.log }),
        undefined,
        saga,
      );
      const ledger = failing(uuidv4());
      await editByHand(pipeline.store, stock.of('wotsit').path, { quantity: 'twenty' });
      await storeAll(pipeline.store, {
        [ledgerPath(ledger.uuid)]: ledger,
        [orderRecords.of('jack', ledger.uuid).path]: { items: ledger.items, createdAt: ledger.createdAt },
        [reservations.of('wotsit', ledger.uuid).path]: { quantity: 1, price_per_unit: 15 },
      });
      await pipeline.bus.publish([messageFor(saga, ledger)]);
      await watched.line('janitor: a dead letter was parked');

      const known = (await pipeline.get(`/sagas/${ledger.uuid}`)).body;
      expect([known.ledger.status, known.callsFor, known.letters.length]).to.deep.equal([
        'FAILING',
        'error',
        1,
      ]);
      const [letter] = known.letters;
      expect(letter).to.include({
        status: 'parked',
        reason: 'It failed at every delivery',
        topic: 'error',
        attempts: 5,
        uuid: ledger.uuid,
      });

      await editByHand(pipeline.store, stock.of('wotsit').path, { quantity: 19 });
      expect((await pipeline.post(`/dead-letters/${letter.id}/redrive`, '')).status).to.equal(200);
      await watched.line('janitor: compensated');
      expect((await pipeline.get(`/sagas/${ledger.uuid}`)).body).to.deep.include({
        callsFor: 'order-canceled',
        holds: [],
      });
      expect((await pipeline.remaining()).wotsit).to.equal(20);
      await pipeline.close();
    });
  }

  for (const backend of backendsWith(withDeliveries(100))) {
    it(`[anomalies 12, 31] is parked with its cause, and an order without a uuid stays that order: on ${backend.name}`, async function () {
      this.timeout(60_000);
      const watched = watchedLog();
      let isBroken = true;
      const pipeline = await startPipeline(
        await backend.open(this),
        ({ store }) => ({
          log: watched.log,
          store: {
            ...store,
            async commit(writes) {
              if (isBroken && writes.some(({ path }) => path.startsWith('users/joe/orders/'))) {
                throw new StoreError('rejected', 'The store takes no records of joe');
              }
              await store.commit(writes);
            },
          },
        }),
        undefined,
        saga,
      );
      const order = { user: 'joe', item: 'wotsit', quantity: 1 };
      const message = { topic: 'frontend', data: Buffer.from(JSON.stringify(order)), attributes: {} };
      await pipeline.bus.publish([message]);
      await watched.line('janitor: a dead letter was parked');

      const [letter] = (await pipeline.get('/dead-letters')).body.letters;
      expect(letter).to.include({
        reason: 'It failed at every delivery: The store takes no records of joe',
        topic: 'frontend',
        attempts: DELIVERIES_MAX,
      });

      isBroken = false;
      await Promise.all([1, 2].map(() => pipeline.post(`/dead-letters/${letter.id}/redrive`, '')));
      await pipeline.bus.idle();
      const { orders } = (await pipeline.get('/orders')).body;
      expect(orders.map(({ uuid, status }: Ledger) => ({ uuid, status }))).to.deep.equal([
        { uuid: derivedUuid('message-id', letter.messageId), status: SUCCESS },
      ]);
      expect(await pipeline.remaining()).to.include({ wotsit: 19, joe: 85 });
      await pipeline.close();
    });
  }
});

/** The ledger of jack's order of one wotsit, whose record exists. */
function created(uuid: string): OrderLedger {
  const now = systemClock.now();
  const order = { user: 'jack', items: [{ item: 'wotsit', quantity: 1 }] };
  const received = receive(saga, uuid, order, 'frontend', now, DEADLINE_SECONDS);
  return advance(saga, received, { step: 'order', by: 'order', learned: {}, now }) as OrderLedger;
}

/** The ledger of that order, when its stock is held and its payment was refused. */
function failing(uuid: string): OrderLedger {
  const before = created(uuid);
  // Not earlier than what came before: such a history would be malformed.
  const now = systemClock.now();
  const learned = { lines: [{ item: 'wotsit', quantity: 1, price_per_unit: 15 }] };
  const reserved = advance(saga, before, { step: 'inventory', by: 'inventory', learned, now });
  const failure = { by: 'payments', reason: 'PAYMENT_ERROR', detail: 'The payment was refused', now };
  return fail(saga, reserved, failure) as OrderLedger;
}

async function storeAll(store: Store, documents: Readonly<Record<Path, object>>): Promise<void> {
  await store.commit(Object.entries(documents).map(([path, fields]) => ({ kind: 'create', path, fields })));
}

/** Changes a document as people do, past every check. */
async function editByHand(store: Store, path: Path, fields: object): Promise<void> {
  const version = (await store.read([path])).get(path)?.version;
  if (version === undefined) throw new Error(`There is no ${path}`);
  await store.commit([{ kind: 'update', path, fields, version }]);
}

/** A log that can be waited for. */
function watchedLog(): { log: Log; line(message: string): Promise<void> } {
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  return {
    log(_severity, message) {
      seen.add(message);
      waiting.get(message)?.();
    },
    line: (message) =>
      seen.has(message) ? Promise.resolve() : new Promise((resolve) => waiting.set(message, resolve)),
  };
}
