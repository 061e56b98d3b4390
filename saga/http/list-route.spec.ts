import { expect } from 'chai';
import { z } from 'zod';
import { storeHolding } from '../../test/support/builders.ts';
import { account } from '../step/document.ts';
import type { HttpRequest } from './http.ts';
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

  it('ends after a thousand', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => [`shelves/${index}`, { free: 1, built: 1 }]);
    const [, { shelves: listed }] = (await ask(Object.fromEntries(many))) as [string, { shelves: object[] }];
    expect(listed).to.have.length(1000);
  });
});
