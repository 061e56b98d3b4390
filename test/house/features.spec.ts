import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { NOT_BUILT } from './anomalies.ts';
import { FEATURES_PAGE, featureDocument, proofFault } from './feature-list.ts';
import { ANOMALY_OF, FEATURES, type Feature } from './features.ts';

describe('docs/features.md', () => {
  it('lists the features as they are: npm run docs brings it up to date', () => {
    expect(readFileSync(FEATURES_PAGE, 'utf8')).to.equal(featureDocument());
  });

  it('has every row of the comparison', () => {
    expect(FEATURES.map(({ number }) => number)).to.deep.equal(Array.from({ length: 100 }, (_, n) => n + 1));
    expect([FEATURES[0]?.name, FEATURES[79]?.name, FEATURES[80]?.group]).to.deep.equal([
      'HTTP endpoint that accepts an order',
      'Declared operation / cost budget per order',
      'Beyond the reference systems',
    ]);
  });

  it('names for each feature that is built a test or a command that exists', () => {
    expect(FEATURES.flatMap((feature) => proofFault(feature) ?? [])).to.deep.equal([]);
  });

  it('says of each feature that is built in part what is missing', () => {
    expect(FEATURES.filter(({ built, note }) => built === 'part' && note === undefined)).to.deep.equal([]);
  });

  it('says of no feature that it is not built once what goes wrong with it is tested', () => {
    const stale = Object.entries(ANOMALY_OF).filter(
      ([feature, anomaly]) => (FEATURES[Number(feature) - 1]?.built === 'no') !== anomaly in NOT_BUILT,
    );
    expect(stale).to.deep.equal([]);
  });

  it('would be told of a proof that is gone', () => {
    const feature: Feature = { number: 1, group: 'x', name: 'y', built: 'yes' };
    const file = 'test/house/features.spec.ts';
    const faults = [
      feature,
      { ...feature, proof: { kind: 'script', script: 'starts' } as const },
      { ...feature, proof: { kind: 'test', file, title: 'has every row' } as const },
      { ...feature, proof: { kind: 'test', file, title: 'has every row of the comparison' } as const },
    ].map(proofFault);
    expect(faults).to.deep.equal([
      '1 has no proof',
      '1: package.json has no script starts',
      `1: ${file} has no test "has every row"`,
      undefined,
    ]);
  });
});
