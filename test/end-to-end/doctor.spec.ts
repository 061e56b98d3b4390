import { expect } from 'chai';
import { reservations } from '../../inventory/reservations.ts';
import type { AuditReport } from '../../janitor/audit/audit-report.ts';
import { orderRecords } from '../../order/order-records.ts';
import { invoices } from '../../payments/invoices.ts';
import { pipeline as saga } from '../../pipeline.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { type Ledger, ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import type { Delivery, OpenSubscription } from '../../saga/ports/bus.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';
import { anOrder, NOW, UUID } from '../support/builders.ts';
import { runProgram } from '../support/child.ts';
import {
  AWAY,
  emulatedBus,
  emulatedEnvironment,
  emulatedStore,
  freshProjectId,
  STORE_IS_AWAY,
  STRANGER,
} from '../support/emulators.ts';
import { DATA, type Pipeline, startPipeline, topology } from '../support/pipeline.ts';
import { longTest } from '../support/thorough.ts';

/** Changes a document as somebody might do by hand; without fields, it is gone. */
async function meddle(store: Store, path: Path, fields?: object): Promise<void> {
  const version = (await store.read([path])).get(path)?.version;
  if (version === undefined) throw new Error(`There is no ${path}`);
  await store.commit([
    fields ? { kind: 'update', path, version, fields } : { kind: 'remove', path, version },
  ]);
}

async function runDoctor(args: readonly string[], environment: Record<string, string>) {
  const child = runProgram('programs/doctor.js', args, environment);
  const code = await child.exited;
  return { code, output: child.output(), lines: child.answer().split('\n') };
}

const SUCCESS = saga.success;

