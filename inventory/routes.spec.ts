import { expect } from 'chai';
import type { HttpRequest } from '../saga/http/http.ts';
import { storeHolding } from '../test/support/builders.ts';
import { withCheckedAnswers } from '../test/support/checked-answers.ts';
import { inventoryRoutes } from './routes.ts';

/** What is answered where 100 widgets were loaded and 7 wotsits, and so many of each are left. */
async function ask(path: string, params: Record<string, string> = {}) {
  const store = await storeHolding({
    'inventory/widget': { quantity: 90, loaded: 100, price_per_unit: 5, corrections: 1 },
    'inventory/wotsit': { quantity: 4, loaded: 7, price_per_unit: 3 },
    'sales/widget': { sold: 12 },
  });
  const request: HttpRequest = { params, query: undefined, body: undefined, header: () => undefined };
  const route = inventoryRoutes(store).find((one) => one.path === path);
  return route && withCheckedAnswers(route).handle(request);
}

// Between the two documents of the widget, 2 units were counted as sold: it has none reserved, and not less than none.
const WIDGET = { item: 'widget', quantity: 90, reserved: 0, sold: 12, price_per_unit: 5 };
const WOTSIT = { item: 'wotsit', quantity: 4, reserved: 3, sold: 0, price_per_unit: 3 };

describe('The stock that everybody sees', () => {
  it('is what is available, reserved and sold of all items, by name', async () => {
    expect(await ask('/inventory')).to.deep.equal({ status: 200, body: { items: [WIDGET, WOTSIT] } });
  });

  it('is the same for one item', async () => {
    const one = (item: string) => ask('/inventory/{item}', { item });
    expect([await one('widget'), await one('wotsit')]).to.deep.equal([
      { status: 200, body: WIDGET },
      { status: 200, body: WOTSIT },
    ]);
  });
});
