import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import {
  aLedger,
  aLedgerThatIs,
  anOrder,
  documentsOf,
  LATER,
  NOW,
  UUID,
} from '../../test/support/builders.ts';
import { DEADLINE_SECONDS } from '../ledger/deadline.ts';
import { type Ledger, receive, tombstone } from '../ledger/ledger.ts';
import { faultOfFailure, receiveTask } from './receive.ts';

const received = (order: Order, ledger: Ledger | undefined, isNew = false) =>
  receiveTask(pipeline, {
    uuid: UUID,
    order,
    isNew,
    by: 'frontend',
    deadlineSeconds: DEADLINE_SECONDS,
  }).take(ledger, documentsOf({}), LATER);

describe('An order that comes in', () => {
  it('gets a ledger', () => {
    const order = anOrder();
    expect(received(order, undefined, true)).to.deep.equal({
      outcome: 'accepted',
      ledger: receive(pipeline, UUID, order, 'frontend', LATER, DEADLINE_SECONDS),
    });
  });

  it('[anomaly 1] is a duplicate where it has come before, whatever has become of it', () => {
    for (const ledger of [aLedger(), aLedgerThatIs('PAID'), aLedgerThatIs('CANCELED')]) {
      expect(received(anOrder(), ledger)).to.deep.equal({ outcome: 'duplicate', ledger });
    }
  });

  it('[anomaly 7] is refused where its failure came before it', () => {
    const failure = { by: 'janitor', reason: 'INVALID_ORDER', detail: 'Unknown', now: NOW };
    const ledger = tombstone(pipeline, UUID, failure, DEADLINE_SECONDS);
    expect(received(anOrder(), ledger)).to.deep.equal({ outcome: 'refused', ledger });
  });

  const others = {
    'another user': anOrder({ user: 'jill' }),
    'another item': anOrder({ items: [{ item: 'gadget', quantity: 2 }] }),
    'another quantity': anOrder({ items: [{ item: 'widget', quantity: 3 }] }),
    'a line more': anOrder({
      items: [
        { item: 'widget', quantity: 2 },
        { item: 'gadget', quantity: 1 },
      ],
    }),
    'a wish for its payment to fail': anOrder({ paymentError: 'null' }),
    'a wish for a step to fail': anOrder({ fail: 'inventory' }),
  };
  for (const [difference, other] of Object.entries(others)) {
    it(`[anomaly 40] is refused where another order has its uuid, with ${difference}`, () => {
      expect(received(other, aLedger()).outcome).to.equal('refused');
      expect(received(anOrder(), aLedger(other)).outcome).to.equal('refused');
    });
  }
});

describe('An order that asks for a step to fail', () => {
  it('names one of the steps, or is told which there are', () => {
    const asks = [{}, ...['inventory', 'kitchen'].map((fail) => ({ fail }))];
    expect(asks.map((fields) => faultOfFailure(pipeline, anOrder(fields)))).to.deep.equal([
      undefined,
      undefined,
      { field: 'fail', message: 'must be one of order, inventory, payments, delivery' },
    ]);
  });

  it('asks for nothing where the saga has no field for it', () => {
    const { failsAt: _, ...order } = pipeline.order;
    expect(faultOfFailure({ ...pipeline, order }, anOrder({ fail: 'kitchen' }))).to.equal(undefined);
  });
});
