import { expect } from 'chai';
import { z } from 'zod';
import { parcels } from '../../delivery/parcels.ts';
import { pipeline } from '../../pipeline.ts';
import { aLedgerThatIs, documentsOf, LATER, NOW, UUID } from '../../test/support/builders.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { create, remove, update, WorkingCopy } from '../commit/documents.ts';
import { advance, complete, fail, type Ledger, receive } from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';
import { account, counter, type Hold, record } from './document.ts';
import { accountsHeld, changeOf, holdsOf, recordsIn } from './holds.ts';
import { defineSaga, type OrderKind } from './saga.ts';
import { accept, stepsFor } from './step.ts';

/** What is on a shelf can be counted and weighed; both are taken from. */
const counted = account({
  name: 'shelf',
  path: 'shelves/{shelf}',
  balance: 'left',
  whole: 'all',
  fields: {},
  shortage: 'SHELF_EMPTY',
});
const weighed = account({
  name: 'load of shelf',
  path: 'shelves/{shelf}',
  balance: 'grams',
  whole: 'allGrams',
  fields: {},
  shortage: 'SHELF_TOO_LIGHT',
});
const purses = account({
  name: 'purse',
  path: 'purses/{owner}',
  balance: 'coins',
  whole: 'limit',
  mayBeUnlimited: true,
  fields: {},
  shortage: 'TOO_POOR',
});
const boxes = record({
  name: 'box',
  path: 'halls/{hall}/boxes/{uuid}',
  schema: z.object({ taken: z.int(), packedAt: z.date(), note: z.string().exactOptional() }),
});
const strangers = record({ name: 'stranger', path: 'strangers/{uuid}', schema: z.object({}) });

interface Order {
  readonly owner: string;
  readonly hall: string;
  readonly note?: string;
}
const order: OrderKind<Order> = {
  schema: z.object({ owner: z.string(), hall: z.string(), note: z.string().exactOptional() }),
  listedBy: [],
  parse: () => ({ faults: [] }),
  shows: () => ({}),
};
const step = stepsFor<Order>();
const taken = z.int();

/** Packs a box of what was taken from the one shelf. */
const pack = step({
  name: 'pack',
  leadsTo: 'PACKED',
  announces: 'packed',
  says: 'the box is packed',
  uses: [counted, weighed, boxes],
  learns: { taken, grams: z.int() },
  reads: () => [counted.of('one')],
  decide: () => accept({ taken: 0, grams: 0 }),
  holds: ({ uuid, hall, note, at, taken, grams }) => [
    counted.of('one').amount(taken),
    weighed.of('one').amount(grams),
    boxes.of(hall, uuid).holding({ taken, packedAt: at, ...(note !== undefined && { note }) }),
  ],
});

/** Charges the owner, and takes the wrapping from the shelf of the first step. A negative charge is a present. */
const charge = step({
  name: 'charge',
  leadsTo: 'CHARGED',
  announces: 'charged',
  says: 'the owner has paid',
  uses: [purses, counted],
  learns: { coins: z.int(), wrapping: z.int() },
  reads: ({ owner }) => [purses.of(owner)],
  decide: () => accept({ coins: 0, wrapping: 0 }),
  holds: ({ owner, coins, wrapping }) => [purses.of(owner).amount(coins), counted.of('one').amount(wrapping)],
});

/** Says that it uses nothing, and for some orders holds something all the same. */
const forgetful = step({
  name: 'forgetful',
  leadsTo: 'FORGOTTEN',
  announces: 'forgotten',
  says: 'the order is forgotten',
  uses: [],
  reads: () => [],
  decide: () => accept({}),
  holds: ({ uuid, note }): Hold[] => (note === 'forget' ? [strangers.of(uuid).holding({})] : []),
});

const saga = defineSaga({
  name: 'packing',
  order,
  entry: { topic: 'orders', says: 'an order came' },
  steps: [pack, charge, forgetful],
  failure: { topic: 'failed', says: 'the order fails' },
  end: { topic: 'given-up', says: 'the order is canceled' },
  reasons: ['NO'],
  unknownReason: 'NO',
  services: [],
  subscriptions: {},
});

const received = (asked: Partial<Order> = {}): Ledger =>
  deepFreeze(receive(saga, UUID, { owner: 'ann', hall: 'north', ...asked }, 'door', NOW, 900));
