import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { type GateSettings, gatesBy } from '../../adapters/http/gates.ts';
import { httpApp, serveHttp } from '../../adapters/http/http-server.ts';
import { createLog } from '../../adapters/log.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { pushHandlers } from '../../adapters/push/push-receiver.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { noTelemetry } from '../../adapters/telemetry/telemetry.ts';
import { gatewayApp } from '../../local/gateway.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { type HostOptions, hostServices } from '../../programs/host.ts';
import { inboxesOf } from '../../saga/deliver/inbox.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { Problem, type Route } from '../../saga/http/http.ts';
import type { Log } from '../../saga/ports/log.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { SETTINGS, UUID, uuidOf } from '../support/builders.ts';
import { runProgram } from '../support/child.ts';
import { topology } from '../support/pipeline.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const portsWith = (log: Log): Ports => ({
  store: createMemoryStore(),
  bus: createMemoryBus(topology, systemClock),
  clock: systemClock,
  random: () => 0.5,
  newUuid: () => UUID,
  log,
});
const routes = allServices(
  pipeline,
  portsWith(() => {}),
  SETTINGS,
).flatMap((service) => service.routes());
const operatorRoutes = routes.filter(({ audience }) => audience === 'operators');

/** An answer, as far as these tests look. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends what is given and nothing else; fetch would not let a test choose its host or its origin. */
function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = request(
      { port, method, path, headers: { host: 'localhost', ...headers }, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces).toString(),
          }),
        );
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}

/** A route of each kind, which say that they were reached, whatever the query says. */
const reached = (definition: Pick<Route, 'method' | 'path' | 'audience'>): Route => ({
  summary: 'Says that it was reached',
  answer: z.string(),
  query: z.looseObject({}),
  responses: { 200: 'Reached' },
  handle: async () => ({ status: 200, body: 'reached' }),
  ...definition,
});
const READ = reached({ method: 'GET', path: '/orders' });
const CHANGE = reached({ method: 'POST', path: '/order' });
const OPERATE = reached({ method: 'POST', path: '/sweep', audience: 'operators' });

const metrics: RequestHandler = (_request, response) => {
  response.send('saga_orders_total 1');
};

/** Serves some routes behind gates while the test runs. */
async function serving<T>(
  {
    trustedProxies = 0,
    isLocal = false,
    log = () => {},
    served = [READ, CHANGE, OPERATE],
    page,
    push = [],
    ...gates
  }: GateSettings & {
    trustedProxies?: number;
    isLocal?: boolean;
    log?: Log;
    served?: readonly Route[];
    page?: RequestHandler;
    push?: RequestHandler[];
  },
  test: (port: number) => Promise<T>,
): Promise<T> {
  const app = httpApp(served, [], log, {
    gatesOf: gatesBy(gates),
    trustedProxies,
    isLocal,
    metrics: page,
    push,
  });
  const server = await serveHttp(app, '127.0.0.1', 0);
  try {
    return await test(server.port);
  } finally {
    await server.close(1000);
  }
}
const statusOf = async (answer: Promise<Answer>) => (await answer).status;

