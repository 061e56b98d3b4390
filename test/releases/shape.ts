import type { Recording } from './recording.ts';

/** The stored shape: which fields the documents and messages of a release have, and of which types. */

/** By kind of document or message, such as `sagas/{id}`, and by field, such as `items[].quantity`. */
export type Shape = ReadonlyMap<string, ReadonlyMap<string, FieldShape>>;

export interface FieldShape {
  /** What is found there. Where programs compare what stands there, such as a status, each value is a type of its own. */
  readonly types: ReadonlySet<string>;
  /** Whether the field is in everything of its kind. */
  readonly isAlwaysThere: boolean;
}

/** A field, or a type of one, that the newest recorded release did not write. */
export interface Addition {
  readonly kind: string;
  readonly field: string;
  readonly type: string;
  /** Why the processes of that release can live with it. */
  readonly why: string;
}

export function shapeOf({ documents, messages }: Pick<Recording, 'documents' | 'messages'>): Shape {
  const kinds = new Map<string, object[]>();
  const enter = (kind: string, value: object) => kinds.set(kind, [...(kinds.get(kind) ?? []), value]);
  for (const [path, fields] of documents) enter(kindOf(path), fields);
  // Messages that strangers have published are no business of ours.
  for (const { topic, attributes, data } of messages.filter((message) => message.attributes['ce-type'])) {
    enter(`attributes on ${topic}`, attributes);
    enter(`data on ${topic}`, JSON.parse(data.toString()));
  }
  return new Map([...kinds].map(([kind, values]) => [kind, fieldsOf(values)]));
}

/** `inventory/widget/orders/…` is `inventory/{id}/orders/{id}`. */
const kindOf = (path: string): string =>
  path
    .split('/')
    .map((name, index) => (index % 2 === 0 ? name : '{id}'))
    .join('/');

function fieldsOf(values: readonly object[]): ReadonlyMap<string, FieldShape> {
  const found = new Map<string, { types: Set<string>; count: number }>();
  for (const value of values) {
    const fields = new Set<string>();
    for (const [field, type] of leavesOf(value)) {
      const entry = found.get(field) ?? { types: new Set(), count: 0 };
      found.set(field, entry);
      entry.types.add(type);
      if (!fields.has(field)) entry.count++;
      fields.add(field);
    }
  }
  return new Map(
    [...found].map(([field, { types, count }]) => [field, { types, isAlwaysThere: count === values.length }]),
  );
}

/** Every field of a value and the type of what stands there; those of lists and objects as well as what is in them. */
function* leavesOf(value: unknown, field = ''): Iterable<[field: string, type: string]> {
  if (field !== '') yield [field, COMPARED.has(field) ? `"${value}"` : typeOf(value)];
  // What a customer gave as payment-error is theirs, whatever it is.
  if (field === 'payment-error' || value instanceof Date) return;
  if (Array.isArray(value)) {
    for (const member of value) yield* leavesOf(member, `${field}[]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      yield* leavesOf(member, field === '' ? name : `${field}.${name}`);
    }
  }
}

/** Fields whose values programs compare. */
const COMPARED = new Set([
  'status',
  'encoding',
  'topic',
  'subscription',
  'ce-specversion',
  'ce-type',
  'ce-source',
  'content-type',
]);

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Date) return 'Date';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' ? typeOfText(value) : typeof value;
}

/** Texts that programs read have a form: reasons in capitals, moments, uuids, and lines that begin with a moment. */
function typeOfText(text: string): string {
  if (/^[A-Z_]+$/.test(text)) return `"${text}"`;
  const [first = '', second, third, ...rest] = text.split(' ');
  if (MOMENT.test(first)) {
    const words = [second, third].filter((word) => word !== undefined).map(() => 'word');
    return ['moment', ...words, ...(rest.length > 0 ? ['…'] : [])].join(' ');
  }
  const form = text.replaceAll(UUID, '{uuid}');
  return form === '{uuid}' || form.startsWith('{uuid}/') ? form : 'text';
}

/** What to do about a shape that differs. */
const ADVICE =
  'Processes of the release before read and write the same documents during a rollout, and after a rollback: read both ' +
  'forms and write the old one for one release, or give the new one a name of its own. See docs/decisions/0012-upgrades.md';

/**
 * What a release would no longer understand of what is written now, as sentences.
 * @param before the shape of the newest recorded release.
 * @param additions what is written besides, on purpose.
 */
export function shapeFaults(
  release: string,
  before: Shape,
  now: Shape,
  additions: readonly Addition[],
): readonly string[] {
  const faults: string[] = [];
  const isListed = (kind: string, field: string, type: string) =>
    additions.some((one) => one.kind === kind && one.field === field && one.type === type);
  for (const [kind, fields] of before) {
    for (const [field, { types, isAlwaysThere }] of fields) {
      const present = now.get(kind)?.get(field);
      if (present === undefined) {
        faults.push(`${kind} has no ${field} any more, which ${release} writes. ${ADVICE}`);
        continue;
      }
      if (isAlwaysThere && !present.isAlwaysThere) {
        faults.push(`${kind} does not always have ${field}, which ${release} always writes. ${ADVICE}`);
      }
      for (const type of types) {
        if (!present.types.has(type)) {
          faults.push(`${field} of ${kind} is never ${type} any more, as ${release} writes it. ${ADVICE}`);
        }
      }
    }
  }
  for (const [kind, fields] of now) {
    for (const [field, { types }] of fields) {
      for (const type of types) {
        if (before.get(kind)?.get(field)?.types.has(type) || isListed(kind, field, type)) continue;
        const what = before.get(kind)?.has(field)
          ? `${field} of ${kind} is now`
          : `${kind} has a new ${field},`;
        faults.push(
          `${what} ${type}, which ${release} does not know. ${ADVICE}, and list it in test/releases/additions.ts`,
        );
      }
    }
  }
  return faults;
}

/** What is listed but is no addition: a list that is not true protects nobody. */
export const needlessAdditions = (
  before: Shape,
  now: Shape,
  additions: readonly Addition[],
): readonly Addition[] =>
  additions.filter(
    ({ kind, field, type }) =>
      before.get(kind)?.get(field)?.types.has(type) || !now.get(kind)?.get(field)?.types.has(type),
  );
