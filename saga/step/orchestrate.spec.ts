import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedger, aLedgerThatIs, documentsOf, LATER, SETTINGS, UUID } from '../../test/support/builders.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { WorkingCopy } from '../commit/documents.ts';
import { messageFor } from '../deliver/message.ts';
import { serviceOf } from '../deliver/service.ts';
import { advance, complete, fail, type Ledger } from '../ledger/ledger.ts';
import { orchestrationTask } from './orchestrate.ts';
import { defineSaga } from './saga.ts';
import { stepTask } from './take-step.ts';

const documents = documentsOf({
  'users/jack': { address: '1 Hill Road' },
  'inventory/widget': { quantity: 9, loaded: 9, price_per_unit: 5 },
});
const mode = { mode: 'orchestration' } as const;
const taskOf = () => orchestrationTask(pipeline, { uuid: UUID }, 'orchestrator', () => SETTINGS.declared);
const orchestrate = (ledger: Ledger | undefined) => taskOf().take(ledger, documents, LATER);

describe('An orchestrated ledger', () => {
  it('calls for the workflow while somebody has to act, and else for what every ledger calls for', () => {
    const topics = pipeline.statuses.map((status) => [
      status,
      messageFor(pipeline, aLedgerThatIs(status, mode)).topic,
    ]);
    expect(Object.fromEntries(topics)).to.deep.equal({
      RECEIVED: 'workflow',
      CREATED: 'workflow',
      WAITING: 'order-waiting',
      RESERVED: 'workflow',
      PAID: 'workflow',
      DELIVERING: 'delivery-started',
      DELIVERED: 'order-delivered',
      RESUMED: 'workflow',
      PAUSED: 'order-paused',
      FAILING: 'workflow',
      CANCELED: 'order-canceled',
    });
  });

  it('[anomaly 50] is ignored by the steps of choreographed orders, and a choreographed one by the orchestrator', () => {
    for (const step of pipeline.steps) {
      for (const status of pipeline.statuses) {
        const ledger = aLedgerThatIs(status, mode);
        const options = { settings: SETTINGS.declared, deadlineSeconds: 900, isEntry: false };
        const turn = stepTask(pipeline, step, { uuid: UUID }, options).take(ledger, documents, LATER);
        expect(turn.ledger, `${step.name} of an order that is ${status}`).to.equal(ledger);
      }
    }
    for (const status of pipeline.statuses) {
      expect(orchestrate(aLedgerThatIs(status))).to.deep.equal({
        outcome: 'ignored',
        ledger: aLedgerThatIs(status),
      });
    }
  });

  it('is taken on by one step at each message, by the orchestrator', () => {
    const ledger = aLedger(mode);
    const done = { step: 'order', by: 'orchestrator', learned: {}, now: LATER };
    expect(orchestrate(ledger)).to.deep.equal({
      outcome: 'accepted',
      from: ledger,
      ledger: advance(pipeline, ledger, done),
    });
  });

  it('that fails is compensated by the orchestrator', () => {
    const failure = { by: 'orchestrator', reason: 'PAYMENT_ERROR', detail: 'No', now: LATER };
    const failing = fail(pipeline, aLedger(mode), failure);
    const canceled = complete(pipeline, failing, 'orchestrator', LATER);
    expect(orchestrate(failing)).to.deep.equal({ outcome: 'compensated', ledger: canceled });
    expect(orchestrate(canceled)).to.deep.equal({ outcome: 'duplicate', ledger: canceled });
  });

  it('fetches what its next turn needs, and nothing if none follows', () => {
    const reads = (ledger: Ledger | undefined) => [...(taskOf().reads?.(ledger, documentsOf({})) ?? [])];
    const failure = { by: 'orchestrator', reason: 'PAYMENT_ERROR', detail: 'No', now: LATER };
    const resumed = aLedgerThatIs('RESUMED', mode);
    expect(reads(aLedger(mode))).to.deep.equal(['users/jack']);
    expect(reads(aLedgerThatIs('RESERVED', mode))).to.deep.equal(['users/jack']);
    // What it decides anew may change what was held for its word: the offer, and the reservation of it.
    expect(reads(resumed)).to.deep.equal([
      'inventory/widget',
      'inventory/sample',
      `inventory/sample/orders/${UUID}`,
    ]);
    expect(reads(fail(pipeline, aLedgerThatIs('RESERVED', mode), failure))).to.deep.equal([
      'inventory/widget',
    ]);
    const idle = [undefined, aLedger(), aLedgerThatIs('DELIVERING', mode), aLedgerThatIs('DELIVERED', mode)];
    for (const ledger of idle) expect(reads(ledger)).to.deep.equal([]);
  });

  it('that another message of the same batch has just moved on waits for the message that follows from that', () => {
    for (const ledger of [aLedgerThatIs('CREATED', mode), aLedgerThatIs('RESUMED', mode)]) {
      expect(taskOf().take(ledger, new WorkingCopy(), LATER)).to.deep.equal({ outcome: 'duplicate', ledger });
    }
  });

  it('that waits, or has ended, is left as it is', () => {
    for (const [status, outcome] of [
      ['DELIVERING', 'duplicate'],
      ['DELIVERED', 'duplicate'],
      ['CANCELED', 'fenced'],
    ] as const) {
      const ledger = aLedgerThatIs(status, mode);
      expect(orchestrate(ledger)).to.deep.equal({ outcome, ledger });
    }
  });

  it('that nobody knows is parked', () => {
    expect(orchestrate(undefined)).to.deep.equal({
      outcome: 'parked',
      detail: 'No order has the uuid of the message',
    });
  });
});

describe('A saga without a workflow', () => {
  it('has no orchestrated order, whatever an order asks for', () => {
    const { workflow: _, ...choreographed } = shopOfThree;
    const services = shopOfThree.services.filter(({ name }) => name !== 'orchestrator');
    const subscriptions = Object.fromEntries(
      Object.entries(shopOfThree.subscriptions).filter(([, reader]) => reader !== 'orchestrator'),
    );
    const saga = defineSaga({ ...choreographed, services, subscriptions } as never);
    const orchestrated = defineSaga(shopOfThree as never);
    expect([orchestrated, saga].map((one) => one.isOrchestrated(aLedger(mode)))).to.deep.equal([true, false]);
    expect(saga.topicFor(aLedger(mode))).to.equal('frontend');
    expect(() => serviceOf(saga, 'orchestrator', {} as never, SETTINGS)).to.throw(
      'has no service orchestrator',
    );
  });
});
