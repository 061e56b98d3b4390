import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { z } from 'zod';
import { httpApp, serveHttp, urlOf } from '../../adapters/http/http-server.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { route } from '../../saga/http/http.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { DATA, type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

const SUCCESS = shop.success;
const embedded = () => ({ store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) });

describe('The URL of what answers', () => {
  it('has brackets around an IPv6 address', () => {
    expect([urlOf('127.0.0.1', 80), urlOf('::1', 80)]).to.deep.equal([
      'http://127.0.0.1:80',
      'http://[::1]:80',
    ]);
  });
});

describe('The HTTP API', () => {
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline(embedded());
  });
  after(() => pipeline.close());
  afterEach(() => pipeline.bus.idle());

  const good = { item: 'widget', quantity: 1, user: 'jack' };

  it('answers an order with 202, where to look for it, and what it knows', async () => {
    const { status, headers, body } = await pipeline.post('/order', { ...good, 'payment-error': null });
    expect(status).to.equal(202);
    expect(headers.get('location')).to.equal(`/order/${body.uuid}`);
    expect(body).to.deep.equal({
      uuid: body.uuid,
      ...good,
      items: [{ item: 'widget', quantity: 1 }],
      'payment-error': null,
      status: 'RECEIVED',
    });
  });

  it('[anomaly 30] answers 404 where there is no order to cancel', async () => {
    for (const uuid of [uuidv4(), 'no-uuid', 'a%2Fb']) {
      const { status, body } = await pipeline.post(`/order/${uuid}/cancel`, {});
      expect([status, body.title]).to.deep.equal([404, 'Not found']);
    }
  });

  it('fails a step on demand, and lists the steps where there is none of that name', async () => {
    const steps = shop.steps.map(({ name }) => name);
    for (const fail of steps) {
      const { body } = await pipeline.post('/order', { ...good, fail });
      await pipeline.bus.idle();
      const { body: order } = await pipeline.get(`/order/${body.uuid}`);
      expect(order).to.include({
        fail,
        status: 'CANCELED',
        reason: 'STEP_FAILED',
        detail: `The order asked for ${fail} to fail (fail)`,
      });
    }
    const { body: problem } = await pipeline.post('/order', { ...good, fail: 'stock' });
    expect(problem.errors).to.deep.equal([{ field: 'fail', message: `must be one of ${steps.join(', ')}` }]);
  });

  it('sweeps when it is asked to', async () => {
    const { status, body } = await pipeline.post('/sweep', {});
    expect([status, body]).to.deep.equal([200, { announced: 0, failed: 0, errors: 0 }]);
  });

  // Each case: what is posted, and which field is named.
  const refused: [what: string, body: unknown, field: string][] = [
    ['a negative quantity', { ...good, quantity: -1 }, 'quantity'],
    ['no units', { ...good, quantity: 0 }, 'quantity'],
    ['half a unit', { ...good, quantity: 1.5 }, 'quantity'],
    ['more than a thousand million units', { ...good, quantity: 1_000_000_001 }, 'quantity'],
    ['a number beyond all', '{"item":"widget","quantity":1e400,"user":"jack"}', 'quantity'],
    ['a quantity in words', { ...good, quantity: '1' }, 'quantity'],
    ['no quantity', { item: 'widget', user: 'jack' }, 'quantity'],
    ['no item', { quantity: 1, user: 'jack' }, 'item'],
    ['no user', { item: 'widget', quantity: 1 }, 'user'],
    ['an empty user', { ...good, user: '' }, 'user'],
    ['both forms', { ...good, items: [{ item: 'wotsit', quantity: 1 }] }, 'item'],
    ['neither form', { user: 'jack' }, 'items'],
    ['no lines', { items: [], user: 'jack' }, 'items'],
    ['51 lines', { items: manyLines(51), user: 'jack' }, 'items'],
    ['one item twice', { items: [...manyLines(1), ...manyLines(1)], user: 'jack' }, 'items'],
    [
      'a bad line',
      { items: [...manyLines(1), { item: 'wotsit', quantity: 0 }], user: 'jack' },
      'items[1].quantity',
    ],
    ['a field that nobody knows', { ...good, payment_error: true }, 'payment_error'],
    ['a step to fail that there is not', { ...good, fail: 'shipping' }, 'fail'],
    ['a step to fail that is no text', { ...good, fail: true }, 'fail'],
    ['a list', [good], 'body'],
    ['nothing at all', 'null', 'body'],
    ['a number', '1', 'body'],
    ['a text', '"x"', 'body'],
  ];
  for (const [what, body, field] of refused) {
    it(`[anomaly 41] refuses ${what} with 400, and names the field`, async () => {
      const { status, headers, body: problem } = await pipeline.post('/order', body);
      expect(status).to.equal(400);
      expect(headers.get('content-type')).to.contain('application/problem+json');
      expect(problem).to.include({ status: 400, title: 'Invalid input' });
      expect(problem.errors.map((error: { field: string }) => error.field)).to.include(field);
    });
  }

  const names = ['a/b', '.', '..', '__x__', 'x'.repeat(129), 'x'.repeat(2048), 'a\nb', 'a\u0000', '\ud800'];
  for (const name of names) {
    for (const field of ['user', 'item']) {
      it(`[anomaly 42] refuses ${JSON.stringify(name).slice(0, 20)} as ${field} with 400`, async () => {
        const { status, body } = await pipeline.post('/order', { ...good, [field]: name });
        expect(status).to.equal(400);
        expect(body.errors.map((error: { field: string }) => error.field)).to.deep.equal([field]);
      });
    }
  }

  it('[anomaly 42] never reads another document than the one that was named', async () => {
    const { body } = await pipeline.post('/order', good);
    await pipeline.bus.idle();
    for (const path of [
      `/inventory/widget%2Forders%2F${body.uuid}`,
      `/users/jack%2Forders%2F${body.uuid}`,
      '/users/..%2Finventory%2Fwidget',
      '/inventory/__x__',
      `/order/${body.uuid}%2F..`,
      '/payments/x%2Fy',
    ]) {
      expect((await pipeline.get(path)).status, path).to.equal(404);
    }
    expect((await pipeline.get('/users/%E0%A4%A')).status, 'a malformed escape').to.equal(400);
  });

  it('[anomaly 22] refuses what is not JSON with 400, and says where', async () => {
    const { status, body } = await pipeline.post('/order', '{"item":');
    expect(status).to.equal(400);
    expect(body.detail).to.match(/^The body is not JSON/);
  });

  it('[anomaly 22] refuses what is not UTF-8 with 400: it would name another customer', async () => {
    const body = Buffer.from(JSON.stringify({ ...good, user: 'jo\u00e4' }), 'latin1');
    for (const type of ['application/json', 'application/json; charset=utf-7']) {
      const headers = { 'content-type': type };
      const answer = await fetch(`${pipeline.url}/order`, { method: 'POST', headers, body });
      const { detail } = (await answer.json()) as { detail: string };
      expect([answer.status, detail], type).to.deep.equal([400, 'The body is not UTF-8']);
    }
  });

  it('refuses an empty body with 400', async () => {
    const { status, body } = await pipeline.post('/order', '');
    expect(status).to.equal(400);
    expect(body.errors[0]).to.deep.equal({ field: 'user', message: 'is missing' });
  });

  it('refuses with 400 what it would not read: a word that carries nothing comes with nothing', async () => {
    const { uuid } = await pipeline.order({ item: 'widget', quantity: 1, user: 'jack' });
    for (const path of [`/order/${uuid}/approve`, `/order/${uuid}/cancel`, '/sweep']) {
      for (const body of ['x', '[]', { items: [{ item: 'widget', quantity: 1 }] }]) {
        const { status, body: problem } = await pipeline.post(path, body);
        expect([status, problem.errors?.[0]?.field], path).to.deep.equal([400, 'body']);
      }
    }
    for (const body of ['', '{ }']) expect((await pipeline.post('/sweep', body)).status).to.equal(200);
    const deleted = await fetch(`${pipeline.url}/users/jack`, {
      method: 'DELETE',
      body: '{"keep":"orders"}',
    });
    expect([deleted.status, (await pipeline.get('/users/jack')).status]).to.deep.equal([400, 200]);
  });

  it('refuses more than 64 KiB with 413', async () => {
    const { status, body } = await pipeline.post('/order', { ...good, 'payment-error': 'x'.repeat(65_536) });
    expect(status).to.equal(413);
    expect(body.detail).to.contain('64 KiB');
  });

  it('refuses what is not declared as JSON with 415, and says what to send', async () => {
    const { status, body } = await pipeline.post('/order', good, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(status).to.equal(415);
    expect(body.detail).to.contain('Content-Type: application/json');
  });

  it('[anomaly 40] refuses an Idempotency-Key that is empty or endless with 400', async () => {
    for (const key of ['', 'x'.repeat(256)]) {
      const { status, body } = await pipeline.post('/order', good, { 'Idempotency-Key': key });
      expect(status).to.equal(400);
      expect(body.errors[0].field).to.equal('Idempotency-Key');
    }
  });

  it('[anomaly 40] refuses two Idempotency-Keys with 400: they are not a third one', async () => {
    const sending = request(`${pipeline.url}/order`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Idempotency-Key': ['one', 'other'] },
    });
    sending.end(JSON.stringify(good));
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    expect([response.statusCode, JSON.parse(await text(response)).errors]).to.deep.equal([
      400,
      [{ field: 'Idempotency-Key', message: 'must be sent once' }],
    ]);
  });

  it('answers 404 for an order, a user, an item and an invoice that nobody knows', async () => {
    for (const path of [
      `/order/${uuidv4()}`,
      '/order/1',
      '/users/nobody',
      '/inventory/gizmo',
      `/payments/${uuidv4()}`,
      '/nowhere',
    ]) {
      const { status, body } = await pipeline.get(path);
      expect(status, path).to.equal(404);
      expect(body.title).to.equal('Not found');
    }
  });

  it('answers 405 where the method is wrong, with the ones that are right', async () => {
    const { status, headers } = await pipeline.get('/order');
    expect(status).to.equal(405);
    expect(headers.get('allow')).to.equal('POST');
    // Not those of `/sagas/{uuid}`, which this path fits, too.
    const pausing = await pipeline.put('/sagas/pause', {});
    expect([pausing.status, pausing.headers.get('allow')]).to.deep.equal([405, 'POST']);
  });

  it('finds an order by its uuid in any case', async () => {
    const { body } = await pipeline.post('/order', good);
    expect((await pipeline.get(`/order/${body.uuid.toUpperCase()}`)).body.uuid).to.equal(body.uuid);
  });

  it('tells in the history of an order why it failed', async () => {
    const { uuid } = await pipeline.order({ ...good, user: 'nobody' });
    const { reason, detail, history } = (await pipeline.get(`/order/${uuid}`)).body;
    expect(reason).to.equal('USER_NOT_FOUND');
    expect(history.map(({ at: _, ...told }: { at: string }) => told)).to.deep.equal([
      { status: 'RECEIVED', by: 'frontend' },
      { status: 'FAILING', by: 'order', reason, detail },
      { status: 'CANCELED', by: 'janitor' },
    ]);
  });

  it('lists orders newest first, page by page, none twice and none left out', async () => {
    const placed = [];
    for (let count = 0; count < 7; count++)
      placed.push((await pipeline.order({ ...good, user: 'joe', item: 'gizmo' })).uuid);
    const listed: string[] = [];
    let page = '';
    do {
      const { body } = await pipeline.get(`/orders?user=joe&status=CANCELED&limit=3${page}`);
      listed.push(...body.orders.map(({ uuid }: { uuid: string }) => uuid));
      page = body.next_page ? `&page=${body.next_page}` : '';
    } while (page);
    expect(listed.toSorted()).to.deep.equal(placed.toSorted());
    const all = (await pipeline.get('/orders?limit=100')).body.orders.map(
      ({ createdAt }: { createdAt: string }) => createdAt,
    );
    expect(all).to.deep.equal(all.toSorted().toReversed());
  });

  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'status=LOST',
    'page=x',
    'user=a/b',
    'color=red',
    'user=a&user=b',
  ]) {
    it(`refuses to list orders by ${query} with 400`, async () => {
      expect((await pipeline.get(`/orders?${query}`)).status).to.equal(400);
    });
  }

  it('[anomaly 41] refuses a query parameter that it does not know, on every route, and names it', async () => {
    const { paths } = (await pipeline.get('/openapi.json')).body as {
      paths: Record<string, Record<string, object>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, uuidv4())]),
    );
    for (const [method = '', path] of operations) {
      const answer = await fetch(`${pipeline.url}${path}?color=red&__proto__=x&color=blue`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' && { body: JSON.stringify(good) }),
      });
      const { errors = [] } = (await answer.json()) as { errors?: { message: string }[] };
      const unknown = errors.filter(({ message }) => message === 'is unknown');
      expect([answer.status, unknown], `${method} ${path}`).to.deep.equal([
        400,
        ['color', '__proto__'].map((field) => ({ field, message: 'is unknown' })),
      ]);
    }
    expect(operations.length).to.be.above(10);
  });

  it('does not mind parameters where probes and tools ask', async () => {
    for (const path of ['/', '/livez', '/readyz', '/openapi.json']) {
      expect((await pipeline.get(`${path}?color=red`)).status, path).to.equal(200);
    }
  });

  it('tells what it can do: an index, and an OpenAPI document of all routes', async () => {
    const index = (await pipeline.get('/')).body;
    expect(index.routes).to.include('POST /order: Place an order');
    const openapi = (await pipeline.get('/openapi.json')).body;
    expect(openapi.openapi).to.equal('3.1.0');
    expect(Object.keys(openapi.paths)).to.have.length.above(5);
    expect(
      openapi.paths['/order'].post.requestBody.content['application/json'].schema.properties,
    ).to.have.keys('user', 'item', 'quantity', 'items', 'on_shortage', 'mode', 'payment-error', 'fail');
  });

  it('shows the stock and the customers, without what only the audit needs', async () => {
    const { store, get } = pipeline;
    const joe = (await store.read(['users/joe'])).get('users/joe');
    if (joe === undefined) throw new Error('Joe was not loaded');
    await store.commit([
      { kind: 'update', path: 'users/joe', version: joe.version, fields: { corrections: 1 } },
    ]);
    const wotsit = { item: 'wotsit', quantity: 20, reserved: 0, sold: 0, price_per_unit: 15 };
    expect((await get('/inventory/wotsit')).body).to.deep.equal(wotsit);
    expect((await get('/users/joe')).body).to.deep.equal({
      user: 'joe',
      address: '3 Mill Lane',
      credit: 100,
      credit_limit: 100,
    });
    for (const [collection, listed] of [
      ['users', (await get('/users')).body.users],
      ['inventory', (await get('/inventory')).body.items],
    ]) {
      const names = Object.keys(DATA[collection] ?? {}).sort();
      const each = await Promise.all(names.map(async (name) => (await get(`/${collection}/${name}`)).body));
      expect(listed, collection).to.deep.equal(each);
    }
  });

  it('is alive and ready', async () => {
    expect((await pipeline.get('/livez')).status).to.equal(200);
    expect((await pipeline.get('/readyz')).status).to.equal(200);
  });
});

