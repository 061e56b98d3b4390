import { expect } from 'chai';
import { z } from 'zod';
import { NOW, storeHolding, UUID, uuidOf } from '../../test/support/builders.ts';
import { createFaultyStore } from '../../test/support/faulty-store.ts';
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
  schema: z.object({ createdAt: z.date(), colour: z.string().optional() }),
});
const about = { summary: 'One of them', responses: { 200: 'It', 404: 'None' } };

/** With letters, which people write large or small. */
const TAGGED = uuidOf(0xabc);

describe('The route of a document', () => {
  /** What was read for the answer before. */
  let read: readonly string[] = [];
  const ask = async (params: Record<string, string>) => {
    const store = createFaultyStore(
      await storeHolding({
        'shelves/A 1': { free: 3, built: 5, corrections: 1 },
        [tags.of('A 1', TAGGED).path]: { createdAt: NOW },
      }),
    );
    const route =
      'uuid' in params
        ? documentRoute(store, tags, {
            ...about,
            shows: { createdAt: moment, colour: z.string().optional() },
          })
        : documentRoute(store, shelves, {
            ...about,
            shows: { free: z.int(), built: false, corrections: false },
          });
    const asked = { params, query: undefined, body: undefined, header: () => undefined } as HttpRequest;
    const answer = await route.handle(asked).catch(({ status, detail }: Problem) => [status, detail]);
    read = store.reads.flat();
    return answer;
  };

  it('shows its names and the fields that people see, and no other', async () => {
    expect(await ask({ shelf: 'A 1' })).to.deep.equal({ status: 200, body: { shelf: 'A 1', free: 3 } });
  });

  it('finds the document of an order by every name in its path, however the uuid is written, without what it lacks', async () => {
    for (const uuid of [TAGGED, TAGGED.toUpperCase()]) {
      expect(await ask({ shelf: 'A 1', uuid })).to.deep.equal({
        status: 200,
        body: { shelf: 'A 1', uuid: TAGGED, createdAt: NOW },
      });
    }
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
    const impossible: [params: Record<string, string>, what: string][] = [
      [{ shelf: '..' }, 'shelf ..'],
      [{ shelf: `A 1/tags/${TAGGED}` }, `shelf A 1/tags/${TAGGED}`],
      [{ shelf: 'A 1', uuid: 'x' }, 'tag for order x'],
    ];
    for (const [params, what] of impossible)
      expect([await ask(params), read]).to.deep.equal([[404, `There is no ${what}`], []]);
  });

  it('[anomaly 39] shows a customer what is theirs, by a part of its path or a field, and of other records nothing', async () => {
    const files = record({
      name: 'file',
      path: 'files/{uuid}',
      schema: z.object({ reader: z.string() }),
    });
    const store = await storeHolding({
      'shelves/joe': { free: 3, built: 5 },
      [files.of(UUID).path]: { reader: 'joe' },
    });
    const shown = { free: z.int(), built: false, corrections: false } as const;
    const shelf = documentRoute(store, shelves, { ...about, shows: shown });
    const ownShelf = documentRoute(store, shelves, { ...about, shows: shown, ownedBy: 'shelf' });
    const file = documentRoute(store, files, { ...about, shows: { reader: z.string() } });
    const ownFile = documentRoute(store, files, {
      ...about,
      shows: { reader: z.string() },
      ownedBy: 'reader',
    });
    const statusFor = (route: typeof shelf, caller?: HttpRequest['caller']) =>
      route
        .handle({ params: { shelf: 'joe', uuid: UUID }, caller } as unknown as HttpRequest)
        .catch((problem: Problem) => problem)
        .then(({ status }) => status);
    const callers = [
      undefined,
      { kind: 'operator' },
      { kind: 'customer', name: 'joe' },
      { kind: 'customer', name: 'jack' },
    ] as const;
    const statuses = (route: typeof shelf) => Promise.all(callers.map((caller) => statusFor(route, caller)));
    expect([shelf, ownShelf, file, ownFile].map(({ audience }) => audience)).to.deep.equal([
      undefined,
      'customers',
      'customers',
      'customers',
    ]);
    expect(await statuses(shelf)).to.deep.equal([200, 200, 200, 200]);
    expect(await statuses(ownShelf)).to.deep.equal([200, 200, 200, 404]);
    expect(await statuses(file)).to.deep.equal([200, 200, 404, 404]);
    expect(await statuses(ownFile)).to.deep.equal([200, 200, 200, 404]);
  });
});