describe("The operators' routes", () => {
  it("are all routes of the janitor, the courier's words, what changes the stock or shows how it moved, and what erases a customer", () => {
    expect(operatorRoutes.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      'DELETE /users/{user}',
      'GET /inventory/{item}/movements',
      'PUT /inventory/{item}',
      'GET /inventory/{item}/changes',
      'POST /deliveries/{uuid}/delivered',
      'POST /deliveries/{uuid}/canceled',
      'GET /dead-letters',
      'GET /dead-letters/reasons',
      'GET /dead-letters/{id}',
      'POST /dead-letters/redrive',
      'POST /dead-letters/{id}/redrive',
      'DELETE /dead-letters/{id}',
      'GET /sagas/{uuid}',
      'POST /sagas/{uuid}/announce',
      'POST /sagas/{uuid}/cancel',
      'POST /sagas/{uuid}/pause',
      'POST /sagas/{uuid}/resume',
      'POST /sagas/{uuid}/skip',
      'POST /sagas/{uuid}/fork',
      'POST /sagas/pause',
      'POST /sagas/resume',
      'POST /sweep',
      'GET /audit',
      'POST /repair',
      'GET /repairs',
    ]);
  });

  it('let nobody pull the plug in what programs start: those routes are nowhere', async () => {
    await serving({ served: routes, operators: { by: 'platform' } }, async (port) => {
      expect(await statusOf(send(port, 'GET', '/plug'))).to.equal(404);
      for (const path of ['crash', 'freeze', 'cut', 'duplicate', 'replay']) {
        expect(await statusOf(send(port, 'POST', `/plug/${path}`)), path).to.equal(404);
      }
    });
  });

  it('leave of all others only the stock and the definition of the saga to everybody where customers are told apart', () => {
    const forEverybody = routes.filter(({ audience }) => audience === undefined);
    expect(forEverybody.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      'GET /saga',
      'GET /inventory',
      'GET /inventory/{item}',
    ]);
  });

  it('[anomaly 39] are closed where nothing is said about operators', async () => {
    await serving({ served: routes }, async (port) => {
      for (const { method, path } of operatorRoutes) {
        const address = path.replaceAll(/\{\w+\}/g, uuidOf(1));
        const { status, body } = await send(port, method, address, { authorization: `Bearer ${TOKEN}` });
        expect(status, `${method} ${path}`).to.equal(403);
        expect(JSON.parse(body).detail).to.contain('set OPERATOR_TOKEN, or OPERATOR_AUTH=platform');
      }
    });
  });

  it('[anomaly 39] open to the token alone, however the path is written', async () => {
    const wrong = [
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
      'Bearer undefined',
    ];
    await serving({ operators: { by: 'token', token: TOKEN } }, async (port) => {
      for (const path of [
        '/sweep',
        '/SWEEP',
        '/sweep/',
        '/sweep?token=x',
        'http://elsewhere.example/sweep',
      ]) {
        expect(await statusOf(send(port, 'POST', path, { authorization: `Bearer ${TOKEN}` })), path).to.equal(
          200,
        );
        for (const authorization of wrong) {
          const { status, headers } = await send(port, 'POST', path, { authorization });
          expect([status, headers['www-authenticate']], `${path} ${authorization}`).to.deep.equal([
            401,
            'Bearer realm="operators"',
          ]);
        }
        expect(await statusOf(send(port, 'POST', path))).to.equal(401);
      }
    });
  });

  it('are left to the platform where that is said', async () => {
    await serving({ operators: { by: 'platform' } }, async (port) => {
      expect(await statusOf(send(port, 'POST', '/sweep'))).to.equal(200);
    });
  });

  it('[anomaly 39] on this machine answer people and programs, no page of another site, and nobody through a tunnel', async () => {
    const cases: [headers: Record<string, string>, status: number][] = [
      [{ host: '127.0.0.1:8080' }, 200],
      [{ host: '[::1]:8080' }, 200],
      [{ host: 'localhost:8080', origin: 'http://localhost:8080' }, 200],
      [{ host: 'localhost:8080', origin: 'https://elsewhere.example' }, 403],
      [{ host: 'localhost:8080', origin: 'null' }, 403],
      // As browsers ask for an image or follow a link, without an origin.
      [{ host: 'localhost:8080', 'sec-fetch-site': 'cross-site' }, 403],
      [{ host: 'localhost:8080', 'sec-fetch-site': 'same-site' }, 403],
      [{ host: 'localhost:8080', 'sec-fetch-site': 'none' }, 200],
      [{ host: 'elsewhere.example:8080' }, 403],
      [{ host: 'elsewhere.example:8080', origin: 'http://elsewhere.example:8080' }, 403],
      [{ host: '127.0.0.1.elsewhere.example' }, 403],
      // As the local gateway hands on, and as a tunnel or another proxy on this machine does.
      [{ host: 'localhost:8080', 'x-forwarded-for': '127.0.0.1' }, 200],
      [{ host: 'localhost:8080', 'x-forwarded-for': '203.0.113.9' }, 403],
      [{ host: 'localhost:8080', 'x-forwarded-for': '203.0.113.9, 127.0.0.1' }, 403],
      [{ host: 'localhost:8080', forwarded: 'for=203.0.113.9' }, 403],
    ];
    await serving({ operators: { by: 'loopback' } }, async (port) => {
      for (const [headers, status] of cases) {
        expect(await statusOf(send(port, 'POST', '/sweep', headers)), JSON.stringify(headers)).to.equal(
          status,
        );
      }
    });
  });

  it('are told in the log to be closed when a service starts that has some', async () => {
    const lines: string[] = [];
    const ports = portsWith((severity, message) => lines.push(`${severity} ${message}`));
    const services = allServices(pipeline, ports, SETTINGS).filter(({ name }) =>
      ['payments', 'janitor'].includes(name),
    );
    for (const service of services) {
      const options = {
        host: '127.0.0.1',
        port: 0,
        backend: 'memory',
        subscriber: 'pull',
        pushIdentity: 'platform',
      } as const;
      await (await hostServices(pipeline, [service], ports, options, () => {})).close();
      // Every service that shows its metrics has one.
      const shown = { ...noTelemetry, page: metrics };
      await (await hostServices(pipeline, [service], ports, options, () => {}, shown)).close();
    }
    const warning =
      "WARNING The operators' routes are closed: set OPERATOR_TOKEN, or OPERATOR_AUTH=platform where Cloud Run's IAM checks";
    expect(lines.filter((line) => line.startsWith('WARNING'))).to.deep.equal([warning, warning, warning]);
  });

  it('are described with their security scheme, and the others without', async () => {
    const { paths, components } = await serving({ served: routes }, async (port) =>
      JSON.parse((await send(port, 'GET', '/openapi.json')).body),
    );
    for (const scheme of ['operator', 'customer']) {
      expect(components.securitySchemes[scheme]).to.include({ type: 'http', scheme: 'bearer' });
    }
    for (const { method, path, audience } of routes) {
      const operation = paths[path][method.toLowerCase()];
      const security = { operators: [{ operator: [] }], customers: [{ customer: [] }, { operator: [] }, {}] };
      expect(operation.security, `${method} ${path}`).to.deep.equal(audience && security[audience]);
      expect(401 in operation.responses).to.equal(audience !== undefined);
    }
  });
});

