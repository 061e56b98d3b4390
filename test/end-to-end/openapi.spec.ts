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

interface Operation {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
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
