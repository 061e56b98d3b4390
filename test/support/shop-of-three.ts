import { reserveStock } from '../../inventory/reserve-stock.ts';
import { createOrder } from '../../order/create-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import { pipeline } from '../../pipeline.ts';
import { defineSaga } from '../../saga/step/saga.ts';

/**
 * The shop with three steps, whatever else the pipeline has by now. It is for specs that spell out what those three leave
 * behind, so that a further step does not change what they say.
 */
export const shopOfThree = defineSaga({ ...pipeline, steps: [createOrder, reserveStock, chargeCustomer] });