describe('A server on this machine', () => {
  const here = 'localhost:8080';
  /** A request, and what becomes of it: whether it may change something, and whether it may read. */
  const cases: [what: string, headers: Record<string, string>, change: number, read: number][] = [
    ['a program', { host: '127.0.0.1:8080' }, 200, 200],
    ['its own page', { host: here, origin: `http://${here}`, 'sec-fetch-site': 'same-origin' }, 200, 200],
    ['an address that was typed', { host: here, 'sec-fetch-site': 'none' }, 200, 200],
    ['a form or a script of another site', { host: here, origin: 'https://elsewhere.example' }, 403, 403],
    ['a page of another port', { host: here, origin: 'http://localhost:3000' }, 403, 403],
    ['a page without an origin, as from a file or a sandbox', { host: here, origin: 'null' }, 403, 403],
    ['a link on another site', { host: here, 'sec-fetch-site': 'cross-site' }, 403, 200],
    ['a name that was made to point here', { host: 'elsewhere.example:8080' }, 403, 403],
    [
      'a page under such a name',
      { host: 'elsewhere.example', origin: 'http://elsewhere.example', 'sec-fetch-site': 'same-origin' },
      403,
      403,
    ],
    ['somebody elsewhere, through a tunnel', { host: here, 'x-forwarded-for': '203.0.113.9' }, 403, 403],
    ['this machine, through the gateway', { host: here, 'x-forwarded-for': '127.0.0.1' }, 200, 200],
  ];
  for (const [what, headers, change, read] of cases) {
    it(`[anomaly 39] lets ${what} ${change === 200 ? 'order' : 'order nothing'} and ${read === 200 ? 'read' : 'read nothing'}`, async () => {
      await serving({ isLocal: true, operators: { by: 'token', token: TOKEN } }, async (port) => {
        expect(await statusOf(send(port, 'POST', '/order', headers))).to.equal(change);
        for (const path of ['/orders', '/', '/openapi.json']) {
          expect(await statusOf(send(port, 'GET', path, headers)), path).to.equal(read);
        }
      });
    });
  }

  it('[anomaly 39] hears no other site about any route of the shop, for customers or operators', async () => {
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'null', 'content-type': 'text/plain' };
    const ports = portsWith(() => {});
    const options = { backend: 'memory', subscriber: 'pull', pushIdentity: 'platform' } as const;
    const services = allServices(pipeline, ports, SETTINGS);
    const host = await hostServices(
      pipeline,
      services,
      ports,
      { host: '127.0.0.1', port: 0, operators: { by: 'loopback' }, ...options },
      () => {},
    );
    const answered: string[] = [];
    for (const { method, path } of routes) {
      const address = path.replaceAll(/\{\w+\}/g, uuidOf(1));
      if ((await statusOf(send(host.port, method, address, foreign))) !== 403)
        answered.push(`${method} ${path}`);
    }
    await host.close();
    expect(answered).to.deep.equal([]);
  });

  it('is for everybody where other machines reach it, or a proxy that it trusts stands in front', async () => {
    const shop = { host: 'shop.example', origin: 'https://shop.example', 'x-forwarded-for': '203.0.113.9' };
    const statusAt = async (options: Pick<HostOptions, 'host' | 'trustedProxies'>) => {
      const ports = portsWith(() => {});
      const services = allServices(pipeline, ports, SETTINGS).filter(({ name }) => name === 'frontend');
      const fixed = { port: 0, backend: 'memory', subscriber: 'pull', pushIdentity: 'platform' } as const;
      const host = await hostServices(pipeline, services, ports, { ...fixed, ...options }, () => {});
      const status = await statusOf(send(host.port, 'GET', '/orders', shop));
      await host.close();
      return status;
    };
    expect(await statusAt({ host: '127.0.0.1', trustedProxies: 1 })).to.equal(200);
    // A loopback address in a form that says nothing of it, so that this test listens to nobody else.
    expect(await statusAt({ host: '::ffff:127.0.0.1' })).to.equal(200);
    expect(await statusAt({ host: '127.0.0.1' })).to.equal(403);
  });
});

