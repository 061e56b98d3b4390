import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

interface Schema {
  readonly examples?: readonly unknown[];
}

interface Content {
  readonly schema: Schema;
  readonly example?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Content>> }>>;
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Problem: Schema } };
}

describe('The OpenAPI document', () => {
  let pipeline: Pipeline;
  let document: OpenApi;
  before(async () => {
    pipeline = await startPipeline({
      store: createMemoryStore(),
      bus: createMemoryBus(topology, systemClock),
    });
    document = (await pipeline.get('/openapi.json')).body;
  });
  after(() => pipeline.close());

  it('is what the specification asks for', async () => {
    // The library changes what it checks.
    const check = (one: object) => new Validator().validate({ ...structuredClone(one) });
    expect(await check(document)).to.deep.equal({ valid: true });
    const paths = { '/order': { post: { responses: 1 } } };
    expect((await check({ ...document, paths })).valid).to.equal(false);
  });

  it('gives examples that its own schemas accept', () => {
    const ajv = addFormats.default(new Ajv2020({ strict: false }));
    const found = schemasWithExamples(document);
    expect(found.length).to.be.above(1);
    for (const { examples = [], ...schema } of found) {
      const isValid = ajv.compile(schema);
      for (const example of examples) expect([isValid(example), isValid.errors]).to.deep.equal([true, null]);
    }
  });

  /** What a route answers with this status, according to the document. */
  const exampleOf = (method: string, path: string, status: number) =>
    document.paths[path]?.[method]?.responses[status]?.content['application/json']?.example ?? {};

  it('gives examples of answers that the schemas beside them accept', () => {
    const ajv = addFormats.default(new Ajv2020({ strict: false }));
    const given = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ responses }) => Object.values(responses).flatMap(({ content }) => Object.values(content)))
      .filter(({ example }) => example !== undefined);
    expect(given.length).to.be.above(5);
    for (const { schema, example } of given) {
      const isValid = ajv.compile(schema);
      expect([isValid(example), isValid.errors]).to.deep.equal([true, null]);
    }
  });

  it('answers its example of an order with its example of the answer, as far as that does not depend on the moment', async () => {
    const { schema } = document.paths['/order']?.post?.requestBody?.content['application/json'] ?? {};
    const { body: placed } = await pipeline.post('/order', schema?.examples?.[0]);
    expect({ ...exampleOf('post', '/order', 202), uuid: placed.uuid }).to.deep.equal(placed);
    const { body: now } = await pipeline.get(`/order/${placed.uuid}`);
    const { body: first } = await pipeline.get(`/order/${placed.uuid}?at=${now.createdAt}`);
    const { body: canceled } = await pipeline.post(`/order/${placed.uuid}/cancel`, {});
    for (const [answer, example] of [
      [first, exampleOf('get', '/order/{uuid}', 200)],
      [canceled, exampleOf('post', '/order/{uuid}/cancel', 202)],
      [(await pipeline.get('/inventory/widget')).body, exampleOf('get', '/inventory/{item}', 200)],
    ])
      expect(answer).to.include.keys(Object.keys(example));
    const { status, reason, detail } = canceled;
    expect(exampleOf('post', '/order/{uuid}/cancel', 202)).to.include({ status, reason, detail });
    await pipeline.bus.idle();
  });

  it('gives as example of a problem what is really answered', async () => {
    const { body, status } = await pipeline.get('/orders?limit=0');
    expect([status, document.components.schemas.Problem.examples]).to.deep.equal([400, [body]]);
  });

  it('gives examples of an order that is accepted', async () => {
    const { schema } = document.paths['/order']?.post?.requestBody?.content['application/json'] ?? {};
    const statuses = [];
    for (const example of schema?.examples ?? [])
      statuses.push((await pipeline.post('/order', example)).status);
    expect(statuses).to.deep.equal([202, 202]);
    await pipeline.bus.idle();
  });
});

/** Every schema in a document that has examples. */
function schemasWithExamples(value: unknown): Schema[] {
  if (typeof value !== 'object' || value === null) return [];
  const { examples } = value as Schema;
  return [...(Array.isArray(examples) ? [value] : []), ...Object.values(value).flatMap(schemasWithExamples)];
}
