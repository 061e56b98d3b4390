import { expect } from 'chai';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { endsWithin, pause } from './clock.ts';

describe('Waiting for work', () => {
  const never = new Promise(() => {});

  it('says that it ended in time, and sets no alarm off later', async () => {
    const clock = createManualClock();
    const begunMs = clock.now().getTime();
    expect(await clock.finish(endsWithin(clock, 1_000, pause(clock, 999)))).to.equal(true);
    await clock.finish(never).catch(() => 'There is no alarm');
    expect(clock.now().getTime() - begunMs).to.equal(999);
  });

  it('says after so many milliseconds that it has not ended', async () => {
    const clock = createManualClock();
    const begunMs = clock.now().getTime();
    expect(await clock.finish(endsWithin(clock, 1_000, never))).to.equal(false);
    expect(clock.now().getTime() - begunMs).to.equal(1_000);
  });

  it('fails as the work does', async () => {
    const clock = createManualClock();
    const failing = endsWithin(clock, 1_000, Promise.reject(new Error('The store is away')));
    expect(await clock.finish(failing.catch(String))).to.equal('Error: The store is away');
  });

  it('for nothing but the time takes that time', async () => {
    const clock = createManualClock();
    const begunMs = clock.now().getTime();
    await clock.finish(pause(clock, 250));
    expect(clock.now().getTime() - begunMs).to.equal(250);
  });
});
