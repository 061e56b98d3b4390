import { expect } from 'chai';
import { type RepairReport, type RepairResult, repairedText } from './repair.ts';

const report = {
  checkedAt: '2026-11-28T04:00:00.000Z',
  counts: { orders: 1 },
  violations: [],
  violationCount: 0,
  stuck: [],
  stuckCount: 0,
};
const repairReport = (...outcomes: RepairResult['outcome'][]): RepairReport => ({
  report,
  repaired: outcomes.map((outcome) => ({
    action: { sentence: 'Restore a record', effect: 'it is there' },
    outcome,
  })),
  plan: { actions: [], forPeople: [] },
});

describe('What a repair did, in words', () => {
  it('tells what was done from what was not needed and what failed', () => {
    expect(repairedText(repairReport('done', 'done', 'needless', 'failed'))).to.equal(
      '2 actions done, 1 no longer needed, 1 failed',
    );
    expect(repairedText(repairReport('done'))).to.equal('1 action done');
    expect(repairedText(repairReport())).to.equal('0 actions done');
  });
});
