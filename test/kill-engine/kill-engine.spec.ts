import { expect } from 'chai';
import { killEngine } from './kill-engine.ts';

describe('The local engine that is killed under load', () => {
  it('[anomalies 36, 55] loses no order that it has accepted: each ends once, and its end is told', async () => {
    const report = await killEngine({ kills: 3, ordersPerSecond: 20, seed: 55 }, () => {});
    expect([...report.lost, ...report.wrong]).to.deep.equal([]);
    expect(report.book.accepted.size).to.be.above(10);
    // Otherwise the kills would have met nothing.
    expect(report.announced).to.be.above(0);
  }).timeout(180_000);
});
