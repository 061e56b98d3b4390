import { z } from 'zod';
import { inputFaults } from '../saga/input/input-faults.ts';
import { isName, nameSchema } from '../saga/input/name.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { ORCHESTRATION, type OrderKind, type ParsedOrder } from '../saga/step/saga.ts';
import { agreedLines, money, namesEachItemOnce, type PricedLine, pricedLines, totalOf } from './lines.ts';

/**
 * What a customer may order, and the one place where that is checked, for HTTP bodies and for messages that were published
 * without the frontend. After this check an order is believed.
 */

export type Order = Readonly<z.infer<typeof storedSchema>>;
/** One line of an order. */
export type Line = Order['items'][number];

export const LINES_MAX = 50;
export const QUANTITY_MAX = 1_000_000_000;
const PAYMENT_ERROR_LENGTH_MAX = 64 * 1024;

const quantityFault = `must be a whole number from 1 to ${QUANTITY_MAX}`;
const quantitySchema = z
  .int({ error: quantityFault, abort: true })
  .min(1, { error: quantityFault })
  .max(QUANTITY_MAX, { error: quantityFault });

const lineSchema = z.strictObject(
  { item: nameSchema, quantity: quantitySchema },
  { error: 'must be an object with item and quantity' },
);

/** The kernel knows whether there is such a step. */
const failSchema = z.string({ error: 'must be the name of a step' });

const LINES_EXAMPLE = [
  { item: 'widget', quantity: 2 },
  { item: 'wotsit', quantity: 1 },
];

/** The lines of an order. */
export const linesSchema = z
  .array(lineSchema, { error: 'must be a list of {item, quantity}' })
  .min(1, { error: 'must have at least one line' })
  .max(LINES_MAX, { error: `must have at most ${LINES_MAX} lines` })
  .meta({ examples: [LINES_EXAMPLE] });

const modeSchema = z.literal(ORCHESTRATION, { error: 'must be "orchestration", or left out' });
const onShortageSchema = z.literal('ask', { error: 'must be "ask", or left out' });

export const ORDER_EXAMPLES = [
  { user: 'jack', item: 'widget', quantity: 2 },
  { user: 'jack', items: LINES_EXAMPLE, on_shortage: 'ask' },
] as const;

/** An order as it is posted: one line as `item` and `quantity`, or several as `items`. */
export const orderSchema = z
  .strictObject(
    {
      user: nameSchema,
      item: nameSchema.optional(),
      quantity: quantitySchema.optional(),
      items: linesSchema.optional(),
      on_shortage: onShortageSchema.optional(),
      mode: modeSchema.optional(),
      'payment-error': z.unknown().optional(),
      fail: failSchema.optional(),
    },
    { error: 'must be a JSON object' },
  )
  .meta({
    oneOf: [{ required: ['item', 'quantity'] }, { required: ['items'] }],
    examples: [...ORDER_EXAMPLES],
  })
  .superRefine(
    (value, context) => {
      const fault = (field: string, message: string) =>
        context.addIssue({ code: 'custom', path: [field], message, input: value });
      if ('payment-error' in value && jsonText(value['payment-error']) === undefined) {
        fault(
          'payment-error',
          `must take at most ${PAYMENT_ERROR_LENGTH_MAX} characters of JSON, not deeply nested`,
        );
      }
      if (value.items === undefined) {
        if (value.item === undefined && value.quantity === undefined) {
          fault('items', 'is missing: give item and quantity, or items');
        } else if (value.item === undefined) fault('item', 'is missing');
        else if (value.quantity === undefined) fault('quantity', 'is missing');
        return;
      }
      if (value.item !== undefined) fault('item', 'give either item and quantity, or items, not both');
      if (value.quantity !== undefined)
        fault('quantity', 'give either item and quantity, or items, not both');
      for (const sentence of repetitionsIn(value.items)) fault('items', sentence);
    },
    // Even if single fields are wrong, so that the answer names every fault at once.
    { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  )
  .transform((input): Order => {
    const items = input.items ?? [{ item: input.item as string, quantity: input.quantity as number }];
    const { user, on_shortage, mode, fail } = input;
    const order = {
      user,
      items,
      ...(on_shortage !== undefined && { on_shortage }),
      ...(mode !== undefined && { mode }),
      ...(fail !== undefined && { fail }),
    };
    return 'payment-error' in input
      ? { ...order, paymentError: jsonText(input['payment-error']) as string }
      : order;
  });

/** Every item with more than one line. Other rules name what else is wrong with the lines. */
function itemsNamedTwice(lines: unknown): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const line of Array.isArray(lines) ? lines : []) {
    const item: unknown = line?.item;
    if (typeof item !== 'string' || !isName(item)) continue;
    (seen.has(item) ? twice : seen).add(item);
  }
  return twice;
}

const repetitionsIn = (lines: unknown): string[] =>
  [...itemsNamedTwice(lines)].map((item) => `names ${JSON.stringify(item)} twice: add the quantities up`);