const packed = (learned: { taken?: number; grams?: number } = {}, ledger = received()): Ledger =>
  deepFreeze(
    advance(saga, ledger, {
      step: 'pack',
      by: 'pack',
      learned: { taken: 3, grams: 0, ...learned },
      now: LATER,
    }),
  );
const charged = (learned: { coins?: number; wrapping?: number } = {}, ledger = packed()): Ledger =>
  deepFreeze(
    advance(saga, ledger, {
      step: 'charge',
      by: 'charge',
      learned: { coins: 5, wrapping: 0, ...learned },
      now: LATER,
    }),
  );
const forgotten = (ledger = charged()): Ledger =>
  deepFreeze(advance(saga, ledger, { step: 'forgetful', by: 'forgetful', learned: {}, now: LATER }));
const failing = (ledger: Ledger): Ledger =>
  deepFreeze(fail(saga, ledger, { by: 'door', reason: 'NO', detail: 'No', now: LATER }));
const canceled = (ledger: Ledger): Ledger => deepFreeze(complete(saga, failing(ledger), 'janitor', LATER));

const SHELF = counted.of('one').path;
const PURSE = purses.of('ann').path;
const BOX = boxes.of('north', UUID).path;
const shelf = (left: number, grams = 0) => ({ [SHELF]: { left, all: 100, grams, allGrams: 1000 } });
const purse = (coins: number) => ({ [PURSE]: { coins, limit: 100 } });
const bottomless: Record<Path, object> = { [PURSE]: {} };
const changed = (before: Ledger | undefined, after: Ledger, documents: Record<Path, object> = {}) =>
  changeOf(saga, before, after, documentsOf(documents));
const box = (count: number) => ({ taken: count, packedAt: LATER });

describe('What an order holds', () => {
  it('is the sum over its done steps, and is told the moment of each', () => {
    expect(holdsOf(saga, received())).to.deep.equal([]);
    expect(holdsOf(saga, packed())).to.deep.equal([
      counted.of('one').amount(3),
      weighed.of('one').amount(0),
      boxes.of('north', UUID).holding({ taken: 3, packedAt: LATER }),
    ]);
    expect(holdsOf(saga, charged())).to.deep.equal([
      ...holdsOf(saga, packed()),
      purses.of('ann').amount(5),
      counted.of('one').amount(0),
    ]);
  });

  it('stays while it fails, and is nothing once it is canceled', () => {
    expect(holdsOf(saga, failing(charged()))).to.deep.equal(holdsOf(saga, charged()));
    expect(holdsOf(saga, canceled(charged()))).to.deep.equal([]);
  });

  it('is amounts of accounts, and records, which can be told apart', () => {
    expect(recordsIn(holdsOf(saga, charged()))).to.deep.equal([
      boxes.of('north', UUID).holding({ taken: 3, packedAt: LATER }),
    ]);
  });

  it('begins when a step was done, if the order came by before that step could wait', () => {
    const paid = aLedgerThatIs('PAID');
    const delivered = advance(pipeline, paid, {
      ...{ step: 'delivery', by: 'delivery', now: LATER },
      learned: { address: '1 Hill Road' },
    });
    expect(holdsOf(pipeline, delivered).at(-1)).to.deep.equal(
      parcels.of(UUID).holding({
        ...{ user: 'jack', address: '1 Hill Road', items: [{ item: 'widget', quantity: 2 }] },
        delivery_cost: paid.delivery_cost ?? 0,
        createdAt: LATER,
      }),
    );
  });

  it('names its accounts, also those of which it takes nothing', () => {
    expect(accountsHeld(saga, received())).to.deep.equal([]);
    expect(new Set(accountsHeld(saga, charged({ coins: 0 })))).to.deep.equal(new Set([SHELF, PURSE]));
    expect(accountsHeld(saga, canceled(charged()))).to.deep.equal([]);
  });

  it('is a surprise where a step holds what it does not say that it uses', () => {
    const ledger = forgotten(charged({}, packed({}, received({ note: 'forget' }))));
    const message = 'forgetful does not say that it uses the stranger which it holds';
    expect(() => holdsOf(saga, ledger)).to.throw(message);
    expect(() => accountsHeld(saga, ledger)).to.throw(message);
    expect(() => changed(undefined, ledger, { ...shelf(9), ...purse(9) })).to.throw(message);
    expect(holdsOf(saga, forgotten())).to.deep.equal(holdsOf(saga, charged()));
  });
});