describe('Customers', () => {
  it('are told in the log not to be told apart, as a warning where others can reach the service', async () => {
    const said = async (host: string, identity?: HostOptions['customerIdentity']) => {
      const lines: string[] = [];
      const ports = portsWith((severity, message) => lines.push(`${severity} ${message.split(':')[0]}`));
      const options: HostOptions = {
        host,
        port: 0,
        backend: 'memory',
        subscriber: 'pull',
        pushIdentity: 'platform',
        ...(identity && { customerIdentity: identity }),
      };
      const services = allServices(pipeline, ports, SETTINGS).filter(({ name }) => name === 'payments');
      await (await hostServices(pipeline, services, ports, options, () => {})).close();
      return lines;
    };
    expect(await said('127.0.0.1')).to.deep.equal(['INFO Customers are not told apart']);
    // A loopback address in a form that says nothing of it, so that this test listens to nobody else.
    expect(await said('::ffff:127.0.0.1')).to.deep.equal(['WARNING Customers are not told apart']);
    const identity = { issuer: 'http://127.0.0.1:1', audience: 'shop', claim: 'sub' };
    expect(await said('127.0.0.1', identity)).to.deep.equal([]);
  });
});

describe('The page of the metrics', () => {
  const statuses = (gates: GateSettings, headers: Record<string, string> = {}) =>
    serving({ page: metrics, ...gates }, (port) =>
      Promise.all(
        ['/metrics', '/METRICS', '/metrics/', '/metrics?name[]=x'].map((path) =>
          statusOf(send(port, 'GET', path, headers)),
        ),
      ),
    );
  const every = (status: number) => [status, status, status, status];

  it('[anomaly 39] is for operators alone, however its path is written', async () => {
    expect(await statuses({})).to.deep.equal(every(403));
    const token = { operators: { by: 'token', token: TOKEN } } as const;
    expect(await statuses(token)).to.deep.equal(every(401));
    expect(await statuses(token, { authorization: `Bearer ${TOKEN}` })).to.deep.equal(every(200));
    expect(await statuses({ operators: { by: 'platform' } })).to.deep.equal(every(200));
    const loopback = { operators: { by: 'loopback' } } as const;
    expect(await statuses(loopback)).to.deep.equal(every(200));
    expect(await statuses(loopback, { host: 'elsewhere.example' })).to.deep.equal(every(403));
  });

  it('is nowhere unless it is asked for', async () => {
    await serving({ operators: { by: 'platform' } }, async (port) => {
      expect(await statusOf(send(port, 'GET', '/metrics'))).to.equal(404);
    });
  });
});

