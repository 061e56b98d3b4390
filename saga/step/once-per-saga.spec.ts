import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { oncePerSaga } from './once-per-saga.ts';
import type { Saga } from './saga.ts';

describe('What follows from a saga alone', () => {
  it('is derived once for each saga, however often it is asked for', () => {
    const derived: Saga[] = [];
    const namesOf = oncePerSaga((saga: Saga) => {
      derived.push(saga);
      return saga.steps.map(({ name }) => name);
    });
    const told = [pipeline, shopOfThree, pipeline, shopOfThree].map((saga) => namesOf(saga));
    const [four, three] = [pipeline, shopOfThree].map(({ steps }) => steps.map(({ name }) => name));
    expect(told).to.deep.equal([four, three, four, three]);
    expect(derived).to.deep.equal([pipeline, shopOfThree]);
  });
});
