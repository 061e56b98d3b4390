import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { NOW } from '../../test/support/builders.ts';
import { historyLine } from './history.ts';
import { processingSeconds } from './processing-time.ts';

/** Of an order that came to these statuses so many seconds after its acceptance. */
const seconds = (...stages: readonly (readonly [seconds: number, status: string])[]) =>
  processingSeconds(pipeline, {
    history: stages.map(([after, status]) =>
      historyLine(status, 'order', new Date(NOW.getTime() + 1000 * after)),
    ),
  });

describe('The time that an order is processed', () => {
  const delivering = [
    [0, 'RECEIVED'],
    [1, 'CREATED'],
    [2, 'RESERVED'],
    [3, 'PAID'],
    [4.5, 'DELIVERING'],
  ] as const;

  it('is that from its acceptance until it waits for a word from outside, or has ended', () => {
    expect(seconds(...delivering)).to.equal(4.5);
    expect(seconds([0, 'RECEIVED'], [1, 'CREATED'], [900, 'FAILING'], [902, 'CANCELED'])).to.equal(902);
  });

  it('is unknown as long as a program has something to do', () => {
    for (const count of [1, 2, 3, 4]) {
      expect(seconds(...delivering.slice(0, count)), String(count)).to.equal(undefined);
    }
    expect(seconds([0, 'RECEIVED'], [1, 'FAILING'])).to.equal(undefined);
  });

  it('begins anew with what moves the order on, so that nobody outside counts', () => {
    const day = 86_400;
    expect(seconds(...delivering, [day, 'RESUMED'])).to.equal(undefined);
    expect(seconds(...delivering, [day, 'RESUMED'], [day + 2, 'DELIVERED'])).to.equal(2);
    expect(seconds(...delivering, [day, 'FAILING'], [day + 3, 'CANCELED'])).to.equal(3);
    const paused = [...delivering.slice(0, 2), [5, 'PAUSED'], [day, 'CREATED']] as const;
    expect(seconds(...paused.slice(0, 3))).to.equal(5);
    expect(seconds(...paused, [day + 1, 'RESERVED'], [day + 2, 'PAID'], [day + 6, 'DELIVERING'])).to.equal(6);
  });
});