describe('A client that sends too much', () => {
  const from = (...addresses: string[]) => ({ 'x-forwarded-for': addresses.join(', ') });

  it('is answered 429 with Retry-After once it has changed enough, and may still read', async () => {
    await serving({ clientChangesPerMinute: 2 }, async (port) => {
      const statuses = [];
      for (let count = 0; count < 3; count++) statuses.push(await statusOf(send(port, 'POST', '/order')));
      expect(statuses).to.deep.equal([200, 200, 429]);
      const { headers, body } = await send(port, 'POST', '/order');
      expect(headers['content-type']).to.contain('application/problem+json');
      expect(Number(headers['retry-after'])).to.be.within(1, 60);
      expect(JSON.parse(body)).to.include({ status: 429, title: 'Too many requests' });
      expect(await statusOf(send(port, 'GET', '/orders'))).to.equal(200);
    });
  });

  it('[anomaly 39] has few tries to guess the token', async () => {
    const settings = { operators: { by: 'token', token: TOKEN }, operatorRequestsPerMinute: 2 } as const;
    await serving(settings, async (port) => {
      const statuses = [];
      for (let count = 0; count < 4; count++) {
        statuses.push(await statusOf(send(port, 'POST', '/sweep', { authorization: `Bearer ${count}` })));
      }
      expect(statuses).to.deep.equal([401, 401, 429, 429]);
    });
  });

  it('is not told from others by what it says of itself', async () => {
    await serving({ clientChangesPerMinute: 1 }, async (port) => {
      expect(await statusOf(send(port, 'POST', '/order', from('192.0.2.1')))).to.equal(200);
      expect(await statusOf(send(port, 'POST', '/order', from('192.0.2.2')))).to.equal(429);
    });
  });

  it('is known behind a proxy by what the proxy has heard, and by nothing before that', async () => {
    await serving({ clientChangesPerMinute: 1, trustedProxies: 1 }, async (port) => {
      expect(await statusOf(send(port, 'POST', '/order', from('192.0.2.1')))).to.equal(200);
      expect(await statusOf(send(port, 'POST', '/order', from('192.0.2.2')))).to.equal(200);
      expect(await statusOf(send(port, 'POST', '/order', from('198.51.100.7', '192.0.2.1')))).to.equal(429);
      expect(await statusOf(send(port, 'POST', '/order', from('192.0.2.1:49152')))).to.equal(429);
      expect(await statusOf(send(port, 'POST', '/order', from('2001:db8:1:2:3::4')))).to.equal(200);
      expect(await statusOf(send(port, 'POST', '/order', from('2001:db8:1:2:5::6')))).to.equal(429);
    });
  });

  it('is not limited where no limit is set', async () => {
    await serving({}, async (port) => {
      const answers = await Promise.all(
        Array.from({ length: 300 }, () => statusOf(send(port, 'POST', '/order'))),
      );
      expect(new Set(answers)).to.deep.equal(new Set([200]));
    });
  });
});

