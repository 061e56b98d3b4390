import { expect } from 'chai';
import { z } from 'zod';
import { NOW, storeHolding, UUID } from '../../test/support/builders.ts';
import { account, record } from '../step/document.ts';
import { moment } from './answers.ts';
import { documentRoute } from './document-route.ts';
import type { HttpRequest, Problem } from './http.ts';

const shelves = account({
  name: 'shelf',
  path: 'shelves/{shelf}',
  balance: 'free',
  whole: 'built',
  fields: {},
  shortage: 'SHELF_FULL',
});
const tags = record({
  name: 'tag',
  path: 'shelves/{shelf}/tags/{uuid}',
  schema: z.object({ createdAt: z.date() }),
});
const about = { summary: 'One of them', responses: { 200: 'It', 404: 'None' } };

describe('The route of a document', () => {
  const ask = async (params: Record<string, string>) => {
    const store = await storeHolding({
      'shelves/A 1': { free: 3, built: 5, corrections: 1 },
      [tags.of('A 1', UUID).path]: { createdAt: NOW },
    });
    const route =
      'uuid' in params
        ? documentRoute(store, tags, { ...about, shows: { createdAt: moment } })
        : documentRoute(store, shelves, {
            ...about,
            shows: { free: z.int(), built: false, corrections: false },
          });
    const asked = { params, query: undefined, body: undefined, header: () => undefined } as HttpRequest;
    return route.handle(asked).catch(({ status, detail }: Problem) => [status, detail]);
  };

  it('shows its names and the fields that people see, and no other', async () => {
    expect(await ask({ shelf: 'A 1' })).to.deep.equal({ status: 200, body: { shelf: 'A 1', free: 3 } });
  });

  it('finds the document of an order by every name in its path, however the uuid is written', async () => {
    expect(await ask({ shelf: 'A 1', uuid: UUID.toUpperCase() })).to.deep.equal({
      status: 200,
      body: { shelf: 'A 1', uuid: UUID, createdAt: NOW },
    });
  });

  it('says with 404 what there is not', async () => {
    expect(await ask({ shelf: 'B' })).to.deep.equal([404, 'There is no shelf B']);
    const other = UUID.replaceAll('1', '2');
    expect(await ask({ shelf: 'A 1', uuid: other })).to.deep.equal([
      404,
      `There is no tag for order ${other}`,
    ]);
  });

  it('reads nothing for a name that no document can have', async () => {
    expect(await ask({ shelf: '..' })).to.deep.equal([404, 'There is no shelf ..']);
    expect(await ask({ shelf: `A 1/tags/${UUID}` })).to.deep.equal([
      404,
      `There is no shelf A 1/tags/${UUID}`,
    ]);
    expect(await ask({ shelf: 'A 1', uuid: 'x' })).to.deep.equal([404, 'There is no tag for order x']);
  });
});
