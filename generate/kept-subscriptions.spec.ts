import { expect } from 'chai';
import { lostSubscriptions } from './kept-subscriptions.ts';

const written = { subscriptions: { 'paid-sub': {}, 'orders-sub': { service: 'order' } } };

describe('The subscriptions that are written down', () => {
  it('may get company', () => {
    const more = { subscriptions: { ...written.subscriptions, 'wrapped-sub': { service: 'wrap' } } };
    expect(lostSubscriptions(written, more)).to.deep.equal([]);
    expect(lostSubscriptions({}, more)).to.deep.equal([]);
  });

  it('are missed where one is gone, or is read by another', () => {
    const fresh = { subscriptions: { 'orders-sub': { service: 'wrap' } } };
    expect(lostSubscriptions(written, fresh)).to.deep.equal([
      'paid-sub (people) would be deleted, with the messages that wait in it',
      'orders-sub would go from order to wrap',
    ]);
  });
});
