import { readFileSync } from 'node:fs';
import { packageRoot } from '../../programs/config.ts';
import type { Body } from './configuration.ts';

/** What a block of the provider may hold. */
export interface BlockSchema {
  readonly attributes: Readonly<Record<string, AttributeSchema>>;
  readonly blocks: Readonly<Record<string, NestedSchema>>;
  /** What can be read besides; at the top of a resource only. */
  readonly computed?: readonly string[];
}

export interface AttributeSchema {
  readonly required?: true;
  readonly type: string;
  /** The only values, where the provider's documentation lists them. */
  readonly values?: readonly string[];
}

export interface NestedSchema extends BlockSchema {
  readonly required?: true;
  /** Whether it may stand there more than once. */
  readonly many?: true;
}

export interface ProviderSchema {
  readonly version: string;
  readonly provider: BlockSchema;
  readonly resource: Readonly<Record<string, BlockSchema>>;
  readonly data: Readonly<Record<string, BlockSchema>>;
}

export const providerSchemaFile = new URL('test/terraform/provider-schema.json', packageRoot);

export const readProviderSchema = (): ProviderSchema =>
  JSON.parse(readFileSync(providerSchemaFile, 'utf8')) as ProviderSchema;

/** What Terraform itself understands in every resource. */
const META_ARGUMENTS = ['for_each', 'count', 'depends_on', 'lifecycle'];

/**
 * What is wrong with a body by its schema: names that do not exist, arguments in the place of blocks and the other way
 * round, what is missing, blocks that may stand there once, values that are not on the list.
 * @returns one sentence a fault.
 */
export function faultsOf(body: Body, schema: BlockSchema, place: string): string[] {
  const { dynamic = {}, ...given } = body as Body & { dynamic?: Record<string, { content: Body[] }[]> };
  const nested = [
    ...Object.entries(given).filter(([name]) => name in schema.blocks),
    ...Object.entries(dynamic).map(([name, blocks]) => [name, blocks.flatMap(({ content }) => content)]),
  ] as [string, unknown][];
  const names = new Set([...Object.keys(given), ...Object.keys(dynamic)]);
  const required = Object.entries({ ...schema.attributes, ...schema.blocks }).flatMap(([name, one]) =>
    one.required ? [name] : [],
  );
  return [
    ...[...names]
      .filter((name) => !(name in schema.attributes) && !(name in schema.blocks))
      .map((name) => `${place} knows no ${name}`),
    ...required.filter((name) => !names.has(name)).map((name) => `${place} needs ${name}`),
    ...Object.entries(given).flatMap(([name, value]) =>
      attributeFaults(value, schema.attributes[name], `${place}.${name}`),
    ),
    ...nested.flatMap(([name, blocks]) => blockFaults(blocks, schema.blocks[name], `${place}.${name}`)),
  ];
}

export const resourceFaults = (body: Body, schema: BlockSchema, place: string): string[] =>
  faultsOf(
    Object.fromEntries(Object.entries(body).filter(([name]) => !META_ARGUMENTS.includes(name))),
    schema,
    place,
  );

function attributeFaults(value: unknown, schema: AttributeSchema | undefined, place: string): string[] {
  if (schema === undefined) return [];
  if (Array.isArray(value) && value.some(isBody) && !/List|Map/i.test(schema.type)) {
    return [`${place} is an argument, not a block`];
  }
  const isLiteral = typeof value === 'string' && !value.includes('${');
  if (isLiteral && schema.values && !schema.values.includes(value)) {
    return [`${place} is ${value}, which is none of ${schema.values.join(', ')}`];
  }
  return [];
}

function blockFaults(blocks: unknown, schema: NestedSchema | undefined, place: string): string[] {
  if (schema === undefined) return [];
  if (!Array.isArray(blocks) || !blocks.every(isBody)) return [`${place} is a block, not an argument`];
  return [
    ...(blocks.length > 1 && !schema.many ? [`${place} may stand there once`] : []),
    ...blocks.flatMap((block) => faultsOf(block, schema, place)),
  ];
}

const isBody = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
