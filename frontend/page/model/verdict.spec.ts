import { expect } from 'chai';
import { type AuditReport, verdictOf } from './verdict.ts';

const clean: AuditReport = {
  checkedAt: '2026-11-28T04:00:00.000Z',
  counts: { orders: 210 },
  violations: [],
  violationCount: 0,
  stuck: [],
  stuckCount: 0,
};
const estate = {
  items: [
    { quantity: 12_000, reserved: 8, sold: 300 },
    { quantity: 100, reserved: 0, sold: 0 },
  ],
  users: [{ credit_limit: 100 }, {}, { credit_limit: 1 }, { credit_limit: 0 }],
};
const stuck = (uuid: string) => ({
  uuid,
  status: 'CREATED',
  since: clean.checkedAt,
  repeats: 3,
  sentence: `Order ${uuid} waits for its stock`,
});

describe('The verdict of an audit', () => {
  it('counts what is accounted for: available, reserved and sold units, and customers with a limit', () => {
    expect(verdictOf(clean, estate)).to.deep.equal({
      kind: 'good',
      title: '12,408 units and 3 credits accounted for',
      lines: [],
    });
  });

  it('counts orders where there is no shop', () => {
    expect(verdictOf(clean, {}).title).to.equal('210 orders accounted for');
  });

  it('says what is wrong, and is bad, whatever stands still besides', () => {
    const violations = [{ sentence: 'Item widget has 2 units too few' }];
    const report = { ...clean, violations, violationCount: 1, stuck: [stuck('a')], stuckCount: 1 };
    expect(verdictOf(report, estate)).to.deep.equal({
      kind: 'bad',
      title: 'The books don’t add up: 1 fault',
      lines: ['Item widget has 2 units too few'],
    });
  });

  it('tells orders that stand still from books that are wrong', () => {
    expect(verdictOf({ ...clean, stuck: [stuck('a')], stuckCount: 1 }, estate)).to.deep.equal({
      kind: 'plain',
      title: '12,408 units and 3 credits accounted for, but 1 order stands still',
      lines: [],
    });
  });

  it('lists the first of very many, and counts the others', () => {
    const violations = Array.from({ length: 1_000 }, (_, index) => ({ sentence: `Fault ${index}` }));
    const { lines } = verdictOf({ ...clean, violations, violationCount: 1_234 }, estate);
    expect(lines).to.have.length(11);
    expect(lines.at(-1)).to.equal('… and 1,224 more');
  });
});