describe('The change of what an order holds', () => {
  it('is nothing where no step was done, and nothing needs to be read for that', () => {
    const nothing = new WorkingCopy();
    for (const [before, after] of [
      [undefined, received()],
      [received(), failing(received())],
      [charged(), failing(charged())],
      [charged(), { ...charged(), repeats: 3, sweepAt: LATER }],
      [charged(), forgotten()],
      [undefined, canceled(charged())],
    ] as const) {
      expect(changeOf(saga, before, after, nothing)).to.deep.equal({ writes: [] });
    }
  });

  it('takes amounts and creates records once a step is done', () => {
    expect(changed(received(), packed(), shelf(10))).to.deep.equal({
      writes: [update(SHELF, { left: 7 }), create(BOX, box(3))],
    });
    expect(changed(packed(), charged(), { ...shelf(7), ...purse(9) })).to.deep.equal({
      writes: [update(PURSE, { coins: 4 })],
    });
  });

  it('takes all at once of an order that is new and has come so far already', () => {
    expect(changed(undefined, charged(), { ...shelf(10), ...purse(9) })).to.deep.equal({
      writes: [update(SHELF, { left: 7 }), update(PURSE, { coins: 4 }), create(BOX, box(3))],
    });
  });

  it('[anomaly 13] gives everything back once the order is canceled', () => {
    expect(changed(failing(charged()), canceled(charged()), { ...shelf(7), ...purse(4) })).to.deep.equal({
      writes: [update(SHELF, { left: 10 }), update(PURSE, { coins: 9 }), remove(BOX)],
    });
  });

  it('writes an account once, whichever steps take from it', () => {
    const both = charged({ wrapping: 2 });
    expect(changed(undefined, both, { ...shelf(5), ...purse(5) })).to.deep.equal({
      writes: [update(SHELF, { left: 0 }), update(PURSE, { coins: 0 }), create(BOX, box(3))],
    });
    expect(changed(failing(both), canceled(both), { ...shelf(0), ...purse(0) })).to.deep.equal({
      writes: [update(SHELF, { left: 5 }), update(PURSE, { coins: 5 }), remove(BOX)],
    });
  });

  it('keeps two balances of one document apart', () => {
    expect(changed(received(), packed({ grams: 40 }), shelf(10, 50))).to.deep.equal({
      writes: [update(SHELF, { left: 7 }), update(SHELF, { grams: 10 }), create(BOX, box(3))],
    });
    expect(changed(received(), packed({ grams: 51 }), shelf(10, 50))).to.deep.equal({
      shortage: {
        reason: 'SHELF_TOO_LIGHT',
        detail: 'load of shelf one has grams 50, which is less than 51',
      },
    });
  });

  it('writes nothing for an amount of zero, and does not even look at the account', () => {
    const nothing = packed({ taken: 0 });
    const documents: Record<Path, object>[] = [{}, { [SHELF]: { left: 'x' } }, shelf(0)];
    for (const found of documents) {
      expect(changed(received(), nothing, found)).to.deep.equal({ writes: [create(BOX, box(0))] });
      expect(changed(failing(nothing), canceled(nothing), found)).to.deep.equal({ writes: [remove(BOX)] });
    }
  });

  it('[anomaly 15] takes the last of an account, and is a shortage where one is missing', () => {
    expect(changed(received(), packed(), shelf(3))).to.deep.equal({
      writes: [update(SHELF, { left: 0 }), create(BOX, box(3))],
    });
    for (const left of [2, 0]) {
      expect(changed(received(), packed(), shelf(left))).to.deep.equal({
        shortage: {
          reason: 'SHELF_EMPTY',
          detail: `shelf one has left ${left}, which is less than 3`,
        },
      });
    }
  });

  it('[anomaly 13] takes nothing at all where the last account is short', () => {
    expect(changed(undefined, charged(), { ...shelf(10), ...purse(4) })).to.deep.equal({
      shortage: { reason: 'TOO_POOR', detail: 'purse ann has coins 4, which is less than 5' },
    });
  });

  it('takes nothing of an account without a limit: that is a mistake of the step', () => {
    expect(() => changed(packed(), charged(), bottomless)).to.throw(
      "5 can't be taken from purse ann, which has no coins",
    );
    expect(changed(packed(), charged({ coins: 0 }), bottomless)).to.deep.equal({ writes: [] });
  });

  it('lets lapse what returns to an account whose limit was lifted since', () => {
    expect(changed(failing(charged()), canceled(charged()), { ...shelf(7), ...bottomless })).to.deep.equal({
      writes: [update(SHELF, { left: 10 }), remove(BOX)],
    });
  });

  it('[anomaly 12] is a surprise where the document of an account is gone', () => {
    expect(() => changed(failing(charged()), canceled(charged()), shelf(7))).to.throw(
      /^5 can't be given back: there is no purse ann any more$/,
    );
    expect(() => changed(packed(), charged(), shelf(7))).to.throw(
      /^5 can't be taken: there is no purse ann$/,
    );
  });

  it('[anomaly 43] is a surprise where the document of an account is malformed', () => {
    const documents = { ...shelf(7), [PURSE]: { coins: 5 } };
    for (const [before, after] of [
      [packed(), charged()],
      [failing(charged()), canceled(charged())],
    ] as const) {
      expect(() => changed(before, after, documents)).to.throw('The document purses/ann is malformed');
    }
  });

  it('is a surprise where nobody asked for the account to be read', () => {
    expect(() => changeOf(saga, received(), packed(), new WorkingCopy())).to.throw(`${SHELF} was not read`);
  });

  it('[anomaly 43] is a surprise where a balance would be too large to be counted', () => {
    const documents = {
      [SHELF]: { left: Number.MAX_SAFE_INTEGER - 2, all: Number.MAX_SAFE_INTEGER, grams: 0, allGrams: 0 },
    };
    expect(() => changed(failing(packed()), canceled(packed()), documents)).to.throw(
      'The left of shelf one would be too large to be counted',
    );
  });
});