describe('The HTTP API without its store', () => {
  it('[anomaly 37] accepts nothing: 503 with Retry-After; is not ready, and goes on when the store is back', async () => {
    let away = true;
    const pipeline = await startPipeline(embedded(), ({ store }) => {
      const guarded =
        <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
        async (...args: A) => {
          if (away) throw new StoreError('unavailable', 'away');
          return work(...args);
        };
      return {
        store: { ...store, read: guarded(store.read), commit: guarded(store.commit) },
        clock: { now: systemClock.now, after: (_delayMs, action) => systemClock.after(0, action) },
      };
    });
    const order = { item: 'widget', quantity: 1, user: 'jack' };
    const { status, headers } = await pipeline.post('/order', order);
    expect(status).to.equal(503);
    expect(headers.get('retry-after')).to.equal('1');
    expect((await pipeline.get('/orders')).body).to.deep.equal({ orders: [] });
    const ready = await pipeline.get('/readyz');
    expect([ready.status, ready.body]).to.deep.equal([503, { missing: ['store'] }]);
    away = false;
    expect((await pipeline.order(order)).status).to.equal(SUCCESS);
    await pipeline.close();
  });
});

function manyLines(count: number) {
  return Array.from({ length: count }, (_, index) => ({ item: `item ${index}`, quantity: 1 }));
}

