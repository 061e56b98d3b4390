import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { reservations } from '../../inventory/reservations.ts';
import { deadLetterPath } from '../../janitor/desk/letter.ts';
import { orderRecords } from '../../order/order-records.ts';
import { invoices } from '../../payments/invoices.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { ledgerPath, receive, tombstone } from '../../saga/ledger/ledger.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';
import { aLedgerThatIs, anOrder, NOW, uuidOf } from '../support/builders.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { shopOfThree as saga } from '../support/shop-of-three.ts';

const ORDER = { item: 'widget', quantity: 1, user: 'jack' };

/** A bus whose publications fail while it is deaf. */
function hardOfHearing(bus: Bus) {
  const state = { isDeaf: false };
  const wrapped: Bus = {
    ...bus,
    publish: async (messages) =>
      state.isDeaf ? messages.map(() => new Error('The broker is away')) : bus.publish(messages),
  };
  return { state, bus: wrapped };
}

describe('What operators see and do over HTTP', () => {
  let pipeline: Pipeline;
  const logged: Record<string, unknown>[] = [];
  let broker: { isDeaf: boolean };
  before(async () => {
    const opened = { store: createMemoryStore(), bus: createMemoryBus(topologyOf(saga), systemClock) };
    pipeline = await startPipeline(
      opened,
      ({ bus }) => {
        const hearing = hardOfHearing(bus);
        broker = hearing.state;
        return { bus: hearing.bus, log: (_severity, message, fields) => logged.push({ message, ...fields }) };
      },
      undefined,
      saga,
    );
  });
  after(() => pipeline.close());
  afterEach(async () => {
    broker.isDeaf = false;
    await pipeline.bus.idle();
  });
  /** Publishes what is no message, and returns the letter. */
  const parked = async () => {
    const data = Buffer.from(`not json ${uuidv4()}`);
    await pipeline.bus.publish([{ topic: 'frontend', data, attributes: {} }]);
    await pipeline.bus.idle();
    const { letters } = (await pipeline.get('/dead-letters?limit=100')).body;
    const views = await Promise.all(
      letters.map(async ({ id }: { id: string }) => (await pipeline.get(`/dead-letters/${id}`)).body),
    );
    return views.find(({ body }) => body === data.toString());
  };

  describe('at the dead-letter desk', () => {
    for (const query of ['status=lost', 'limit=0', 'limit=101', 'page=x', 'reason=', 'color=red']) {
      it(`[anomaly 41] is refused with 400 for the list by ${query}`, async () => {
        const { status, body } = await pipeline.get(`/dead-letters?${query}`);
        expect([status, body.errors.length]).to.deep.equal([400, 1]);
      });
    }

    it('is refused with 404 for a letter that nobody knows', async () => {
      for (const id of [uuidv4(), 'x', '..%2Fsagas', 'redrive']) {
        expect((await pipeline.get(`/dead-letters/${id}`)).status, id).to.equal(404);
        expect((await pipeline.post(`/dead-letters/${id}/redrive`, '')).status, id).to.equal(404);
        expect((await pipeline.delete(`/dead-letters/${id}`)).status, id).to.equal(404);
      }
    });

    it('is refused with 400 for a note that would spoil the history', async () => {
      const { id } = await parked();
      for (const note of ['', 'a%0Ab', 'x'.repeat(501)]) {
        const { status, body } = await pipeline.delete(`/dead-letters/${id}?note=${note}`);
        expect([status, body.errors[0].field]).to.deep.equal([400, 'note']);
      }
      expect((await pipeline.get(`/dead-letters/${id}`)).body.status).to.equal('parked');
    });

    it('is refused with 409 for discarding what was redriven', async () => {
      const { id } = await parked();
      await pipeline.post(`/dead-letters/${id}/redrive`, '');
      const { status, body } = await pipeline.delete(`/dead-letters/${id}`);
      expect([status, body.detail]).to.deep.equal([
        409,
        "The letter was redriven already: what was sent can't be called back",
      ]);
    });

    it('records who sent a letter back, and who discarded one', async () => {
      const alice = { 'saga-operator': 'alice' };
      const [one, other] = [await parked(), await parked()];
      const redriven = await pipeline.post(`/dead-letters/${one.id}/redrive`, '', alice);
      expect(redriven.body.history[1]).to.match(/^\S+Z redriven by alice$/);
      const discarded = await pipeline.delete(`/dead-letters/${other.id}?note=A%20test`, alice);
      expect(discarded.body.history[1]).to.match(/^\S+Z discarded by alice: A test$/);
      const named = logged.filter(({ operator }) => operator === 'alice');
      expect(named.map(({ message, deadLetter }) => [message, deadLetter])).to.deep.include.members([
        ['janitor: a dead letter was redriven', one.id],
        ['janitor: a dead letter was discarded', other.id],
      ]);
    });

    it('[anomalies 31, 37] is told with 503 that the broker is away, and the letter stays parked', async () => {
      const letter = await parked();
      broker.isDeaf = true;
      const one = await pipeline.post(`/dead-letters/${letter.id}/redrive`, '');
      const all = await pipeline.post('/dead-letters/redrive', '');
      expect([one.status, one.headers.get('retry-after'), all.status]).to.deep.equal([503, '1', 200]);
      expect(all.body.sent).to.equal(0);
      expect(all.body.failed.map((one: { id: string }) => one.id)).to.include(letter.id);
      expect((await pipeline.get(`/dead-letters/${letter.id}`)).body).to.deep.equal(letter);
    });

    it('sends all letters a portion at a time, past those that can never be sent', async () => {
      const messages = Array.from({ length: 150 }, (_, index) => ({
        topic: 'dead-letter',
        data: Buffer.from(`{"uuid":"${uuidOf(index)}"}`),
        attributes: index < 120 ? { CloudPubSubDeadLetterSourceSubscription: 'gone-sub' } : {},
      }));
      await pipeline.bus.publish(messages);
      await pipeline.bus.idle();
      const own = await parked();
      let refused = 0;
      let page: string | undefined;
      const portions: number[] = [];
      do {
        const { body } = await pipeline.post(`/dead-letters/redrive${page ? `?page=${page}` : ''}`, '');
        refused += body.refused.length;
        portions.push(body.sent + body.refused.length);
        page = body.next_page;
      } while (page !== undefined);
      await pipeline.bus.idle();
      expect([refused, portions[0]]).to.deep.equal([150, 100]);
      expect((await pipeline.get(`/dead-letters/${own.id}`)).body.status).to.equal('redriven');
    });
  });

  describe('of one order', () => {
    it('is everything: its timeline with causes, what it holds, and the dead letters that name it', async () => {
      const { uuid } = await pipeline.order({ ...ORDER, 'payment-error': true });
      await pipeline.bus.publish([
        { topic: 'frontend', data: Buffer.from('[]'), attributes: { 'ce-subject': uuid } },
      ]);
      await pipeline.bus.idle();
      const { status, body } = await pipeline.get(`/sagas/${uuid.toUpperCase()}`);
      const { timeline, letters, ledger, ...rest } = body;
      expect([status, rest]).to.deep.equal([200, { callsFor: 'order-canceled', holds: [] }]);
      expect(ledger).to.deep.equal(JSON.parse(JSON.stringify(await pipeline.ledger(uuid))));
      expect(timeline.map(({ at: _, ...cause }: { at: string }) => cause)).to.deep.equal([
        { status: 'RECEIVED', by: 'frontend' },
        { status: 'CREATED', by: 'order' },
        { status: 'RESERVED', by: 'inventory' },
        {
          status: 'FAILING',
          by: 'payments',
          reason: 'PAYMENT_ERROR',
          detail: ledger.detail,
        },
        { status: 'CANCELED', by: 'janitor' },
      ]);
      expect(letters).to.have.length(1);
      expect(letters[0]).to.include({ uuid, status: 'parked', reason: 'The message is not a JSON object' });
    });

    it('says what it holds, whether each record exists, and the deadline of the stage', async () => {
      const paid = await pipeline.order(ORDER);
      const holdsWhere = async (invoiceExists: boolean) =>
        expect((await pipeline.get(`/sagas/${paid.uuid}`)).body.holds).to.deep.equal([
          { kind: 'order record', path: orderRecords.of('jack', paid.uuid).path, exists: true },
          { kind: 'item', path: stock.of('widget').path, amount: 1 },
          { kind: 'reservation', path: reservations.of('widget', paid.uuid).path, exists: true },
          { kind: 'user', path: customers.of('jack').path, amount: 0 },
          { kind: 'invoice', path: invoices.of(paid.uuid).path, exists: invoiceExists },
        ]);
      await holdsWhere(true);
      await pipeline.store.commit([{ kind: 'remove', path: invoices.of(paid.uuid).path }]);
      await holdsWhere(false);
      const standing = aLedgerThatIs('CREATED', { uuid: uuidv4(), deadlineSeconds: 60 }, saga);
      await pipeline.store.commit([{ kind: 'create', path: ledgerPath(standing.uuid), fields: standing }]);
      expect((await pipeline.get(`/sagas/${standing.uuid}`)).body).to.deep.include({
        callsFor: 'order-created',
        deadline: new Date(NOW.getTime() + 60_000).toISOString(),
      });
    });

    it('[anomaly 7] is told also of a tombstone, which has no user', async () => {
      const detail = 'It failed before anybody knew it';
      const failure = { by: 'janitor', reason: 'PAYMENT_ERROR', detail, now: NOW };
      const gone = tombstone(saga, uuidv4(), failure, DEADLINE_SECONDS);
      await pipeline.store.commit([{ kind: 'create', path: ledgerPath(gone.uuid), fields: gone }]);
      expect((await pipeline.get(`/sagas/${gone.uuid}`)).body).to.deep.include({
        callsFor: 'order-canceled',
        holds: [],
      });
    });

    it('[anomaly 27] moves on when it is announced again', async () => {
      const standing = receive(saga, uuidv4(), anOrder(), 'frontend', systemClock.now(), DEADLINE_SECONDS);
      await pipeline.store.commit([{ kind: 'create', path: ledgerPath(standing.uuid), fields: standing }]);
      const { status, headers, body } = await pipeline.post(`/sagas/${standing.uuid}/announce`, '');
      expect([status, headers.get('location'), body]).to.deep.equal([
        202,
        `/sagas/${standing.uuid}`,
        { uuid: standing.uuid, status: 'RECEIVED', published: 'frontend' },
      ]);
      await pipeline.bus.idle();
      expect(await pipeline.ledger(standing.uuid)).to.include({ status: 'PAID' });
    });

    it('[anomaly 9] is announced again also when it rests, and nothing changes', async () => {
      const paid = await pipeline.order(ORDER);
      const before = await pipeline.remaining();
      const { status, body } = await pipeline.post(`/sagas/${paid.uuid}/announce`, '');
      await pipeline.bus.idle();
      expect([status, body.published]).to.deep.equal([202, 'payment-created']);
      expect([await pipeline.ledger(paid.uuid), await pipeline.remaining()]).to.deep.equal([paid, before]);
    });

    it('[anomaly 37] is told with 503 that an announcement did not reach the broker', async () => {
      const paid = await pipeline.order(ORDER);
      broker.isDeaf = true;
      const { status, body } = await pipeline.post(`/sagas/${paid.uuid}/announce`, '');
      expect([status, body.detail]).to.deep.equal([
        503,
        'The broker did not take the message for payment-created; try again',
      ]);
    });

    it('[anomalies 29, 30] is canceled once, with the reason that was given, and everything is given back', async () => {
      const before = await pipeline.remaining();
      const { uuid } = await pipeline.order(ORDER);
      const cancel = () => pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'The parcel was lost' });
      const { status, body } = await cancel();
      expect([status, body]).to.deep.equal([
        202,
        { uuid, status: 'FAILING', reason: 'CANCELED_BY_OPERATOR', detail: 'The parcel was lost' },
      ]);
      await pipeline.bus.idle();
      const again = await cancel();
      expect([again.status, again.body.title]).to.deep.equal([409, 'Canceled already']);
      expect(await pipeline.ledger(uuid)).to.include({ status: 'CANCELED', detail: 'The parcel was lost' });
      expect(await pipeline.remaining()).to.deep.equal(before);
    });

    it('names who canceled it, to operators and not to customers, and the audit finds nothing wrong', async () => {
      const { uuid } = await pipeline.order(ORDER);
      const who = { 'saga-operator': encodeURIComponent('Zoë of the night shift') };
      await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'The parcel was lost' }, who);
      await pipeline.bus.idle();
      const moves = (timeline: { status: string; by: string; person?: string }[]) =>
        timeline.slice(-2).map(({ status, by, person }) => [status, by, person]);
      expect(moves((await pipeline.get(`/sagas/${uuid}`)).body.timeline)).to.deep.equal([
        ['FAILING', 'janitor', 'Zoë of the night shift'],
        ['CANCELED', 'janitor', undefined],
      ]);
      for (const path of [`/order/${uuid}`, '/orders?limit=100']) {
        expect(JSON.stringify((await pipeline.get(path)).body), path).not.to.contain('Zoë');
      }
      expect(pipeline.bus.published.map((one) => JSON.stringify(one)).join()).not.to.contain('Zoë');
      const { violations } = (await pipeline.get('/audit')).body;
      expect(violations.filter((one: { uuid?: string }) => one.uuid === uuid)).to.deep.equal([]);
      expect(violations.map((one: { path: string }) => one.path)).not.to.include(ledgerPath(uuid));
      expect(logged).to.deep.include({
        message: 'janitor: an operator asked for this order to be canceled',
        step: 'janitor',
        uuid,
        status: 'FAILING',
        operator: 'Zoë of the night shift',
        error: undefined,
      });
    });

    it('[anomaly 37] is said to be canceled once, by who did it, also while the broker is away', async () => {
      const { uuid } = await pipeline.order(ORDER);
      logged.length = 0;
      broker.isDeaf = true;
      for (const operator of ['alice', 'bob']) {
        const asked = { detail: `So ${operator} says` };
        const { status, body } = await pipeline.post(`/sagas/${uuid}/cancel`, asked, {
          'saga-operator': operator,
        });
        expect([status, body.status, body.detail]).to.deep.equal([202, 'FAILING', 'So alice says']);
      }
      expect(logged).to.deep.equal([
        {
          message: 'janitor: an operator asked for this order to be canceled',
          step: 'janitor',
          uuid,
          status: 'FAILING',
          operator: 'alice',
          error: 'The broker is away',
        },
      ]);
      broker.isDeaf = false;
      await pipeline.post(`/sagas/${uuid}/announce`, '');
      await pipeline.bus.idle();
      expect(await pipeline.ledger(uuid)).to.include({ status: 'CANCELED' });
    });

    it('is announced again, and swept, under the name of who asked for it', async () => {
      const { uuid } = await pipeline.order(ORDER);
      logged.length = 0;
      await pipeline.post(`/sagas/${uuid}/announce`, '', { 'saga-operator': 'alice' });
      await pipeline.post('/sweep', '', { 'saga-operator': 'alice' });
      const named = logged.filter(({ operator }) => operator === 'alice').map(({ message }) => message);
      expect(named).to.deep.equal([
        'janitor: an operator asked for this order to be announced again',
        'janitor: a sweep was asked for',
      ]);
    });

    it('[anomaly 41] is not touched by somebody whose name is none', async () => {
      const { uuid } = await pipeline.order(ORDER);
      for (const name of ['', 'x'.repeat(101), 'a%0Ab', '%20alice', '%zz', '%E2%80%A8']) {
        const who = { 'saga-operator': name };
        const answer = await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'No' }, who);
        expect([answer.status, answer.body.errors?.[0].field], name).to.deep.equal([400, 'Saga-Operator']);
      }
      expect(await pipeline.ledger(uuid)).to.include({ status: 'PAID' });
    });

    it('[anomaly 41] is not canceled without a sentence that says why', async () => {
      const { uuid } = await pipeline.order(ORDER);
      for (const body of [
        {},
        { detail: '' },
        { detail: 3 },
        { detail: 'a\nb' },
        { detail: 'x'.repeat(501) },
      ]) {
        const answer = await pipeline.post(`/sagas/${uuid}/cancel`, body);
        expect([answer.status, answer.body.errors?.[0].field]).to.deep.equal([400, 'detail']);
      }
      expect(await pipeline.ledger(uuid)).to.include({ status: 'PAID' });
    });

    it('is told with its faults where somebody has made the ledger malformed, and can neither be moved nor harm others', async () => {
      const uuid = uuidv4();
      const malformed = { ...aLedgerThatIs('CREATED', { uuid }, saga), items: 'two widgets', history: [] };
      await pipeline.store.commit([{ kind: 'create', path: ledgerPath(uuid), fields: malformed }]);
      const { status, body } = await pipeline.get(`/sagas/${uuid}`);
      expect([status, body.uuid, body.ledger.items, body.letters]).to.deep.equal([
        200,
        uuid,
        'two widgets',
        [],
      ]);
      expect(body.faults.join()).to.contain('items').and.to.contain('history');
      const answers = [
        await pipeline.get(`/order/${uuid}`),
        await pipeline.post(`/order/${uuid}/cancel`, ''),
        await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'Test' }),
        await pipeline.post(`/sagas/${uuid}/announce`, ''),
      ];
      // No 503 and no Retry-After: it will be the same until somebody mends the ledger.
      expect(
        answers.map(({ status, headers, body: { title } }) => [status, headers.get('retry-after'), title]),
      ).to.deep.equal(answers.map(() => [500, null, 'Malformed ledger']));
      expect((await pipeline.get('/orders?limit=100')).status).to.equal(200);
      expect((await pipeline.post('/sweep', '')).body.errors).to.be.at.most(1);
      await pipeline.store.commit([{ kind: 'remove', path: ledgerPath(uuid) }]);
    });

    it('is told of a malformed letter as it is, which can neither be sent nor discarded', async () => {
      const id = uuidv4();
      const createdAt = systemClock.now();
      const letter = { id, status: 'parked', attributes: 'x', body: 1, history: ['x'], createdAt };
      await pipeline.store.commit([{ kind: 'create', path: deadLetterPath(id), fields: letter }]);
      const faults = ['reason', 'subscription', 'attempts', 'attributes', 'body'];
      const { body } = await pipeline.get(`/dead-letters/${id}`);
      expect([body.id, body.letter.attributes]).to.deep.equal([id, 'x']);
      expect(body.faults.map((fault: string) => fault.split(':')[0])).to.deep.equal(faults);
      const listed = (await pipeline.get('/dead-letters?limit=100')).body.letters;
      expect(listed.find((one: { id: string }) => one.id === id)?.faults).to.have.length.above(3);
      const answers = [
        await pipeline.post(`/dead-letters/${id}/redrive`, ''),
        await pipeline.delete(`/dead-letters/${id}`),
      ];
      for (const { status, body } of answers) {
        expect([status, body.detail.split(':')[0]]).to.deep.equal([409, 'The letter is malformed']);
      }
      await pipeline.store.commit([{ kind: 'remove', path: deadLetterPath(id) }]);
    });

    it('[anomaly 30] is refused with 404 for an order that nobody knows', async () => {
      for (const uuid of [uuidv4(), 'x', '..%2Fusers']) {
        expect((await pipeline.get(`/sagas/${uuid}`)).status).to.equal(404);
        expect((await pipeline.post(`/sagas/${uuid}/announce`, '')).status).to.equal(404);
        expect((await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'No' })).status).to.equal(404);
      }
    });
  });
});
