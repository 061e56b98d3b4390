import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createBatcher } from './batcher.ts';

/** A batcher whose batches end when the spec says so. */
function heldBatcher(batchMax = 3, queueMax = 5, weightMax = 1000, queueWeightMax = 10_000) {
  const batches: (readonly number[])[] = [];
  let finish = (): void => {};
  const batcher = createBatcher<number>({
    batchMax,
    queueMax,
    weightOf: (item) => item,
    weightMax,
    queueWeightMax,
    run(items) {
      batches.push(items);
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  });
  return {
    batches,
    add: (...items: number[]) => items.map((item) => batcher.add(item)),
    stop: () => batcher.stop(),
    done: () => batcher.done(),
    /** Ends the batch under way, if there is one, and lets the next one start. */
    async next() {
      finish();
      await nextTurn();
    },
  };
}

describe('The batcher', () => {
  it('takes no more than may wait by weight, but always a single item, and counts only what waits', async () => {
    const { add, next } = heldBatcher(3, 5, 1000, 10);
    expect(add(50)).to.deep.equal([true]);
    await next();
    expect(add(6, 4, 1)).to.deep.equal([true, true, false]);
    await next();
    expect(add(9, 2)).to.deep.equal([true, false]);
  });

  it('[anomaly 33] makes one batch of one burst, and the next one of what arrives meanwhile', async () => {
    const { batches, add, next } = heldBatcher();
    add(1, 2);
    await next();
    expect(batches).to.deep.equal([[1, 2]]);
    add(3);
    await nextTurn();
    add(4, 5);
    expect(batches).to.deep.equal([[1, 2]]);
    await next();
    expect(batches).to.deep.equal([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it('starts at once when it has been idle', async () => {
    const { batches, add, next } = heldBatcher();
    add(1);
    await next();
    await next();
    add(2);
    await nextTurn();
    expect(batches).to.deep.equal([[1], [2]]);
  });

  it('never makes a batch larger than allowed', async () => {
    const { batches, add, next } = heldBatcher(2);
    add(1, 2, 3, 4, 5);
    await next();
    await next();
    await next();
    expect(batches).to.deep.equal([[1, 2], [3, 4], [5]]);
  });

  it('refuses what exceeds the queue, and takes more once there is room', async () => {
    const { batches, add, next } = heldBatcher(3, 2);
    expect(add(1, 2, 3)).to.deep.equal([true, true, false]);
    await next();
    expect(add(4, 5, 6)).to.deep.equal([true, true, false]);
    await next();
    expect(add(7)).to.deep.equal([true]);
    expect(batches).to.deep.equal([
      [1, 2],
      [4, 5],
    ]);
  });

  it('[anomaly 35] hands back at once what waits when it is stopped, and takes nothing more', async () => {
    const { batches, add, next, stop } = heldBatcher(2);
    add(1, 2, 3, 4);
    await next();
    expect(stop()).to.deep.equal([3, 4]);
    expect([add(5), stop()]).to.deep.equal([[false], []]);
    await next();
    expect(batches).to.deep.equal([[1, 2]]);
  });

  it('[anomaly 35] is done when the batch under way is', async () => {
    const { add, next, stop, done } = heldBatcher();
    add(1);
    await next();
    stop();
    let isDone = false;
    const noted = done().then(() => {
      isDone = true;
    });
    await nextTurn();
    expect(isDone).to.equal(false);
    await next();
    await noted;
  });

  it('[anomaly 35] starts nothing that was stopped before its burst had ended', async () => {
    const { batches, add, stop, done } = heldBatcher();
    add(1, 2);
    expect(stop()).to.deep.equal([1, 2]);
    await done();
    expect(batches).to.deep.equal([]);
  });

  it('ends a batch before it weighs too much, and takes what is too heavy alone', async () => {
    const { batches, add, next } = heldBatcher(10, 10, 10);
    add(4, 6, 1, 50, 2, 3);
    for (let batch = 0; batch < 4; batch++) await next();
    expect(batches).to.deep.equal([[4, 6], [1], [50], [2, 3]]);
  });

  it('keeps to the number of items also where something heavy waits behind them', async () => {
    const { batches, add, next } = heldBatcher(3, 10, 10);
    add(1, 1, 1, 1, 50);
    for (let batch = 0; batch < 3; batch++) await next();
    expect(batches).to.deep.equal([[1, 1, 1], [1], [50]]);
  });
});
