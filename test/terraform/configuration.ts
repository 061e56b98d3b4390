import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../programs/config.ts';

// Not imported: its types would bring those of browsers into the whole project, with another fetch than Node's.
const { parse } = createRequire(import.meta.url)('@cdktn/hcl2json') as {
  parse(filename: string, contents: string): Promise<Record<string, unknown>>;
};

/** The body of a block: arguments by name, and nested blocks as lists of bodies. Expressions are strings, `${…}`. */
export type Body = Readonly<Record<string, unknown>>;

/** Blocks of one kind, by their first and their second label. */
type Labelled = Readonly<Record<string, Readonly<Record<string, Body>>>>;

/** All files of infra/terraform, read as one, as Terraform does. */
export interface Configuration {
  readonly resource: Labelled;
  readonly data: Labelled;
  readonly variable: Readonly<Record<string, Body>>;
  readonly output: Readonly<Record<string, Body>>;
  readonly provider: Readonly<Record<string, Body>>;
  readonly locals: Body;
  /** The single blocks named terraform, over all files. */
  readonly terraform: readonly Body[];
}

/** An expression as it stands in a body. */
export const expression = (text: string): string => `\${${text}}`;

export const terraformFolder = new URL('infra/terraform/', packageRoot);

let configuration: Promise<Configuration> | undefined;

/** Read once in each process. */
export function readConfiguration(): Promise<Configuration> {
  configuration ??= read();
  return configuration;
}

async function read(): Promise<Configuration> {
  const names = readdirSync(fileURLToPath(terraformFolder)).filter((name) => name.endsWith('.tf'));
  const files = await Promise.all(
    names.map((name) => parse(name, readFileSync(new URL(name, terraformFolder), 'utf8'))),
  );
  const labelled = (kind: string): Labelled => {
    const merged: Record<string, Record<string, Body>> = {};
    for (const file of files) {
      for (const [type, blocks] of Object.entries((file[kind] ?? {}) as Record<string, object>)) {
        merged[type] = { ...merged[type], ...named(blocks) };
      }
    }
    return merged;
  };
  const single = (kind: string) =>
    Object.assign({}, ...files.map((file) => named((file[kind] ?? {}) as object))) as Record<string, Body>;
  return {
    resource: labelled('resource'),
    data: labelled('data'),
    variable: single('variable'),
    output: single('output'),
    provider: single('provider'),
    locals: Object.assign({}, ...files.flatMap((file) => (file.locals ?? []) as Body[])) as Body,
    terraform: files.flatMap((file) => (file.terraform ?? []) as Body[]),
  };
}

/** The values in a file of variables. */
export const readVariables = (file: URL): Promise<Body> =>
  parse('variables.tfvars', readFileSync(file, 'utf8'));

/** A block with a label comes as a list of bodies; each of ours stands there once. */
function named(blocks: object): Record<string, Body> {
  return Object.fromEntries(
    Object.entries(blocks).map(([label, bodies]) => {
      const [body, ...more] = bodies as Body[];
      if (body === undefined || more.length > 0)
        throw new Error(`${label} is declared ${more.length + 1} times`);
      return [label, body];
    }),
  );
}

/** Every string in a body, however deep: literals and expressions. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key.includes('${') ? [key] : []),
    ...stringsIn(member),
  ]);
}