describe('Every answer', () => {
  it('tells browsers and proxies what not to do with it, whatever it is', async () => {
    await serving({}, async (port) => {
      for (const path of ['/', '/orders', '/nowhere', '/%', '/sweep']) {
        const { headers } = await send(port, 'GET', path);
        const { date: _, allow: _a, 'content-length': _l, 'content-type': type, ...others } = headers;
        expect(type, path).to.match(/^application\/(problem\+)?json; charset=utf-8$/);
        // These, and nothing that has an effect on documents alone, or names the framework.
        expect(others, path).to.deep.equal({
          'cache-control': 'no-store',
          'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
          'cross-origin-resource-policy': 'same-origin',
          'x-content-type-options': 'nosniff',
          connection: 'close',
        });
      }
    });
  });

  it('is given anew, whatever the client says that it has', async () => {
    await serving({}, async (port) => {
      for (const kept of [{ 'if-none-match': '*' }, { 'if-modified-since': new Date().toUTCString() }])
        expect(await statusOf(send(port, 'GET', '/orders', kept))).to.equal(200);
    });
  });

  it('has browsers ask over HTTPS alone, but only where it comes by HTTPS itself', async () => {
    const told = async (trustedProxies: number, headers: Record<string, string>) =>
      serving({ trustedProxies }, async (port) => {
        const answer = await send(port, 'GET', '/orders', headers);
        return answer.headers['strict-transport-security'];
      });
    const byHttps = { 'x-forwarded-proto': 'https' };
    expect(await told(1, byHttps)).to.equal('max-age=31536000; includeSubDomains');
    expect(await told(0, byHttps)).to.equal(undefined);
    expect(await told(1, {})).to.equal(undefined);
  });

  it('comes at once where a body says that it is too large, and the connection ends', async () => {
    const ports = portsWith(() => {});
    const subscribed = allServices(pipeline, ports, SETTINGS).flatMap((service) =>
      inboxesOf(service, topology),
    );
    const push = pushHandlers(subscribed, async () => undefined, ports);
    await serving({ served: routes, push }, async (port) => {
      for (const [path, length] of [
        ['/order', 64 * 1024 + 1],
        ['/order', 10 ** 12],
        ['/push/frontend-sub', 14 * 1024 * 1024 + 1],
      ] as const) {
        const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
        const answer = await said(port, head);
        expect(answer, path)
          .to.match(/^HTTP\/1\.1 413 /)
          .and.to.match(/\r\nConnection: close\r\n/);
      }
    });
  });
});

/** Sends bytes as they are, and returns what comes back until the other side ends the connection. */
function said(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.on('data', (piece) => {
      heard += piece.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
  });
}