describe('What is given to somebody', () => {
  const given = charged({ coins: -5 });

  it('is a negative amount: it comes on top of the balance', () => {
    expect(changed(packed(), given, { ...shelf(7), ...purse(1) })).to.deep.equal({
      writes: [update(PURSE, { coins: 6 })],
    });
  });

  it('is taken back with the rest, and is a shortage where it was spent since', () => {
    expect(changed(failing(given), canceled(given), { ...shelf(7), ...purse(6) })).to.deep.equal({
      writes: [update(SHELF, { left: 10 }), update(PURSE, { coins: 1 }), remove(BOX)],
    });
    expect(changed(failing(given), canceled(given), { ...shelf(7), ...purse(4) })).to.deep.equal({
      shortage: { reason: 'TOO_POOR', detail: 'purse ann has coins 4, which is less than 5' },
    });
  });

  it("lapses where the account has no limit, and can't be taken back from one", () => {
    expect(changed(packed(), given, bottomless)).to.deep.equal({ writes: [] });
    expect(() => changed(failing(given), canceled(given), { ...shelf(7), ...bottomless })).to.throw(
      "5 can't be taken from purse ann, which has no coins",
    );
  });
});

describe('A counter', () => {
  const tallies = counter({ name: 'tally', path: 'tallies/{hall}', counts: 'boxes' });
  const tally = {
    ...pack,
    uses: [tallies],
    holds: (known: object) => {
      const { hall, taken } = known as { hall: string; taken: number };
      return [tallies.of(hall).amount(-taken)];
    },
  };
  const tallying = defineSaga({ ...saga, steps: [tally, charge, forgetful] });
  const counted = (before: Ledger, after: Ledger, documents: Record<Path, object>) =>
    changeOf(tallying, before, after, documentsOf(documents));
  const TALLY = tallies.of('north').path;

  it('is there once the first order gives it something, and counts on from there', () => {
    expect(counted(received(), packed(), {})).to.deep.equal({ writes: [create(TALLY, { boxes: 3 })] });
    expect(counted(received(), packed(), { [TALLY]: { boxes: 4 } })).to.deep.equal({
      writes: [update(TALLY, { boxes: 7 })],
    });
  });

  it('[anomaly 13] no longer counts what an order gave it that is canceled', () => {
    const taken = (boxes: number) => counted(failing(packed()), canceled(packed()), { [TALLY]: { boxes } });
    expect([taken(7), taken(3)]).to.deep.equal([
      { writes: [update(TALLY, { boxes: 4 })] },
      { writes: [update(TALLY, { boxes: 0 })] },
    ]);
  });

  it('is a surprise where it counts less than is taken off, or is not there: no order is refused for that', () => {
    const taken = (documents: Record<Path, object>) => () =>
      counted(failing(packed()), canceled(packed()), documents);
    expect(taken({ [TALLY]: { boxes: 2 } })).to.throw(
      /^3 can't be taken off tally north, which counts only 2$/,
    );
    expect(taken({})).to.throw(/^3 can't be taken: there is no tally north$/);
  });
});

describe('A hold that changes', () => {
  it('gives back the difference where it becomes smaller, and rewrites its record', () => {
    expect(changed(packed(), { ...packed(), taken: 1 } as Ledger, shelf(0))).to.deep.equal({
      writes: [update(SHELF, { left: 2 }), update(BOX, box(1))],
    });
  });

  it('takes the difference where it becomes larger, and is short of no more than that', () => {
    const larger = { ...packed(), taken: 5 } as Ledger;
    expect(changed(packed(), larger, shelf(2))).to.deep.equal({
      writes: [update(SHELF, { left: 0 }), update(BOX, box(5))],
    });
    expect(changed(packed(), larger, shelf(1))).to.deep.equal({
      shortage: { reason: 'SHELF_EMPTY', detail: 'shelf one has left 1, which is less than 2' },
    });
  });

  it('is checked on the net of all steps: what one gives back, another may take', () => {
    const before = charged({ wrapping: 0 });
    const after = { ...before, taken: 1, wrapping: 2 } as Ledger;
    expect(changed(before, after, { ...shelf(0), ...purse(0) })).to.deep.equal({
      writes: [update(BOX, box(1))],
    });
  });

  it('moves a record whose place changes, and gives to one account what another gave', () => {
    const after = { ...charged(), hall: 'south', owner: 'bob' } as Ledger;
    const documents = { ...purse(0), [purses.of('bob').path]: { coins: 7, limit: 9 } };
    expect(changed(charged(), after, documents)).to.deep.equal({
      writes: [
        update(PURSE, { coins: 5 }),
        update(purses.of('bob').path, { coins: 2 }),
        remove(BOX),
        create(boxes.of('south', UUID).path, box(3)),
      ],
    });
  });

  it('is a surprise where a record would lose a field: what it says, it says for as long as it is there', () => {
    const noted = packed({}, received({ note: 'fragile' }));
    const { note: _, ...plain } = noted as Ledger & Order;
    const documents = documentsOf({ ...shelf(0), [BOX]: { ...box(3), note: 'fragile' } });
    expect(() => changeOf(saga, noted, plain, documents)).to.throw('note can be changed, but not left out');
  });

  it('is a surprise where an order holds a record twice', () => {
    const twice = { ...pack, holds: (known: object) => [...pack.holds(known), ...pack.holds(known)] };
    const doubled = defineSaga({ ...saga, steps: [twice, charge, forgetful] });
    expect(() => changeOf(doubled, received(), packed(), documentsOf(shelf(9)))).to.throw(
      `The order holds the box ${BOX} twice`,
    );
  });

  it('changes nothing of what another step holds', () => {
    const after = { ...charged(), coins: 6 } as Ledger;
    expect(changed(charged(), after, purse(1))).to.deep.equal({ writes: [update(PURSE, { coins: 0 })] });
  });
});

describe('What an order goes on holding', () => {
  const asked: string[] = [];
  const listening = <S extends { readonly name: string; holds(known: never): readonly Hold[] }>(
    one: S,
  ): S => ({
    ...one,
    holds(known: never) {
      asked.push(one.name);
      return one.holds(known);
    },
  });
  const watched = defineSaga({ ...saga, steps: [listening(pack), listening(charge), forgetful] });
  const askedFor = (before: Ledger | undefined, after: Ledger) => {
    asked.length = 0;
    changeOf(watched, before, after, documentsOf({ ...shelf(9, 9), ...purse(9) }));
    return [...asked];
  };

  it('is not looked at again when a further step is done, and all of it when the order is canceled', () => {
    expect(askedFor(undefined, packed())).to.deep.equal(['pack']);
    expect(askedFor(packed(), charged())).to.deep.equal(['charge']);
    expect(askedFor(failing(charged()), canceled(charged()))).to.deep.equal(['pack', 'charge']);
    for (const differs of [{ owner: 'bob' }, { heard: { pack: { word: 'any' } } }])
      expect(askedFor(packed(), { ...packed(), ...differs } as Ledger)).to.deep.equal(['pack', 'pack']);
  });

  it('[anomaly 12] need not be told to fail an order, to announce it again, or to answer a duplicate', () => {
    const again = { ...charged(), repeats: 1, sweepAt: LATER };
    expect([
      askedFor(charged(), failing(charged())),
      askedFor(charged(), again),
      askedFor(charged(), charged()),
    ]).to.deep.equal([[], [], []]);
  });
});