describe('npm run doctor', function () {
  // Each visit is a process of its own.
  this.timeout(60_000);
  let pipeline: Pipeline;
  let environment: Record<string, string>;
  before(async function () {
    const projectId = freshProjectId();
    environment = await emulatedEnvironment(this, projectId);
    pipeline = await startPipeline({
      store: await emulatedStore(this, projectId),
      bus: await emulatedBus(this, topology, projectId),
    });
  });
  after(() => pipeline?.close());

  const doctor = (...args: string[]) => runDoctor(args, environment);
  const clean = async () => {
    const { code, lines } = await doctor();
    expect([code, lines.at(-1)]).to.deep.equal([0, 'Nothing is wrong, and no order is stuck.']);
  };

  let paid: Ledger;
  beforeEach(async () => {
    paid = await pipeline.order({ item: 'widget', quantity: 1, user: 'joe' });
    expect(paid.status).to.equal(SUCCESS);
  });

  it('finds nothing wrong with what the pipeline does', async () => {
    expect((await pipeline.order({ item: 'widget', quantity: 1_000, user: 'jack' })).status).to.equal(
      'CANCELED',
    );
    expect((await pipeline.order({ item: 'wotsit', quantity: 1, user: 'nobody' })).status).to.equal(
      'CANCELED',
    );
    const { code, lines } = await doctor();
    expect(lines).to.have.length(2);
    const loaded = saga.accounts.map(({ name, template, whole }) => {
      // Of what nothing was loaded, the order is counted.
      if (whole === undefined) return `1 of kind ${name}`;
      const section = DATA[(template.split('/')[0] ?? '') as keyof typeof DATA] ?? {};
      return `${Object.keys(section).length} of kind ${name}`;
    });
    const held = saga.records.map(({ name }) => `1 of kind ${name}`);
    const audited = `3 orders \\((2 CANCELED, 1 ${SUCCESS}|1 ${SUCCESS}, 2 CANCELED)\\)`;
    expect(lines[0]).to.match(
      new RegExp(`^Audited \\S+Z: ${[audited, ...loaded, ...held].join(', ')}, 0 dead letters parked$`),
    );
    expect([lines[1], code]).to.deep.equal(['Nothing is wrong, and no order is stuck.', 0]);
  });

  longTest(
    'finds a counter that was changed by hand, says what it would do, and does it only when told to',
    async () => {
      const { widget = 0 } = await pipeline.remaining();
      await meddle(pipeline.store, stock.of('widget').path, { quantity: widget - 3 });
      const held = 10 - widget;
      const sentence = `inventory/widget: quantity ${widget - 3} and ${held} held by orders make 7, not 10: 3 missing`;
      const action = 'Correct quantity of inventory/widget by +3';
      const effect = 'what is left and what orders hold add up again';
      for (let visit = 1; visit <= 2; visit++) {
        const { code, lines } = await doctor();
        expect([code, ...lines.slice(1)]).to.deep.equal([
          1,
          'Violations: 1',
          `  ${sentence}`,
          'npm run doctor -- --repair would',
          `  ${action}: ${effect}`,
          '1 violation, 0 stuck orders.',
        ]);
      }
      const { code, lines } = await doctor('--repair');
      expect(code).to.equal(0);
      expect(lines).to.include.members([
        'Repaired',
        `  done: ${action}: ${effect}`,
        'Nothing is wrong, and no order is stuck.',
      ]);
      expect((await pipeline.remaining()).widget).to.equal(widget);
      await clean();
    },
  );

  longTest('restores records that were deleted by hand', async () => {
    const { uuid } = paid;
    const before_ = await pipeline.recordsOf(paid);
    const lost = [
      [orderRecords.of('joe', uuid).path, 'order record'],
      [reservations.of('widget', uuid).path, 'reservation'],
      [invoices.of(uuid).path, 'invoice'],
    ] as const;
    for (const [path] of lost) await meddle(pipeline.store, path);
    const { code, lines } = await doctor();
    expect(code).to.equal(1);
    expect(lines).to.include.members(
      lost.map(([path, room]) => `  Order ${uuid} is ${SUCCESS}, but its ${room} ${path} is missing`),
    );
    expect((await doctor('--repair')).code).to.equal(0);
    expect(await pipeline.recordsOf(paid)).to.deep.equal(before_);
    await clean();
  });

  longTest('takes from a canceled order what it still holds, and then corrects what it took', async () => {
    const { uuid } = await pipeline.orderThatWaits({ item: 'widget', quantity: 1, user: 'joe' });
    const reservation = reservations.of('widget', uuid).path;
    const remaining = await pipeline.remaining();
    await pipeline.post(`/order/${uuid}/cancel`, {});
    await pipeline.bus.idle();
    expect((await pipeline.ledger(uuid))?.status).to.equal('CANCELED');
    await pipeline.store.commit([
      { kind: 'create', path: reservation, fields: { quantity: 1, price_per_unit: 10 } },
    ]);
    await meddle(pipeline.store, stock.of('widget').path, { quantity: remaining.widget });
    const { code, lines } = await doctor();
    expect(code).to.equal(1);
    expect(lines).to.include(
      `  Order ${uuid} is CANCELED and has no reservation ${reservation}, but there it is`,
    );
    expect((await doctor('--repair')).code).to.equal(0);
    expect(await pipeline.remaining()).to.deep.equal({
      ...remaining,
      widget: (remaining.widget ?? 0) + 1,
      joe: (remaining.joe ?? 0) + 10,
    });
    await clean();
  });

  longTest('leaves to people what no ledger tells, and says so', async () => {
    const path = customers.of('joe').path;
    const { joe } = await pipeline.remaining();
    await meddle(pipeline.store, path, { credit: 'much' });
    const { code, lines } = await doctor('--repair');
    expect(code).to.equal(1);
    const [sentence, advice] = lines.slice(lines.indexOf('Needs a person') + 1);
    expect(sentence).to.match(/^ {2}users\/joe is malformed: credit: /);
    expect(advice).to.equal('    mend the fields that are named');
    await meddle(pipeline.store, path, { credit: joe });
    await clean();
  });

  it('answers programs in JSON', async () => {
    const { code, lines } = await doctor('--json');
    const { report, repaired, plan } = JSON.parse(lines.join('\n')) as {
      report: AuditReport;
      repaired: unknown;
      plan: unknown;
    };
    expect([code, report.violations, repaired, plan]).to.deep.equal([
      0,
      [],
      [],
      { actions: [], forPeople: [] },
    ]);
    const { status, body } = await pipeline.get('/audit');
    expect([status, { ...body, checkedAt: report.checkedAt }]).to.deep.equal([200, report]);
  });
});

