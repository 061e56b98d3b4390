import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { noTelemetry } from '../../adapters/telemetry/telemetry.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { filledIn, parseHttpFile } from '../support/http-file.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

/** What is served beside the routes of the services. */
const BESIDE = ['GET /', 'GET /openapi.json', 'GET /asyncapi.json', 'GET /livez', 'GET /readyz'];

describe('requests.http', () => {
  const { variables, requests } = parseHttpFile(readFileSync(new URL('requests.http', packageRoot), 'utf8'));
  let pipeline: Pipeline;
  before(async () => {
    const world = { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) };
    // Only the file says the words for which orders wait.
    pipeline = await startPipeline(world, undefined, noTelemetry, shop, {}, { isSilent: true });
  });
  after(() => pipeline.close());

  it('has every route', async () => {
    const { paths } = (await pipeline.get('/openapi.json')).body as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const asked = requests.map(({ method, url }) => `${method} ${url.replace('{{host}}', '').split('?')[0]}`);
    /** Where two routes fit, it is the one without variables, as in the server. */
    const routeOf = (request: string) =>
      [...BESIDE, ...routes].find((one) => one === request) ??
      routes.find((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, '\\{\\{[^/]+\\}\\}')}$`).test(request));
    expect(asked.filter((request) => routeOf(request) === undefined)).to.deep.equal([]);
    const found = new Set(asked.map(routeOf));
    expect([...BESIDE, ...routes].filter((route) => !found.has(route))).to.deep.equal([]);
  });

  it('is answered as it says, request by request', async () => {
    const unreadable = ['1', '2'].map((text) => ({
      topic: shop.entry.topic,
      data: Buffer.from(text),
      attributes: {},
    }));
    await pipeline.bus.publish(unreadable);
    await pipeline.bus.idle();
    const answers = new Map<string, unknown>();
    for (const { title, name, method, url, headers, body, expected } of requests) {
      const fill = (text: string) => filledIn(text, { ...variables, host: pipeline.url }, answers);
      const answer = await fetch(fill(url), {
        method,
        headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, fill(value)])),
        ...(body !== undefined && { body: fill(body) }),
      });
      const said = await beginningOf(answer);
      expect(answer.status, `${title}: ${said}`).to.equal(expected ?? 200);
      if (name !== undefined) answers.set(name, JSON.parse(said));
      await pipeline.bus.idle();
    }
    expect(answers.size).to.be.above(1);
  });
});

/** All of an answer; of a stream, which may never end, what comes first. */
async function beginningOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type') !== 'text/event-stream') return answer.text();
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}
