import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { packageRoot } from '../../programs/config.ts';
import type { Body, Configuration } from './configuration.ts';

/**
 * What Terraform makes of our files, without Google and without its provider: every resource becomes a `terraform_data`,
 * which Terraform brings along and which keeps whatever it is given. So all expressions are evaluated by Terraform
 * itself: for_each, dynamic blocks, references, what depends on what, the validation of variables.
 */

/** The resources, by their address such as `google_pubsub_topic.topic["error"]`, and the outputs, as `output.url`. */
export type Resources = Readonly<Record<string, Body>>;

/** What Google would answer to the questions of our data sources. */
const DATA: Readonly<Record<string, Body>> = {
  'google_project.project': { number: '123456789012', billing_account: '000000-000000-000000' },
  'google_artifact_registry_docker_image.pipeline': { self_link: 'image@sha256:0123' },
};

/** What can be read of a resource beyond what it was given, as far as we read it. */
function computedOf(type: string, label: string, body: Body): Body {
  const { name, account_id: account, topic, subscription } = body;
  const email = `${account}@\${var.project}.iam.gserviceaccount.com`;
  return {
    ...(name === undefined && { name: `${type}.${label}` }),
    id: `${type}.${label}/${name ?? topic ?? subscription ?? body.secret_id ?? label}`,
    ...(type === 'google_service_account' && { email, member: `serviceAccount:${email}`, name: email }),
    ...(type === 'google_monitoring_uptime_check_config' && { uptime_check_id: label }),
    ...(type === 'google_compute_global_address' && { address: '203.0.113.7' }),
  };
}

/**
 * Call it in a `before` hook: skips the suite, with the reason, where there is no Terraform on this machine. Where
 * REQUIRE_TERRAFORM=1 it fails instead.
 */
export async function requireTerraform(context: Mocha.Context): Promise<void> {
  const isThere = await terraform(tmpdir(), 'version').then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const reason = 'The suites that ask Terraform are skipped: there is none on this machine';
  if (process.env.REQUIRE_TERRAFORM === '1') throw new Error(reason);
  process.stdout.write(`*** ${reason}\n`);
  context.skip();
}

