import { expect } from 'chai';
import fc from 'fast-check';
import { itemPath, reservationPath } from '../../inventory/documents.ts';
import { orderRecordPath, userPath } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { redriven } from '../../saga/ledger/deadline.ts';
import { sagaPath } from '../../saga/ledger/ledger.ts';
import { type Path, readOne } from '../../saga/ports/store.ts';
import { aWorld, edit, place, type World } from '../../test/support/audited-world.ts';
import { uuidOf } from '../../test/support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../../test/support/recorded-ports.ts';
import { executeRepair, planRepair, type RepairPlan, type RepairResult } from './repair.ts';
import { takeAudit } from './take-audit.ts';

const ID = uuidOf(1);
const RESERVATION = reservationPath('widget', ID);
const RECORD = orderRecordPath('joe', ID);
const INVOICE = invoicePath(ID);

/** What there is, and what the repair makes of it. */
async function clinic(world: World) {
  const ports = await recordedPorts(Object.fromEntries(world));
  const plan = async (): Promise<RepairPlan> => planRepair(await takeAudit(ports));
  const execute = ({ actions }: RepairPlan) => ports.clock.finish(executeRepair(actions, ports));
  return { ports, plan, execute, mend: async () => execute(await plan()) };
}
const outcomes = (results: readonly RepairResult[]) =>
  results.map(({ action, outcome }) => `${outcome}: ${action.sentence}`);
const violationsIn = async (ports: RecordedPorts) => (await takeAudit(ports)).violations;
const contents = async ({ store }: RecordedPorts, paths: readonly Path[]) =>
  new Map([...(await store.read(paths))].map(([path, { fields }]) => [path, fields]));

/** Joe's order of two widgets. */
const joes = { order: { user: 'joe' } };

