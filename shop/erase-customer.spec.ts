import { expect } from 'chai';
import { createMemoryBus } from '../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { takeAudit } from '../janitor/audit/take-audit.ts';
import { deadLetterPath } from '../janitor/desk/letter.ts';
import { type OrderLedger, pipeline as saga } from '../pipeline.ts';
import { deadLetterOf, derivedUuid } from '../saga/deliver/message.ts';
import { takeTurns } from '../saga/deliver/turns.ts';
import type { HttpRequest } from '../saga/http/http.ts';
import { FAILING, ledgerPath } from '../saga/ledger/ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { type Path, readOne, type Store } from '../saga/ports/store.ts';
import { compensationTask } from '../saga/step/compensate.ts';
import { wordTask } from '../saga/step/hear-word.ts';
import { receiveTask } from '../saga/step/receive.ts';
import { stepTask } from '../saga/step/take-step.ts';
import { allDocuments } from '../test/support/all-documents.ts';
import { aLedgerThatIs, anOrder, SETTINGS, uuidOf, wordOf } from '../test/support/builders.ts';
import { type CommitFault, createFaultyStore } from '../test/support/faulty-store.ts';
import { startPipeline, topology } from '../test/support/pipeline.ts';
import { type RecordedPorts, recordedPorts } from '../test/support/recorded-ports.ts';
import { eraseCustomer } from './erase-customer.ts';
import { eraseCustomerRoute } from './erase-customer-route.ts';

type Documents = Readonly<Record<Path, object>>;

const PSEUDONYM = uuidOf(0xe5a5ed);
/** A delivery that nobody could read, or that says whose it is. */
const letterOf = (messageId: string, body: string) =>
  deadLetterOf(
    { subscription: 'frontend-sub', data: Buffer.from(body), attributes: {}, messageId, attempt: 1 },
    `No one can read ${messageId}`,
  );

/** What the services leave of some orders of joe, whom the books limit, and of jack, whom they don't. */
async function history(): Promise<Documents> {
  const store = createMemoryStore();
  const shop = await startPipeline({ store, bus: createMemoryBus(topology, systemClock) });
  const line = { item: 'widget', quantity: 1 };
  await shop.order({ user: 'joe', ...line });
  await shop.order({ user: 'joe', items: [line, { item: 'wotsit', quantity: 2 }] });
  const dear = await shop.order({ user: 'joe', item: 'wotsit', quantity: 9 });
  const refused = await shop.order({ user: 'joe', ...line, 'payment-error': { asked: 'by joe' } });
  expect([dear.reason, dear.detail]).to.deep.equal([
    'INSUFFICIENT_CREDIT',
    `user joe has credit ${100 - 10 - 40}, which is less than ${9 * 15}`,
  ]);
  expect(refused.reason).to.equal('PAYMENT_ERROR');
  await shop.order({ user: 'jack', ...line });
  await shop.bus.publish([
    letterOf('his', '{"user":"joe","item":"widget"}'),
    letterOf('torn', '{"user": "joe", "item": "wid'),
    letterOf('alike', '{"item": "joey"}'),
    letterOf('other', '{"user":"jack","item":"joe"}'),
  ]);
  await shop.bus.idle();
  await shop.close();
  return Object.fromEntries(await allDocuments(store));
}

/** So many orders in the same status, as documents. */
const ordersOf = (user: string, status: 'RECEIVED' | 'CANCELED', count: number): Documents =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => aLedgerThatIs(status, { user, uuid: uuidOf(n) })).map(
      (ledger) => [ledgerPath(ledger.uuid), ledger],
    ),
  );

/** Jack's letter names an item that is called as joe is. */
const OTHERS = deadLetterPath(derivedUuid('dead-letter', 'frontend-sub/other'));

/** The documents and paths in which a name is. */
const naming = async (store: Store, name: string) =>
  [...(await allDocuments(store))].flatMap(([path, fields]) =>
    new RegExp(`\\b${name}\\b`).test(`${path} ${JSON.stringify(fields)}`) ? [path] : [],
  );

