import { expect } from 'chai';
import { reservations } from '../../inventory/reservations.ts';
import type { Path } from '../../saga/ports/store.ts';
import { stock } from '../../shop/stock.ts';
import { aWorld, edit, place, type World } from '../../test/support/audited-world.ts';
import { manyUuids, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { repairInRounds } from './repair-in-rounds.ts';

async function clinic(world: World) {
  const ports = { ...(await recordedPorts(Object.fromEntries(world))), newUuid: manyUuids() };
  const told: (string | number)[] = [];
  return {
    ports,
    told,
    repair: () =>
      ports.clock.finish(
        repairInRounds(
          shopOfThree,
          ports,
          {},
          {
            beforeRound: (actionCount) => told.push(actionCount),
            afterRound: (results) => told.push(...results.map(({ outcome }) => outcome)),
          },
        ),
      ),
  };
}

describe('A repair in rounds', () => {
  it('goes on with what one round shows the next, and tells of each, until nothing is wrong', async () => {
    const world = aWorld();
    place(world, 1, { done: 3 });
    world.delete(reservations.of('widget', uuidOf(1)).path);
    edit(world, stock.of('widget').path, { quantity: 90 });
    const { told, repair } = await clinic(world);
    const { report, repaired, plan } = await repair();
    expect(repaired.map(({ action }) => action.kind)).to.deep.equal(['restore', 'correct']);
    expect(told).to.deep.equal([1, 'done', 1, 'done']);
    expect([report.violationCount, plan]).to.deep.equal([0, { actions: [], forPeople: [] }]);
  });

  it('tries nothing twice, and does not plan again what has failed', async () => {
    const world = aWorld();
    edit(world, stock.of('widget').path, { quantity: 90 });
    const { ports, told, repair } = await clinic(world);
    ports.store.poison = () => true;
    const { report, plan } = await repair();
    expect(told).to.deep.equal([1, 'failed']);
    expect([report.violationCount, plan.actions]).to.deep.equal([1, []]);
  });

  it('ends, and says what is still to be done, where there is always more', async () => {
    const items: readonly Path[] = Array.from({ length: 9 }, (_, n) => stock.of(`item-${n}`).path);
    const fields = { quantity: 10, price_per_unit: 5, loaded: 10 };
    const { ports, told, repair } = await clinic(new Map(items.map((path) => [path, fields])));
    const { snapshot } = ports.store;
    const spoilt = items.values();
    // Before each audit somebody takes something from another item.
    ports.store.snapshot = async () => {
      const path = spoilt.next().value ?? '';
      const { version } = (await ports.store.read([path])).get(path) ?? {};
      if (version === undefined) throw new Error(`There is no ${path}`);
      await ports.store.commit([{ kind: 'update', path, fields: { quantity: 9 }, version }]);
      return snapshot();
    };
    const { repaired, plan } = await repair();
    expect(told).to.deep.equal([1, 'done', 1, 'done', 1, 'done', 1, 'done']);
    expect([...repaired.map(({ action }) => action), ...plan.actions]).to.deep.equal(
      items.slice(0, 5).map((path) => ({
        kind: 'correct',
        path,
        correction: { field: 'quantity', by: 1, corrections: 0 },
        sentence: `Correct quantity of ${path} by +1`,
        effect: 'what is left and what orders hold add up again',
      })),
    );
  });

  it('may be done without anybody listening', async () => {
    const world = aWorld();
    edit(world, stock.of('widget').path, { quantity: 90 });
    const { ports } = await clinic(world);
    const { report } = await ports.clock.finish(repairInRounds(shopOfThree, ports, {}, {}));
    expect(report.violationCount).to.equal(0);
  });
});
