import { expect } from 'chai';
import { type RepairResult, repairedText, type Visit } from './repair.ts';

const report = {
  checkedAt: '2026-11-28T04:00:00.000Z',
  counts: { orders: 1 },
  violations: [],
  violationCount: 0,
  stuck: [],
  stuckCount: 0,
};
const visit = (...outcomes: RepairResult['outcome'][]): Visit => ({
  report,
  repaired: outcomes.map((outcome) => ({
    action: { sentence: 'Restore a record', effect: 'it is there' },
    outcome,
  })),
  plan: { actions: [], forPeople: [] },
});

describe('What a repair did, in words', () => {
  it('tells what was done from what was not needed and what failed', () => {
    expect(repairedText(visit('done', 'done', 'needless', 'failed'))).to.equal(
      '2 actions done, 1 no longer needed, 1 failed',
    );
    expect(repairedText(visit('done'))).to.equal('1 action done');
    expect(repairedText(visit())).to.equal('0 actions done');
  });
});