describe('Requests that are none', () => {
  const END = 'Connection: close\r\n\r\n';
  const odd: [what: string, bytes: string, status: number][] = [
    ['no host', `GET /orders HTTP/1.1\r\n${END}`, 400],
    [
      'two lengths',
      `POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${END}`,
      400,
    ],
    [
      'a length and chunks',
      `POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n${END}`,
      400,
    ],
    [
      'a broken chunk',
      `POST /order HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ['a line break in a header', `GET /orders HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n${END}`, 400],
    ['headers without end', `GET /orders HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n${END}`, 431],
    ['a method that nobody knows', `STEAL /orders HTTP/1.1\r\nHost: x\r\n${END}`, 400],
    ['another protocol', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400],
    ['a path that climbs', `GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n${END}`, 404],
    [
      'an upgrade',
      `GET /orders HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n`,
      200,
    ],
  ];
  for (const [what, bytes, status] of odd) {
    it(`are answered with ${status} (${what})`, async () => {
      await serving({ served: routes }, async (port) => {
        expect((await said(port, bytes)).slice(0, 12)).to.equal(`HTTP/1.1 ${status}`);
        expect(await statusOf(send(port, 'GET', '/orders'))).to.equal(200);
      });
    });
  }
});

describe('The gateway', () => {
  it('leaves the gates of services to them, hands on the token and whom it heard, and says what browsers must not do', async () => {
    const gates = {
      operators: { by: 'token', token: TOKEN },
      clientChangesPerMinute: 1,
      trustedProxies: 2,
      page: metrics,
    } as const;
    await serving(gates, async (inner) => {
      const services = [{ name: 'janitor', routes: () => [CHANGE, OPERATE] }];
      const gateway = await serveHttp(
        gatewayApp(
          services,
          '127.0.0.1',
          () => inner,
          () => {},
        ),
        '127.0.0.1',
        0,
      );
      const post = (path: string, headers: Record<string, string>) =>
        send(gateway.port, 'POST', path, headers);
      const get = (path: string, headers: Record<string, string> = {}) =>
        send(gateway.port, 'GET', path, headers);
      expect(await statusOf(post('/sweep', {}))).to.equal(401);
      expect(await statusOf(post('/sweep', { authorization: `Bearer ${TOKEN}` }))).to.equal(200);
      expect(await statusOf(post('/order', { 'x-forwarded-for': '198.51.100.7, 192.0.2.1' }))).to.equal(200);
      expect(await statusOf(post('/order', { 'x-forwarded-for': '198.51.100.8, 192.0.2.1' }))).to.equal(429);
      expect(await statusOf(get('/metrics/janitor'))).to.equal(401);
      expect(await get('/metrics/janitor', { authorization: `Bearer ${TOKEN}` })).to.include({
        status: 200,
        body: 'saga_orders_total 1',
      });
      for (const path of ['/metrics', '/metrics/nobody', '/metrics/..%2Fsweep']) {
        const { status, body } = await get(path, { authorization: `Bearer ${TOKEN}` });
        expect([status, JSON.parse(body).detail]).to.deep.equal([
          404,
          'Each service has its own: /metrics/janitor',
        ]);
      }
      const { headers } = await get('/nowhere');
      expect(headers['x-content-type-options']).to.equal('nosniff');
      await gateway.close(1000);
    });
  });

  it('lets operators alone use the routes that are its own', async () => {
    const own = {
      routes: [reached({ method: 'POST', path: '/plug/crash', audience: 'operators' })],
      gates: { operators: { by: 'token', token: TOKEN } },
    } as const;
    const app = gatewayApp(
      [],
      '127.0.0.1',
      () => undefined,
      () => {},
      { own },
    );
    const gateway = await serveHttp(app, '127.0.0.1', 0);
    const crash = (headers: Record<string, string>) => send(gateway.port, 'POST', '/plug/crash', headers);
    expect(await statusOf(crash({}))).to.equal(401);
    expect(await statusOf(crash({ authorization: `Bearer ${TOKEN}` }))).to.equal(200);
    await gateway.close(1000);
  });
});

describe('The gateway before a service', () => {
  /** A gateway before something that answers as `answer` does, and what it says to a request. */
  async function behind(
    answer: RequestListener | undefined,
    use: (port: number) => Promise<void>,
    answerTimeoutMs?: number,
  ) {
    const service = createServer(answer);
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { port } = service.address() as AddressInfo;
    if (answer === undefined) await new Promise((resolve) => service.close(resolve));
    const services = [{ name: 'frontend', routes: () => [READ, CHANGE] }];
    const app = gatewayApp(
      services,
      '127.0.0.1',
      () => port,
      () => {},
      answerTimeoutMs === undefined ? {} : { answerTimeoutMs },
    );
    const gateway = await serveHttp(app, '127.0.0.1', 0);
    await use(gateway.port);
    await gateway.close(1000);
    service.close();
    service.closeAllConnections();
  }

  /** What somebody hears whose request was not answered by the service. */
  async function heard(port: number) {
    const { status, headers, body } = await send(port, 'GET', '/orders', {});
    return [status, headers['retry-after'], JSON.parse(body).detail];
  }

  it('[anomaly 36] leaves nobody waiting where it dies in the middle of its answer', () =>
    behind(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.destroy());
      },
      async (port) => {
        expect(await said(port, 'GET /orders HTTP/1.1\r\nHost: x\r\n\r\n')).to.match(/half$/);
      },
    ));

  it('[anomaly 36] says that nobody knows what was done where it dies before its answer', () =>
    behind(
      (request) => request.destroy(),
      async (port) => {
        expect(await heard(port)).to.deep.equal([
          503,
          '1',
          'frontend ended before it answered. Whether it did what was asked is not known: look, or ask again, an order with its Idempotency-Key',
        ]);
      },
    ));

  it('[anomaly 36] asks for a repetition where it is not there yet', () =>
    behind(undefined, async (port) => {
      expect(await heard(port)).to.deep.equal([503, '1', 'frontend is being started; try again']);
    }));

  for (const expecting of [{}, { expect: '100-continue' }]) {
    it(`[anomaly 37] gives up where it never answers, ${JSON.stringify(expecting)}`, () =>
      behind(
        () => {},
        async (port) => {
          const { status, body } = await send(port, 'POST', '/order', expecting, '{}');
          expect([status, JSON.parse(body).detail]).to.deep.equal([
            504,
            'frontend has not answered within 1 ms. Whether it did what was asked is not known: look, or ask again, an order with its Idempotency-Key',
          ]);
        },
        1,
      ));
  }

  it('hands on its answer as it comes, and gives it all the time that it takes once it has begun', () => {
    let finish = () => {};
    return behind(
      (request, response) => {
        if (request.url !== '/orders') return;
        response.write('first ');
        finish = () => response.end('last');
      },
      async (port) => {
        const answer = await fetch(`http://127.0.0.1:${port}/orders`);
        expect(await statusOf(send(port, 'POST', '/order'))).to.equal(504);
        finish();
        expect(await answer.text()).to.equal('first last');
      },
      500,
    );
  });

  it('[anomaly 37] says in time that it is not ready, also where it says nothing at all', () =>
    behind(
      () => {},
      async (port) => {
        const { status, body } = await send(port, 'GET', '/readyz', {});
        expect([status, body]).to.satisfy(
          ([code, text]: [number, string]) => code === 503 && text.includes('frontend'),
        );
      },
    ));
});

