import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { z } from 'zod';
import { route, type ServerEvent, STAYS } from '../../saga/http/http.ts';
import { waitFor } from '../../saga/http/wait-for.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { type EventReader, readEvents } from '../../test/support/event-stream.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { createEventStreams } from './event-streams.ts';
import { type HttpServer, httpApp, serveHttp } from './http-server.ts';

const LARGE = 'x'.repeat(64 * 1024);

describe('A stream of events', () => {
  let server: HttpServer | undefined;
  let logged: unknown[];
  const readers: EventReader[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await server?.close(0);
  });

  async function serve(
    events: (left: AbortSignal) => AsyncIterable<ServerEvent>,
    limits?: { readonly streamsMax?: number; readonly ofClientMax?: number },
    before = async () => {},
  ) {
    const clock = createManualClock();
    logged = [];
    const log = (severity: string, message: string) => logged.push([severity, message]);
    const stream = route({
      method: 'GET',
      path: '/events',
      summary: 'What happens',
      answer: z.string(),
      events: { news: z.unknown() },
      responses: { 200: 'What happens' },
      async handle({ left = STAYS }) {
        await before();
        return { status: 200, events: events(left) };
      },
    });
    const streams = createEventStreams(clock, log, limits);
    const started = await serveHttp(
      httpApp([stream], [], log, { streams, trustedProxies: 1 }),
      '127.0.0.1',
      0,
    );
    server = started;
    const read = async (from?: string) => {
      const reader = await readEvents(
        `${started.url}/events`,
        from === undefined ? {} : { 'x-forwarded-for': from },
      );
      readers.push(reader);
      return reader;
    };
    return { clock, read, server: started };
  }
  /** Says one thing, and then nothing more until the client leaves. */
  async function* silent(left: AbortSignal): AsyncGenerator<ServerEvent> {
    yield { event: 'news', id: 1, data: { text: 'a\nb' } };
    await waitFor(left, () => () => {});
  }

  it('is sent at once, and no proxy may collect or keep it', async () => {
    const { read } = await serve(silent);
    const reader = await read();
    expect(await reader.next()).to.deep.equal({ event: 'news', id: '1', data: { text: 'a\nb' } });
    expect(reader.headers).to.include({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  });

  it('has only headers for a client that asks for no more', async () => {
    const { server } = await serve(silent);
    const { status, headers } = await fetch(`${server.url}/events`, { method: 'HEAD' });
    expect([status, headers.get('content-type')]).to.deep.equal([200, 'text/event-stream']);
    await server.close(600_000);
  });

  it('has a heartbeat every 15 s while nothing happens', async () => {
    const { clock, read } = await serve(silent);
    const reader = await read();
    await reader.next();
    expect(await clock.finish(reader.hasComment())).to.equal(true);
    expect(new Set(clock.pausesMs)).to.deep.equal(new Set([15_000, 600_000]));
  });

  it('never begins for a client that leaves before it is ready, and keeps no place', async () => {
    let [isAsked, goOn] = [() => {}, () => {}];
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const gates = [
      new Promise<void>((resolve) => {
        goOn = resolve;
      }),
    ];
    let beginnings = 0;
    const { read, server } = await serve(
      async function* (left) {
        beginnings++;
        yield* silent(left);
      },
      { streamsMax: 1 },
      async () => {
        isAsked();
        await gates.shift();
      },
    );
    const impatient = new AbortController();
    const gone = fetch(`${server.url}/events`, { signal: impatient.signal }).catch(() => 'gone');
    await asked;
    impatient.abort();
    expect(await gone).to.equal('gone');
    // The one place is free once the server has heard that the client has left, and not only when its route is ready.
    let reader = await read();
    while (reader.status === 503) reader = await read();
    expect(await reader.next()).to.include({ event: 'news' });
    goOn();
    await nextTurn();
    expect(beginnings).to.equal(1);
  });

  it('ends after ten minutes, so that its client has to show again who it is', async () => {
    const { clock, read } = await serve(silent);
    const reader = await read();
    await reader.next();
    const ended = reader.until('nothing').catch(() => 'ended');
    const before = clock.now().getTime();
    await clock.finish(ended);
    expect(clock.now().getTime() - before).to.equal(600_000);
  });

  it('ends for its maker once the client has left', async () => {
    let hasLeft = () => {};
    const left = new Promise<void>((resolve) => {
      hasLeft = resolve;
    });
    const { read } = await serve(async function* (signal) {
      yield* silent(signal);
      hasLeft();
    });
    const reader = await read();
    await reader.next();
    reader.close();
    await left;
  });

  it('[anomaly 45] asks for nothing more while the client does not read, and ends after a minute of that', async () => {
    let madeCount = 0;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { clock, read } = await serve(async function* (left) {
      while (!left.aborted) {
        madeCount++;
        yield { event: 'news', data: LARGE };
      }
      end();
    });
    const reader = await read();
    reader.pause();
    while (!clock.pausesMs.includes(60_000)) await nextTurn();
    // What is under way may still fill the buffers of the system.
    let before = 0;
    while (before < madeCount) {
      before = madeCount;
      for (let turn = 0; turn < 1_000; turn++) await nextTurn();
    }
    expect(madeCount * LARGE.length).to.be.below(64 * 1024 * 1024);
    await clock.finish(ended);
  });

  it('[anomaly 45] is refused with 503 while there are too many, until one of them ends', async () => {
    const { read } = await serve(silent, { streamsMax: 2 });
    const [first] = [await read(), await read()];
    const refused = await read();
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([503, '10']);
    first.close();
    while ((await read()).status !== 200) await nextTurn();
  });

  it('[anomaly 45] is refused with 429 to a client that has too many, and to no other', async () => {
    const { read } = await serve(silent, { ofClientMax: 2 });
    const [one, another] = ['203.0.113.1', '203.0.113.2'];
    const [first] = [await read(one), await read(one)];
    const refused = await read(one);
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([429, '10']);
    expect((await read(another)).status).to.equal(200);
    first.close();
    while ((await read(one)).status !== 200) await nextTurn();
    // On this machine, one client may be everybody.
    for (const _ of [1, 2, 3]) expect((await read()).status).to.equal(200);
  });

  it('[anomaly 35] ends at once when the server drains, whether its client reads or not', async () => {
    const { read, server } = await serve(async function* (left) {
      for (let count = 0; !left.aborted; count++) {
        if (count < 1_000) yield { event: 'news', data: LARGE };
        else yield* silent(left);
      }
    });
    const [reading, idle] = [await read(), await read()];
    idle.pause();
    await reading.until('news');
    await server.close(600_000);
    while ((await reading.next()) !== undefined);
  });

  it('ends with a line in the log when its maker fails, and the client comes back', async () => {
    const { read } = await serve(async function* () {
      yield { event: 'news', data: 1 };
      throw new StoreError('unavailable', 'The store is away');
    });
    const reader = await read();
    await reader.next();
    expect(await reader.next()).to.equal(undefined);
    expect(logged).to.deep.equal([['WARNING', 'HTTP: a live stream has ended with an error']]);
  });
});
