import { expect } from 'chai';
import { systemClock } from '../../adapters/system-clock.ts';
import { noTelemetry } from '../../adapters/telemetry/telemetry.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline as saga } from '../../pipeline.ts';
import { deadLetterOf } from '../../saga/deliver/message.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import { pause } from '../../saga/ports/clock.ts';
import { allDocuments } from '../support/all-documents.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';
import { wordRequest } from '../support/words.ts';

const ALICE = { 'saga-operator': 'alice' };
const KEY = { 'idempotency-key': 'the first one' };
const ORDER = { user: 'joe', item: 'widget', quantity: 1 };

for (const backend of sampledBackends) {
  describe(`A customer whom operators erase, on ${backend.name}`, function () {
    this.timeout(60_000);
    let pipeline: Pipeline;
    const logged: object[] = [];
    /** All that was ever published: what a seek would bring back. */
    let messages: readonly OutgoingMessage[];

    before(async function () {
      const opened = await backend.open(this);
      const log = (severity: string, message: string, fields?: object) =>
        logged.push({ severity, message, ...fields });
      pipeline = await startPipeline(opened, () => ({ log }), noTelemetry, saga, {}, { isSilent: true });
    });
    after(() => pipeline?.close());

    const violations = async () =>
      (
        await takeAudit(saga, { store: pipeline.store, clock: systemClock }, () => pause(systemClock, 0))
      ).violations.map(({ sentence }) => sentence);
    const naming = async (name: string) =>
      [...(await allDocuments(pipeline.store))]
        .filter(([path, fields]) => `${path} ${JSON.stringify(fields)}`.includes(name))
        .map(([path]) => path);

    it('[anomaly 57] must have no order that stands', async () => {
      const { body: first } = await pipeline.post('/order', ORDER, KEY);
      await pipeline.bus.idle();
      const { status = '' } = (await pipeline.ledger(first.uuid)) ?? {};
      const waiting = saga.waitingIn(status);
      expect(waiting).not.to.equal(undefined);
      const before = await allDocuments(pipeline.store);
      const { status: code, body } = await pipeline.delete('/users/joe', ALICE);
      expect([code, body.detail]).to.deep.equal([
        409,
        `Orders of the customer stand: ${first.uuid} is ${status}. Erase the customer once these are over`,
      ]);
      expect(await allDocuments(pipeline.store)).to.deep.equal(before);
      const said = waiting && wordRequest(waiting, first.uuid);
      expect((await pipeline.post(said?.path ?? '', said?.body ?? {})).status).to.equal(202);
      await pipeline.bus.idle();
    });

    it('[anomaly 57] is nowhere afterwards, and the books are right', async () => {
      await pipeline.order({ ...ORDER, 'payment-error': 'says joe' });
      await pipeline.order({ ...ORDER, quantity: 10 });
      const parked = { subscription: 'frontend-sub', messageId: 'm1', attempt: 1, attributes: {} };
      const data = Buffer.from('{"user":"joe","quantity":-1}');
      await pipeline.bus.publish([deadLetterOf({ ...parked, data }, 'It is no order')]);
      await pipeline.bus.idle();
      messages = [...pipeline.bus.published];
      const { size } = await allDocuments(pipeline.store);
      const { status, body } = await pipeline.delete('/users/joe', ALICE);
      expect([status, body]).to.deep.equal([200, { orders: 3, letters: 1 }]);
      expect(await naming('joe')).to.deep.equal([]);
      expect(await naming('Mill Lane')).to.deep.equal([]);
      expect((await allDocuments(pipeline.store)).size).to.equal(size);
      expect(await violations()).to.deep.equal([]);
      expect((await pipeline.get('/users/joe')).status).to.equal(404);
      expect((await pipeline.get('/orders?user=joe')).body.orders).to.deep.equal([]);
      expect((await pipeline.delete('/users/joe')).status).to.equal(404);
    });

    it('stays in the log as an event without a name', () => {
      const lines = logged.filter((line) => JSON.stringify(line).includes('was erased'));
      expect(lines).to.deep.equal([
        {
          severity: 'INFO',
          message: 'order: a customer was erased',
          step: 'order',
          operator: 'alice',
          orders: 3,
          letters: 1,
        },
      ]);
    });

    it('[anomaly 57] comes back with no message that is replayed', async () => {
      const before = await allDocuments(pipeline.store);
      expect(messages.some(({ data }) => data.includes('joe'))).to.equal(true);
      await pipeline.bus.publish(messages);
      await pipeline.bus.idle();
      expect(await naming('joe')).to.deep.equal([]);
      expect(await allDocuments(pipeline.store)).to.deep.equal(before);
    });

    it('[anomaly 57] comes back with no order that is posted again under its key', async () => {
      expect((await pipeline.post('/order', ORDER, KEY)).status).to.equal(422);
      await pipeline.bus.idle();
      expect(await naming('joe')).to.deep.equal([]);
    });

    it('[anomaly 57] is refused a new order, which a repeat erases', async () => {
      const late = await pipeline.order(ORDER);
      expect([late.status, late.reason]).to.deep.equal(['CANCELED', 'USER_NOT_FOUND']);
      const { status, body } = await pipeline.delete('/users/joe', ALICE);
      expect([status, body]).to.deep.equal([200, { orders: 1, letters: 0 }]);
      expect(await naming('joe')).to.deep.equal([]);
      expect(await violations()).to.deep.equal([]);
    });
  });
}
