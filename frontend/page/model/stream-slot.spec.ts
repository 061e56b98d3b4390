import { expect } from 'chai';
import { createLocks } from '../../../test/support/browser-locks.ts';
import { SLOTS, takeSlot } from './stream-slot.ts';

const turn = () => new Promise(setImmediate);

describe('The slots for streams that all tabs share', () => {
  const never = new AbortController().signal;
  const unexpected = () => {
    throw new Error('Nothing was to be waited for');
  };
  const freeOf = (locks: ReturnType<typeof createLocks>) => SLOTS.filter((name) => locks.isFree(name)).length;

  it('are taken one after the other, and whoever comes then waits until one is left', async () => {
    const locks = createLocks();
    const leaves = await Promise.all(SLOTS.map(() => takeSlot(locks, never, unexpected)));
    const trail: string[] = [];
    const next = takeSlot(locks, never, () => trail.push('waits')).then((leave) => {
      trail.push('has a slot');
      return leave;
    });
    await turn();
    trail.push('one is left');
    leaves[2]?.();
    const leave = await next;
    expect(trail).to.deep.equal(['waits', 'one is left', 'has a slot']);
    for (const other of leaves) other();
    await turn();
    expect(freeOf(locks)).to.equal(SLOTS.length - 1);
    leave();
    await turn();
    expect(freeOf(locks)).to.equal(SLOTS.length);
  });

  it('are one for each who waits, also where several become free at once', async () => {
    const locks = createLocks();
    const leaves = await Promise.all(SLOTS.map(() => takeSlot(locks, never, unexpected)));
    const next = takeSlot(locks, never, () => {});
    await turn();
    for (const leave of leaves) leave();
    await next;
    await turn();
    expect(freeOf(locks)).to.equal(SLOTS.length - 1);
  });

  it('are not waited for any longer once the stream is not wanted', async () => {
    const locks = createLocks();
    const leaves = await Promise.all(SLOTS.map(() => takeSlot(locks, never, unexpected)));
    const stopped = new AbortController();
    const waiting = takeSlot(locks, stopped.signal, () => stopped.abort());
    expect(await waiting.catch(() => 'stopped')).to.equal('stopped');
    for (const leave of leaves) leave();
    await turn();
    expect(freeOf(locks)).to.equal(SLOTS.length);
  });

  it('are without number where the browser has no locks', async () => {
    for (const _ of [...SLOTS, 'one more']) await takeSlot(undefined, never, unexpected);
  });
});