describe('npm run doctor, while no service runs', () => {
  longTest(
    '[anomaly 27] lists a stuck order with the very message that is missing, and publishes that',
    async function () {
      const projectId = freshProjectId();
      const environment = await emulatedEnvironment(this, projectId);
      const store = await emulatedStore(this, projectId);
      const bus = await emulatedBus(this, topology, projectId);
      const ledger = receive(saga, UUID, anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
      await store.commit([{ kind: 'create', path: ledgerPath(UUID), fields: ledger }]);
      const { data, attributes, topic } = messageFor(saga, ledger);
      const { code, lines } = await runDoctor([], environment);
      const action = `Publish the message of order ${UUID} to frontend again: it goes on, or is canceled where it is too late`;
      expect([code, ...lines.slice(1)]).to.deep.equal([
        1,
        'Stuck orders: 1',
        `  Order ${UUID} is RECEIVED since ${NOW.toISOString()}, announced again 0 times: nothing followed frontend`,
        `    missing on ${topic}: ${data}`,
        'npm run doctor -- --repair would',
        `  ${action}`,
        '0 violations, 1 stuck order.',
      ]);
      expect((await runDoctor(['--repair'], environment)).lines).to.include(`  done: ${action}`);
      let reading: OpenSubscription | undefined;
      const arrived = await new Promise<Delivery>((resolve, reject) => {
        reading = bus.subscribe('frontend-sub', 1, resolve, reject);
      });
      arrived.ack();
      await reading?.close(1_000);
      expect([arrived.data.toString(), arrived.attributes]).to.deep.equal([data.toString(), attributes]);
      await bus.close();
      await store.close();
    },
  );

  const cases: readonly [string, string[], Record<string, string>, RegExp][] = [
    [
      'on the embedded engine',
      [],
      { BACKEND: 'memory' },
      /^There is nothing to look at: no local stack runs/,
    ],
    ['without a project', [], {}, /PROJECT_ID names no project$/],
    ['with an argument that it does not know', ['--mend'], {}, /'--mend'.*\nUsage: npm run doctor/s],
  ];
  for (const [name, args, environment, expected] of cases) {
    longTest(`says in one sentence why it could not run, and ends with 2: ${name}`, async () => {
      const { code, output } = await runDoctor(args, environment);
      expect(code).to.equal(2);
      expect(output).to.match(expected);
    });
  }

  longTest('says that the store is away, and ends with 2', async function () {
    this.timeout(60_000);
    const { code, output } = await runDoctor([], AWAY);
    expect(code).to.equal(2);
    expect(output).to.equal(STORE_IS_AWAY);
  });

  longTest('says that nobody lets it in, and ends with 2', async () => {
    const { code, output } = await runDoctor([], STRANGER);
    expect(code).to.equal(2);
    expect(output)
      .to.match(/^Could not load the default credentials/)
      .and.not.contain('\n    at ');
  });

  longTest('wonders whether it is in the right place where nothing is stored at all', async function () {
    const { code, lines } = await runDoctor([], await emulatedEnvironment(this));
    // Two: a mistyped name must not look like a clean database to a program that asks every night.
    expect([code, lines.at(-1)]).to.deep.equal([
      2,
      'Nothing is stored there at all: are PROJECT_ID and FIRESTORE_DATABASE right?',
    ]);
  });
});
