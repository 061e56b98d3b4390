import { z } from 'zod';
import { DEAD_LETTERS, type DeadLetter } from '../janitor/desk/letter.ts';
import { LEDGERS, type LedgerFields } from '../saga/ledger/ledger.ts';
import type { DocumentKind, RecordKind } from '../saga/step/document.ts';
import type { Saga } from '../saga/step/saga.ts';

/**
 * Fields of every ledger whose value grows with time. An index on one of them alone would limit the ledgers to some 500 writes a
 * second (https://firebase.google.com/docs/firestore/solutions/shard-timestamp), so no index begins with one.
 */
const GROWING_OF_LEDGERS = [
  'createdAt',
  'movedAt',
  'sweepAt',
] as const satisfies readonly (keyof LedgerFields)[];
/** Other fields that no query uses: each index entry takes storage and makes each write slower. */
const LARGE_OF_LEDGERS = [
  'history',
  'trace',
  'detail',
  'waitsUntil',
  'heard',
  'rewritten',
  // Found by its composite index alone.
  'mentions',
] as const satisfies readonly (keyof LedgerFields)[];

/** The same for dead letters. */
const UNINDEXED_OF_LETTERS = [
  'createdAt',
  'attributes',
  'body',
  'history',
] as const satisfies readonly (keyof DeadLetter)[];

type Order = 'ASCENDING' | 'DESCENDING';

/**
 * Firestore's indexes, in the form of the Firebase CLI: composite indexes, and fields without an index of their own. The emulator
 * answers every query, but Firestore only those with an index; test/house/indexes.spec.ts compares this with the queries in the
 * code.
 */
export function firestoreIndexes(saga: Saga) {
  const ledgers = (
    where: readonly string[],
    by: keyof LedgerFields,
    order: Order,
    contains?: keyof LedgerFields,
  ) => composite(LEDGERS, where, by, order, contains);
  const letters = (where: readonly (keyof DeadLetter)[]) =>
    composite(DEAD_LETTERS, where, 'createdAt', 'DESCENDING');
  return {
    indexes: [
      // An index ordered by time begins with something that spreads: the shard, or a field by which orders are listed.
      ...['shard', ...saga.order.listedBy].flatMap((spread) => [
        ledgers([spread], 'createdAt', 'DESCENDING'),
        ledgers([spread, 'status'], 'createdAt', 'DESCENDING'),
      ]),
      ...(saga.order.mentions ? [ledgers(['shard'], 'createdAt', 'DESCENDING', 'mentions')] : []),
      ledgers(['shard'], 'sweepAt', 'ASCENDING'),
      ledgers(['shard'], 'movedAt', 'ASCENDING'),
      letters(['status']),
      letters(['reason', 'status']),
      letters(['uuid']),
    ],
    fieldOverrides: [
      ...[...GROWING_OF_LEDGERS, ...LARGE_OF_LEDGERS, ...unaskedFields(saga)].map((field) =>
        unindexed(LEDGERS, field),
      ),
      expiring(LEDGERS),
      ...recordOverrides(saga),
      ...UNINDEXED_OF_LETTERS.map((field) => unindexed(DEAD_LETTERS, field)),
      expiring(DEAD_LETTERS),
    ],
  };
}

/** The order of fields that must be equal does not matter to Firestore; here they are sorted. */
const composite = (
  collectionGroup: string,
  where: readonly string[],
  by: string,
  order: Order,
  contains?: string,
) => ({
  collectionGroup,
  queryScope: 'COLLECTION',
  fields: [
    ...(contains === undefined ? [] : [{ fieldPath: contains, arrayConfig: 'CONTAINS' as const }]),
    ...where.toSorted().map((fieldPath) => ({ fieldPath, order: 'ASCENDING' as const })),
    ...[by, '__name__'].map((fieldPath) => ({ fieldPath, order })),
  ],
});

const unindexed = (collectionGroup: string, fieldPath: string) => ({
  collectionGroup,
  fieldPath,
  indexes: [],
});

/** Documents are deleted when the moment in this field has come. */
const expiring = (collectionGroup: string) => ({ ...unindexed(collectionGroup, 'expireAt'), ttl: true });

/** The fields of a ledger that no query uses: what was asked, except fields by which orders are listed, and what was learned. */
const unaskedFields = (saga: Saga): string[] => [
  ...saga.orderFields.filter((field) => !saga.order.listedBy.includes(field)),
  ...saga.acts.flatMap(({ learns }) => Object.keys(learns.shape)),
];

/** Moments in records grow with time, as in ledgers. And no query uses what a record copies from the ledger. */
function recordOverrides(saga: Saga) {
  const copied = new Set(unaskedFields(saga));
  const overrides = saga.records.flatMap((kind) =>
    Object.entries(shapeOf(kind))
      .filter(([field, schema]) => copied.has(field) || isMoment(schema))
      .map(([field]) => unindexed(collectionOf(kind), field)),
  );
  // Kinds of records may share a collection's name. To Firestore they are then one collection group.
  return [...new Map(overrides.map((one) => [`${one.collectionGroup} ${one.fieldPath}`, one])).values()];
}

/** The collection of `users/{user}/orders/{uuid}` is `orders`. */
const collectionOf = ({ template }: RecordKind): string => template.split('/').at(-2) ?? '';

/** @throws Error if the documents of this kind are no objects with fields of their own. */
export function shapeOf({ name, schema }: DocumentKind): z.ZodRawShape {
  if (schema instanceof z.ZodObject) return schema.shape;
  throw new Error(`The schema of ${name} must be an object, so that its fields are known`);
}

function isMoment(schema: z.core.SomeType): boolean {
  const { innerType } = schema._zod.def as { innerType?: z.core.SomeType };
  return schema instanceof z.ZodDate || (innerType !== undefined && isMoment(innerType));
}
