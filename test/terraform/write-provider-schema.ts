import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfiguration } from './configuration.ts';
import { assigned, type Literal, literal, type Place, partsOf, returned, sourceOf } from './go-literals.ts';
import {
  type AttributeSchema,
  type BlockSchema,
  type NestedSchema,
  providerSchemaFile,
} from './provider-schema.ts';

/**
 * Writes the part of the provider's schema that our Terraform uses, so that tests can check names and shapes without
 * the provider. The source is the provider's own, which declares its schemas as literals:
 *
 *   git clone --depth 1 --branch v7.45.0 https://github.com/hashicorp/terraform-provider-google provider
 *   npm run -s build && node dist/test/terraform/write-provider-schema.js provider && npm run format
 *
 * To be run again when a resource is used for the first time, or the provider's version changes.
 */

const [folder] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Usage: node dist/test/terraform/write-provider-schema.js FOLDER_OF_THE_PROVIDER');
const packages = join(folder, 'google');

/** Follows names and calls to the literal that they stand for. */
function resolved(expression: string, place: Place): Merged {
  const found = literal(expression, place);
  if (found !== undefined) return found;
  if (/^\w+$/.test(expression)) return resolved(...assigned(expression, place));
  const [, of] = /^([\s\S]*)\.Schema$/.exec(expression) ?? [];
  if (of !== undefined) return schemasOf(resolved(of, place));
  const [, from, name = '', given = ''] = /^(?:(\w+)\.)?(\w+)\(([\s\S]*)\)$/.exec(expression) ?? [];
  if (name === 'MergeSchemas') return merged(partsOf(given).map((one) => resolved(one, place)));
  if (name === 'DatasourceSchemaFromResourceSchema') return onlyRead(resolved(given, place), place);
  const callee = from === undefined ? place.folder : join(packages, from);
  return resolved(...returned(callee, name, { expressions: partsOf(given), place }));
}

/** The schemas of a resource's members. */
const schemasOf = (resource: Merged): Merged =>
  resource.places === undefined && resource.members.has('Schema')
    ? resolved(resource.members.get('Schema') ?? '', resource.place)
    : resource;

/** Literals that became one: each member is from a place of its own. */
interface Merged extends Literal {
  readonly places?: ReadonlyMap<string, Place>;
}
const merged = (all: readonly Merged[]): Merged => ({
  members: new Map(all.flatMap(({ members }) => [...members])),
  place: { folder: packages },
  places: new Map(
    all.flatMap(({ members, place, places }) =>
      [...members.keys()].map((name) => [name, places?.get(name) ?? place] as const),
    ),
  ),
});

/** Of a data source that reads a resource, only what is said afterwards is asked for. */
function onlyRead({ members, place }: Merged, { body = '' }: Place): Literal {
  const asked = (how: string) =>
    [...body.matchAll(new RegExp(`Add${how}FieldsToSchema\\(\\w+, ([^)]*)\\)`, 'g'))].flatMap(
      ([, names = '']) => names.match(/\w+/g) ?? [],
    );
  const [optional, required] = [asked('Optional'), asked('Required')];
  const changed = [...members].map(([name, schema]) => {
    const { members: own } = resolved(schema, place);
    const use = required.includes(name) ? 'Required' : optional.includes(name) ? 'Optional' : 'Computed';
    return [name, `{ Type: ${own.get('Type')}, ${use}: true }`] as const;
  });
  return { members: new Map(changed), place };
}

const typeOf = (schema: Pick<Literal, 'members'> | undefined): string =>
  /^schema\.Type(\w+)$/.exec(schema?.members.get('Type') ?? '')?.[1] ?? '';
const TYPES: Readonly<Record<string, string>> = {
  String: 'string',
  Bool: 'boolean',
  Int: 'number',
  Float: 'number',
  Map: 'stringMap',
};

function schemaOf(all: Merged, isTop = false): BlockSchema & { computed: string[] } {
  const attributes: Record<string, AttributeSchema> = {};
  const blocks: Record<string, NestedSchema> = {};
  const computed = isTop ? ['id'] : [];
  for (const [name, written] of [...all.members].sort(([one], [other]) => (one < other ? -1 : 1))) {
    // Addresses of hundreds of APIs, for people who run Google themselves.
    if (name.endsWith('_custom_endpoint')) continue;
    const { members, place } = resolved(written, all.places?.get(name) ?? all.place);
    const is = (what: string) => members.get(what) === 'true';
    const required = is('Required') ? { required: true as const } : {};
    const elements = members.has('Elem') ? resolved(members.get('Elem') ?? '', place) : undefined;
    const type = typeOf({ members });
    if (!is('Required') && !is('Optional')) {
      computed.push(name);
    } else if (elements?.members.has('Schema') && !members.get('ConfigMode')?.endsWith('Attr')) {
      const { computed: _, ...nested } = schemaOf(schemasOf(elements));
      blocks[name] = {
        ...required,
        ...(members.get('MaxItems') !== '1' && { many: true as const }),
        ...nested,
      };
    } else if (!(isTop && name === 'id')) {
      const values = /Possible values: \[(.*?)\]/.exec(members.get('Description') ?? '')?.[1];
      const known =
        type === 'List' || type === 'Set' ? `${TYPES[typeOf(elements)] ?? 'object'}List` : TYPES[type];
      if (known === undefined) throw new Error(`${name} has the type ${type}, which is not known here`);
      attributes[name] = {
        ...required,
        type: known,
        ...(values && { values: values.split(',').map((one) => one.replaceAll(/[\\"\s]/g, '')) }),
      };
    }
  }
  return { attributes, blocks, computed: [...new Set(computed)].sort() };
}

/** Where a resource or a data source is registered, and with what. */
function topLevelSchema(type: string, isData = false): BlockSchema {
  for (const name of readdirSync(join(packages, 'services'))) {
    const place = { folder: join(packages, 'services', name) };
    if (!sourceOf(place.folder).includes(`"${type}"`)) continue;
    for (const [, text = ''] of sourceOf(place.folder).matchAll(
      /\bregistry\.Schema(\{[\s\S]*?\n\t\})\.Register/g,
    )) {
      const registered = literal(text, place)?.members;
      if (registered?.get('Name') !== `"${type}"`) continue;
      if (registered.get('Type')?.endsWith('DataSource') !== isData) continue;
      return schemaOf(schemasOf(resolved(registered.get('Schema') ?? '', place)), true);
    }
  }
  throw new Error(`The provider registers no ${type}`);
}

function providerSchema(): BlockSchema {
  const place = { folder: join(packages, 'provider') };
  const { members } = resolved(...assigned('provider', { ...place, body: sourceOf(place.folder) }));
  const schema = schemaOf(resolved(members.get('Schema') ?? '', place));
  return { ...schema, attributes: { ...schema.attributes, alias: { type: 'string' } } };
}

const { resource, data } = await readConfiguration();
const google = (types: object) =>
  Object.keys(types)
    .filter((type) => type.startsWith('google_'))
    .sort();
const tag = execFileSync('git', ['-C', folder, 'describe', '--tags', '--exact-match'], { encoding: 'utf8' });
const schema = {
  version: tag.trim().replace(/^v/, ''),
  provider: providerSchema(),
  resource: Object.fromEntries(google(resource).map((type) => [type, topLevelSchema(type)])),
  data: Object.fromEntries(google(data).map((type) => [type, topLevelSchema(type, true)])),
};
writeFileSync(providerSchemaFile, JSON.stringify(schema));
