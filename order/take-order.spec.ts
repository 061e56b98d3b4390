import { expect } from 'chai';
import { DEADLINE_SECONDS } from '../saga/ledger/deadline.ts';
import { advance, fail, receive, type Saga } from '../saga/ledger/ledger.ts';
import { anOrder, aSaga, aSagaThatIs, documentsOf, LATER, TRACE, UUID } from '../test/support/builders.ts';
import { createOrder } from './create-order.ts';
import { takeOrder } from './take-order.ts';

const jack = documentsOf({ 'users/jack': { address: '1 Main Street' } });
const nobody = documentsOf({});
const react = (saga: Saga | undefined, message: object, documents = jack) =>
  takeOrder(DEADLINE_SECONDS).react(saga, { uuid: UUID, ...message }, documents, LATER);
const recordOf = (saga: Saga) => {
  const decision = createOrder.decide(saga, jack, LATER);
  return decision.kind === 'accepted' ? decision.writes : [];
};

describe('The order service', () => {
  it('creates an order that the frontend received', () => {
    expect(react(aSaga(), { order: anOrder() })).to.deep.equal({
      outcome: 'accepted',
      writes: recordOf(aSaga()),
      saga: advance(aSaga(), 'order', 'CREATED', {}, LATER),
    });
  });

  it('receives and creates an order that was published straight to the topic', () => {
    const received = receive(UUID, anOrder(), 'order', LATER);
    expect(react(undefined, { order: anOrder() })).to.deep.equal({
      outcome: 'accepted',
      writes: recordOf(received),
      saga: advance(received, 'order', 'CREATED', {}, LATER),
    });
  });

  it('remembers under which trace such an order came, and of a known order the first one', () => {
    const received = receive(UUID, anOrder(), 'order', LATER, DEADLINE_SECONDS, TRACE);
    expect(react(undefined, { order: anOrder(), trace: TRACE })).to.deep.include({
      saga: advance(received, 'order', 'CREATED', {}, LATER),
    });
    expect(react(aSaga({ trace: TRACE }), { trace: TRACE.replaceAll('a', 'f') })).to.deep.include({
      saga: advance(aSaga({ trace: TRACE }), 'order', 'CREATED', {}, LATER),
    });
  });

  it('refuses an order of an unknown customer, with a ledger that says so', () => {
    const detail = 'There is no user jack';
    const refused = (received: Saga) => ({
      outcome: 'refused',
      writes: [],
      saga: fail(received, 'order', 'USER_NOT_FOUND', detail, LATER),
      detail: `USER_NOT_FOUND: ${detail}`,
    });
    expect(react(aSaga(), {}, nobody)).to.deep.equal(refused(aSaga()));
    expect(react(undefined, { order: anOrder() }, nobody)).to.deep.equal(
      refused(receive(UUID, anOrder(), 'order', LATER)),
    );
  });

  it('[anomaly 22] parks what is not an order and has no ledger', () => {
    expect(react(undefined, { orderFault: 'user is missing' })).to.deep.equal({
      outcome: 'parked',
      writes: [],
      detail: 'The message is not an order: user is missing',
    });
  });

  it('[anomaly 39] goes by the ledger, whatever the message claims', () => {
    const claimed = anOrder({ user: 'jill', items: [{ item: 'gold', quantity: 1 }] });
    const expected = react(aSaga(), { order: anOrder() });
    expect(react(aSaga(), { order: claimed })).to.deep.equal(expected);
    expect(react(aSaga(), { orderFault: 'all of it' })).to.deep.equal(expected);
  });

  for (const status of ['CREATED', 'RESERVED', 'PAID'] as const) {
    it(`[anomaly 1] does nothing again once the order is ${status}`, () => {
      const saga = aSagaThatIs(status);
      expect(react(saga, { order: anOrder() })).to.deep.equal({ outcome: 'duplicate', writes: [], saga });
    });
  }

  for (const status of ['FAILING', 'CANCELED'] as const) {
    it(`[anomaly 8] does nothing where the order is ${status}`, () => {
      const saga = aSagaThatIs(status);
      expect(react(saga, { order: anOrder() })).to.deep.equal({ outcome: 'fenced', writes: [], saga });
    });
  }

  it('[anomaly 20] knows its own refusal again', () => {
    const saga = fail(aSaga(), 'order', 'USER_NOT_FOUND', 'There is no user jack', LATER);
    expect(react(saga, { order: anOrder() })).to.deep.equal({ outcome: 'duplicate', writes: [], saga });
  });

  it('fetches the customer along with the ledger, and nothing once it is clear that nothing will be done', () => {
    const reads = (saga: Saga | undefined, message: object) =>
      takeOrder(DEADLINE_SECONDS).reads(saga, { uuid: UUID, ...message });
    expect(reads(undefined, { order: anOrder() })).to.deep.equal(['users/jack']);
    expect(reads(undefined, { orderFault: 'user is missing' })).to.deep.equal([]);
    expect(reads(aSaga({ user: 'jill' }), { order: anOrder() })).to.deep.equal(['users/jill']);
    expect(reads(aSagaThatIs('CREATED'), { order: anOrder() })).to.deep.equal([]);
  });
});
