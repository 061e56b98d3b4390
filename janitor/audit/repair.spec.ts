import { expect } from 'chai';
import fc from 'fast-check';
import { reservations } from '../../inventory/reservations.ts';
import { orderRecords } from '../../order/order-records.ts';
import { invoices } from '../../payments/invoices.ts';
import { pipeline } from '../../pipeline.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { announcedAgain } from '../../saga/ledger/deadline.ts';
import { complete, fail, type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import { type Path, readOne } from '../../saga/ports/store.ts';
import { compensationTask } from '../../saga/step/compensate.ts';
import { customers } from '../../shop/customers.ts';
import { sales } from '../../shop/sales.ts';
import { stock } from '../../shop/stock.ts';
import { aWorld, edit, place, type World } from '../../test/support/audited-world.ts';
import { manyUuids, NOW, uuidOf } from '../../test/support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../../test/support/recorded-ports.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import type { AuditReport, Violation } from './audit-report.ts';
import {
  executeRepair,
  planRepair,
  type RepairAction,
  type RepairPlan,
  type RepairResult,
} from './repair.ts';
import { REPAIRS, type RepairEntry, repairEntryPath } from './repair-journal.ts';
import { takeAudit } from './take-audit.ts';

const ID = uuidOf(1);
const RESERVATION = reservations.of('widget', ID).path;
const RECORD = orderRecords.of('joe', ID).path;
const INVOICE = invoices.of(ID).path;

/** What there is, and what the repair makes of it. */
async function clinic(world: World) {
  const ports = { ...(await recordedPorts(Object.fromEntries(world))), newUuid: manyUuids() };
  const plan = async (): Promise<RepairPlan> => planRepair(await takeAudit(shopOfThree, ports));
  const execute = ({ actions }: RepairPlan) => ports.clock.finish(executeRepair(shopOfThree, actions, ports));
  return { ports, plan, execute, mend: async () => execute(await plan()) };
}
const outcomes = (results: readonly RepairResult[]) =>
  results.map(({ action, outcome }) => `${outcome}: ${action.sentence}`);
const violationsIn = async (ports: RecordedPorts) => (await takeAudit(shopOfThree, ports)).violations;
const contents = async ({ store }: RecordedPorts, paths: readonly Path[]) =>
  new Map([...(await store.read(paths))].map(([path, { fields }]) => [path, fields]));

/** The ledger once it was announced again so often that the order counts as stuck. */
const repeatedly = (ledger: Ledger): Ledger =>
  [1, 2, 3].reduce((before) => announcedAgain(shopOfThree, before, before.createdAt), ledger);
/** What is said to people: everything but totals that are in doubt because of something else. */
const saidToPeople = (violations: readonly Violation[]) =>
  violations.flatMap(({ sentence, inDoubtUntil }) => (inDoubtUntil === undefined ? [sentence] : []));
const planned = ({ actions, forPeople }: RepairPlan) => [actions, forPeople.map(({ sentence }) => sentence)];

/** Joe's order of two widgets. */
const joes = { order: { user: 'joe' } };

describe('The repair', () => {
  it('has nothing to do where nothing is wrong', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, ...joes });
    const { plan } = await clinic(world);
    expect(await plan()).to.deep.equal({ actions: [], forPeople: [] });
  });

  describe('corrects a balance by what orders hold', () => {
    const meddled = () => {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      edit(world, stock.of('widget').path, { quantity: 90 });
      edit(world, customers.of('joe').path, { credit: 995 });
      return world;
    };

    it('and says so before', async () => {
      const { plan } = await clinic(meddled());
      expect((await plan()).actions.map(({ sentence, effect }) => [sentence, effect])).to.deep.equal([
        ['Correct quantity of inventory/widget by +8', 'what is left and what orders hold add up again'],
        ['Correct credit of users/joe by -5', 'what is left and what orders hold add up again'],
      ]);
    });

    it('as a difference, so that what orders change meanwhile stays', async () => {
      const { ports, plan, execute } = await clinic(meddled());
      const planned = await plan();
      const found = await ports.store.read([stock.of('widget').path]);
      const version = found.get(stock.of('widget').path)?.version;
      if (version === undefined) throw new Error('There is no widget');
      // An order takes five in the meantime.
      await ports.store.commit([
        { kind: 'update', path: stock.of('widget').path, version, fields: { quantity: 85 } },
      ]);
      await execute(planned);
      expect(await readOne(ports.store, stock.of('widget').path)).to.deep.equal({
        quantity: 93,
        price_per_unit: 5,
        loaded: 100,
        corrections: 1,
      });
    });

    it('once, though two find the same fault, and though one is told to repeat it', async () => {
      const { ports, plan, execute } = await clinic(meddled());
      const [one, other] = [await plan(), await plan()];
      const both = await Promise.all([execute(one), execute(other), execute(one)]);
      expect(both.flatMap(outcomes).toSorted()).to.deep.equal([
        'done: Correct credit of users/joe by -5',
        'done: Correct quantity of inventory/widget by +8',
        ...Array(2).fill('needless: Correct credit of users/joe by -5'),
        ...Array(2).fill('needless: Correct quantity of inventory/widget by +8'),
      ]);
      expect(await violationsIn(ports)).to.deep.equal([]);
    });

    it('and is in the journal from the same commit on, with who wanted it and why', async () => {
      const { ports, plan } = await clinic(meddled());
      ports.store.commitFaults.push('lost answer');
      const { actions } = await plan();
      const wish = { person: 'alice', note: 'as counted' };
      const results = await ports.clock.finish(executeRepair(shopOfThree, actions, ports, wish));
      // The answer of the commit was lost; the entries say that it went through.
      expect(results.map(({ outcome }) => outcome)).to.deep.equal(['done', 'done']);
      const entries = (await ports.store.query({
        collection: REPAIRS,
        where: {},
        limit: 10,
      })) as RepairEntry[];
      expect(
        entries.map(({ path, correction, person, note }) => [path, correction, person, note]),
      ).to.have.deep.members([
        ['inventory/widget', { field: 'quantity', by: 8 }, wish.person, wish.note],
        ['users/joe', { field: 'credit', by: -5 }, wish.person, wish.note],
      ]);
    });

    it('and leaves an account alone that has lost its balance', async () => {
      const path = customers.of('joe').path;
      for (const becomes of [{ address: '3 Mill Lane' }, undefined]) {
        const { ports, plan, execute } = await clinic(meddled());
        const { actions } = await plan();
        await ports.store.commit([{ kind: 'remove', path }]);
        if (becomes) await ports.store.commit([{ kind: 'create', path, fields: becomes }]);
        const about = actions.filter((action) => 'path' in action && action.path === path);
        for (const by of [5, -5]) {
          const turned = about.map((one) => ({
            ...one,
            correction: { field: 'credit', by, corrections: 0 },
          }));
          const [result] = await execute({ actions: turned as RepairAction[], forPeople: [] });
          expect(result?.outcome).to.equal('needless');
        }
        expect(await readOne(ports.store, path)).to.deep.equal(becomes);
      }
    });

    it('and begins a counter that is not there, once, and from then on adds to it', async () => {
      const { path } = sales.of('widget');
      const ports = { ...(await recordedPorts()), newUuid: manyUuids() };
      const counted = async (by: number, corrections: number) => {
        const correction = { field: 'sold', by, corrections };
        const action: RepairAction = {
          kind: 'correct',
          path,
          correction,
          sentence: 'Correct it',
          effect: '',
        };
        const results = await ports.clock.finish(executeRepair(pipeline, [action], ports));
        return [...results.map(({ outcome }) => outcome), await readOne(ports.store, path)];
      };
      expect(await counted(2, 0)).to.deep.equal(['done', { sold: 2, corrections: 1 }]);
      expect(await counted(2, 0)).to.deep.equal(['needless', { sold: 2, corrections: 1 }]);
      expect(await counted(3, 1)).to.deep.equal(['done', { sold: 5, corrections: 2 }]);
    });

    it('but never below nothing', async () => {
      const world = meddled();
      edit(world, stock.of('widget').path, { quantity: 99 });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      const version = (await ports.store.read([stock.of('widget').path])).get(
        stock.of('widget').path,
      )?.version;
      if (version === undefined) throw new Error('There is no widget');
      await ports.store.commit([
        { kind: 'update', path: stock.of('widget').path, version, fields: { quantity: 0 } },
      ]);
      const [result] = await execute(planned);
      expect([result?.outcome, result?.detail]).to.deep.equal([
        'failed',
        "Of inventory/widget, 0 are left: 1 can't be taken off now",
      ]);
      // The last one can be taken off.
      const { version: next } =
        (await ports.store.read([stock.of('widget').path])).get(stock.of('widget').path) ?? {};
      if (next === undefined) throw new Error('There is no widget');
      await ports.store.commit([
        { kind: 'update', path: stock.of('widget').path, version: next, fields: { quantity: 1 } },
      ]);
      expect((await execute(planned))[0]?.outcome).to.equal('done');
    });
  });

  describe('restores what a ledger says is there', () => {
    it('to the last field, and then nothing is wrong any more', async () => {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      const lost = [RECORD, RESERVATION, INVOICE].map((path) => [path, world.get(path)] as const);
      for (const [path] of lost) world.delete(path);
      const { ports, plan, mend } = await clinic(world);
      expect((await plan()).forPeople).to.deep.equal([]);
      expect(outcomes(await mend())).to.have.members(lost.map(([path]) => `done: Restore ${path}`));
      expect(
        await contents(
          ports,
          lost.map(([path]) => path),
        ),
      ).to.deep.equal(new Map(lost));
      expect(await violationsIn(ports)).to.deep.equal([]);
    });

    it('unless the order has failed since, also at the same moment', async () => {
      const courses = (['failing', 'canceled'] as const).flatMap((end) =>
        (['before', 'during'] as const).map((when) => ({ end, when })),
      );
      for (const { end, when } of courses) {
        const world = aWorld();
        place(world, 1, { done: 2, ...joes });
        world.delete(RESERVATION);
        const failed = new Map(world);
        const { ports, plan } = await clinic(world);
        const planned = await plan();
        place(failed, 1, { done: 2, end, ...joes });
        const fail = async () => {
          const version = (await ports.store.read([ledgerPath(ID)])).get(ledgerPath(ID))?.version;
          const fields = failed.get(ledgerPath(ID));
          if (version === undefined || fields === undefined) throw new Error('There is no ledger');
          await ports.store.commit([{ kind: 'update', path: ledgerPath(ID), version, fields }]);
        };
        if (when === 'before') await fail();
        let raced = when === 'before';
        const racing = {
          ...ports,
          store: {
            ...ports.store,
            async read(paths: readonly Path[]) {
              const found = await ports.store.read(paths);
              if (!raced) {
                raced = true;
                await fail();
              }
              return found;
            },
          },
        };
        const results = await ports.clock.finish(executeRepair(shopOfThree, planned.actions, racing));
        expect(outcomes(results)).to.deep.equal([`needless: Restore ${RESERVATION}`]);
        expect(await readOne(ports.store, RESERVATION)).to.equal(undefined);
      }
    });
  });

  it('[anomaly 13] removes what a canceled order still holds, then corrects what then does not add up', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, ...joes });
    const held = [RECORD, RESERVATION, INVOICE].map((path) => [path, world.get(path) ?? {}] as const);
    const canceled = aWorld();
    place(canceled, 1, { done: 3, end: 'canceled', ...joes });
    for (const [path, fields] of held) canceled.set(path, fields);
    // The stock was not given back, the money was.
    edit(canceled, stock.of('widget').path, { quantity: 98 });
    const { ports, mend } = await clinic(canceled);
    expect(outcomes(await mend())).to.have.members(held.map(([path]) => `done: Remove ${path}`));
    expect(outcomes(await mend())).to.deep.equal(['done: Correct quantity of inventory/widget by +2']);
    expect(await violationsIn(ports)).to.deep.equal([]);
  });

  describe('removes what a canceled order still holds', () => {
    const canceled = (world: World) => {
      place(world, 1, { done: 3, end: 'canceled', ...joes });
      world.set(INVOICE, { total: 10 });
      return world;
    };

    it('once, though it is told to repeat it', async () => {
      const { ports, plan, execute } = await clinic(canceled(aWorld()));
      const planned = await plan();
      expect(outcomes(await execute(planned))).to.deep.equal([`done: Remove ${INVOICE}`]);
      expect(outcomes(await execute(planned))).to.deep.equal([`needless: Remove ${INVOICE}`]);
      expect(await ports.store.query({ collection: REPAIRS, where: {}, limit: 10 })).to.have.length(1);
    });

    it('and nothing of an order that is not canceled, whatever the plan says: the ledger may come from a backup', async () => {
      const { actions } = await (await clinic(canceled(aWorld()))).plan();
      for (const end of ['stands', 'failing'] as const) {
        const world = aWorld();
        place(world, 1, { done: 3, end, ...joes });
        const { ports, execute } = await clinic(world);
        expect(outcomes(await execute({ actions, forPeople: [] }))).to.deep.equal([
          `needless: Remove ${INVOICE}`,
        ]);
        expect(await readOne(ports.store, INVOICE)).to.deep.equal(world.get(INVOICE));
      }
    });
  });

  describe('moves stuck orders on', () => {
    const stuck = (world: World, course: Parameters<typeof place>[2]) => {
      const ledger = repeatedly(place(world, 1, course));
      world.set(ledgerPath(ID), ledger);
      return ledger;
    };

    it('[anomaly 27] by the message that is missing', async () => {
      const world = aWorld();
      const ledger = stuck(world, { done: 1 });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      expect(planned.actions).to.deep.equal([
        {
          kind: 'announce',
          uuid: ID,
          sentence: `Publish the message of order ${ID} to order-created again`,
          effect: 'it goes on, or is canceled where it is too late',
        },
      ]);
      await execute(planned);
      expect(ports.published).to.deep.equal([messageFor(shopOfThree, ledger)]);
    });

    it('and is in the journal also where the order has come to rest since, and so stays as it is', async () => {
      const world = aWorld();
      const ledger = stuck(world, { done: 1 });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      const failed = fail(shopOfThree, ledger, {
        ...{ by: 'order', reason: 'STEP_FAILED', detail: 'It asked for that', now: ports.clock.now() },
      });
      const rested = complete(shopOfThree, failed, 'janitor', ports.clock.now());
      const path = ledgerPath(ID);
      const version = (await ports.store.read([path])).get(path)?.version;
      if (version === undefined) throw new Error('There is no such order');
      await ports.store.commit([{ kind: 'update', path, version, fields: rested }]);
      expect(outcomes(await execute(planned))).to.deep.equal([
        `done: Publish the message of order ${ID} to order-created again`,
      ]);
      expect(await readOne(ports.store, path)).to.deep.equal(rested);
      expect(ports.published).to.deep.equal([messageFor(shopOfThree, rested)]);
      const entries = await ports.store.query({ collection: REPAIRS, where: {}, limit: 10 });
      expect(entries).to.have.length(1);
      expect(entries[0]).to.include({ kind: 'announce', uuid: ID });
    });

    it('[anomaly 19] and is in the journal from the same commit on, also if the answer of that is lost', async () => {
      for (const [course, kind] of [
        [{ done: 1 }, 'announce'],
        [{ done: 1, end: 'failing' }, 'compensate'],
      ] as const) {
        const world = aWorld();
        stuck(world, course);
        const { ports, plan } = await clinic(world);
        ports.store.commitFaults.push('lost answer');
        const { actions } = await plan();
        const wish = { person: 'alice', note: 'It hangs' };
        const results = await ports.clock.finish(executeRepair(shopOfThree, actions, ports, wish));
        expect(results).to.deep.equal(actions.map((action) => ({ action, outcome: 'done' })));
        const entries = (await ports.store.list(REPAIRS, 10)).map(({ id, fields }) => ({ ...fields, id }));
        const [first] = ports.store.commits;
        expect(entries).to.deep.equal([{ id: entries[0]?.id, createdAt: NOW, kind, uuid: ID, ...wish }]);
        expect(first?.map(({ path }) => path)).to.have.members([
          ledgerPath(ID),
          repairEntryPath(entries[0]?.id ?? ''),
        ]);
      }
    });

    it('[anomaly 12] by compensating, once, however often it is told to', async () => {
      const world = aWorld();
      stuck(world, { done: 3, end: 'failing', ...joes });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      expect(outcomes(await execute(planned))).to.deep.equal([
        `done: Complete the compensation of order ${ID}`,
      ]);
      expect(outcomes(await execute(planned))).to.deep.equal([
        `needless: Complete the compensation of order ${ID}`,
      ]);
      expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['error', 'order-canceled']);
      expect((await readOne(ports.store, ledgerPath(ID)))?.status).to.equal('CANCELED');
      expect(await readOne(ports.store, stock.of('widget').path)).to.deep.equal(
        aWorld().get(stock.of('widget').path),
      );
      expect(await violationsIn(ports)).to.deep.equal([]);
    });

    it('and says why, where that fails', async () => {
      const world = aWorld();
      stuck(world, { done: 2, end: 'failing' });
      world.delete(stock.of('widget').path);
      const { mend } = await clinic(world);
      const [result] = await mend();
      expect(result?.outcome).to.equal('failed');
      expect(result?.detail).to.contain("2 can't be given back: there is no item widget any more");
      const resting = aWorld();
      stuck(resting, { done: 1 });
      const deaf = await clinic(resting);
      deaf.ports.deafTopics.add('order-created');
      expect((await deaf.mend()).map(({ outcome, detail }) => [outcome, detail])).to.deep.equal([
        ['failed', 'The broker is away'],
      ]);
      expect(deaf.ports.published).to.deep.equal([]);
    });

    const readers = [
      { order: joes.order, topic: 'error', reader: 'janitor' },
      { order: { ...joes.order, mode: 'orchestration' as const }, topic: 'workflow', reader: 'orchestrator' },
    ];
    for (const { order, topic, reader } of readers) {
      it(`[anomaly 18] so that the ${reader} announces the end if the repair can't`, async () => {
        const world = aWorld();
        stuck(world, { done: 3, end: 'failing', order });
        const { ports, mend } = await clinic(world);
        ports.deafTopics.add('order-canceled');
        expect((await mend()).map(({ outcome }) => outcome)).to.deep.equal(['failed']);
        expect((await readOne(ports.store, ledgerPath(ID)))?.status).to.equal('CANCELED');
        // The failure was announced before, so its reader hears of an order that it seems to have canceled itself.
        expect(ports.journal).to.deep.equal(['commit', `publish ${topic}`, 'commit']);
        ports.deafTopics.clear();
        await takeTurns(
          shopOfThree,
          reader,
          [compensationTask(shopOfThree, { uuid: ID }, reader, 900)],
          ports,
        );
        expect(ports.published.map((one) => one.topic)).to.deep.equal([topic, 'order-canceled']);
      });
    }

    it('each in the name of who would have compensated it, however many there are', async () => {
      const world = aWorld();
      for (const [index, { order }] of readers.entries())
        world.set(
          ledgerPath(uuidOf(index)),
          repeatedly(place(world, index, { done: 3, end: 'failing', order })),
        );
      const { ports, mend } = await clinic(world);
      expect((await mend()).map(({ outcome }) => outcome)).to.deep.equal(['done', 'done']);
      for (const [index, { reader }] of readers.entries()) {
        const { history = [] } = (await readOne(ports.store, ledgerPath(uuidOf(index)))) ?? {};
        expect(history.at(-1)).to.match(new RegExp(`CANCELED ${reader}$`));
      }
    });

    it('but for those that wait, and whose time is over: people must ask for the word', () => {
      const sentence = `Order ${ID} waits`;
      const stuckOrder = { uuid: ID, status: 'DELIVERING', since: NOW, repeats: 0, sentence };
      const report = { violations: [], stuck: [stuckOrder] } as unknown as AuditReport;
      expect(planRepair(report)).to.deep.equal({
        actions: [],
        forPeople: [
          {
            sentence,
            advice: `ask whoever owes the word, and say it, or cancel the order (npm run saga -- show ${ID})`,
          },
        ],
      });
    });

    it('and cancels no order whose failure it could not announce', async () => {
      const world = aWorld();
      stuck(world, { done: 2, end: 'failing', ...joes });
      const { ports, mend } = await clinic(world);
      ports.deafTopics.add('error');
      expect((await mend()).map(({ outcome }) => outcome)).to.deep.equal(['failed']);
      expect((await readOne(ports.store, ledgerPath(ID)))?.status).to.equal('FAILING');
    });
  });

  it('completes the compensation of a failing order whose records are lost', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, end: 'failing', ...joes });
    world.delete(RECORD);
    world.delete(RESERVATION);
    const { ports, mend } = await clinic(world);
    expect(outcomes(await mend())).to.deep.equal([`done: Complete the compensation of order ${ID}`]);
    expect(await violationsIn(ports)).to.deep.equal([]);
  });

  it('completes a compensation also of a saga that has no orchestration', async () => {
    const { workflow: _, ...choreography } = shopOfThree;
    const world = aWorld();
    world.set(ledgerPath(ID), repeatedly(place(world, 1, { done: 3, end: 'failing', ...joes })));
    const { ports, plan } = await clinic(world);
    const { actions } = await plan();
    const results = await ports.clock.finish(executeRepair(choreography, actions, ports));
    expect(outcomes(results)).to.deep.equal([`done: Complete the compensation of order ${ID}`]);
    expect((await readOne(ports.store, ledgerPath(ID)))?.status).to.equal('CANCELED');
  });

  it('leaves to people what nobody can tell from a ledger', async () => {
    const meddlings: readonly ((world: World) => void)[] = [
      (world) => edit(world, RECORD, { items: [] }),
      (world) => edit(world, ledgerPath(ID), { status: 'RESERVED' }),
      (world) => edit(world, ledgerPath(ID), { user: 'jack' }),
      (world) => edit(world, ledgerPath(ID), { charged: 9 }),
      (world) => world.set(orderRecords.of('jack', ID).path, { createdAt: new Date(0) }),
      (world) => world.set(orderRecords.of('jack', uuidOf(9)).path, { createdAt: new Date(0) }),
      (world) => edit(world, stock.of('gadget').path, { quantity: -1 }),
      (world) => edit(world, stock.of('widget').path, { loaded: 1, quantity: 0 }),
    ];
    for (const meddle of meddlings) {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      meddle(world);
      const { ports, plan } = await clinic(world);
      const violations = await violationsIn(ports);
      expect(violations).not.to.have.length(0);
      expect(planned(await plan())).to.deep.equal([[], saidToPeople(violations)]);
    }
  });

  it('tells people what to do about each kind of what it leaves to them', async () => {
    const show = `npm run saga -- show ${ID}`;
    const advice: readonly (readonly [meddle: (world: World) => void, start: string])[] = [
      [
        (world) => edit(world, ledgerPath(ID), { charged: 9 }),
        `find out which is right, the ledger or its records (${show})`,
      ],
      [
        (world) => edit(world, ledgerPath(ID), { history: [] }),
        `see what its history and its records say (${show})`,
      ],
      [
        (world) => world.set('sagas/garbage', {}),
        'see what its history and its records say, and mend the ledger accordingly',
      ],
      [(world) => edit(world, RECORD, { items: [] }), 'find out which is right'],
      [(world) => world.delete(ledgerPath(ID)), 'restore the ledger from a backup'],
      [(world) => edit(world, stock.of('gadget').path, { quantity: -1 }), 'mend the fields that are named'],
      [(world) => world.delete(stock.of('widget').path), 'load it again with what there was in all'],
      [(world) => edit(world, stock.of('widget').path, { loaded: 1, quantity: 0 }), 'raise the whole'],
    ];
    for (const [meddle, start] of advice) {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      meddle(world);
      const { forPeople } = await (await clinic(world)).plan();
      expect(forPeople.map(({ advice }) => advice.slice(0, start.length))).to.include(start);
    }
  });

  it('leaves an order to people, also one that fails or is stuck, whose records contradict its ledger', async () => {
    const contradictions: readonly ((world: World) => void)[] = [
      (world) => edit(world, RECORD, { items: [] }),
      (world) => edit(world, RESERVATION, { price_per_unit: 1 }),
      (world) => world.set(reservations.of('gadget', ID).path, { quantity: 1, price_per_unit: 7 }),
    ];
    for (const end of ['stands', 'failing'] as const) {
      for (const contradict of contradictions) {
        const world = aWorld();
        world.set(ledgerPath(ID), repeatedly(place(world, 1, { done: 2, end, ...joes })));
        contradict(world);
        const { ports, plan } = await clinic(world);
        const violations = await violationsIn(ports);
        expect(planned(await plan())).to.deep.equal([[], saidToPeople(violations)]);
      }
    }
  });

  it('does nothing about an order whose ledger has gone since, or can not be right any more', async () => {
    const lost = (world: World) => {
      place(world, 1, { done: 3, ...joes });
      world.delete(INVOICE);
    };
    const failing = (world: World) => {
      world.set(ledgerPath(ID), repeatedly(place(world, 1, { done: 3, end: 'failing', ...joes })));
    };
    for (const fall of [lost, failing]) {
      const world = aWorld();
      fall(world);
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      expect(planned.actions).to.have.length(1);
      await ports.store.commit([{ kind: 'remove', path: ledgerPath(ID) }]);
      expect((await execute(planned)).map(({ outcome }) => outcome)).to.deep.equal(['needless']);
      expect([await readOne(ports.store, ledgerPath(ID)), ports.published]).to.deep.equal([undefined, []]);
    }
    const world = aWorld();
    lost(world);
    const { ports, plan, execute } = await clinic(world);
    const planned = await plan();
    const { version } = (await ports.store.read([ledgerPath(ID)])).get(ledgerPath(ID)) ?? {};
    if (version === undefined) throw new Error('There is no ledger');
    await ports.store.commit([{ kind: 'update', path: ledgerPath(ID), version, fields: { shard: 5 } }]);
    expect((await execute(planned)).map(({ outcome }) => outcome)).to.deep.equal(['needless']);
    expect(await readOne(ports.store, INVOICE)).to.equal(undefined);
  });

  it('restores nothing once another record contradicts the ledger, also where it did not at the audit', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, ...joes });
    world.delete(INVOICE);
    const { ports, plan, execute } = await clinic(world);
    const planned = await plan();
    const { version } = (await ports.store.read([RESERVATION])).get(RESERVATION) ?? {};
    if (version === undefined) throw new Error('There is no reservation');
    await ports.store.commit([{ kind: 'update', path: RESERVATION, version, fields: { quantity: 3 } }]);
    expect(outcomes(await execute(planned))).to.deep.equal([`needless: Restore ${INVOICE}`]);
    expect(await readOne(ports.store, INVOICE)).to.equal(undefined);
  });

  it('mends whatever is lost or miscounted, however many orders there are, and then has nothing to do', async () => {
    const anyLoss = fc.record({
      done: fc.integer({ min: 0, max: 3 }),
      end: fc.constantFrom('stands' as const, 'failing' as const, 'canceled' as const),
      user: fc.constantFrom('jack', 'joe'),
      lost: fc.subarray(['record', 'reservation', 'invoice']),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLoss, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: -30, max: 0 }),
        async (orders, by) => {
          const world = aWorld();
          for (const [number, { done, end, user, lost }] of orders.entries()) {
            const { uuid } = place(world, number, { done, end, order: { user } });
            const paths: Readonly<Record<string, Path>> = {
              record: orderRecords.of(user, uuid).path,
              reservation: reservations.of('widget', uuid).path,
              invoice: invoices.of(uuid).path,
            };
            for (const name of lost) world.delete(paths[name] ?? '');
          }
          const { quantity } = world.get(stock.of('widget').path) as { quantity: number };
          edit(world, stock.of('widget').path, { quantity: quantity + by });
          const { ports, plan, mend } = await clinic(world);
          for (let round = 1; round <= 2; round++) {
            for (const { outcome } of await mend()) expect(outcome).to.equal('done');
          }
          expect(await violationsIn(ports)).to.deep.equal([]);
          expect(await plan()).to.deep.equal({ actions: [], forPeople: [] });
        },
      ),
    );
  });
});
