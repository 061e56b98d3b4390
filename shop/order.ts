import { z } from 'zod';

/**
 * What a customer may ask for, and the one place where it is checked. Used for HTTP bodies and for messages
 * that were published without the frontend; behind it an order is believed.
 */

/** One line of an order. `price_per_unit` is known once the stock is reserved: minor units of the currency. */
export interface Line {
  readonly item: string;
  readonly quantity: number;
  readonly price_per_unit?: number;
}

export interface Order {
  readonly user: string;
  readonly items: readonly Line[];
  /** Asks for the payment to be refused. The value as it was given, as JSON text: null counts, too. */
  readonly paymentError?: string;
}

export const LINES_MAX = 50;
export const QUANTITY_MAX = 1_000_000_000;
export const NAME_LENGTH_MAX = 128;
const PAYMENT_ERROR_LENGTH_MAX = 64 * 1024;

/** A fault in the input, in the customer's words: which field, and what to do about it. */
export interface InputFault {
  readonly field: string;
  readonly message: string;
}

/**
 * Names become document ids: what Firestore reserves or would take for another path is refused.
 * https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
 */
function nameFault(name: string): string | undefined {
  const length = [...name].length;
  if (length < 1 || length > NAME_LENGTH_MAX) return `must have 1 to ${NAME_LENGTH_MAX} characters`;
  if (name.includes('/')) return 'must not contain "/"';
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters';
  if (/\p{Cs}/u.test(name)) return 'must be well-formed Unicode (it has half of a surrogate pair)';
  if (name === '.' || name === '..' || /^__.*__$/su.test(name)) return 'is a reserved name';
  return undefined;
}

/** Whether a text can be the name of an item or a user, and so the id of a document. */
export const isName = (text: string): boolean => nameFault(text) === undefined;

/** The name of an item or a user. */
export const nameSchema = z
  .string({ error: 'must be text' })
  .meta({ minLength: 1, maxLength: NAME_LENGTH_MAX, pattern: '^[^/]+$' })
  .check((context) => {
    const fault = nameFault(context.value);
    if (fault) context.issues.push({ code: 'custom', message: fault, input: context.value });
  });

const quantityFault = `must be a whole number from 1 to ${QUANTITY_MAX}`;
const quantitySchema = z
  .int({ error: quantityFault, abort: true })
  .min(1, { error: quantityFault })
  .max(QUANTITY_MAX, { error: quantityFault });

const lineSchema = z.strictObject(
  { item: nameSchema, quantity: quantitySchema },
  { error: faultOfObject('must be an object with item and quantity') },
);

/** An order as it is posted: one line as `item` and `quantity`, or several as `items`. */
export const orderSchema = z
  .strictObject(
    {
      user: nameSchema,
      item: nameSchema.optional(),
      quantity: quantitySchema.optional(),
      items: z
        .array(lineSchema, { error: 'must be a list of {item, quantity}' })
        .min(1, { error: 'must have at least one line' })
        .max(LINES_MAX, { error: `must have at most ${LINES_MAX} lines` })
        .optional(),
      'payment-error': z.unknown().optional(),
    },
    { error: faultOfObject('must be a JSON object') },
  )
  .meta({ oneOf: [{ required: ['item', 'quantity'] }, { required: ['items'] }] })
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
      for (const item of itemsNamedTwice(value.items)) {
        fault('items', `names ${JSON.stringify(item)} twice: add the quantities up`);
      }
    },
    // Also where single fields are wrong, so that the answer names every fault at once.
    { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  )
  .transform((input): Order => {
    const items = input.items ?? [{ item: input.item as string, quantity: input.quantity as number }];
    const order = { user: input.user, items };
    return 'payment-error' in input
      ? { ...order, paymentError: jsonText(input['payment-error']) as string }
      : order;
  });

/** Every item that stands in more than one line. Other rules name what else is wrong with the lines. */
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

/** A value as JSON text; undefined where it is too long, or nested too deeply to be written. */
function jsonText(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    return text.length <= PAYMENT_ERROR_LENGTH_MAX ? text : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What is wrong with an object as such: its type, or fields that nobody knows. */
export function faultOfObject(wrongType: string) {
  return (issue: { code?: string | undefined; keys?: unknown }) =>
    issue.code === 'unrecognized_keys'
      ? `has unknown fields: ${(issue.keys as string[]).map((key) => key.slice(0, NAME_LENGTH_MAX)).join(', ')}`
      : wrongType;
}

/** Either the order, or every fault that it has. */
export type ParsedOrder = { readonly order: Order } | { readonly faults: readonly InputFault[] };

/** Checks an order as a customer posts it. */
export function parseOrder(input: unknown): ParsedOrder {
  const parsed = orderSchema.safeParse(input, { reportInput: true });
  return parsed.success ? { order: parsed.data } : { faults: inputFaults(parsed.error) };
}

/**
 * Checks an order inside a message. Messages carry more than the order (a snapshot has a status, and `item`
 * beside `items`), so what does not belong to it is passed over.
 */
export function parseOrderOfMessage(body: Record<string, unknown>): ParsedOrder {
  const fields = ['user', 'payment-error', ...(body.items === undefined ? ['item', 'quantity'] : ['items'])];
  const input = Object.fromEntries(Object.entries(body).filter(([field]) => fields.includes(field)));
  if (Array.isArray(input.items)) input.items = input.items.map(withoutPrice);
  return parseOrder(input);
}

function withoutPrice(line: unknown): unknown {
  if (typeof line !== 'object' || line === null) return line;
  const { price_per_unit: _, ...rest } = line as Record<string, unknown>;
  return rest;
}

/**
 * The faults that zod found, as field and sentence. The field of the whole input is `body`.
 * @param error of a parse with `reportInput`: without the input, what is wrong looks like what is missing.
 */
export function inputFaults(error: z.ZodError): InputFault[] {
  return error.issues.map((issue) => ({
    field:
      issue.path.reduce<string>(
        (field, key) =>
          typeof key === 'number' ? `${field}[${key}]` : field ? `${field}.${String(key)}` : String(key),
        '',
      ) || 'body',
    message: issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : issue.message,
  }));
}

/** Whether two orders ask for the same. Prices that were learned on the way don't count. */
export function sameOrder(one: Order, other: Order): boolean {
  return (
    one.user === other.user &&
    one.paymentError === other.paymentError &&
    one.items.length === other.items.length &&
    one.items.every((line, index) => {
      const otherLine = other.items[index];
      return line.item === otherLine?.item && line.quantity === otherLine.quantity;
    })
  );
}
