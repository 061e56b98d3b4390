import { expect } from 'chai';
import type { Caller } from '../saga/http/caller.ts';
import { storeHolding } from '../test/support/builders.ts';
import { withCheckedAnswers } from '../test/support/checked-answers.ts';
import { customersRoutes } from './customers-routes.ts';

async function ask(path: string, caller: Caller, params: Record<string, string> = {}) {
  const store = await storeHolding({
    'users/joe': { address: '3 Mill Lane', credit: 60, credit_limit: 100, corrections: 1 },
    'users/jill': { address: '1 Hill Road', location: { lat: 52, lng: 5 } },
  });
  const route = customersRoutes(store).find((one) => one.path === path);
  const request = { params, query: undefined, body: undefined, header: () => undefined, caller };
  return (
    route &&
    withCheckedAnswers(route)
      .handle(request)
      .catch((error: unknown) => error)
  );
}

const ALICE: Caller = { kind: 'operator', name: 'alice' };
const JOE: Caller = { kind: 'customer', name: 'joe' };
const joe = { user: 'joe', address: '3 Mill Lane', credit: 60, credit_limit: 100 };
const jill = { user: 'jill', address: '1 Hill Road', location: { lat: 52, lng: 5 } };

describe('What is shown of customers', () => {
  it('is to operators all of them, by name, without what only the books need', async () => {
    expect(await ask('/users', ALICE)).to.deep.equal({ status: 200, body: { users: [jill, joe] } });
  });

  it('is to customers themselves alone, where they are told apart', async () => {
    expect(await ask('/users/{user}', JOE, { user: 'joe' })).to.deep.equal({ status: 200, body: joe });
    expect(await ask('/users/{user}', JOE, { user: 'jill' })).to.include({ status: 404 });
    expect(await ask('/users', JOE)).to.include({ status: 403 });
  });
});
