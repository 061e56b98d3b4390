import { z } from 'zod';
import type { Saga } from '../step/saga.ts';

/** What the answers of more than one route have in common, for the OpenAPI document and for whoever checks answers. */

/** A moment as JSON has it. */
export const moment = z.iso.datetime();

/** What everybody sees of an order: its snapshot. */
export const snapshotSchema = ({ order, statuses, reasons }: Saga) =>
  z.object({
    uuid: z.uuid(),
    ...order.shown,
    status: z.enum(statuses),
    reason: z.enum(reasons).optional(),
    detail: z.string().optional(),
  });

/** One transition of an order. */
export const transitionSchema = ({ statuses }: Saga) =>
  z.object({ at: moment, status: z.enum(statuses), by: z.string() });
