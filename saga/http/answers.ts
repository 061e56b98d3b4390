import { z } from 'zod';
import { oncePerSaga } from '../step/once-per-saga.ts';
import type { Saga } from '../step/saga.ts';

/** What the answers of more than one route have in common, for the OpenAPI document and for programs that check answers. */

/**
 * A moment: text in JSON, a date inside. So one schema describes a value in both forms: `z.input` as JSON has it, `z.output`
 * as programs do.
 */
export const moment = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/** What everybody sees of an order: its snapshot. */
export const snapshotSchema = oncePerSaga(({ order, statuses, reasons }: Saga) =>
  z.object({
    uuid: z.uuid(),
    ...order.shown,
    status: z.enum(statuses),
    reason: z.enum(reasons).optional(),
    detail: z.string().optional(),
  }),
);

/** One transition of an order. That of a failure says why, and to operators which of them wanted it. */
export const transitionSchema = ({ statuses, reasons }: Saga) =>
  z.object({
    at: moment,
    status: z.enum(statuses),
    by: z.string(),
    person: z.string().exactOptional(),
    note: z.string().exactOptional(),
    reason: z.enum(reasons).exactOptional(),
    detail: z.string().exactOptional(),
  });
