import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ANOMALIES, NOT_BUILT } from './anomalies.ts';
import { ANOMALIES_PAGE, anomalyDocument, numberedTests } from './anomaly-list.ts';

describe('docs/anomalies.md', () => {
  it('lists the tests as they are: npm run docs brings it up to date', () => {
    expect(anomalyDocument()).to.equal(readFileSync(ANOMALIES_PAGE, 'utf8'));
  });

  it('has a test for every anomaly of what is built', () => {
    const shown = new Set(numberedTests().flatMap(({ numbers }) => numbers));
    const missing = ANOMALIES.map(({ number }) => number).filter((number) => !shown.has(number));
    expect(missing).to.deep.equal(Object.keys(NOT_BUILT).map(Number));
  });

  it('knows every number that a test bears', () => {
    const unknown = numberedTests().flatMap(({ numbers }) =>
      numbers.filter((number) => !ANOMALIES[number - 1]),
    );
    expect(unknown).to.deep.equal([]);
  });
});