describe('A pipeline that is told to close', () => {
  it('[anomaly 35] is not ready any more and takes no orders while it finishes what is under way', async () => {
    const { promise: released, resolve: release } = withResolvers();
    const { promise: committing, resolve: begin } = withResolvers();
    const { store, bus } = embedded();
    const slow: typeof store = {
      ...store,
      async commit(writes) {
        if (writes.some(({ path }) => path.startsWith('sagas/'))) {
          begin();
          await released;
        }
        await store.commit(writes);
      },
    };
    const pipeline = await startPipeline({ store: slow, bus });
    const order = { item: 'widget', quantity: 1, user: 'jack' };
    const underWay = pipeline.post('/order', order);
    await committing;
    const closed = pipeline.close();
    const { status, body } = await pipeline.get('/readyz');
    expect([status, body.missing]).to.deep.equal([503, ['running']]);
    const late = await pipeline.post('/order', order);
    expect([late.status, late.headers.get('retry-after')]).to.deep.equal([503, '1']);
    release();
    expect((await underWay).status).to.equal(202);
    await closed;
  });
});

describe('A server that is told to close', () => {
  it('[anomaly 35] answers what is under way, and ends connections that would be kept', async () => {
    const { promise: released, resolve: release } = withResolvers();
    const { promise: arrived, resolve: arrive } = withResolvers();
    const slow = route({
      method: 'GET',
      path: '/slow',
      summary: 'Waits',
      answer: z.string(),
      responses: { 200: 'Done' },
      async handle() {
        arrive();
        await released;
        return { status: 200, body: 'answered' };
      },
    });
    const server = await serveHttp(
      httpApp([slow], [], () => {}),
      '127.0.0.1',
      0,
    );
    const answering = fetch(`http://127.0.0.1:${server.port}/slow`);
    await arrived;
    const closing = server.close(60_000);
    release();
    const answer = await answering;
    expect([await answer.json(), answer.headers.get('connection')]).to.deep.equal(['answered', 'close']);
    await closing;
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
