import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { reservations } from '../../inventory/reservations.ts';
import { deadLetterPath } from '../../janitor/desk/letter.ts';
import { orderRecords } from '../../order/order-records.ts';
import { invoices } from '../../payments/invoices.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { announcedAgain, DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import { forkUuid } from '../../saga/steer/fork.ts';
import { anOrder, NOW } from '../support/builders.ts';
import { runProgram } from '../support/child.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { shopOfThree as orderSaga } from '../support/shop-of-three.ts';
import { standingOrder } from '../support/standing-order.ts';
import { longTest } from '../support/thorough.ts';

const ORDER = { item: 'widget', quantity: 1, user: 'jack' };

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const child = runProgram('programs/operate.js', args, environment);
  return { code: await child.exited, lines: child.output().split('\n') };
}
const withoutMoments = (lines: readonly string[]) =>
  lines.map((line) => line.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'MOMENT'));

describe('npm run saga', function () {
  // Each command is a process of its own.
  this.timeout(60_000);
  let pipeline: Pipeline;
  let url: string;
  before(async () => {
    const opened = { store: createMemoryStore(), bus: createMemoryBus(topologyOf(orderSaga), systemClock) };
    pipeline = await startPipeline(opened, undefined, undefined, orderSaga);
    url = pipeline.url;
  });
  after(() => pipeline.close());
  afterEach(() => pipeline.bus.idle());

  const saga = (...args: string[]) => run([...args, '--url', url], { SAGA_OPERATOR: 'alice' });
  const parked = async (text: string, attributes: Record<string, string> = {}): Promise<string> => {
    await pipeline.bus.publish([{ topic: 'order-created', data: Buffer.from(text), attributes }]);
    await pipeline.bus.idle();
    return (await pipeline.get('/dead-letters?limit=1')).body.letters[0].id;
  };

  it('shows the life of one order, and the dead letters that name it', async () => {
    const { uuid } = await pipeline.order({ ...ORDER, 'payment-error': true });
    const letter = await parked('no json', { 'ce-subject': uuid });
    const { code, lines } = await saga('show', uuid);
    expect([code, withoutMoments(lines)]).to.deep.equal([
      0,
      [
        `Order ${uuid} is CANCELED`,
        '  jack ordered 1 widget',
        '  MOMENT  RECEIVED   by frontend',
        '  MOMENT  CREATED    by order',
        '  MOMENT  RESERVED   by inventory',
        '  MOMENT  FAILING    by payments  PAYMENT_ERROR: The order asked for its payment to fail (payment-error)',
        '  MOMENT  CANCELED   by janitor',
        '  calls for   order-canceled',
        '  holds       nothing',
        `  letter      ${letter} parked: The message is not JSON`,
      ],
    ]);
  });

  longTest(
    'shows what one order holds, what of that is missing, and how often it was announced again',
    async () => {
      const { uuid } = await pipeline.order({ ...ORDER, user: 'joe' });
      const invoice = invoices.of(uuid).path;
      await pipeline.store.commit([{ kind: 'remove', path: invoice }]);
      const { lines } = await saga('show', uuid);
      expect(lines[1]).to.equal('  joe ordered 1 widget, for 10 in all');
      expect(lines.slice(6)).to.deep.equal([
        '  calls for   payment-created',
        `  holds       order record ${orderRecords.of('joe', uuid).path}`,
        '  holds       1 of item inventory/widget',
        `  holds       reservation ${reservations.of('widget', uuid).path}`,
        '  holds       10 of user users/joe',
        `  holds       invoice ${invoice}, which is missing`,
      ]);
      const repeated = announcedAgain(
        orderSaga,
        receive(orderSaga, uuidv4(), anOrder(), 'frontend', NOW, DEADLINE_SECONDS),
        NOW,
      );
      await pipeline.store.commit([{ kind: 'create', path: ledgerPath(repeated.uuid), fields: repeated }]);
      expect((await saga('show', repeated.uuid)).lines).to.include('  repeats     1 in this stage');
      await pipeline.store.commit([{ kind: 'remove', path: ledgerPath(repeated.uuid) }]);
    },
  );

  longTest('shows that nobody knows what was asked of an order whose failure came first', async () => {
    const uuid = uuidv4();
    const data = Buffer.from(JSON.stringify({ uuid, reason: 'PAYMENT_ERROR' }));
    await pipeline.bus.publish([{ topic: 'error', data, attributes: {} }]);
    await pipeline.bus.idle();
    const { code, lines } = await saga('show', uuid);
    expect([code, lines[1]]).to.deep.equal([0, '  what was ordered is unknown']);
  });

  it('gives programs the answer of the API', async () => {
    const { uuid } = await pipeline.order(ORDER);
    const { lines } = await saga('show', uuid, '--json');
    expect(JSON.parse(lines.join('\n'))).to.deep.equal((await pipeline.get(`/sagas/${uuid}`)).body);
  });

  longTest('announces one order again, and cancels it', async () => {
    const { uuid } = await pipeline.order(ORDER);
    expect((await saga('announce', uuid)).lines).to.deep.equal([
      `Order ${uuid} is PAID: payment-created was published again`,
    ]);
    expect((await saga('cancel', uuid, '--detail', 'The parcel was lost')).lines).to.deep.equal([
      `Order ${uuid} is FAILING: CANCELED_BY_OPERATOR: The parcel was lost`,
    ]);
    await pipeline.bus.idle();
    expect(withoutMoments((await saga('show', uuid)).lines)).to.include(
      '  MOMENT  FAILING    by janitor for alice  CANCELED_BY_OPERATOR: The parcel was lost',
    );
    expect(await saga('cancel', uuid, '--detail', 'The parcel was lost')).to.deep.equal({
      code: 1,
      lines: [`Order ${uuid} is canceled: CANCELED_BY_OPERATOR`],
    });
  });

  longTest('pauses an order, skips its payment, lets it go on, and forks it', async () => {
    const note = 'The provider is away';
    const uuid = await standingOrder(pipeline);
    expect(await saga('pause', uuid, '--note', note)).to.deep.equal({
      code: 0,
      lines: [`Order ${uuid} is PAUSED`],
    });
    expect(withoutMoments((await saga('show', uuid)).lines)).to.include(
      `  MOMENT  PAUSED     by janitor for alice: ${note}`,
    );
    expect(await saga('skip', uuid, '--step', 'payments', '--note', note)).to.deep.equal({
      code: 1,
      lines: ['payments is not the next step: the order is PAUSED'],
    });
    expect((await saga('resume', '--all', '--user', 'jack', '--note', 'Back')).lines).to.deep.equal([
      '1 order was resumed',
    ]);
    await pipeline.bus.idle();
    const fork = forkUuid(uuid, 'CREATED');
    expect((await saga('fork', uuid, '--from', 'CREATED', '--note', 'Again')).lines).to.deep.equal([
      `Order ${fork} is CREATED`,
    ]);
    await pipeline.bus.idle();
    const shown = async (id: string) => (await saga('show', id)).lines;
    expect(await shown(uuid)).to.include(`  has a fork  ${fork}`);
    expect(await shown(fork)).to.include(`  fork of     ${uuid}`);
    expect((await saga('pause', uuid)).lines[0]).to.equal('--note "why" is missing');
  });

  longTest('lists letters, shows one, and discards it', async () => {
    const id = await parked('{"a":1,\n"b":', { note: 'by hand' });
    const reason = 'The message is not JSON';
    const outline = [
      `${id}  MOMENT  parked: ${reason}`,
      '  from order-created-sub on order-created, after 1 delivery',
    ];
    const listed = await saga('letters', '--reason', reason);
    expect(withoutMoments(listed.lines).slice(0, 2)).to.deep.equal(outline);
    const { lines } = await saga('letter', id.toUpperCase());
    expect(withoutMoments(lines).slice(0, 3)).to.deep.equal([...outline, '  note: by hand']);
    expect(lines.slice(-3)).to.deep.equal(['  12 bytes, as utf8:', '  {"a":1,', '  "b":']);
    const discarded = await saga('discard-letter', id, '--note', 'A test');
    expect(withoutMoments(discarded.lines)).to.deep.equal([
      `Letter ${id} is discarded: MOMENT discarded by alice: A test`,
    ]);
    expect((await saga('letters', '--status', 'redriven')).lines).to.deep.equal(['No letters']);
  });

  longTest('shows the faults of a ledger and of a letter that somebody has edited by hand', async () => {
    const uuid = uuidv4();
    const [ledger, letter] = [ledgerPath(uuid), deadLetterPath(uuid)];
    await pipeline.store.commit([
      { kind: 'create', path: ledger, fields: { uuid, history: [] } },
      {
        kind: 'create',
        path: letter,
        fields: { id: uuid, uuid, status: 'parked', createdAt: systemClock.now() },
      },
    ]);
    const shown = await saga('show', uuid);
    expect([shown.code, shown.lines[0]]).to.deep.equal([
      0,
      `The ledger of order ${uuid} is malformed (--json shows it):`,
    ]);
    expect(shown.lines.at(-1)).to.equal(`  letter      ${uuid} is malformed`);
    const fault = '  fault       reason: Invalid input: expected string, received undefined';
    for (const args of [['letter', uuid], ['letters']]) {
      const { code, lines } = await saga(...args);
      expect([code, ...lines.slice(0, 2)]).to.deep.equal([
        0,
        `${uuid} is malformed (--json shows it):`,
        fault,
      ]);
    }
    for (const path of [ledger, letter]) await pipeline.store.commit([{ kind: 'remove', path }]);
  });

  longTest(
    'redrives one letter, and then all, although each of them fails again and becomes a letter',
    async () => {
      const id = await parked('one');
      await parked('other');
      expect((await saga('redrive-letter', id)).lines).to.deep.equal([
        `Letter ${id} was sent to order-created`,
      ]);
      await pipeline.bus.idle();
      const { letters } = (await pipeline.get('/dead-letters?limit=100')).body;
      const all = await saga('redrive-letter', '--all', '--reason', 'The message is not JSON');
      expect(all).to.deep.equal({ code: 0, lines: [`${letters.length} letters were sent back`] });
      await pipeline.bus.idle();
      expect((await pipeline.get('/dead-letters?limit=100')).body.letters).to.have.length(letters.length);
    },
  );

  it('[anomaly 39] shows what would steer the terminal, instead of obeying it', async () => {
    const id = await parked('\u001b[2J\u009b', { note: 'a\nb' });
    const { lines } = await saga('letter', id);
    expect(lines).to.include.members(['  note: a\\u000ab', '  \\u001b[2J\\u009b']);
    const { lines: json } = await saga('letter', id, '--json');
    expect(JSON.parse(json.join('\n')).body).to.equal('\u001b[2J\u009b');
    expect(json.join('')).not.to.match(/\p{Cc}/u);
  });

  longTest('says in one sentence what it could not do, and exits with 1', async () => {
    const uuid = uuidv4();
    const failure = (line: string) => ({ code: 1, lines: [line] });
    expect(await saga('show', uuid)).to.deep.equal(failure(`There is no order ${uuid}`));
    expect(await saga('redrive-letter', uuid)).to.deep.equal(failure(`There is no dead letter ${uuid}`));
    expect(await saga('discard-letter', uuid, '--note', 'x'.repeat(501))).to.deep.equal({
      code: 1,
      lines: [
        "The request has fields that can't be accepted; see errors",
        '  note must have at most 500 characters',
      ],
    });
  });

  longTest('says that nothing answers, or that something else does', async () => {
    const server = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await run(['show', uuidv4(), '--url', other])).to.deep.equal({
      code: 1,
      lines: [`${other} does not answer as the janitor does`],
    });
    await new Promise((resolve) => server.close(resolve));
    expect(await run(['show', uuidv4(), '--url', other])).to.deep.equal({
      code: 1,
      lines: [`Nothing answers at ${other}: ECONNREFUSED. Is the pipeline running?`],
    });
  });

  longTest(
    '[anomaly 39] sends SAGA_TOKEN as bearer token, to this server only, and never in the open',
    async () => {
      const heard: (string | undefined)[] = [];
      const server = createServer((request, response) => {
        heard.push(request.headers.authorization);
        response
          .writeHead(request.url === '/moved/sagas' ? 200 : 302, { location: '/moved/sagas' })
          .end('{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { code } = await run(['show', uuidv4(), '--url', other], { SAGA_TOKEN: 'secret' });
      expect([code, heard]).to.deep.equal([1, ['Bearer secret']]);
      await new Promise((resolve) => server.close(resolve));
      const open = await run(['show', uuidv4(), '--url', 'http://janitor.example'], { SAGA_TOKEN: 'secret' });
      expect([open.code, open.lines[0]]).to.deep.equal([
        2,
        'SAGA_TOKEN would travel to janitor.example unencrypted: use https',
      ]);
    },
  );

  longTest('says who asks: SAGA_OPERATOR, otherwise the account on this machine', async () => {
    const heard: unknown[] = [];
    const server = createServer((request, response) => {
      heard.push(request.headers['saga-operator']);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await run(['show', uuidv4(), '--url', other], { SAGA_OPERATOR: 'Zoë of the night shift' });
    await run(['show', uuidv4(), '--url', other], { SAGA_OPERATOR: '' });
    expect(heard).to.deep.equal(['Zo%C3%AB%20of%20the%20night%20shift', userInfo().username]);
    await new Promise((resolve) => server.close(resolve));
    const none = await run(['show', uuidv4(), '--url', other], { SAGA_OPERATOR: 'a\nb' });
    expect([none.code, none.lines[0]]).to.deep.equal([
      2,
      'SAGA_OPERATOR must be a name of 1 to 100 characters',
    ]);
  });

  const wrong: [args: string[], fault: string][] = [
    [[], 'No command'],
    [['shwo', uuidv4()], 'There is no command shwo'],
    [['constructor'], 'There is no command constructor'],
    [['show'], 'show of which one? Its UUID is missing'],
    [['show', 'x/../y'], 'x/../y is not a UUID'],
    [['show', uuidv4(), uuidv4()], 'show got too many arguments'],
    [['erase-customer', '--user', '..'], '--user must be a name, such as jack, not ".."'],
    [['cancel', uuidv4()], '--detail "why" is missing'],
    [['discard-letter', uuidv4()], '--note "why" is missing'],
    [['show', uuidv4(), '--note', 'x'], 'show takes no --note'],
    [['letters', uuidv4()], 'letters got too many arguments'],
    [['redrive-letter', uuidv4(), '--all'], 'redrive-letter got too many arguments'],
    [['redrive-letter', uuidv4(), '--reason', 'x'], '--reason goes with --all'],
    [['show', uuidv4(), '--url', 'x'], 'x is not the URL of a janitor, such as http://127.0.0.1:8080'],
  ];
  for (const [args, fault] of wrong) {
    longTest(`explains its use and exits with 2: ${fault.replaceAll(/[0-9a-f-]{36}/g, 'UUID')}`, async () => {
      const { code, lines } = await run(args);
      expect([code, lines[0]]).to.deep.equal([2, fault]);
      expect(lines[2]).to.contain('Usage: npm run saga');
    });
  }

  it('explains its use when it is asked to', async () => {
    const { code, lines } = await run(['--help']);
    expect([code, lines[0]?.slice(0, 24)]).to.deep.equal([0, 'Usage: npm run saga -- C']);
  });
});
