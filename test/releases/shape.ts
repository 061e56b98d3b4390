import { deadLetterPath } from '../../janitor/desk/letter.ts';
import { pipeline } from '../../pipeline.ts';
import { REDRIVE } from '../../saga/deliver/message.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { DEAD_LETTER_TOPIC, type Saga } from '../../saga/step/saga.ts';
import type { Subscriptions } from './play.ts';
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

/** A field, or a type of one, that the newest recorded release did not write and no definition declares. */
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
    const isOfRedrive = ([name]: [string, string]) => Object.values<string>(REDRIVE).includes(name);
    const all = Object.entries(attributes);
    enter(`attributes on ${topic}`, Object.fromEntries(all.filter((one) => !isOfRedrive(one))));
    // The desk sends letters back to any topic.
    if (all.some(isOfRedrive)) enter('attributes of a redrive', Object.fromEntries(all.filter(isOfRedrive)));
    enter(`data on ${topic}`, JSON.parse(data.toString()));
  }
  return new Map([...kinds].map(([kind, values]) => [kind, fieldsOf(values)]));
}

/** `inventory/widget/orders/…` is `inventory/{id}/orders/{id}`. */
function kindOf(path: string): string {
  const names = path.split('/');
  return names.map((name, index) => (index % 2 === 0 ? name : '{id}')).join('/');
}

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
  // What a customer gave as payment-error is theirs, whatever it is.
  if (field === 'payment-error') return yield [field, 'anything'];
  if (field !== '') yield [field, isCompared(field) ? `"${value}"` : typeOf(value)];
  if (value instanceof Date) return;
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

/** The words that steps have heard are compared, too. */
const isCompared = (field: string): boolean => COMPARED.has(field) || /^heard\.[^.]+\.word$/.test(field);

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
  // How often something was announced on one topic is no form.
  const form = text.replaceAll(UUID, '{uuid}').replace(/^(\{uuid\}\/.+)\/\d+$/, '$1/n');
  return form === '{uuid}' || form.startsWith('{uuid}/') ? form : 'text';
}

/** What to do about a shape that differs. */
const ADVICE =
  'Processes of the release before read and write the same documents during a rollout, and after a rollback: read both ' +
  'forms and write the old one for one release, or give the new one a name of its own. See docs/decisions/0012-upgrades.md';

const LEDGER = kindOf(ledgerPath('{uuid}'));
const LETTER = kindOf(deadLetterPath('{id}'));

