import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { post } from '../../adapters/http/post.ts';
import { noTelemetry } from '../../adapters/telemetry/telemetry.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { messageFor, snapshot } from '../../saga/deliver/message.ts';
import { aLedgerThatIs, SETTINGS, uuidOf } from '../support/builders.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';

/** A customer's system is told by a webhook what became of each order, whatever it answers at first. */

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** Long enough to answer at once, short enough to wait for. */
const TIMEOUT_MS = 500;

/** How a receiver can fail to say yes. */
const FAILURES: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'answers 500': (_request, response) => response.writeHead(500).end('no'),
  'says nothing': () => {},
  'answers when nobody waits any more': (request, response) =>
    request.socket.once('close', () => response.writeHead(204).end()),
  'falls silent in its answer': (_request, response) =>
    response.writeHead(200, { 'content-length': '10' }).write('half'),
  'ends the connection': (request) => request.socket.destroy(),
  'sends us elsewhere': (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
};

interface Notification {
  readonly path: string | undefined;
  readonly id: string;
  readonly event: unknown;
}

/** A receiver that checks every signature. It fails at first, with each event in the next way of those given, then says yes. */
async function startReceiver(failures: readonly (keyof typeof FAILURES)[]) {
  const rest = [...failures];
  const got: Notification[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { url: path, headers } = request;
    const id = String(headers['webhook-id']);
    const isRepeat = got.some((one) => one.id === id);
    try {
      got.push({ path, id, event: new Webhook(SECRET).verify(body, headers as Record<string, string>) });
    } catch (error) {
      got.push({ path, id, event: error });
    }
    const fail = isRepeat ? undefined : FAILURES[rest.shift() ?? ''];
    fail ? fail(request, response) : response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    /** How often each event came. */
    counts: () => Object.fromEntries(got.map(({ id }) => [id, got.filter((one) => one.id === id).length])),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The id under which an order is told of, and what is told. */
function eventOf(ledger: OrderLedger): [id: string, event: unknown] {
  const { attributes } = messageFor(pipeline, ledger);
  const { 'ce-id': id = '', 'ce-type': type, 'ce-time': timestamp } = attributes;
  return [id, JSON.parse(JSON.stringify({ type, timestamp, data: snapshot(pipeline, ledger) }))];
}

for (const backend of sampledBackends) {
  describe(`A webhook, on ${backend.name}`, function () {
    this.timeout(60_000);
    let shop: Pipeline | undefined;
    let receiver: Awaited<ReturnType<typeof startReceiver>> | undefined;
    afterEach(async () => {
      await shop?.close();
      receiver?.close();
      shop = undefined;
      receiver = undefined;
    });

    async function start(context: Mocha.Context, failures: readonly string[]) {
      receiver = await startReceiver(failures);
      const settings = {
        ...SETTINGS,
        declared: {
          ...SETTINGS.declared,
          WEBHOOK_URL: receiver.url,
          WEBHOOK_SECRET: SECRET,
          WEBHOOK_TIMEOUT_MS: TIMEOUT_MS,
        },
      };
      const opened = await backend.open(context);
      shop = await startPipeline(opened, () => ({ post }), noTelemetry, pipeline, {}, { settings });
      return { shop, receiver };
    }

    const paid = { item: 'widget', quantity: 1, user: 'jack' };
    const refused = { ...paid, 'payment-error': 'no money' };

    it('tells of every end of every order under one id, until it is heard', async function () {
      const failures = Object.keys(FAILURES);
      const { shop, receiver } = await start(this, failures);
      // As many as there are failures, and of each end one that is heard at once.
      const asked = [...failures, '', ''].map((_, index) => (index % 2 === 0 ? paid : refused));
      const ledgers = await Promise.all(asked.map((body) => shop.order(body)));
      const events = ledgers.map(eventOf);
      expect(new Set(ledgers.map(({ status }) => status))).to.deep.equal(
        new Set([pipeline.success, 'CANCELED']),
      );
      expect(receiver.got.map(({ path }) => path)).to.not.include('/elsewhere');
      for (const [id, event] of events) {
        const told = receiver.got.filter((one) => one.id === id);
        expect(told.map((one) => one.event)).to.deep.equal(told.map(() => event));
      }
      const counts = receiver.counts();
      expect(Object.keys(counts)).to.have.members(events.map(([id]) => id));
      // On Pub/Sub, a message may come more often.
      expect(Object.values(counts).filter((count) => count > 1)).to.have.length.of.at.least(failures.length);
    });

    it('[anomaly 22] tells nothing where somebody only claims that an order has ended', async function () {
      const { shop, receiver } = await start(this, []);
      const ledger = await shop.order(paid);
      const told = receiver.got.length;
      const forged = aLedgerThatIs('CANCELED', { uuid: ledger.uuid });
      const unknown = aLedgerThatIs('CANCELED', { uuid: uuidOf(99) });
      await shop.bus.publish([forged, unknown].map((one) => messageFor(pipeline, one)));
      await shop.bus.idle();
      expect(told).to.be.at.least(1);
      expect(new Set(receiver.got.map(({ id }) => id))).to.deep.equal(new Set([eventOf(ledger)[0]]));
      const { body } = await shop.get('/dead-letters');
      expect(JSON.stringify(body)).to.contain('No order has the uuid of the message');
    });
  });
}