const violations = async (ports: Pick<Ports, 'store'>) =>
  (await takeAudit(saga, { store: ports.store, clock: systemClock })).violations.map(
    ({ sentence }) => sentence,
  );

describe('A customer who is erased', () => {
  let documents: Documents;
  before(async () => {
    documents = await history();
  });

  /** The documents in a store of their own, and the books after each commit. */
  async function opened(more: Documents = {}) {
    const recorded = await recordedPorts({ ...documents, ...more });
    const wrong: string[] = [];
    const store: Store = {
      ...recorded.store,
      async commit(writes) {
        await recorded.store.commit(writes);
        wrong.push(...(await violations(recorded)));
      },
    };
    let drawn = 0;
    const ports: RecordedPorts = {
      ...recorded,
      store: createFaultyStore(store),
      newUuid: () => (drawn++ === 0 ? PSEUDONYM : uuidOf(0xe5a5ed + drawn)),
    };
    const erase = (user = 'joe') =>
      ports.clock.finish(eraseCustomer(saga, ports, { user, by: 'order', person: 'alice' }));
    return { ports, wrong, erase };
  }
  const failed = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: Error) => error,
    );
  const of = (user: string, found: ReadonlyMap<Path, object> | [Path, object][]) =>
    [...found].filter(
      ([path, fields]) => path.startsWith('sagas/') && (fields as { user?: string }).user === user,
    );

  it('[anomaly 57] is nowhere any more: a pseudonym has the orders, what they hold, and nothing personal', async () => {
    const { ports, wrong, erase } = await opened();
    expect(await erase()).to.deep.equal({ orders: 4, letters: 2 });
    expect(await naming(ports.store, 'joe')).to.deep.equal([OTHERS]);
    expect(wrong).to.deep.equal([]);
    const after = await allDocuments(ports.store);
    expect(JSON.stringify([...after])).not.to.include('Mill Lane');
    expect(JSON.stringify([...after])).not.to.include('asked');
    expect(after.has('users/joe')).to.equal(false);
    expect(after.get(`users/${PSEUDONYM}`)).to.deep.equal({
      address: 'erased',
      credit: 0,
      credit_limit: 50,
      erasedAs: PSEUDONYM,
    });
    // Everything else about the orders is what it was.
    const { size } = after;
    expect(size).to.equal(Object.keys(documents).length);
    const impersonal = ({
      user: _,
      address: _1,
      detail: _2,
      paymentError: _3,
      rewritten: _4,
      ...rest
    }: Record<string, unknown>) => rest;
    const before = of('joe', Object.entries(documents) as [Path, object][]);
    const moved = new Map(of(PSEUDONYM, after));
    for (const [path, fields] of before)
      expect(impersonal(moved.get(path) as never), path).to.deep.equal(impersonal(fields as never));
    expect(
      [...moved.values()].map((one) => (one as OrderLedger).rewritten?.split(' ').slice(1)),
    ).to.deep.equal([...moved.values()].map((one) => [(one as OrderLedger).status, 'order', 'alice']));
    for (const [path, fields] of of('jack', Object.entries(documents) as [Path, object][]))
      expect(after.get(path)).to.deep.equal(fields);
  });

  it('[anomaly 57] without a limit takes no credit along', async () => {
    const { ports, wrong, erase } = await opened();
    expect(await erase('jack')).to.deep.equal({ orders: 1, letters: 1 });
    expect(wrong).to.deep.equal([]);
    expect(await naming(ports.store, 'jack')).to.deep.equal([]);
    expect(await readOne(ports.store, `users/${PSEUDONYM}`)).to.include({ credit: 0, credit_limit: 0 });
  });

  it('[anomaly 57] whose limit was lifted keeps what earlier orders were charged', async () => {
    const { ports, wrong, erase } = await opened({ 'users/joe': { address: '3 Mill Lane' } });
    expect(await erase()).to.deep.equal({ orders: 4, letters: 2 });
    expect(wrong).to.deep.equal([]);
    expect(await readOne(ports.store, `users/${PSEUDONYM}`)).to.include({ credit: 0, credit_limit: 50 });
  });

  it('[anomaly 57] with more orders than are rewritten at once is erased in several portions', async () => {
    // Of the two orders that joe has paid for, one is in the first portion and one in the last.
    const [paid] = of('joe', Object.entries(documents) as [Path, object][]).filter(
      ([, fields]) => (fields as OrderLedger).status === saga.success,
    );
    const [path, fields] = paid as [Path, OrderLedger];
    const longAgo = new Date(0);
    const history = fields.history.map((line, index) =>
      index === 0 ? line.replace(/^\S+/, longAgo.toISOString()) : line,
    );
    const { ports, wrong, erase } = await opened({
      ...ordersOf('joe', 'CANCELED', 230),
      [path]: { ...fields, history, createdAt: longAgo },
    });
    expect(await erase()).to.deep.equal({ orders: 234, letters: 2 });
    expect(wrong).to.deep.equal([]);
    expect(of('joe', await allDocuments(ports.store))).to.deep.equal([]);
    expect(await readOne(ports.store, `users/${PSEUDONYM}`)).to.include({ credit: 0, credit_limit: 50 });
  });

  it('[anomaly 57] writes the account of the pseudonym once, however many portions take no credit along', async () => {
    const { ports, erase } = await opened(ordersOf('jack', 'CANCELED', 230));
    expect(await erase('jack')).to.deep.equal({ orders: 231, letters: 1 });
    const written = ports.store.commits.flat().filter(({ path }) => path === `users/${PSEUDONYM}`);
    expect(written.map(({ kind }) => kind)).to.deep.equal(['create']);
  });

  it('is unknown afterwards, as everybody is of whom there is nothing; a pseudonym is nobody', async () => {
    const { erase } = await opened();
    await erase();
    for (const user of ['joe', 'nobody', PSEUDONYM]) {
      expect(await failed(erase(user)), user).to.include({ name: 'Problem', status: 404 });
    }
  });

  it('[anomaly 57] can order nothing under the pseudonym', async () => {
    const { ports, erase } = await opened();
    await erase();
    const uuid = uuidOf(1);
    await arrive(ports, uuid, PSEUDONYM);
    await bringToRest(ports, uuid);
    expect(await readOne(ports.store, ledgerPath(uuid))).to.include({
      status: 'CANCELED',
      reason: 'USER_NOT_FOUND',
    });
  });

  it('[anomaly 57] has to wait while orders stand, which are named, and nothing is written', async () => {
    for (const status of saga.statuses) {
      const ledger = aLedgerThatIs(status, { user: 'joe' });
      if (ledger.sweepAt === null) continue;
      const { ports, erase } = await opened({ [ledgerPath(ledger.uuid)]: ledger });
      expect(await failed(erase())).to.include({
        status: 409,
        detail: `Orders of the customer stand: ${ledger.uuid} is ${status}. Erase the customer once these are over`,
      });
      expect(ports.store.commits, status).to.deep.equal([]);
    }
  });

  it('[anomaly 57] has so many orders that stand that only some are named', async () => {
    for (const [count, named] of [
      [5, /^Orders of the customer stand: (\S+ is RECEIVED, ){4}\S+ is RECEIVED\. /],
      [9, /^Orders of the customer stand: (\S+ is RECEIVED, ){5}and more\. /],
    ] as const) {
      const { erase } = await opened(ordersOf('joe', 'RECEIVED', count));
      expect(await failed(erase()))
        .to.have.property('detail')
        .that.matches(named);
    }
  });

  it('[anomaly 57] has to wait for the oldest of many orders, all of which are looked at, until enough stand', async () => {
    const old = aLedgerThatIs('PAID', { user: 'joe', uuid: uuidOf(999), createdAt: new Date(0) });
    for (const [orders, queries] of [
      [ordersOf('joe', 'CANCELED', 501), 2],
      // With joe's four others they fill a page, and no more stand there than are named.
      [{ ...ordersOf('joe', 'CANCELED', 496), ...ordersOf('joe', 'RECEIVED', 5) }, 2],
      [ordersOf('joe', 'RECEIVED', 501), 1],
    ] as const) {
      const { ports, erase } = await opened({ ...orders, [ledgerPath(old.uuid)]: old });
      let count = 0;
      const { query } = ports.store;
      ports.store.query = (listing) => {
        count++;
        return query(listing);
      };
      expect(await failed(erase())).to.include({ status: 409 });
      expect([count, ports.store.commits]).to.deep.equal([queries, []]);
    }
  });

  it('[anomaly 57] is no path: a record below a customer is not erased in its place', async () => {
    const { ports } = await opened();
    const [record = ''] = Object.keys(documents).filter((path) => path.startsWith('users/joe/orders/'));
    const { handle } = eraseCustomerRoute(saga, ports, 'order');
    const asked: HttpRequest = {
      params: { user: record.slice('users/'.length) },
      query: {},
      body: undefined,
      header: () => undefined,
    };
    expect(await failed(ports.clock.finish(handle(asked)))).to.include({ status: 404 });
    expect(ports.store.commits).to.deep.equal([]);
  });

  for (const fault of ['unavailable', 'lost answer'] as const) {
    it(`[anomaly 57] is erased by a repeat, whichever commit was the last: ${fault}`, async () => {
      for (let last = 0; ; last++) {
        const { ports, wrong, erase } = await opened();
        // From here on the store is away, as if the process had died.
        ports.store.commitFaults.push(
          ...Array<undefined>(last),
          fault,
          ...Array<CommitFault>(100).fill('unavailable'),
        );
        const first = await failed(erase());
        ports.store.commitFaults.length = 0;
        if (first === 'done') {
          expect(last).to.be.at.least(4);
          break;
        }
        expect(first).to.include({ name: 'StoreError' });
        const second = await failed(erase());
        // The answer to the very last commit was lost.
        if (second !== 'done') expect(second).to.include({ status: 404 });
        expect(await naming(ports.store, 'joe')).to.deep.equal([OTHERS]);
        expect(await violations(ports)).to.deep.equal([]);
        expect(wrong).to.deep.equal([]);
        // If it was never stored, another pseudonym was drawn.
        const pseudonym = last === 0 && fault === 'unavailable' ? uuidOf(0xe5a5ed + 2) : PSEUDONYM;
        expect(await readOne(ports.store, `users/${pseudonym}`)).to.include({ credit: 0, credit_limit: 50 });
      }
    });
  }

  it('[anomaly 57] by two operators at once is erased', async () => {
    const { ports, wrong, erase } = await opened();
    const results = await Promise.all([failed(erase()), failed(erase())]);
    if (results.some((one) => one !== 'done')) await failed(erase());
    expect(await naming(ports.store, 'joe')).to.deep.equal([OTHERS]);
    expect(wrong).to.deep.equal([]);
  });

  for (const steps of [0, 1, saga.steps.length]) {
    it(`[anomaly 57] has an order that comes in between and takes ${steps} steps: it reaches its end, and a repeat erases it`, async () => {
      const uuid = uuidOf(1);
      for (let moment = 0; ; moment++) {
        const { ports, wrong, erase } = await opened();
        let came = false;
        const comes = async () => {
          came = true;
          await arrive(ports, uuid, 'joe', steps);
        };
        ports.store.commitFaults.push(...Array<undefined>(moment), comes);
        await failed(erase());
        if (!came) {
          expect(moment).to.be.at.least(4);
          break;
        }
        const { status } = (await readOne(ports.store, ledgerPath(uuid))) ?? {};
        // If the first step took it before the customer was marked, it is served like any other.
        await bringToRest(ports, uuid);
        const end = (await readOne(ports.store, ledgerPath(uuid))) as OrderLedger;
        const ended =
          moment === 0 && steps > 0
            ? { status: saga.success }
            : { status: 'CANCELED', reason: 'USER_NOT_FOUND' };
        expect(end, `${moment} ${status}`).to.deep.include({ ...ended, sweepAt: null });
        await failed(erase());
        expect(await naming(ports.store, 'joe'), `${moment}`).to.deep.equal([OTHERS]);
        expect(await violations(ports)).to.deep.equal([]);
        expect(wrong).to.deep.equal([]);
      }
    });
  }

  it('[anomaly 54] has to wait while one of the documents is wrong, and the doctor is recommended', async () => {
    const [[path, ledger] = ['', {}]] = of('joe', Object.entries(documents) as [Path, object][]);
    const uuid = path.slice('sagas/'.length);
    const broken: [string, Documents][] = [
      [`Order ${uuid} can't be rewritten: its ledger is malformed`, { [path]: { ...ledger, shard: 99 } }],
      [
        "can't be rewritten: The document users/joe is malformed",
        { 'users/joe': { address: 'x', credit: 'much', credit_limit: 100 } },
      ],
      ['The credit of joe is 51, not 100', { 'users/joe': { address: 'x', credit: 1, credit_limit: 100 } }],
      [`users/joe/orders/${uuidOf(7)} belongs to no order`, { [`users/joe/orders/${uuidOf(7)}`]: {} }],
    ];
    for (const [detail, wrong] of broken) {
      const { ports, erase } = await opened(wrong);
      const problem = (await failed(erase())) as Error & { detail: string };
      expect(problem).to.include({ status: 409 });
      expect(problem.detail).to.include(detail).and.include('Run the doctor first');
      expect(await readOne(ports.store, 'users/joe')).not.to.equal(undefined);
    }
  });
});

