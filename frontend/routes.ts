import { z } from 'zod';
import { derivedUuid, snapshot } from '../saga/deliver/message.ts';
import { snapshotSchema } from '../saga/http/answers.ts';
import { assertMayAct, type Caller, customerAskedFor } from '../saga/http/caller.ts';
import { invalidInput, notFound, type Route, route } from '../saga/http/http.ts';
import { ledgerOf, malformedLedger } from '../saga/http/one-order.ts';
import { pageParameters } from '../saga/http/page.ts';
import { nameSchema } from '../saga/input/name.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { ledgerAt } from '../saga/ledger/ledger-at.ts';
import { listLedgers } from '../saga/ledger/list-ledgers.ts';
import { traceparentIn } from '../saga/ledger/trace.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { faultOfFailure } from '../saga/step/receive.ts';
import { ORCHESTRATION, type Saga } from '../saga/step/saga.ts';
import { type Order, orderSchema } from '../shop/order.ts';
import type { OrderIntake } from './accept-orders.ts';
import { cancelOrder } from './cancel-order.ts';
import { exampleOrders } from './example-orders.ts';
import { detailed, detailedSchema, tracked, trackedSchema } from './order-view.ts';

const KEY_LENGTH_MAX = 255;

const momentSchema = z.strictObject({
  at: z.iso
    .datetime({
      offset: true,
      error: 'must be a date and time with a zone, such as 2026-01-02T03:04:05Z (a + is written as %2B)',
    })
    .transform((text) => new Date(text))
    .optional(),
});

const listSchema = ({ statuses }: Saga) =>
  z.strictObject({
    user: nameSchema.optional(),
    status: z.enum(statuses, { error: `must be one of ${statuses.join(', ')}` }).optional(),
    ...pageParameters,
  });

/** @param isOrchestrated whether orders that name no mode are orchestrated. */
export function frontendRoutes(
  saga: Saga,
  ports: Ports,
  intake: OrderIntake,
  isOrchestrated = false,
): readonly Route[] {
  const { store, newUuid } = ports;
  const { accepted, canceled } = exampleOrders(saga);

  const view = (ledger: Ledger, caller: Caller | undefined) => tracked(saga, ledger, caller);

  return [
    route({
      method: 'POST',
      path: '/order',
      summary: 'Place an order',
      audience: 'customers',
      answer: snapshotSchema(saga),
      example: snapshot(saga, accepted),
      headers: {
        'Idempotency-Key': `1 to ${KEY_LENGTH_MAX} printable characters; a repetition is the same order`,
      },
      body: orderSchema,
      responses: {
        202: 'The order is stored; what becomes of it is at Location',
        400: 'A field is wrong; errors says which',
        403: 'It is for another customer than the token',
        413: 'The body is larger than 64 KiB',
        415: 'The body is not application/json',
        422: 'The Idempotency-Key was used for another order',
        503: 'The order was not accepted, or it is unknown whether it was: detail says which',
      },
      async handle({ body, header, caller }) {
        assertMayAct(caller, body.user);
        const order: Order =
          isOrchestrated && body.mode === undefined ? { ...body, mode: ORCHESTRATION } : body;
        const fault = faultOfFailure(saga, order);
        if (fault !== undefined) throw invalidInput([fault]);
        const key = idempotencyKey(header('idempotency-key'));
        const uuid = key === undefined ? newUuid() : derivedUuid('idempotency-key', keyOf(caller, key));
        const trace = traceparentIn(header('traceparent'));
        const ledger = await intake.accept(uuid, order, key === undefined, trace);
        return { status: 202, headers: { Location: `/order/${uuid}` }, body: snapshot(saga, ledger) };
      },
    }),
    route({
      method: 'GET',
      path: '/order/{uuid}',
      summary: 'What became of an order, or how it stood at a moment',
      audience: 'customers',
      answer: detailedSchema(saga),
      example: detailed(saga, accepted, undefined),
      query: momentSchema,
      responses: {
        200: 'The order, its status, the reason of a failure, and its history; of all that what was known at the moment',
        404: 'No such order, or not yet at the moment',
        500: 'The order cannot be shown: its ledger is malformed, and operators have to mend it',
        503: 'The store does not answer; try again',
      },
      async handle({ params: { uuid = '' }, query: { at }, caller }) {
        const read = await ledgerOf(saga, store, uuid, caller);
        if ('faults' in read) throw malformedLedger(uuid);
        const { ledger } = read;
        const shown = at === undefined ? ledger : ledgerAt(saga, ledger, at);
        if (shown === undefined) {
          throw notFound(
            `There was no order ${ledger.uuid} yet: it came at ${ledger.createdAt.toISOString()}`,
          );
        }
        return { status: 200, body: detailed(saga, shown, caller) };
      },
    }),
    route({
      method: 'POST',
      path: '/order/{uuid}/cancel',
      summary: 'Cancel an order',
      audience: 'customers',
      answer: trackedSchema(saga),
      example: view(canceled, undefined),
      responses: {
        202: 'The order is failing; what was done is being taken back',
        404: 'No such order',
        409: 'The order has come to its end',
        500: 'The order cannot be canceled: its ledger is malformed, and operators have to mend it',
        503: 'Whether the order will be canceled is not known; ask again',
      },
      async handle({ params: { uuid = '' }, caller }) {
        const ledger = await cancelOrder(saga, ports, uuid, caller);
        return { status: 202, headers: { Location: `/order/${ledger.uuid}` }, body: view(ledger, caller) };
      },
    }),
    route({
      method: 'GET',
      path: '/orders',
      summary: 'Orders, newest first, a page at a time',
      audience: 'customers',
      answer: z.object({ orders: z.array(trackedSchema(saga)), next_page: z.string().optional() }),
      example: { orders: [view(accepted, undefined)] },
      query: listSchema(saga),
      responses: {
        200: 'One page; next_page leads to the next',
        403: 'The orders of another customer than the token were asked for',
      },
      async handle({ query: { user: asked, status, limit, page }, caller }) {
        const user = customerAskedFor(caller, asked);
        const { orders, nextPage } = await listLedgers(saga, store, { user, status }, limit, page);
        return {
          status: 200,
          body: { orders: orders.map((one) => view(one, caller)), ...(nextPage && { next_page: nextPage }) },
        };
      },
    }),
  ];
}

/** A customer's key is the customer's own: nobody else can take it first. */
const keyOf = (caller: Caller | undefined, key: string): string =>
  caller?.kind === 'customer' ? JSON.stringify([caller.name, key]) : key;

function idempotencyKey(key: string | undefined): string | undefined {
  if (key === undefined || (/^[\x20-\x7e]+$/.test(key) && key.length <= KEY_LENGTH_MAX)) return key;
  const message = `must have 1 to ${KEY_LENGTH_MAX} printable ASCII characters`;
  throw invalidInput([{ field: 'Idempotency-Key', message }]);
}
