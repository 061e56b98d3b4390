import { expect } from 'chai';
import { z } from 'zod';
import { deliveryCost, tariff } from './delivery-cost.ts';

const settings = (variables: object) => z.object(tariff).safeParse(variables);
const costOf = (lat: number, lng: number, variables: object = {}) =>
  deliveryCost({ lat, lng }, settings({ WAREHOUSE_LOCATION: '0,0', ...variables }).data as never);

describe('The cost of a delivery', () => {
  it('grows with the great circle, not with the degrees', () => {
    // A degree of the great circle is 111.195 km; along the 60th parallel it is half of that.
    expect([costOf(1, 0), costOf(0, 1), costOf(0, 180)]).to.deep.equal([112, 112, 20_016]);
    const north = settings({ WAREHOUSE_LOCATION: '60,0' }).data as never;
    expect(deliveryCost({ lat: 60, lng: 1 }, north)).to.equal(56);
  });

  it('has a base, and is rounded up to whole minor units', () => {
    const prices = { DELIVERY_BASE_COST: '30', DELIVERY_COST_PER_KM: '2' };
    expect([costOf(0, 0, prices), costOf(0, 0.0001, prices), costOf(1, 0, prices)]).to.deep.equal([
      30, 31, 253,
    ]);
  });

  it('is the base if nobody knows where the customer is', () => {
    expect(deliveryCost(undefined, settings({ DELIVERY_BASE_COST: '30' }).data as never)).to.equal(30);
  });

  it('needs a warehouse on this earth', () => {
    const fault = (WAREHOUSE_LOCATION: string) => settings({ WAREHOUSE_LOCATION }).error?.issues[0]?.message;
    for (const wrong of ['', '52', '52;5', 'north,south', '91,0', '0,181', '1,2,3']) {
      expect(fault(wrong), wrong).to.contain('must be a latitude and a longitude in degrees');
    }
    expect(fault(' -33.9 , 18.4 ')).to.equal(undefined);
  });
});
