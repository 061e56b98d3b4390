import { z } from 'zod';
import { reserveStock } from '../../inventory/reserve-stock.ts';
import { createOrder } from '../../order/create-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import { pipeline } from '../../pipeline.ts';
import { account, record } from '../../saga/step/document.ts';
import { defineSaga } from '../../saga/step/saga.ts';
import { accept } from '../../saga/step/step.ts';
import { pricedLines } from '../../shop/lines.ts';
import { step } from '../../shop/step.ts';
import { shopOfThree } from '../support/shop-of-three.ts';

/** The shop with three steps as a later release may have it: a step is put between two others, with an account and a record of its own. */

const boxSize = z.enum(['small', 'large']);

export const boxes = account({
  name: 'box',
  path: 'boxes/{size}',
  balance: 'left',
  whole: 'bought',
  fields: {},
  missing: 'BOX_NOT_FOUND',
  shortage: 'OUT_OF_BOXES',
});

export const packingSlips = record({
  name: 'packing slip',
  path: 'packing/{uuid}',
  schema: z.object({ box: boxSize, units: z.int(), createdAt: z.date() }),
});

const SMALL_UNITS_MAX = 2;

/** Whatever was reserved is put into a box. */
export const packOrder = step({
  name: 'packing',
  leadsTo: 'PACKED',
  announces: 'order-packed',
  says: 'the order is in its box',
  uses: [boxes, packingSlips],
  needs: { lines: pricedLines },
  learns: { box: boxSize, packed: z.object({ units: z.int() }) },

  reads: () => boxSize.options.map((size) => boxes.of(size)),

  decide({ lines }) {
    const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    const box: z.infer<typeof boxSize> = units > SMALL_UNITS_MAX ? 'large' : 'small';
    return accept({ box, packed: { units } });
  },

  holds: ({ uuid, box, packed, at }) => [
    boxes.of(box).amount(1),
    packingSlips.of(uuid).holding({ box, units: packed.units, createdAt: at }),
  ],
});

/** The shop with three steps, one of which may wait. */
export const narrowPipeline = defineSaga({
  ...shopOfThree,
  ...(pipeline.resumption && { resumption: pipeline.resumption }),
  steps: [createOrder, reserveStock, chargeCustomer],
});

export const widerPipeline = defineSaga({
  ...narrowPipeline,
  steps: [createOrder, reserveStock, packOrder, chargeCustomer],
});