/** Lines of which no two name the same item. */
export const distinctLines = linesSchema.superRefine((lines, context) => {
  for (const message of repetitionsIn(lines)) context.addIssue({ code: 'custom', message, input: lines });
});

/** A value as JSON text; undefined if it is too long, or nested too deeply. */
function jsonText(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    return text.length <= PAYMENT_ERROR_LENGTH_MAX ? text : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Checks an order as a customer posts it. */
export function parseOrder(input: unknown): ParsedOrder<Order> {
  const parsed = orderSchema.safeParse(input, { reportInput: true });
  return parsed.success ? { order: parsed.data } : { faults: inputFaults(parsed.error) };
}

/**
 * Checks an order inside a message. Messages carry more than the order (a snapshot has a status, and `item` beside
 * `items`), so other fields are ignored.
 */
function parseOrderOfMessage(body: Readonly<Record<string, unknown>>): ParsedOrder<Order> {
  const snapshot = parseSnapshot(body);
  if (snapshot !== undefined) return { order: snapshot };
  const lines = body.items === undefined ? ['item', 'quantity'] : ['items'];
  const fields = ['user', 'on_shortage', 'mode', 'payment-error', 'fail', ...lines];
  const input = Object.fromEntries(Object.entries(body).filter(([field]) => fields.includes(field)));
  if (Array.isArray(input.items)) input.items = input.items.map(withoutPrice);
  return parseOrder(input);
}

const SNAPSHOT_LINE = new Set(['item', 'quantity', 'price_per_unit']);

/** Nearly every message has a snapshot of an order that was checked before, so a look at its fields is enough. */
function parseSnapshot(body: Readonly<Record<string, unknown>>): Order | undefined {
  if ('payment-error' in body) return undefined;
  const parsed = snapshotSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const lines = body.items as object[];
  return lines.every((line) => Object.keys(line).every((field) => SNAPSHOT_LINE.has(field)))
    ? parsed.data
    : undefined;
}

function withoutPrice(line: unknown): unknown {
  if (typeof line !== 'object' || line === null) return line;
  const { price_per_unit: _, ...rest } = line as Record<string, unknown>;
  return rest;
}

/** An order as the ledger keeps it; it never changes. */
const storedSchema = z.object({
  user: nameSchema,
  items: z
    .array(z.object({ item: nameSchema, quantity: quantitySchema }))
    .min(1)
    .max(LINES_MAX)
    .refine(namesEachItemOnce, 'names an item twice')
    .readonly(),
  /** Asks for the payment to be refused: the given value as JSON text. Any value counts, even null. */
  paymentError: z.string().refine(isJson, 'is not JSON').exactOptional(),
  /** What to do if only a part is there: ask, instead of refusing the order. */
  on_shortage: onShortageSchema.exactOptional(),
  mode: modeSchema.exactOptional(),
  /** The step that is to refuse it. */
  fail: failSchema.exactOptional(),
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const snapshotSchema = storedSchema.omit({ paymentError: true });

/** The parts of a ledger that people see. */
export type ShopLedger = Ledger<
  Order,
  {
    readonly offered: readonly PricedLine[];
    readonly lines: readonly PricedLine[];
    readonly delivery_cost: number;
    readonly charged: number;
  }
>;

/** What can be ordered here. */
export const order: OrderKind<Order> = {
  schema: storedSchema,
  listedBy: ['user'],
  mentions: ({ items }) => items.map(({ item }) => item),
  ownedBy: 'user',
  failsAt: 'fail',
  modeIn: 'mode',
  parse: parseOrderOfMessage,
  shown: {
    user: nameSchema.optional(),
    item: nameSchema.optional(),
    quantity: quantitySchema.optional(),
    items: z.array(pricedLines.element.partial({ price_per_unit: true })),
    'payment-error': z.unknown().optional(),
    on_shortage: onShortageSchema.optional(),
    mode: modeSchema.optional(),
    fail: failSchema.optional(),
    total_invoice: money.optional(),
    delivery_cost: money.optional(),
  },
  shows({
    user,
    items = [],
    offered,
    heard = {},
    lines,
    delivery_cost,
    on_shortage,
    mode,
    paymentError,
    fail,
  }: ShopLedger) {
    // Only an amendment carries lines. The order holds what it leaves before the step has decided again.
    const amendment = Object.values(heard).find((word) => 'items' in word);
    const [line, ...others] = items;
    const single = others.length === 0 ? line : undefined;
    return {
      user,
      item: single?.item,
      quantity: single?.quantity,
      items: lines ?? (offered && agreedLines(offered, amendment)) ?? items,
      on_shortage,
      mode,
      'payment-error': paymentError === undefined ? undefined : JSON.parse(paymentError),
      fail,
      total_invoice: delivery_cost === undefined || lines === undefined ? undefined : totalOf(lines),
      delivery_cost,
    };
  },
};