/** The first name of a field: of `lines[].quantity` it is `lines`. */
const rootOf = (field: string): string => /^[^.[]*/.exec(field)?.[0] ?? '';

/** Whether it is a dead letter, at the desk or on its way there: which messages become one, the stories say by chance. */
const isLetter = (kind: string): boolean => kind === LETTER || kind.endsWith(` on ${DEAD_LETTER_TOPIC}`);

/** Whether a value names a topic, a subscription, a status or a service of the saga, as messages do. */
function isName(saga: Saga, type: string): boolean {
  const { topics, subscriptions } = topologyOf(saga);
  const words = [
    ...topics.flatMap((topic) => [topic, `${saga.name}.${topic}`]),
    ...Object.keys(subscriptions),
    ...saga.statuses,
    ...serviceNames(saga).map((name) => `/${saga.name}/${name}`),
  ];
  return words.some((word) => type === `"${word}"`) || topics.some((topic) => type === `{uuid}/${topic}`);
}

/**
 * Whether a definition itself says that something is written which a release before did not write: a status, a reason, a
 * field that a step learns, a topic, a service, or a document of a new kind. Processes of that release know none of it, and
 * leave such orders to those that do. What is there already and changes is never an addition by itself.
 */
function isDeclared(saga: Saga, before: Shape, kind: string, field: string, type: string): boolean {
  const { topics } = topologyOf(saga);
  const [room, topic = ''] = kind.split(' on ');
  const isNew = !before.has(kind);
  if (topics.includes(topic) && isNew) return true;
  if (saga.kinds.some(({ template }) => kindOf(template) === kind) && isNew) return true;
  const is = (name: string, values: readonly string[]) =>
    field === name && values.some((value) => type === `"${value}"`);
  if (isLetter(kind) && isName(saga, type)) return true;
  if (kind === LETTER) return false;
  if (room === 'attributes') {
    const services = serviceNames(saga).map((name) => `/${saga.name}/${name}`);
    return is('ce-source', services);
  }
  if (kind !== LEDGER && room !== 'data') return false;
  const learned = saga.steps.flatMap(({ learns, waits }) =>
    [learns, waits?.learns].flatMap((one) => Object.keys(one?.shape ?? {})),
  );
  const fields = [...(before.get(kind)?.keys() ?? [])];
  const known = fields.map(rootOf);
  // What the ledger keeps of a wait stands there under the name of the step.
  const [wait] = /^(waitsUntil|heard)\.[^.]+/.exec(field) ?? [];
  if (wait !== undefined)
    return (
      saga.steps.some(({ name, waits }) => waits !== undefined && wait.endsWith(`.${name}`)) &&
      !fields.some((one) => one === wait)
    );
  return (
    is('status', saga.statuses) ||
    is('reason', saga.reasons) ||
    (learned.includes(rootOf(field)) && !known.includes(rootOf(field)))
  );
}

/**
 * Whether it is no fault that letters don't show it any more: the saga still has the word, or a letter can't come from there,
 * because a service that reads behind a new step has another subscription.
 */
const isGone = (saga: Saga, kind: string, field: string, type: string): boolean =>
  isLetter(kind) && (isName(saga, type) || field === 'subscription');

/**
 * Which subscriptions have changed hands since a release, as sentences. Its processes read theirs on during a rollout, and
 * what waits in a subscription is for the service that it was made for.
 */
export function subscriptionFaults(
  release: string,
  before: Subscriptions,
  now: Subscriptions,
): readonly string[] {
  const who = (service?: string) => service ?? 'nobody but people';
  const faults: string[] = [];
  for (const [name, { topic, service }] of Object.entries(before)) {
    const present = now[name];
    if (present !== undefined && (present.topic !== topic || present.service !== service)) {
      faults.push(
        `${name} is on ${present.topic} for ${who(present.service)}; in ${release} it is on ${topic} for ${who(service)}`,
      );
    }
    const renamed = Object.entries(now).find(
      ([, one]) => one.topic === topic && one.service === service,
    )?.[0];
    if (present === undefined && renamed !== undefined) {
      faults.push(`${who(service)} reads ${topic} by ${renamed}; in ${release} it is ${name}`);
    }
  }
  return faults;
}

/**
 * What a release would no longer understand of what is written now, as sentences.
 * @param before the shape of the newest recorded release.
 * @param additions what is written besides, on purpose, and not declared by the saga that writes now.
 */
export function shapeFaults(
  release: string,
  before: Shape,
  now: Shape,
  additions: readonly Addition[],
  saga: Saga = pipeline,
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
        if (!present.types.has(type) && !isGone(saga, kind, field, type)) {
          faults.push(`${field} of ${kind} is never ${type} any more, as ${release} writes it. ${ADVICE}`);
        }
      }
    }
  }
  for (const [kind, fields] of now) {
    for (const [field, { types }] of fields) {
      for (const type of types) {
        if (before.get(kind)?.get(field)?.types.has(type) || isListed(kind, field, type)) continue;
        if (isDeclared(saga, before, kind, field, type)) continue;
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
  saga: Saga = pipeline,
): readonly Addition[] =>
  additions.filter(
    ({ kind, field, type }) =>
      isDeclared(saga, before, kind, field, type) ||
      before.get(kind)?.get(field)?.types.has(type) ||
      !now.get(kind)?.get(field)?.types.has(type),
  );
