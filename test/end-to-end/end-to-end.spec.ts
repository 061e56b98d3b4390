import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { pipeline as saga } from '../../pipeline.ts';
import { snapshot } from '../../saga/deliver/message.ts';
import { statusIn, transitionsOf } from '../../saga/ledger/history.ts';
import { backends, type Pipeline, recordsHeldBy, startPipeline } from '../support/pipeline.ts';
import { manners } from '../support/tracking-bus.ts';

/** What is left when nothing was sold. */
const SUCCESS = saga.success;
const UNTOUCHED = { widget: 10, wotsit: 20, jack: undefined, joe: 100 };

for (const backend of backends) {
  for (const [manner, wrap] of manners) {
    describe(`An order on ${backend.name}, ${manner}`, () => {
      let pipeline: Pipeline;
      before(async function () {
        pipeline = await startPipeline(await backend.open(this), wrap);
      });
      after(() => pipeline?.close());
      // Every test leaves stock and credit as it found them, or says by how much not.
      let before_: Record<string, number | undefined>;
      beforeEach(async () => {
        before_ = await pipeline.remaining();
      });
      const sold = async () => {
        const now = await pipeline.remaining();
        const changed = Object.entries(before_).filter(([name, value]) => now[name] !== value);
        return Object.fromEntries(changed.map(([name, value]) => [name, Number(value) - Number(now[name])]));
      };

      it('is paid: stock is taken, the invoice is written, and each stage is in its history', async () => {
        const ledger = await pipeline.order({ item: 'widget', quantity: 2, user: 'jack' });
        expect(snapshot(saga, ledger)).to.include({ status: SUCCESS, total_invoice: 20 });
        expect(transitionsOf(ledger).map(({ status, by }) => `${status} by ${by}`)).to.deep.equal([
          'RECEIVED by frontend',
          ...saga.steps.flatMap(({ waits, heldSince, leadsTo, name }) => [
            ...(waits?.as === heldSince ? [`${waits.as} by ${name}`, `RESUMED by ${waits.heardBy}`] : []),
            `${leadsTo} by ${name}`,
          ]),
        ]);
        expect(await sold()).to.deep.equal({ widget: 2 });
        const records = await pipeline.recordsOf(ledger);
        expect(records).to.deep.equal(recordsHeldBy(ledger));
        expect(records).to.include.members([
          `users/jack/orders/${ledger.uuid}`,
          `inventory/widget/orders/${ledger.uuid}`,
          `payments/${ledger.uuid}`,
        ]);
        expect((await pipeline.get(`/payments/${ledger.uuid}`)).body).to.include({
          user: 'jack',
          total_invoice: 20,
        });
      });

      it('is canceled when nobody knows the user', async () => {
        const ledger = await pipeline.order({ item: 'widget', quantity: 2, user: 'nobody' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'USER_NOT_FOUND' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      it('is canceled when there is no such item', async () => {
        const ledger = await pipeline.order({ item: 'gizmo', quantity: 2, user: 'jack' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'ITEM_NOT_FOUND' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      it('is canceled when the stock is one short', async () => {
        const { widget } = await pipeline.remaining();
        const ledger = await pipeline.order({ item: 'widget', quantity: Number(widget) + 1, user: 'jack' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'INSUFFICIENT_INVENTORY' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      for (const value of [true, null, 'null', 0]) {
        it(`is canceled when payment-error is ${JSON.stringify(value)}, and the stock is back`, async () => {
          const ledger = await pipeline.order({
            item: 'widget',
            quantity: 2,
            user: 'jack',
            'payment-error': value,
          });
          expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'PAYMENT_ERROR' });
          expect(await sold()).to.deep.equal({});
          expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
        });
      }

      it('is paid from the credit of a customer who has a limit', async () => {
        const ledger = await pipeline.order({ item: 'widget', quantity: 3, user: 'joe' });
        expect(snapshot(saga, ledger)).to.include({ status: SUCCESS, total_invoice: 30 });
        expect(ledger.charged).to.equal(30);
        expect(await sold()).to.deep.equal({ widget: 3, joe: 30 });
      });

      it('is canceled when the credit does not suffice, and the credit is untouched', async () => {
        const ledger = await pipeline.order({ item: 'wotsit', quantity: 7, user: 'joe' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'INSUFFICIENT_CREDIT' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      it('of several lines is paid as a whole', async () => {
        const items = [
          { item: 'widget', quantity: 1 },
          { item: 'wotsit', quantity: 2 },
        ];
        const ledger = await pipeline.order({ items, user: 'jack' });
        expect(snapshot(saga, ledger)).to.include({ status: SUCCESS, total_invoice: 40 });
        expect(await sold()).to.deep.equal({ widget: 1, wotsit: 2 });
        expect(await pipeline.recordsOf(ledger))
          .to.deep.equal(recordsHeldBy(ledger))
          .and.include.members([
            `inventory/widget/orders/${ledger.uuid}`,
            `inventory/wotsit/orders/${ledger.uuid}`,
          ]);
      });

      it('[anomaly 13] of several lines with one short takes none of them', async () => {
        const items = [
          { item: 'wotsit', quantity: 1 },
          { item: 'widget', quantity: 1000 },
        ];
        const ledger = await pipeline.order({ items, user: 'jack' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'INSUFFICIENT_INVENTORY' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      it('[anomaly 13] of several lines whose payment fails gives all of them back', async () => {
        const items = [
          { item: 'widget', quantity: 1 },
          { item: 'wotsit', quantity: 2 },
        ];
        const ledger = await pipeline.order({ items, user: 'joe', 'payment-error': 'please' });
        expect(ledger).to.deep.include({ status: 'CANCELED', reason: 'PAYMENT_ERROR' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(ledger)).to.deep.equal([]);
      });

      it('[anomaly 40] posted twice with one Idempotency-Key is one order', async () => {
        const body = { item: 'wotsit', quantity: 1, user: 'jack' };
        const headers = { 'Idempotency-Key': 'twice' };
        const [one, other] = await Promise.all([
          pipeline.post('/order', body, headers),
          pipeline.post('/order', body, headers),
        ]);
        await pipeline.bus.idle();
        const third = await pipeline.post('/order', body, headers);
        await pipeline.bus.idle();
        expect([one.status, other.status, third.status]).to.deep.equal([202, 202, 202]);
        expect(new Set([one.body.uuid, other.body.uuid, third.body.uuid])).to.have.length(1);
        expect(third.body.status).to.equal(SUCCESS);
        expect(await sold()).to.deep.equal({ wotsit: 1 });
      });

      it('[anomaly 40] with the Idempotency-Key of another order is refused with 422', async () => {
        const headers = { 'Idempotency-Key': 'once' };
        await pipeline.order({ item: 'wotsit', quantity: 1, user: 'jack' }, headers);
        const { status, body } = await pipeline.post(
          '/order',
          { item: 'wotsit', quantity: 2, user: 'jack' },
          headers,
        );
        await pipeline.bus.idle();
        expect(status).to.equal(422);
        expect(body.detail).to.contain('Idempotency-Key');
        expect(await sold()).to.deep.equal({ wotsit: 1 });
      });

      it('[anomaly 29] that is canceled after its payment is refunded, and its stock is back', async () => {
        const paid = await pipeline.orderThatWaits({ item: 'widget', quantity: 2, user: 'joe' });
        expect(paid.history.map(statusIn)).to.include('PAID');
        const { status, headers, body } = await pipeline.post(`/order/${paid.uuid}/cancel`, {});
        expect([status, headers.get('location')]).to.deep.equal([202, `/order/${paid.uuid}`]);
        expect(body).to.include({ uuid: paid.uuid, status: 'FAILING', reason: 'CANCELED_BY_CUSTOMER' });
        await pipeline.bus.idle();
        expect(await pipeline.ledger(paid.uuid)).to.deep.include({ status: 'CANCELED' });
        expect(await sold()).to.deep.equal({});
        expect(await pipeline.recordsOf(paid)).to.deep.equal([]);
      });

      it('[anomaly 29] that is canceled while it runs ends in one final state, and the books balance', async () => {
        const placed = await Promise.all(
          Array.from({ length: 12 }, () =>
            pipeline.post('/order', { item: 'wotsit', quantity: 1, user: 'jack' }),
          ),
        );
        const answers = await Promise.all(
          placed.map(({ body }) => pipeline.post(`/order/${body.uuid}/cancel`, {})),
        );
        await pipeline.bus.idle();
        expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 202));
        const ledgers = await Promise.all(placed.map(({ body }) => pipeline.ledger(body.uuid)));
        expect(new Set(ledgers.map((ledger) => `${ledger?.status} ${ledger?.reason}`))).to.deep.equal(
          new Set(['CANCELED CANCELED_BY_CUSTOMER']),
        );
        expect(await sold()).to.deep.equal({});
      });

      it('[anomaly 30] that was delivered can be canceled neither by its customer nor by an operator', async () => {
        const ledger = await pipeline.order({ item: 'widget', quantity: 1, user: 'jack' });
        for (const [path, body] of [
          [`/order/${ledger.uuid}/cancel`, {}],
          [`/sagas/${ledger.uuid}/cancel`, { detail: 'Lost' }],
        ] as const) {
          const answer = await pipeline.post(path, body);
          expect([answer.status, answer.body.detail]).to.deep.equal([
            409,
            `The order is ${SUCCESS}, and that is final`,
          ]);
        }
        await pipeline.bus.idle();
        expect(await pipeline.ledger(ledger.uuid)).to.deep.equal(ledger);
        expect(await sold()).to.deep.equal({ widget: 1 });
      });

      it('[anomaly 30] can be canceled once, and not after its end', async () => {
        const ledger = await pipeline.orderThatWaits({ item: 'widget', quantity: 1, user: 'jack' });
        const cancel = () => pipeline.post(`/order/${ledger.uuid}/cancel`, {});
        const both = await Promise.all([cancel(), cancel()]);
        await pipeline.bus.idle();
        expect(both.map(({ status }) => status)).to.include(202);
        const canceled = await pipeline.ledger(ledger.uuid);
        expect((await cancel()).status).to.equal(409);
        expect(await pipeline.ledger(ledger.uuid)).to.deep.equal(canceled);
        expect(await sold()).to.deep.equal({});
      });

      it('published straight to the topic, with a uuid of its own, is paid', async () => {
        const uuid = uuidv4();
        await publish(pipeline, 'frontend', { uuid, item: 'wotsit', quantity: 1, user: 'jack' });
        await pipeline.bus.idle();
        expect((await pipeline.get(`/order/${uuid}`)).body).to.include({
          status: SUCCESS,
          total_invoice: 15,
        });
        expect(await sold()).to.deep.equal({ wotsit: 1 });
      });

      it('[anomalies 5, 7, 8] whose failure arrives first is fenced, and takes nothing', async () => {
        const uuid = uuidv4();
        await publish(pipeline, 'error', { uuid, reason: 'PAYMENT_ERROR' });
        await pipeline.bus.idle();
        await publish(pipeline, 'frontend', { uuid, item: 'widget', quantity: 1, user: 'jack' });
        await pipeline.bus.idle();
        expect(await pipeline.ledger(uuid)).to.include({ status: 'CANCELED', reason: 'PAYMENT_ERROR' });
        expect(await sold()).to.deep.equal({});
      });

      it('[anomalies 6, 9, 10, 32] is not changed by a replay of every message there ever was', async () => {
        const { orders } = (await pipeline.get('/orders?limit=100')).body;
        await pipeline.bus.publish(pipeline.bus.published.filter(({ topic }) => topic !== 'dead-letter'));
        await pipeline.bus.idle();
        expect((await pipeline.get('/orders?limit=100')).body.orders).to.deep.equal(orders);
        expect(await sold()).to.deep.equal({});
      });

      it("[anomaly 22] that can't be read is parked with its reason, and the others go on", async () => {
        const bad = [
          'not json',
          '[]',
          '{"uuid":"no"}',
          '{"item":"widget"}',
          `{"uuid":"${uuidv4()}","quantity":-1}`,
        ];
        await pipeline.bus.publish(
          bad.map((text) => ({
            topic: 'frontend',
            data: Buffer.from(text),
            attributes: { note: 'by hand' },
          })),
        );
        await publish(pipeline, 'order-created', { uuid: uuidv4() });
        const ledger = await pipeline.order({ item: 'wotsit', quantity: 1, user: 'jack' });
        expect(ledger.status).to.equal(SUCCESS);
        const letters = await pipeline.store.list('dead-letters', 100);
        const reasons = new Set(letters.map(({ fields }) => (fields as { reason: string }).reason));
        expect([...reasons].sort()).to.deep.equal([
          'No order has the uuid of the message',
          'The message is not JSON',
          'The message is not a JSON object',
          'The message is not an order: user is missing; quantity is missing',
          'The message is not an order: user is missing; quantity must be a whole number from 1 to 1000000000; item is missing',
          'The uuid of the message is not a UUID',
        ]);
      });
    });
  }

  describe(`Many orders on ${backend.name}`, () => {
    it('[anomalies 14, 15] for too few units: exactly the available units are sold, the rest is refused', async function () {
      const pipeline = await startPipeline(await backend.open(this));
      const answers = await Promise.all(
        Array.from({ length: 40 }, () =>
          pipeline.post('/order', { item: 'widget', quantity: 1, user: 'jack' }),
        ),
      );
      await pipeline.bus.idle();
      const ledgers = await Promise.all(answers.map(({ body }) => pipeline.ledger(body.uuid)));
      const outcomes = ledgers.map((ledger) => `${ledger?.status} ${ledger?.reason ?? ''}`);
      expect(outcomes.filter((outcome) => outcome === `${SUCCESS} `)).to.have.length(10);
      expect(outcomes.filter((outcome) => outcome === 'CANCELED INSUFFICIENT_INVENTORY')).to.have.length(30);
      expect(await pipeline.remaining()).to.deep.equal({ ...UNTOUCHED, widget: 0 });
      await pipeline.close();
    });

    it('[anomalies 3, 14, 15, 33] in two instances of every service: the same, whoever is faster', async function () {
      const opened = await backend.open(this);
      const one = await startPipeline(opened);
      const other = await startPipeline({ store: opened.store, bus: one.bus });
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => {
          const failing = index % 3 === 0 ? { 'payment-error': true } : {};
          const order = { item: 'widget', quantity: 1, user: index % 2 ? 'jack' : 'joe', ...failing };
          return (index % 2 ? one : other).post('/order', order);
        }),
      );
      await one.bus.idle();
      const ledgers = await Promise.all(answers.map(({ body }) => one.ledger(body.uuid)));
      const paid = ledgers.filter((ledger) => ledger?.status === SUCCESS);
      expect(
        ledgers
          .map((ledger) => ledger?.status)
          .filter((status) => status !== SUCCESS && status !== 'CANCELED'),
      ).to.deep.equal([]);
      expect(await one.remaining()).to.deep.equal({
        ...UNTOUCHED,
        widget: 10 - paid.length,
        joe: 100 - 10 * paid.filter((ledger) => ledger?.user === 'joe').length,
      });
      await one.close();
      await other.close();
    });

    it('[anomaly 25] announce each status on its topic', async function () {
      const pipeline = await startPipeline(await backend.open(this));
      const paid = await pipeline.order({ item: 'widget', quantity: 1, user: 'jack' });
      const canceled = await pipeline.order({
        item: 'widget',
        quantity: 1,
        user: 'jack',
        'payment-error': 1,
      });
      const topics = (uuid: string) =>
        pipeline.bus.published
          .filter(({ attributes }) => attributes['ce-subject'] === uuid)
          .map(({ topic }) => topic);
      for (const ledger of [paid, canceled]) {
        const called = transitionsOf(ledger).map(({ status }) => saga.topicOf(status));
        // A step that reads its old topic, too, may announce the same once more.
        expect([...new Set(topics(ledger.uuid))]).to.deep.equal(called);
      }
      await pipeline.close();
    });
  });
}

async function publish(pipeline: Pipeline, topic: string, body: object): Promise<void> {
  await pipeline.bus.publish([{ topic, data: Buffer.from(JSON.stringify(body)), attributes: {} }]);
}
