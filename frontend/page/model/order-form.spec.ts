import { expect } from 'chai';
import { pipeline } from '../../../pipeline.ts';
import { orderSchema } from '../../../shop/order.ts';
import { definitionOf } from '../../definition-route.ts';
import { mishapsOf, NO_MISHAP, type OrderForm, orderOf } from './order-form.ts';

const form: OrderForm = {
  user: 'jack',
  lines: [{ item: 'widget', quantity: 2 }],
  mishap: NO_MISHAP,
  orchestrated: false,
  asksOnShortage: false,
};

describe('The form of the shop', () => {
  it('offers to let each step of the saga fail', () => {
    const steps = mishapsOf(definitionOf(pipeline)).flatMap(
      ({ value }) => /^fail:(.*)/.exec(value)?.[1] ?? [],
    );
    expect(steps).to.deep.equal(pipeline.steps.map(({ name }) => name));
  });

  it('makes an order that the frontend takes, whatever is to go wrong', () => {
    for (const { value: mishap } of mishapsOf(definitionOf(pipeline))) {
      const order = orderOf({ ...form, mishap, orchestrated: true, asksOnShortage: true });
      expect(orderSchema.safeParse(order).success, mishap).to.equal(true);
    }
  });

  it('says only what was chosen', () => {
    expect(orderOf(form)).to.deep.equal({ user: 'jack', items: [{ item: 'widget', quantity: 2 }] });
    expect(orderOf({ ...form, mishap: 'fail:payments' })).to.deep.include({ fail: 'payments' });
  });
});
