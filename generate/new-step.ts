import { collectionsOf } from '../data-init/load-data.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import { PEOPLE, type Saga } from '../saga/step/saga.ts';

/** A step that every order passes, and that keeps a record of it: the text with which people begin a step of their own. */
export interface NewStep {
  /** Its files, by their names in the folder of the step. */
  readonly files: Readonly<Record<string, string>>;
  /** The line that imports it. */
  readonly importing: string;
  /** What stands among the steps of the saga. */
  readonly name: string;
}

/** An id of a service account has at most 30 characters, and that of a service is `saga-{name}`. */
const NAME_LENGTH_MAX = 25;
/** Other identities in infra/terraform/identities.tf, and the reader that is no service. */
const RESERVED = [PEOPLE, 'builder', 'push', 'sweep'];

/** @throws Error that says why no step of the saga can have this name. */
export function newStep(saga: Saga, name: string): NewStep {
  // The status is made of the name, and has no digits.
  if (!/^[a-z]+(-[a-z]+)*$/.test(name) || name.length > NAME_LENGTH_MAX) {
    const form = `small letters, and hyphens between words, at most ${NAME_LENGTH_MAX} characters`;
    throw new Error(`"${name}" can't be the name of a step: it has ${form}`);
  }
  const base = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const words = {
    name,
    step: `${base}Step`,
    records: `${base}Records`,
    routes: `${base}Routes`,
    status: `${name.toUpperCase().replaceAll('-', '_')}_DONE`,
    topic: `${name}-done`,
    kind: `${name} record`,
  };
  const { topics } = declareTopology(saga);
  const taken: readonly [what: string, one: string, all: readonly string[]][] = [
    ['service', name, [...serviceNames(saga), ...RESERVED]],
    ['collection', name, collectionsOf(saga)],
    ['status', words.status, saga.statuses],
    ['topic', words.topic, Object.keys(topics)],
    ['kind of document', words.kind, saga.kinds.map((kind) => kind.name)],
  ];
  for (const [what, one, all] of taken) {
    if (all.includes(one)) throw new Error(`There is a ${what} ${one} already: give the step another name`);
  }
  return {
    files: {
      [`${name}-step.ts`]: stepText(words),
      [`${name}-records.ts`]: recordsText(words),
      'routes.ts': routesText(words),
      [`${name}.spec.ts`]: specText(words),
    },
    importing: `import { ${words.step} } from './${name}/${name}-step.ts';`,
    name: words.step,
  };
}

/**
 * Where an import goes in a source whose imports are sorted by their paths, folder by folder, as the check of the project
 * wants it; in words.
 */
export function importPlace(source: string, importing: string): string {
  const paths = (text: string) =>
    [...text.matchAll(/^(?:import|\}) .*from '(.+)';$/gm)].map(([, path = '']) => path);
  // In this order, a folder comes before all others whose names begin with its name.
  const rank = (path: string) => path.replaceAll('/', '\0');
  const [own = ''] = paths(importing);
  const before = paths(source).filter((path) => rank(path) < rank(own));
  return before.length === 0 ? 'above all others' : `below the one from '${before.at(-1)}'`;
}

/** What the parts of the step are called. */
type Words = Readonly<Record<'name' | 'step' | 'records' | 'routes' | 'status' | 'topic' | 'kind', string>>;

function stepText(words: Words): string {
  const { name, step, records, routes, status, topic } = words;
  return `import { accept } from '../saga/step/step.ts';
import { step } from '../shop/step.ts';
${ownImports(words).join('\n')}

/** The step ${name}: every order passes it, and gets a record. */
export const ${step} = step({
  name: '${name}',
  leadsTo: '${status}',
  announces: '${topic}',
  says: 'the step ${name} is done',
  uses: [${records}],
  routes: ${routes},

  reads: () => [],

  decide: () => accept({}),

  holds: ({ uuid, user, at }) => [${records}.of(uuid).holding({ user, createdAt: at })],
});
`;
}

const recordsText = ({ name, records, kind }: Words): string => `import { z } from 'zod';
import { record } from '../saga/step/document.ts';

/** What the step ${name} keeps of an order; of which one, the path says. */
export const ${records} = record({
  name: '${kind}',
  path: '${name}/{uuid}',
  schema: z.object({ user: z.string(), createdAt: z.date() }),
});
`;

const routesText = ({
  name,
  records,
  routes,
}: Words): string => `import { moment } from '../saga/http/answers.ts';
import { documentRoute } from '../saga/http/document-route.ts';
import type { Route } from '../saga/http/http.ts';
import { nameSchema } from '../saga/input/name.ts';
import type { Store } from '../saga/ports/store.ts';
import { ${records} } from './${name}-records.ts';

export const ${routes} = (store: Store): readonly Route[] => [
  documentRoute(store, ${records}, {
    summary: 'What the step ${name} keeps of an order',
    responses: { 200: 'The record', 404: 'No record: the order has not come so far, or was canceled' },
    ownedBy: 'user',
    shows: { user: nameSchema, createdAt: moment },
  }),
];
`;

const specText = (words: Words): string => {
  const { name, records, routes } = words;
  // Not as lines of a template: at the beginning of a line, they would look like imports of this file.
  const imports = [
    "import { createMemoryStore } from '../adapters/memory/memory-store.ts';",
    "import { pipeline } from '../pipeline.ts';",
    "import type { HttpRequest } from '../saga/http/http.ts';",
    "import { NOW, outcomeOf, UUID } from '../test-kit/step-outcome.ts';",
    ...ownImports(words),
  ];
  return `import { expect } from 'chai';
${imports.join('\n')}

const order = { user: 'jack', items: [{ item: 'widget', quantity: 2 }] };
const path = ${records}.of(UUID).path;
const kept = { user: 'jack', createdAt: NOW };

describe('The step ${name}', () => {
  it('keeps a record of the order', () => {
    expect(outcomeOf(pipeline, '${name}', { order })).to.deep.equal({
      accepted: {},
      changes: { [path]: kept },
    });
  });

  it('does nothing for an order that is canceled', () => {
    const outcome = outcomeOf(pipeline, '${name}', { order, status: 'CANCELED' });
    expect(outcome).to.deep.equal({ nothing: 'fenced' });
  });

  it('shows the record', async () => {
    const store = createMemoryStore();
    await store.commit([{ kind: 'create', path, fields: kept }]);
    const [route] = ${routes}(store);
    const asked: HttpRequest = {
      params: { uuid: UUID },
      query: undefined,
      body: undefined,
      header: () => undefined,
    };
    expect(await route?.handle(asked)).to.deep.equal({
      status: 200,
      body: { uuid: UUID, ...kept },
    });
  });
});
`;
};

/** The imports of the other files of the step, in the order of their paths, as the check of the project wants it. */
function ownImports({ name, records, routes }: Words): readonly string[] {
  const own = [
    `import { ${records} } from './${name}-records.ts';`,
    `import { ${routes} } from './routes.ts';`,
  ];
  return `${name}-records` > 'routes' ? own.reverse() : own;
}
