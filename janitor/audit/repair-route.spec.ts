import { expect } from 'chai';
import { stock } from '../../shop/stock.ts';
import { aWorld, edit } from '../../test/support/audited-world.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { repairRoutes } from './repair-route.ts';

describe('POST /repair', () => {
  it('logs what could not be done as a warning, and gives way to orders while it audits', async () => {
    const world = aWorld();
    edit(world, stock.of('widget').path, { quantity: 90 });
    const ports = await recordedPorts(Object.fromEntries(world));
    const [post] = repairRoutes(shopOfThree, ports);
    const ask = (apply: boolean) =>
      ports.clock.finish(
        Promise.resolve(
          post?.handle({ params: {}, query: undefined, body: { apply }, header: () => undefined }),
        ),
      );
    await ask(false);
    expect(new Set(ports.clock.pausesMs)).to.deep.equal(new Set([0]));
    const pauseCount = ports.clock.pausesMs.length;
    ports.store.poison = () => true;
    await ask(true);
    // Twice, before the repair and after it.
    expect(ports.clock.pausesMs.filter((ms) => ms === 0)).to.have.length(3 * pauseCount);
    ports.store.poison = () => false;
    await ask(true);
    const sentence = 'Correct quantity of inventory/widget by +10';
    const asked = { severity: 'INFO', message: 'janitor: an operator asked for a repair', step: 'janitor' };
    expect(ports.logged).to.deep.equal([
      asked,
      {
        severity: 'WARNING',
        message: `janitor: repair failed: ${sentence}`,
        step: 'janitor',
        error: 'The spec says: rejected',
      },
      asked,
      { severity: 'INFO', message: `janitor: repair done: ${sentence}`, step: 'janitor' },
    ]);
  });
});
