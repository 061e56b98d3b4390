import { expect } from 'chai';
import { pause } from '../../saga/ports/clock.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { createSpell } from './spell.ts';

describe('A spell of something broken', () => {
  /** A spell, and what was said of it, with the second at which it was said. */
  function began() {
    const clock = createManualClock();
    const startMs = clock.now().getTime();
    const second = () => (clock.now().getTime() - startMs) / 1000;
    const said: string[] = [];
    const spell = createSpell(
      clock,
      () => said.push(`begins at ${second()}`),
      () => said.push(`ends at ${second()}`),
    );
    return {
      clock,
      spell,
      said,
      untilSecond: () => {
        const end = spell.until();
        return end && (end.getTime() - startMs) / 1000;
      },
    };
  }

  it('ends by itself, and says until then when that will be', async () => {
    const { clock, spell, said, untilSecond } = began();
    expect(untilSecond()).to.equal(undefined);
    spell.begin(5);
    expect(untilSecond()).to.equal(5);
    await clock.finish(pause(clock, 6_000));
    expect([untilSecond(), said]).to.deep.equal([undefined, ['begins at 0', 'ends at 5']]);
  });

  it('lasts as long from now as it was told last, be that longer or shorter, and ends once', async () => {
    for (const [first, second, end] of [
      [5, 10, 12],
      [60, 1, 3],
    ] as const) {
      const { clock, spell, said, untilSecond } = began();
      spell.begin(first);
      await clock.finish(pause(clock, 2_000));
      spell.begin(second);
      expect(untilSecond()).to.equal(end);
      await clock.finish(pause(clock, 120_000));
      expect(said).to.deep.equal(['begins at 0', `ends at ${end}`]);
    }
  });

  it('can be ended before its time, once, and begun again', async () => {
    const { clock, spell, said } = began();
    spell.end();
    spell.begin(5);
    spell.end();
    spell.end();
    spell.begin(7);
    await clock.finish(pause(clock, 60_000));
    expect(said).to.deep.equal(['begins at 0', 'ends at 0', 'begins at 0', 'ends at 7']);
  });
});