describe('The repair', () => {
  it('has nothing to do where nothing is wrong', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, ...joes });
    const { plan } = await clinic(world);
    expect(await plan()).to.deep.equal({ actions: [], forPeople: [] });
  });

  describe('corrects a counter by the records', () => {
    const meddled = () => {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      edit(world, itemPath('widget'), { quantity: 90 });
      edit(world, userPath('joe'), { credit: 995 });
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
      const found = await ports.store.read([itemPath('widget')]);
      const version = found.get(itemPath('widget'))?.version;
      if (version === undefined) throw new Error('There is no widget');
      // An order takes five in the meantime.
      await ports.store.commit([
        { kind: 'update', path: itemPath('widget'), version, fields: { quantity: 85 } },
      ]);
      await execute(planned);
      expect(await readOne(ports.store, itemPath('widget'))).to.deep.equal({
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

    it('but never below nothing', async () => {
      const world = meddled();
      edit(world, itemPath('widget'), { quantity: 99 });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      const version = (await ports.store.read([itemPath('widget')])).get(itemPath('widget'))?.version;
      if (version === undefined) throw new Error('There is no widget');
      await ports.store.commit([
        { kind: 'update', path: itemPath('widget'), version, fields: { quantity: 0 } },
      ]);
      const [result] = await execute(planned);
      expect([result?.outcome, result?.detail]).to.deep.equal([
        'failed',
        "Of inventory/widget, 0 are left: 1 can't be taken off now",
      ]);
    });
  });

  describe('restores what a ledger says is there', () => {
    it('to the last field, and then nothing is wrong any more', async () => {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      const lost = [RECORD, RESERVATION, INVOICE].map((path) => [path, world.get(path)] as const);
      for (const [path] of lost) world.delete(path);
      const { ports, plan, mend } = await clinic(world);
      const inDoubt = 'it is looked at again once nothing else is wrong with what is held';
      expect((await plan()).forPeople).to.deep.equal([
        `inventory/widget: quantity 98 and 0 held by orders make 98, not 100: 2 missing; ${inDoubt}`,
        `users/joe: credit 990 and 0 held by orders make 990, not 1000: 10 missing; ${inDoubt}`,
      ]);
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
      for (const when of ['before', 'during'] as const) {
        const world = aWorld();
        place(world, 1, { done: 2, ...joes });
        world.delete(RESERVATION);
        const canceled = new Map(world);
        const { ports, plan } = await clinic(world);
        const planned = await plan();
        place(canceled, 1, { done: 2, end: 'canceled', ...joes });
        const cancel = async () => {
          const version = (await ports.store.read([sagaPath(ID)])).get(sagaPath(ID))?.version;
          const fields = canceled.get(sagaPath(ID));
          if (version === undefined || fields === undefined) throw new Error('There is no ledger');
          await ports.store.commit([{ kind: 'update', path: sagaPath(ID), version, fields }]);
        };
        if (when === 'before') await cancel();
        let raced = when === 'before';
        const racing = {
          ...ports,
          store: {
            ...ports.store,
            async read(paths: readonly Path[]) {
              const found = await ports.store.read(paths);
              if (!raced) {
                raced = true;
                await cancel();
              }
              return found;
            },
          },
        };
        const results = await ports.clock.finish(executeRepair(planned.actions, racing));
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
    edit(canceled, itemPath('widget'), { quantity: 98 });
    const { ports, mend } = await clinic(canceled);
    expect(outcomes(await mend())).to.have.members(held.map(([path]) => `done: Remove ${path}`));
    expect(outcomes(await mend())).to.deep.equal(['done: Correct quantity of inventory/widget by +2']);
    expect(await violationsIn(ports)).to.deep.equal([]);
  });

  describe('moves stuck orders on', () => {
    const stuck = (world: World, course: Parameters<typeof place>[2]) => {
      let saga = place(world, 1, course);
      for (let redrive = 1; redrive <= 3; redrive++) saga = redriven(saga, saga.createdAt);
      world.set(sagaPath(ID), saga);
      return saga;
    };

    it('[anomaly 27] by the message that is missing', async () => {
      const world = aWorld();
      const saga = stuck(world, { done: 1 });
      const { ports, plan, execute } = await clinic(world);
      const planned = await plan();
      expect(planned.actions).to.deep.equal([
        {
          kind: 'republish',
          uuid: ID,
          sentence: `Publish the message of order ${ID} to order-created again`,
          effect: 'it goes on, or is canceled where it is too late',
        },
      ]);
      await execute(planned);
      expect(ports.published).to.deep.equal([messageFor(saga)]);
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
      expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['order-canceled']);
      expect((await readOne(ports.store, sagaPath(ID)))?.status).to.equal('CANCELED');
      expect(await readOne(ports.store, itemPath('widget'))).to.deep.equal(aWorld().get(itemPath('widget')));
      expect(await violationsIn(ports)).to.deep.equal([]);
    });

    it('and says why, where that fails', async () => {
      const world = aWorld();
      stuck(world, { done: 2, end: 'failing' });
      world.delete(itemPath('widget'));
      const { ports, mend } = await clinic(world);
      const [result] = await mend();
      expect(result?.outcome).to.equal('failed');
      expect(result?.detail).to.contain("2 of widget can't be put back");
      const resting = aWorld();
      stuck(resting, { done: 1 });
      const deaf = await clinic(resting);
      deaf.ports.deafTopics.add('order-created');
      expect((await deaf.mend()).map(({ outcome, detail }) => [outcome, detail])).to.deep.equal([
        ['failed', 'The broker is away'],
      ]);
      expect(ports.published).to.deep.equal([]);
    });
  });

  it('completes the compensation of a failing order whose records are not what they should be', async () => {
    const world = aWorld();
    place(world, 1, { done: 3, end: 'failing', ...joes });
    world.delete(RECORD);
    edit(world, RESERVATION, { price_per_unit: 1 });
    const { ports, mend } = await clinic(world);
    expect(outcomes(await mend())).to.deep.equal([`done: Complete the compensation of order ${ID}`]);
    expect(await violationsIn(ports)).to.deep.equal([]);
  });

  it('leaves to people what nobody can tell from a ledger', async () => {
    const meddlings: readonly ((world: World) => void)[] = [
      (world) => edit(world, RECORD, { items: [] }),
      (world) => edit(world, sagaPath(ID), { status: 'RESERVED' }),
      (world) => world.set(orderRecordPath('jack', ID), { createdAt: new Date(0) }),
      (world) => world.set(orderRecordPath('jack', uuidOf(9)), { createdAt: new Date(0) }),
      (world) => edit(world, itemPath('gadget'), { quantity: -1 }),
      (world) => edit(world, itemPath('widget'), { loaded: 1, quantity: 0 }),
    ];
    for (const meddle of meddlings) {
      const world = aWorld();
      place(world, 1, { done: 3, ...joes });
      meddle(world);
      const { ports, plan } = await clinic(world);
      const sentences = (await violationsIn(ports)).map(({ sentence }) => sentence);
      expect(sentences).to.have.length(1);
      expect(await plan()).to.deep.equal({ actions: [], forPeople: sentences });
    }
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
              record: orderRecordPath(user, uuid),
              reservation: reservationPath('widget', uuid),
              invoice: invoicePath(uuid),
            };
            for (const name of lost) world.delete(paths[name] ?? '');
          }
          const { quantity } = world.get(itemPath('widget')) as { quantity: number };
          edit(world, itemPath('widget'), { quantity: quantity + by });
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