describe('A request that fails', () => {
  it('is logged under its route, not under the path, which may name a customer, and with the id of its order', async () => {
    const lines: object[] = [];
    const failing = ['/users/{user}', '/order/{uuid}'].map(
      (path): Route => ({
        ...reached({ method: 'GET', path }),
        handle: async () => {
          throw new Problem(503, 'Unavailable', 'The store does not answer');
        },
      }),
    );
    const log: Log = (severity, message, fields) => lines.push({ severity, message, ...fields });
    await serving({ served: failing, log }, async (port) => {
      for (const path of ['/users/jack?address=hill', `/order/${UUID}`]) {
        expect(await statusOf(send(port, 'GET', path))).to.equal(503);
      }
    });
    const line = { severity: 'WARNING', error: 'The store does not answer' };
    expect(lines).to.deep.equal([
      { ...line, message: 'HTTP 503 at GET /users/{user}' },
      { ...line, message: 'HTTP 503 at GET /order/{uuid}', uuid: UUID },
    ]);
  });
});

describe('Secrets', () => {
  it('are in no log line, whatever fails and whoever asks', async () => {
    const lines: string[] = [];
    const log = createLog('debug', {}, { destination: { write: (line: string) => lines.push(line) } });
    const failing = reached({ method: 'POST', path: '/fail' });
    const served = [
      OPERATE,
      {
        ...failing,
        // As a client library does that quotes the request at which it failed.
        handle: async ({ header }: Parameters<Route['handle']>[0]) => {
          throw new Error(`401 for ${JSON.stringify({ authorization: header('authorization') })}`);
        },
      },
    ];
    await serving({ served, log, operators: { by: 'token', token: TOKEN } }, async (port) => {
      for (const path of ['/sweep', '/fail', '/nowhere']) {
        await send(port, 'POST', path, { authorization: `Bearer ${TOKEN}` });
        await send(port, 'POST', path, { authorization: `Bearer ${TOKEN}wrong` });
      }
    });
    expect(lines).to.have.length(2);
    expect(lines.join('')).to.contain('Bearer [redacted]').and.not.to.contain(TOKEN);
  });

  for (const when of ['start', 'later', 'subscription']) {
    it(`are not in what a program says that fails (${when})`, async () => {
      const child = runProgram('test/support/failing-program.js', [when]);
      expect(await child.exited).to.equal(1);
      expect(child.output()).to.contain('Bearer [redacted]').and.not.to.contain(TOKEN);
    });
  }

  it('come from the environment alone: no file of the project holds a key, and .env goes nowhere', () => {
    const key =
      /-----BEGIN [A-Z ]*PRIVATE KEY-----|"private_key":|\bAIza[\w-]{35}|\bya29\.[\w-]{20}|\bgh[pousr]_\w{36}/;
    const root = fileURLToPath(packageRoot);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter(
        (one) =>
          one.isFile() &&
          !/(^|\/)(node_modules|dist|\.git)(\/|$)/.test(`${one.parentPath.slice(root.length)}`),
      )
      .map((one) => `${one.parentPath}/${one.name}`)
      .filter(
        (path) =>
          /\.(ts|json|tf|md|ya?ml|example|txt)$|Dockerfile$|\.env$/.test(path) &&
          !path.endsWith('security.spec.ts'),
      );
    expect(files.length).to.be.greaterThan(200);
    expect(files.filter((path) => key.test(readFileSync(path, 'utf8')))).to.deep.equal([]);
    for (const list of ['.gitignore', '.dockerignore']) {
      expect(readFileSync(new URL(list, packageRoot), 'utf8').split('\n')).to.include('.env');
    }
  });
});