/** @throws Error with what Terraform complains about. */
export async function terraform(folder: string, ...args: readonly string[]): Promise<string> {
  try {
    // A proxy of the provider or a token of the user has no part in this.
    const env = { PATH: process.env.PATH, HOME: tmpdir(), CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
    const { stdout } = await promisify(execFile)('terraform', [...args], {
      cwd: folder,
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`${stderr}${stdout}` || message);
  }
}

/** The files that `npm run generate` writes for Terraform. */
export const GENERATED = ['topology.json', 'firestore.indexes.json', 'bigquery-events.json'];

/**
 * Evaluates the configuration with values for its variables.
 * @param generated the text of a generated file, by its name, where it is to be another one than ours.
 * @param options of the apply, such as `-target=terraform_data.groundwork`.
 * @throws Error with Terraform's own words, also where a variable is refused.
 */
export async function evaluate(
  configuration: Configuration,
  variables: Body,
  generated: Readonly<Record<string, string>> = {},
  options: readonly string[] = [],
): Promise<Resources> {
  const root = mkdtempSync(join(tmpdir(), 'order-saga-terraform-'));
  const backend = await openBackend();
  try {
    const folder = join(root, 'infra', 'terraform');
    mkdirSync(folder, { recursive: true });
    for (const file of GENERATED) {
      const text = generated[file] ?? readFileSync(new URL(`infra/${file}`, packageRoot), 'utf8');
      writeFileSync(join(root, 'infra', file), text);
    }
    const files = {
      ...translated(configuration),
      terraform: { backend: { http: { address: backend.url } } },
    };
    writeFileSync(join(folder, 'main.tf.json'), JSON.stringify(files));
    writeFileSync(join(folder, 'terraform.tfvars.json'), JSON.stringify(variables));
    await terraform(folder, 'init', '-no-color', '-input=false');
    const apply = ['apply', '-no-color', '-input=false', '-auto-approve', '-parallelism=100'];
    await terraform(folder, ...apply, ...options);
    const state = backend.state() as State;
    return Object.fromEntries([
      ...state.resources.flatMap(({ name, instances }) =>
        instances.flatMap(({ index_key: key, attributes: { input } }) =>
          input === null ? [] : [[addressOf(name, key), clean(input.value) as Body] as const],
        ),
      ),
      ...Object.entries(state.outputs).map(([name, { value }]) => [`output.${name}`, { value }] as const),
    ]);
  } finally {
    backend.close();
    rmSync(root, { recursive: true });
  }
}

/**
 * Keeps Terraform's state in memory (https://developer.hashicorp.com/terraform/language/backend/http). With a state
 * file, Terraform rewrites the whole state after each resource, which takes longer than the rest of an apply.
 */
async function openBackend() {
  let state = '';
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') state = await text(request);
    response.writeHead(request.method === 'GET' && state === '' ? 404 : 200).end(state);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state: () => JSON.parse(state) as unknown,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface State {
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resources: readonly {
    readonly name: string;
    readonly instances: readonly {
      readonly index_key?: string | number;
      readonly attributes: { readonly input: { readonly value: unknown } | null };
    }[];
  }[];
}

const addressOf = (name: string, key: string | number | undefined): string =>
  `${name.replace('__', '.')}${key === undefined ? '' : `[${JSON.stringify(key)}]`}`;

function translated({ resource, variable, locals, output }: Configuration): Body {
  const standIns = Object.entries(resource).flatMap(([type, labels]) =>
    Object.entries(labels).map(([label, body]) =>
      type === 'terraform_data'
        ? [label, withDependencies(body)]
        : [`${type}__${label}`, standIn(type, label, body)],
    ),
  );
  return {
    variable: Object.fromEntries(
      Object.entries(variable).map(([name, body]) => [name, { ...body, type: typeName(body.type) }]),
    ),
    locals: rewritten({ ...locals, data: DATA }),
    resource: { terraform_data: Object.fromEntries(standIns) },
    output: rewritten(
      Object.fromEntries(
        Object.entries(output).map(([name, body]) => [
          name,
          'depends_on' in body ? withDependencies(body) : body,
        ]),
      ),
    ),
  };
}

/** What is given to a resource becomes the input of its stand-in; when it is made stays as it is. */
function standIn(type: string, label: string, body: Body): unknown {
  const { for_each, count, depends_on, lifecycle: _, ...own } = body;
  return {
    ...withDependencies({ ...(depends_on !== undefined && { depends_on }) }),
    ...(rewritten({
      ...(for_each !== undefined && { for_each }),
      ...(count !== undefined && { count }),
      input: { ...computedOf(type, label, own), ...withoutDynamic(own) },
    }) as Body),
  };
}

/** In JSON, what something depends on is named, not referred to. */
function withDependencies({ depends_on: dependencies = [], ...body }: Body): Body {
  const named = (dependencies as string[]).map((one) =>
    one.replace(/^\$\{(.*)\}$/, '$1').replace(/^(google_\w+)\.(\w+)$/, 'terraform_data.$1__$2'),
  );
  return { ...body, depends_on: named };
}

/** JSON has no place for an expression that is no value; a type is written as its name. */
const typeName = (type: unknown): string => String(type).replace(/^\$\{(.*)\}$/s, '$1');

/** References to resources and data lead to their stand-ins. */
function rewritten(value: unknown): unknown {
  if (typeof value === 'string') return rewrittenText(value);
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rewritten(member)]));
}

const rewrittenText = (text: string): string =>
  text
    .replaceAll(/\bdata\.(google_\w+\.\w+)/g, (_, address) => `local.data["${address}"]`)
    .replaceAll(/\b(?<!["\w])(google_\w+)\.(\w+)(\[[^\]]*\])?\.(\w+)/g, 'terraform_data.$1__$2$3.output.$4');

/** A dynamic block becomes the list of blocks that it stands for, behind those of its name that are always there. */
function withoutDynamic(body: Body): Body {
  const { dynamic = {}, ...own } = body as Body & {
    dynamic?: Record<string, { for_each: unknown; content: Body[] }[]>;
  };
  const nested = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((one) => (isObject(one) ? withoutDynamic(one) : one)) : value,
    ]),
  );
  const lists = Object.entries(dynamic).map(([name, blocks]) => {
    const parts = [expressionOf(nested[name] ?? []), ...blocks.map((block) => listOf(name, block))];
    return [name, `\${concat(${parts.join(', ')})}`];
  });
  return { ...nested, ...Object.fromEntries(lists) };
}

/** `for_each` may be a list, whose keys are numbers, or a map. */
function listOf(
  name: string,
  { for_each: items, content: [content = {}] }: { for_each: unknown; content: Body[] },
): string {
  return `flatten([for key, value in ${expressionOf(items)} : [for ${name} in [{ key = key, value = value }] : ${expressionOf(withoutDynamic(content))}]])`;
}

/** A value of the translated files as one expression of HCL. */
function expressionOf(value: unknown): string {
  if (typeof value === 'string') {
    const whole = /^\$\{((?:(?!\$\{)[\s\S])*)\}$/.exec(value)?.[1];
    return whole === undefined ? JSON.stringify(value) : `(${whole})`;
  }
  if (Array.isArray(value)) return `[${value.map(expressionOf).join(', ')}]`;
  if (!isObject(value)) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${key} = ${expressionOf(member)}`)
    .join(', ')} }`;
}

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without what was not given. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, clean(member)]),
  );
}