const message = (uuid: string) => ({ uuid });

/** An order is accepted by the frontend, and as many steps have their turn. */
async function arrive(ports: Ports, uuid: string, user: string, steps = 0): Promise<void> {
  const order = anOrder({ user });
  const incoming = { uuid, order, isNew: true, by: 'frontend', deadlineSeconds: SETTINGS.deadlineSeconds };
  await takeTurns(saga, 'frontend', [receiveTask(saga, incoming)], ports);
  for (const step of saga.steps.slice(0, steps)) await takeStepOf(ports, uuid, step.name);
}

async function takeStepOf(ports: Ports, uuid: string, name: string): Promise<void> {
  const step = saga.steps.find((one) => one.name === name);
  if (step === undefined) throw new Error(`There is no step ${name}`);
  const options = { settings: SETTINGS.declared, deadlineSeconds: SETTINGS.deadlineSeconds, isEntry: false };
  const [taken] = await takeTurns(saga, name, [stepTask(saga, step, message(uuid), options)], ports);
  if (taken === undefined || 'error' in taken) throw taken?.error;
}

/** Steps, words and the janitor do what the order calls for, until it rests. */
async function bringToRest(ports: Ports, uuid: string): Promise<void> {
  for (;;) {
    const ledger = await readOne(ports.store, ledgerPath(uuid));
    if (ledger === undefined) throw new Error(`There is no order ${uuid}`);
    if (ledger.sweepAt === null) return;
    const waiting = saga.waitingIn(ledger.status);
    if (ledger.status === FAILING) {
      const task = compensationTask(saga, message(uuid), 'janitor', SETTINGS.deadlineSeconds);
      await takeTurns(saga, 'janitor', [task], ports);
    } else if (waiting) {
      const { heardBy: by } = waiting.waits;
      await takeTurns(saga, by, [wordTask(saga, waiting, { uuid, word: wordOf(waiting.waits), by })], ports);
    } else await takeStepOf(ports, uuid, saga.stepsAt(ledger)[0]?.name ?? '');
  }
}
