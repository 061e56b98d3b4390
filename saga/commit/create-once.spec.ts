import { expect } from 'chai';
import { storeHolding } from '../../test/support/builders.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { readOne } from '../ports/store.ts';
import { createOnce } from './create-once.ts';
import { commitOne } from './group-commit.ts';

describe('A document that is created once', () => {
  it('is new the first time, and afterwards stays as it was', async () => {
    const store = await storeHolding({});
    const clock = createManualClock();
    const create = (by: string) => commitOne(store, { clock, random: () => 0 }, createOnce('d/one', { by }));
    expect([await create('alice'), await create('bob')]).to.deep.equal([true, false]);
    expect(await readOne(store, 'd/one')).to.deep.equal({ by: 'alice' });
  });
});
