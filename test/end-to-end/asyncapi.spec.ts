import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import { serveHttp } from '../../adapters/http/http-server.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { gatewayApp } from '../../local/gateway.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { wordTopics } from '../../saga/deliver/topology.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';
import { standingOrder } from '../support/standing-order.ts';

interface Ref {
  readonly $ref: string;
}

interface Bindings {
  readonly googlepubsub: { readonly attributes: Readonly<Record<string, string>> };
}

interface AsyncApi {
  readonly servers: Readonly<Record<string, { readonly protocol: string; readonly host: string }>>;
  readonly channels: Readonly<Record<string, { readonly messages: Readonly<Record<string, Ref>> }>>;
  readonly operations: Readonly<
    Record<string, { readonly action: string; readonly channel: Ref; readonly tags: { name: string }[] }>
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, { headers?: object; payload: object; bindings?: Bindings }>>;
    readonly schemas: { readonly Snapshot: { readonly properties: object } };
  };
}

const SPECIFICATION = fileURLToPath(import.meta.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'));

/** With the keywords that OpenAPI and AsyncAPI have besides those of JSON Schema. */
const validator = () => addFormats.default(new Ajv({ strict: false }));

describe('The AsyncAPI document', () => {
  let pipeline: Pipeline;
  let document: AsyncApi;
  before(async () => {
    pipeline = await startPipeline({
      store: createMemoryStore(),
      bus: createMemoryBus(topology, systemClock),
    });
    document = (await pipeline.get('/asyncapi.json')).body;
  });
  after(() => pipeline.close());

  it('is what the specification asks for', () => {
    const isValid = validator().compile(JSON.parse(readFileSync(SPECIFICATION, 'utf8')));
    expect([isValid(document), isValid.errors]).to.deep.equal([true, null]);
    expect(isValid({ ...document, channels: { x: { messages: 1 } } })).to.equal(false);
  });

  it('says where the topics are, and which attributes every announcement has there', () => {
    expect(document.servers.pubsub).to.deep.include({
      host: 'pubsub.googleapis.com',
      protocol: 'googlepubsub',
    });
    expect(document.components.messages[shop.failure.topic]?.bindings?.googlepubsub.attributes).to.deep.equal(
      {
        'ce-specversion': '1.0',
        'ce-type': `${shop.name}.${shop.failure.topic}`,
        'content-type': 'application/json',
      },
    );
  });

  it('refers to nothing that is not there', () => {
    const text = JSON.stringify(document);
    const refs = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    expect(refs.length).to.be.above(topology.topics.length);
    // biome-ignore lint/suspicious/noExplicitAny: a walk through JSON.
    const at = (path: string) => path.split('/').reduce<any>((part, name) => part?.[name], document);
    expect(refs.filter((path) => at(path) === undefined)).to.deep.equal([]);
  });

  it('has every topic, every subscription with its reader, and who publishes what', () => {
    expect(Object.keys(document.channels)).to.deep.equal(topology.topics);
    const received = Object.entries(document.operations)
      .filter(([, { action }]) => action === 'receive')
      .map(([name, { channel, tags }]) => [name, channel.$ref, tags[0]?.name]);
    expect(received).to.deep.equal(
      Object.entries(topology.subscriptions).map(([name, { topic, service = 'people' }]) => [
        name,
        `#/channels/${topic}`,
        service,
      ]),
    );
    expect(document.operations['frontend-frontend']).to.deep.equal({
      action: 'send',
      channel: { $ref: '#/channels/frontend' },
      summary: 'frontend publishes on frontend',
      tags: [{ name: 'frontend' }],
    });
  });

  it('is passed on by the gateway from a service', async () => {
    const port = Number(new URL(pipeline.url).port);
    const app = gatewayApp(
      [{ name: 'frontend', routes: () => [] }],
      '127.0.0.1',
      () => port,
      () => {},
    );
    const gateway = await serveHttp(app, '127.0.0.1', 0);
    const answer = await fetch(`${gateway.url}/asyncapi.json`);
    expect(await answer.json()).to.deep.equal(document);
    await gateway.close(1000);
  });

  describe('describes every message', () => {
    let validators: ReadonlyMap<
      string,
      readonly { headers?: ValidateFunction; payload: ValidateFunction; bindings?: Bindings | undefined }[]
    >;
    before(() => {
      const ajv = validator().addSchema({ $id: 'document', ...document });
      const compiled = Object.entries(document.channels).map(([topic, { messages }]) => {
        const found = Object.values(messages).map(({ $ref }) => {
          const part = (name: string) => ajv.compile({ $ref: `document${$ref}/${name}` });
          const { headers, bindings } = document.components.messages[$ref.split('/').at(-1) ?? ''] ?? {};
          return { payload: part('payload'), bindings, ...(headers && { headers: part('headers') }) };
        });
        return [topic, found] as const;
      });
      validators = new Map(compiled);
    });

    /** What is wrong with a message according to the document, if anything is. */
    function faultOf({ topic, data, attributes }: OutgoingMessage): string | undefined {
      const described = validators.get(topic) ?? [];
      // What is a CloudEvent is an announcement. What comes from outside is the last one described, if it is another one.
      const one = attributes['ce-specversion'] === undefined ? described.at(-1) : described[0];
      if (one === undefined) return `${topic} is not described`;
      const body = topic === DEAD_LETTER_TOPIC ? data.toString() : JSON.parse(data.toString());
      for (const [what, isValid, value] of [
        ['attributes', one.headers, attributes],
        ['data', one.payload, body],
      ] as const) {
        if (isValid?.(value) === false)
          return `${topic}: ${what} ${JSON.stringify(value)} ${JSON.stringify(isValid.errors)}`;
      }
      for (const [name, value] of Object.entries(one.bindings?.googlepubsub.attributes ?? {}))
        if (attributes[name] !== value) return `${topic}: ${name} is not always ${value}`;
      const { properties } = document.components.schemas.Snapshot;
      const unknown = Object.keys(attributes['ce-specversion'] && topic !== DEAD_LETTER_TOPIC ? body : {});
      return unknown.some((field) => !(field in properties))
        ? `${topic}: ${unknown} not all described`
        : undefined;
    }

    it('that orders of every fate lead to, on every topic', async () => {
      const good = { item: 'widget', quantity: 1, user: 'jack' };
      await pipeline.order(good);
      await pipeline.order({ ...good, 'payment-error': [null] });
      await pipeline.order({ ...good, mode: 'orchestration' });
      await pipeline.order({ user: 'jack', items: [{ item: 'unicorn', quantity: 1 }] });
      await pipeline.order({ ...good, quantity: 1_000_000, on_shortage: 'ask' });
      const paused = await standingOrder(pipeline);
      for (const act of ['pause', 'resume'])
        await pipeline.post(`/sagas/${paused}/${act}`, { note: 'A test' });
      const outside = (topic: string, body: unknown): OutgoingMessage => ({
        topic,
        data: Buffer.from(JSON.stringify(body)),
        attributes: {},
      });
      const { uuid } = await pipeline.order(good);
      const words = shop.steps.flatMap(({ waits }) =>
        waits?.listensTo
          ? [outside(waits.listensTo.topic, { uuid, outcome: Object.keys(waits.words)[0] })]
          : [],
      );
      await pipeline.bus.publish([
        outside(shop.entry.topic, good),
        ...words,
        outside(shop.failure.topic, {}),
      ]);
      await pipeline.bus.idle();
      const [letters, others] = [true, false].map((isLetter) =>
        pipeline.bus.published.filter(({ topic }) => (topic === DEAD_LETTER_TOPIC) === isLetter),
      );
      const ofServices = (others ?? []).filter(
        ({ topic, attributes }) => topic !== shop.failure.topic || 'ce-id' in attributes,
      );
      expect(new Set(pipeline.bus.published.map(({ topic }) => topic))).to.deep.equal(
        new Set(topology.topics),
      );
      expect([...(letters ?? []), ...ofServices].flatMap((message) => faultOf(message) ?? [])).to.deep.equal(
        [],
      );
      expect(words).to.have.length(wordTopics(shop).length);
    });

    it('and would notice one that is otherwise', () => {
      const message = pipeline.bus.published.find(({ topic }) => topic === shop.topicOf(shop.success));
      if (message === undefined) throw new Error('No order came to its end');
      const told = JSON.parse(message.data.toString());
      const saying = (fields: object) => Buffer.from(JSON.stringify({ ...told, ...fields }));
      for (const wrong of [
        { ...message, data: saying({ status: 'RECEIVED' }) },
        { ...message, data: saying({ items: 1 }) },
        { ...message, data: saying({ surprise: 1 }) },
        { ...message, attributes: { ...message.attributes, 'ce-type': 'x' } },
        { ...message, topic: 'nowhere' },
      ]) {
        expect(faultOf(wrong)).to.be.a('string');
      }
    });
  });
});
