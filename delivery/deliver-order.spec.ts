import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import type { HttpRequest } from '../saga/http/http.ts';
import type { Path } from '../saga/ports/store.ts';
import { SETTINGS, storeHolding } from '../test/support/builders.ts';
import { withCheckedAnswers } from '../test/support/checked-answers.ts';
import { type Given, NOW, outcomeOf, UUID, whenCanceled } from '../test-kit/step-outcome.ts';
import { parcels } from './parcels.ts';
import { deliveryRoutes } from './routes.ts';

const items = [
  { item: 'widget', quantity: 2 },
  { item: 'wotsit', quantity: 1 },
];
const lines = items.map((line) => ({ ...line, price_per_unit: 5 }));
const jack = { address: '1 Hill Road', location: { lat: 52.13, lng: 5.12 } };
const PARCEL = parcels.of(UUID).path;
const parcel = { user: 'jack', address: jack.address, items, delivery_cost: 7, createdAt: NOW };
const invoice = { user: 'jack', total_invoice: 15, delivery_cost: 7, charged: 0, createdAt: NOW };

const paid: Given = {
  order: { user: 'jack', items },
  learned: { lines, delivery_cost: 7, charged: 0 },
  documents: { 'users/jack': jack, 'sales/widget': { sold: 5 } },
};
const held: Readonly<Record<Path, object>> = {
  ...paid.documents,
  [`users/jack/orders/${UUID}`]: { items, createdAt: NOW },
  'inventory/widget': { quantity: 0, loaded: 9, price_per_unit: 5 },
  'inventory/wotsit': { quantity: 0, loaded: 9, price_per_unit: 5 },
  [`inventory/widget/orders/${UUID}`]: { quantity: 2, price_per_unit: 5 },
  [`inventory/wotsit/orders/${UUID}`]: { quantity: 1, price_per_unit: 5 },
  [`payments/${UUID}`]: invoice,
  'sales/widget': { sold: 7 },
  'sales/wotsit': { sold: 1 },
  [PARCEL]: parcel,
};
const underWay: Given = { ...paid, learned: { ...paid.learned, address: jack.address }, documents: held };
const outcome = (given: Given) => outcomeOf(pipeline, 'delivery', given);

describe('The delivery step', () => {
  it('sends a parcel to the address of the customer, counts its units as sold, and waits for the courier', () => {
    expect(outcome(paid)).to.deep.equal({
      waiting: { address: '1 Hill Road' },
      seconds: 14 * 86_400,
      changes: { 'sales/widget': { sold: 7 }, 'sales/wotsit': { sold: 1 }, [PARCEL]: parcel },
    });
  });

  it('waits as long as it is told', () => {
    expect(outcome({ ...paid, settings: { COURIER_DAYS: 3 } })).to.deep.include({ seconds: 3 * 86_400 });
  });

  it('is done, and changes nothing more, once the courier says "delivered"', () => {
    expect(outcome({ ...underWay, word: { word: 'delivered' } })).to.deep.equal({
      accepted: {},
      changes: {},
    });
  });

  it('refuses the order once the courier says "canceled"', () => {
    expect(outcome({ ...underWay, word: { word: 'canceled' } })).to.deep.equal({
      refused: 'DELIVERY_CANCELED',
      detail: 'The courier has given the parcel back',
    });
  });

  it('[anomaly 57] goes on with an order that was taken before its customer was erased', () => {
    const erased = { 'users/jack': { ...jack, erasedAs: UUID } };
    expect(outcome({ ...paid, documents: { ...paid.documents, ...erased } })).to.have.property('waiting');
    const delivered = { ...underWay, documents: { ...held, ...erased }, word: { word: 'delivered' } };
    expect(outcome(delivered)).to.deep.equal({ accepted: {}, changes: {} });
  });

  it('refuses an order whose customer is gone by now', () => {
    expect(outcome({ ...paid, documents: {} })).to.deep.equal({
      refused: 'USER_NOT_FOUND',
      detail: 'There is no user jack',
    });
  });

  it('[anomaly 13] gives everything back when it is canceled: stock, parcel, invoice, and what was counted', () => {
    expect(whenCanceled(pipeline, { ...underWay, status: 'DELIVERING' })).to.deep.equal({
      'inventory/widget': { quantity: 2, loaded: 9, price_per_unit: 5 },
      'inventory/wotsit': { quantity: 1, loaded: 9, price_per_unit: 5 },
      [`inventory/widget/orders/${UUID}`]: undefined,
      [`inventory/wotsit/orders/${UUID}`]: undefined,
      [`users/jack/orders/${UUID}`]: undefined,
      [`payments/${UUID}`]: undefined,
      'sales/widget': { sold: 5 },
      'sales/wotsit': { sold: 0 },
      [PARCEL]: undefined,
    });
  });

  it('does nothing for an order that is not paid, is under way, or is canceled', () => {
    const nothing = ['RESERVED', 'DELIVERING', 'CANCELED'].map((status) => outcome({ ...underWay, status }));
    expect(nothing).to.deep.equal([{ nothing: 'ignored' }, { nothing: 'duplicate' }, { nothing: 'fenced' }]);
  });
});

describe('GET /deliveries', () => {
  const ask = async (path: string, request: Partial<HttpRequest>) => {
    const routes = deliveryRoutes(await storeHolding(held), SETTINGS.declared as never);
    const route = routes.find((one) => one.path === path);
    return (
      route &&
      withCheckedAnswers(route).handle({
        params: {},
        query: undefined,
        body: undefined,
        header: () => undefined,
        ...request,
      })
    );
  };

  it('shows the parcel of an order', async () => {
    const answer = await ask('/deliveries/{uuid}', { params: { uuid: UUID } });
    expect(answer).to.deep.equal({ status: 200, body: { uuid: UUID, ...parcel } });
  });

  it('says beforehand what a delivery costs: by default 1 for each kilometer as the crow flies, rounded up', async () => {
    const answer = await ask('/deliveries/estimate', { query: { user: 'jack' } });
    expect(answer).to.deep.equal({ status: 200, body: { user: 'jack', delivery_cost: 5 } });
  });

  it('says that there is no such customer', async () => {
    const answer = await ask('/deliveries/estimate', { query: { user: 'jane' } }).catch((error) => error);
    expect(answer).to.include({ status: 404, detail: 'There is no user jane' });
  });
});
