import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipeline } from '../pipeline.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { runCommand } from './command.ts';
import { packageRoot } from './config.ts';

/** Writes the folder of a new step, with its spec, and says what to add to the pipeline. */

const USAGE = 'npm run new-step -- NAME';

async function main(): Promise<number> {
  const [name = '', ...rest] = process.argv.slice(2);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || rest.length > 0) {
    throw new Error(`Give the new step one name, in small-letters: ${USAGE}`);
  }
  const folder = new URL(`${name}/`, packageRoot);
  if (serviceNames(pipeline).includes(name)) throw new Error(`There is a service ${name} already`);
  if (existsSync(folder)) throw new Error(`There is a folder ${name}/ already`);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(filesOf(name))) writeFileSync(new URL(file, folder), text);
  const step = `${camelCase(name)}Step`;
  print(`${fileURLToPath(folder)} has the step, its record, its route and its spec.

Add two lines to pipeline.ts, the second in the place where the step belongs:

  import { ${step} } from './${name}/${name}-step.ts';
  ${step}, // what it does

Then say in ${name}/${name}-step.ts what the step needs, decides and holds, and run npm run generate && npm test.`);
  return 0;
}

const camelCase = (name: string): string =>
  name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A step that every order passes, and that keeps a record of it. */
function filesOf(name: string): Readonly<Record<string, string>> {
  const base = camelCase(name);
  const step = `${base}Step`;
  const status = `${name.toUpperCase().replaceAll('-', '_')}_DONE`;
  const records = `${base}Records`;
  const recordsImport = `import { ${records} } from './${name}-records.ts';`;
  const routesImport = `import { ${base}Routes } from './routes.ts';`;
  // In the order of their paths, as the check of the project wants it.
  const ownImports =
    `${name}-records` < 'routes' ? [recordsImport, routesImport] : [routesImport, recordsImport];
  return {
    [`${name}-step.ts`]: `import { accept } from '../saga/step/step.ts';
import { step } from '../shop/step.ts';
${ownImports.join('\n')}

/** The step ${name}: every order passes it, and gets a record. */
export const ${step} = step({
  name: '${name}',
  leadsTo: '${status}',
  announces: '${name}-done',
  says: 'the step ${name} is done',
  uses: [${records}],
  routes: ${base}Routes,

  reads: () => [],

  decide: () => accept({}),

  holds: ({ uuid, user, at }) => [${records}.of(uuid).holding({ user, createdAt: at })],
});
`,
    [`${name}-records.ts`]: `import { z } from 'zod';
import { record } from '../saga/step/document.ts';

/** What the step ${name} keeps of an order; of which one, the path says. */
export const ${records} = record({
  name: '${name} record',
  path: '${name}/{uuid}',
  schema: z.object({ user: z.string(), createdAt: z.date() }),
});
`,
    'routes.ts': `import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { moment } from '../saga/http/answers.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { ${records} } from './${name}-records.ts';

export function ${base}Routes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/${name}/{uuid}',
      summary: 'What the step ${name} keeps of an order',
      answer: z.object({ uuid: z.uuid(), user: z.string(), createdAt: moment }),
      responses: { 200: 'The record', 404: 'No record: the order has not come so far, or was canceled' },
      async handle({ params: { uuid = '' } }) {
        const id = uuid.toLowerCase();
        const found = isUuid(uuid) ? await readOne(store, ${records}.of(id).path) : undefined;
        if (found === undefined) throw notFound(\`There is no ${name} record for order \${uuid}\`);
        return { status: 200, body: { uuid: id, ...found } };
      },
    }),
  ];
}
`,
    [`${name}.spec.ts`]: `import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import { NOW, outcomeOf, UUID } from '../test-kit/step-outcome.ts';

const order = { user: 'jack', items: [{ item: 'widget', quantity: 2 }] };

describe('The step ${name}', () => {
  it('keeps a record of the order', () => {
    expect(outcomeOf(pipeline, '${name}', { order })).to.deep.equal({
      accepted: {},
      changes: { [\`${name}/\${UUID}\`]: { user: 'jack', createdAt: NOW } },
    });
  });

  it('does nothing for an order that is canceled', () => {
    const outcome = outcomeOf(pipeline, '${name}', { order, status: 'CANCELED' });
    expect(outcome).to.deep.equal({ nothing: 'fenced' });
  });
});
`,
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

runCommand(main, 1);
