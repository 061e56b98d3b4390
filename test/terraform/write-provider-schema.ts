import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfiguration } from './configuration.ts';
import {
  type AttributeSchema,
  type BlockSchema,
  type NestedSchema,
  providerSchemaFile,
} from './provider-schema.ts';

/**
 * Writes the part of the provider's schema that our Terraform uses, so that tests can check names and shapes without
 * the provider. The source is a package that Google's provider was translated into, attribute by attribute:
 *
 *   npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz
 *   npm run -s build && node dist/test/terraform/write-provider-schema.js package && npm run format
 *
 * To be run again when a resource is used for the first time, or the provider's version changes. The package is no
 * dependency of the project.
 */

const [folder] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Usage: node dist/test/terraform/write-provider-schema.js FOLDER_OF_THE_PACKAGE');

interface Source {
  readonly code: string;
  readonly types: string;
}

const sourceOf = (name: string): Source => ({
  code: readFileSync(join(folder, 'lib', name, 'index.js'), 'utf8'),
  types: readFileSync(join(folder, 'lib', name, 'index.d.ts'), 'utf8'),
});

/** google_pubsub_topic lives in lib/pubsub-topic, the data source of the same name in lib/data-google-pubsub-topic. */
const folderOf = (type: string): string => type.replace(/^google_/, '').replaceAll('_', '-');

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly isBlock: boolean;
  readonly type: string;
}

function entriesIn(code: string): Entry[] {
  const entry =
    /^\s+(\w+): \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(.*)",/gm;
  return [...code.matchAll(entry)].map(([, name = '', value = '', isBlock, , type = '']) => ({
    name,
    value,
    isBlock: isBlock === 'true',
    type,
  }));
}

/** The text from a mark to the next line that closes on the same level. */
function section(text: string, mark: string, end: string): string {
  const start = text.indexOf(mark);
  if (start === -1) throw new Error(`There is no "${mark}" in the package: its shape has changed`);
  return text.slice(start, text.indexOf(end, start));
}

/** @param isTop whether it is a resource itself: its id is Google's to give. */
function schemaOf(source: Source, code: string, interfaceName: string, isTop = false): BlockSchema {
  const properties = section(source.types, `export interface ${interfaceName} `, '\n}');
  const attributes: Record<string, AttributeSchema> = {};
  const blocks: Record<string, NestedSchema> = {};
  for (const { name, value, isBlock, type } of entriesIn(code)) {
    // Addresses of hundreds of APIs, for people who run Google themselves.
    if (name.endsWith('_custom_endpoint')) continue;
    const property = /(?:struct\.|this\._)(\w+)/.exec(value)?.[1] ?? '';
    const declared = new RegExp(
      `((?:/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\s*)?)readonly ${property}(\\??): ?(.*)`,
    ).exec(properties);
    if (declared === null) throw new Error(`${interfaceName} declares no ${property}`);
    const [, comment = '', optional, declaredType = ''] = declared;
    const required = optional === '' ? { required: true as const } : {};
    const structure = /(?<!cdktf\.)\b(\w+)ToHclTerraform\b/.exec(
      value.replaceAll(/cdktf\.\w+ToHclTerraform/g, ''),
    )?.[1];
    if (isBlock && structure !== undefined) {
      if (name === 'timeouts') continue;
      const nestedCode = section(source.code, `function ${structure}ToHclTerraform(`, '\n}');
      const nested = schemaOf(source, nestedCode, `${structure[0]?.toUpperCase()}${structure.slice(1)}`);
      blocks[name] = { ...required, ...(declaredType.includes('[]') && { many: true as const }), ...nested };
    } else if (!(isTop && name === 'id')) {
      const values = /Possible values: \[(.*?)\]/.exec(comment)?.[1];
      attributes[name] = {
        ...required,
        type,
        ...(values && { values: values.split(',').map((one) => one.trim().replaceAll('"', '')) }),
      };
    }
  }
  return { attributes, blocks };
}

function topLevelSchema(name: string): BlockSchema {
  const source = sourceOf(name);
  const className = /class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider)/.exec(
    source.code,
  )?.[1];
  if (className === undefined) throw new Error(`There is no resource in ${name}`);
  const whole = source.code.slice(source.code.indexOf(`class ${className} extends`));
  const root = section(whole, 'synthesizeHclAttributes() {', 'return Object.fromEntries');
  const { attributes, blocks } = schemaOf(source, root, `${className}Config`, true);
  const readable = [...whole.matchAll(/get\w+Attribute\('(\w+)'\)/g)].map(([, attribute = '']) => attribute);
  return {
    attributes,
    blocks,
    computed: [...new Set(readable)].filter((attribute) => !(attribute in attributes)).sort(),
  };
}

const { resource, data } = await readConfiguration();
const google = (types: object) =>
  Object.keys(types)
    .filter((type) => type.startsWith('google_'))
    .sort();
const version = /providerVersion: '([\d.]+)'/.exec(sourceOf('pubsub-topic').code)?.[1];
const schema = {
  version,
  provider: topLevelSchema('provider'),
  resource: Object.fromEntries(google(resource).map((type) => [type, topLevelSchema(folderOf(type))])),
  data: Object.fromEntries(
    google(data).map((type) => [type, topLevelSchema(`data-google-${folderOf(type)}`)]),
  ),
};
writeFileSync(providerSchemaFile, JSON.stringify(schema));
