import { z } from 'zod';
import { snapshotSchema } from '../saga/http/answers.ts';
import type { Saga } from '../saga/step/saga.ts';

/** A column of a table in BigQuery, as its API and Terraform take it. */
export interface Column {
  readonly name: string;
  readonly type: 'STRING' | 'INTEGER' | 'FLOAT' | 'BOOLEAN' | 'RECORD' | 'TIMESTAMP' | 'JSON';
  readonly mode: 'NULLABLE' | 'REPEATED';
  readonly fields?: readonly Column[];
}

const nullable = (name: string, type: Column['type']): Column => ({ name, type, mode: 'NULLABLE' });

/** What Pub/Sub writes beside the body; the attributes of a CloudEvent are in `attributes`. */
const METADATA: readonly Column[] = [
  nullable('subscription_name', 'STRING'),
  nullable('message_id', 'STRING'),
  nullable('publish_time', 'TIMESTAMP'),
  nullable('attributes', 'JSON'),
];

/**
 * The table of all events of a saga: what messages tell of an order, and their metadata. No column is required, because what
 * another program publishes need not have it. A field that Pub/Sub can't write into a table has no column.
 * https://docs.cloud.google.com/pubsub/docs/create-bigquery-subscription#use-table-schema
 */
export function bigqueryColumns(saga: Saga): readonly Column[] {
  const snapshot = z.toJSONSchema(snapshotSchema(saga), { io: 'input' }) as JsonSchema;
  return [...columnsOf(snapshot), ...METADATA];
}

/** As much of JSON Schema as snapshots need. */
interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** Pub/Sub writes into no column with another name, such as `payment-error`. */
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const columnsOf = ({ properties = {} }: JsonSchema): Column[] =>
  Object.entries(properties)
    .filter(([name]) => COLUMN_NAME.test(name))
    .map(([name, schema]) => columnOf(name, schema));

const SCALARS: Readonly<Record<string, Column['type']>> = {
  string: 'STRING',
  integer: 'INTEGER',
  number: 'FLOAT',
  boolean: 'BOOLEAN',
};

/** @throws Error for a field that has no type, or more than one. */
function columnOf(name: string, schema: JsonSchema): Column {
  const { type = '', items } = schema;
  if (type === 'array' && items !== undefined && items.type !== 'array')
    return { ...columnOf(name, items), mode: 'REPEATED' };
  if (type === 'object') return { ...nullable(name, 'RECORD'), fields: columnsOf(schema) };
  const scalar = SCALARS[type];
  if (scalar === undefined) throw new Error(`${name} of a message has no type that a column can have`);
  return nullable(name, scalar);
}
