import { expect } from 'chai';
import { z } from 'zod';
import { storeHolding } from '../../test/support/builders.ts';
import { account } from '../step/document.ts';
import type { HttpRequest, Problem } from './http.ts';
import { listRoute } from './list-route.ts';

const shelves = account({
  name: 'shelf',
  path: 'shelves/{shelf}',
  balance: 'free',
  whole: 'built',
  fields: {},
  shortage: 'SHELF_FULL',
});

describe('The route of a list', () => {
  const ask = async (documents: Readonly<Record<string, object>>) => {
    const route = listRoute(await storeHolding(documents), shelves, {
      summary: 'All of them',
      as: 'shelves',
      shows: { free: z.int(), built: false, corrections: false },
    });
    const { body } = await route.handle({} as HttpRequest);
    return [route.path, body];
  };

  it('shows by name what people see of each document, and nothing of what is below it', async () => {
    const documents = {
      'shelves/B': { built: 5, free: 3, corrections: 1 },
      'shelves/A 1': { free: 0, built: 5 },
      'shelves/A 1/tags/x': { free: 7 },
    };
    expect(await ask(documents)).to.deep.equal([
      '/shelves',
      {
        shelves: [
          { shelf: 'A 1', free: 0 },
          { shelf: 'B', free: 3 },
        ],
      },
    ]);
  });

  it('[anomaly 39] is for operators where it is about customers and those are told apart, and else for everybody', async () => {
    const store = await storeHolding({ 'shelves/joe': { free: 3, built: 5 } });
    const about = { summary: 'All of them', as: 'shelves', shows: { free: z.int(), built: false as const } };
    const shows = { ...about.shows, corrections: false as const };
    const open = listRoute(store, shelves, { ...about, shows });
    const personal = listRoute(store, shelves, { ...about, shows, isPersonal: true });
    const callers = [undefined, { kind: 'operator' }, { kind: 'customer', name: 'joe' }] as const;
    const statuses = (route: typeof open) =>
      Promise.all(
        callers.map((caller) =>
          route
            .handle({ caller } as HttpRequest)
            .catch((problem: Problem) => problem)
            .then(({ status }) => status),
        ),
      );
    expect([open.audience, open.responses, await statuses(open)]).to.deep.equal([
      undefined,
      { 200: 'All by name, at most 1000' },
      [200, 200, 200],
    ]);
    expect([personal.audience, personal.responses, await statuses(personal)]).to.deep.equal([
      'customers',
      { ...open.responses, 403: 'It is for operators: customers see only what is theirs' },
      [200, 200, 403],
    ]);
  });

  it('ends after a thousand', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => [`shelves/${index}`, { free: 1, built: 1 }]);
    const [, { shelves: listed }] = (await ask(Object.fromEntries(many))) as [string, { shelves: object[] }];
    expect(listed).to.have.length(1000);
  });
});
