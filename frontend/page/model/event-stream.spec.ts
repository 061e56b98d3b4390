import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createLocks } from '../../../test/support/browser-locks.ts';
import { type Connection, eventParser, type Following, follow, type ServerEvent } from './event-stream.ts';
import { SLOTS, takeSlot } from './stream-slot.ts';

describe('A stream of events', () => {
  it('is cut into events, wherever the network cuts it', () => {
    const text = ': heartbeat\n\nevent: order\nid: 3\ndata: {"a":1}\n\ndata: two\r\ndata:lines\r\n\r\n';
    const whole = eventParser()(text);
    expect(whole).to.deep.equal([
      { event: 'order', data: '{"a":1}', id: '3' },
      { event: 'message', data: 'two\nlines' },
    ]);
    const parse = eventParser();
    expect([...text].flatMap(parse)).to.deep.equal(whole);
  });

  it('is refused once an event has no end', () => {
    const parse = eventParser();
    expect(() => parse(`data: ${'x'.repeat(5 * 1024 * 1024)}`)).to.throw('without an end');
  });
});

describe('A page that follows a stream', () => {
  let stop = () => {};
  let close = () => {};
  afterEach(() => {
    stop();
    close();
  });

  /** Follows what `answer` sends, until an event or a state of the connection is the last that is wanted. */
  async function followed(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    isLast: (seen: ServerEvent | Connection) => boolean,
    more: Pick<Following, 'page' | 'locks'> = {},
  ) {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    close = () => {
      server.close();
      server.closeAllConnections();
    };
    const seen: (ServerEvent | Connection)[] = [];
    await new Promise<void>((resolve) => {
      const see = (one: ServerEvent | Connection) => {
        seen.push(one);
        if (isLast(one)) resolve();
      };
      const { port } = server.address() as AddressInfo;
      stop = follow(`http://127.0.0.1:${port}/events`, { onEvent: see, onConnection: see, ...more });
    });
    return seen;
  }

  it('goes on behind the last event that it had after its connection broke', async () => {
    const asked: unknown[] = [];
    const seen = await followed(
      (request, response) => {
        asked.push(request.headers['last-event-id']);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`id: ${asked.length}\ndata: ${asked.length}\n\n`, () => {
          if (asked.length === 1) response.destroy();
        });
      },
      (one) => typeof one === 'object' && one.data === '2',
    );
    expect(asked).to.deep.equal([undefined, '1']);
    expect(seen.filter((one) => typeof one === 'string')).to.deep.equal([
      'connecting',
      'live',
      'reconnecting',
      'live',
    ]);
  });

  it('tries again while the server is away, and not if it is refused', async () => {
    let count = 0;
    const seen = await followed(
      (_, response) => {
        count++;
        response.writeHead(count === 1 ? 503 : 404).end();
      },
      (one) => one === 'refused',
    );
    expect([count, seen]).to.deep.equal([2, ['connecting', 'reconnecting', 'refused']]);
  });

  it('rests while it is hidden, and begins once it is seen', async () => {
    const trail: unknown[] = [];
    /** It is seen once the page has begun to wait for that. */
    const page = new (class extends EventTarget {
      hidden = true;
      override addEventListener(...[type, listener, options]: Parameters<EventTarget['addEventListener']>) {
        super.addEventListener(type, listener, options);
        if (typeof options !== 'object' || !options.once) return;
        trail.push('rests');
        queueMicrotask(() => {
          this.hidden = false;
          this.dispatchEvent(new Event('visibilitychange'));
        });
      }
    })();
    await followed(
      (_, response) => {
        trail.push('asked');
        response.writeHead(200).end('data: 1\n\n');
      },
      (one) => typeof one === 'object',
      { page },
    );
    expect(trail).to.deep.equal(['rests', 'asked']);
  });

  it('holds one slot while it is connected, and says so while it waits for one', async () => {
    const locks = createLocks();
    const others = await Promise.all(
      SLOTS.map(() => takeSlot(locks, new AbortController().signal, () => {})),
    );
    let askedCount = 0;
    const seen = await followed(
      (_, response) => {
        askedCount++;
        const isLast = askedCount === 2;
        response.writeHead(200).end(isLast ? 'data: 1\n\nevent: end\ndata: {}\n\n' : 'data: 1\n\n');
      },
      (one) => {
        if (one === 'crowded') others[0]?.();
        return one === 'ended';
      },
      { locks },
    );
    expect(seen.filter((one) => typeof one === 'string')).to.deep.equal([
      'connecting',
      'crowded',
      'live',
      'reconnecting',
      'live',
      'ended',
    ]);
    await new Promise(setImmediate);
    expect(SLOTS.filter((name) => locks.isFree(name))).to.have.length(1);
  });

  it('stops when the server says that this was the end', async () => {
    let count = 0;
    const seen = await followed(
      (_, response) => {
        count++;
        response.writeHead(200).end('data: 1\n\nevent: end\ndata: {}\n\n');
      },
      (one) => one === 'ended',
    );
    expect([count, seen]).to.deep.equal([
      1,
      ['connecting', 'live', { event: 'message', data: '1' }, 'ended'],
    ]);
  });
});
