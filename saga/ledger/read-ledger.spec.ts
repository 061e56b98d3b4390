import { expect } from 'chai';
import fc from 'fast-check';
import { type OrderLedger, pipeline, type Status } from '../../pipeline.ts';
import {
  aLedger,
  aLedgerThatIs as aLedgerWith,
  LATER,
  NOW,
  TRACE,
  UUID,
  uuidOf,
} from '../../test/support/builders.ts';
import { aLedgerOfThree as aLedgerThatIs, shopOfThree } from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import type { Saga } from '../step/saga.ts';
import { announcedAgain, DEADLINE_SECONDS, DEADLINE_SECONDS_MAX } from './deadline.ts';
import { historyLine } from './history.ts';
import { complete, fail, type Ledger, tombstone } from './ledger.ts';
import { isTombstone, MalformedLedger, readLedger, trusted } from './read-ledger.ts';

/** Reads it with a saga that has read none before: what is cached must not depend on what came first. */
const read = (fields: object, uuid = UUID, saga: Saga = shopOfThree) =>
  readLedger({ ...saga }, uuid, deepFreeze(fields));
const faultsOf = (fields: object, uuid = UUID): readonly string[] => {
  const found = read(fields, uuid);
  return 'faults' in found ? found.faults : [];
};
/** The ledger without this field. */
const without = (field: keyof OrderLedger, ledger: OrderLedger): object =>
  Object.fromEntries(Object.entries(ledger).filter(([name]) => name !== field));
const line = (status: string, at = NOW, by = 'somebody') => historyLine(status, by, at);
const unknown = {
  by: 'janitor',
  reason: 'PAYMENT_ERROR',
  detail: 'It failed before anybody knew it',
  now: NOW,
};
const overtaken = deepFreeze(tombstone(shopOfThree, UUID, unknown, DEADLINE_SECONDS));

describe('A ledger that is read', () => {
  for (const status of shopOfThree.statuses) {
    it(`is believed where it is ${status} as the kernel writes it`, () => {
      const ledger = aLedgerThatIs(status, { trace: TRACE });
      expect(read(ledger)).to.deep.equal({ ledger });
      // Not a copy: nothing is lost that this release does not know.
      expect((read(ledger) as { ledger: Ledger }).ledger).to.equal(ledger);
    });
  }

  it('[anomaly 7] is believed where its order never came', () => {
    expect(read(overtaken)).to.deep.equal({ ledger: overtaken });
  });

  it('is believed once it was announced again, and once it fails after it had come to rest', () => {
    const paid = aLedgerThatIs('PAID');
    const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: LATER };
    const failing = fail(shopOfThree, paid, failure);
    const histories = [
      announcedAgain(shopOfThree, aLedger(), LATER),
      failing,
      announcedAgain(shopOfThree, failing, LATER),
      complete(shopOfThree, failing, 'janitor', LATER),
    ];
    for (const ledger of histories) expect(read(ledger)).to.deep.equal({ ledger });
  });

  it('is believed with fields that this release does not know', () => {
    const ledger = { ...aLedgerThatIs('PAID'), parcel: { weight: 3 } };
    expect(read(ledger)).to.deep.equal({ ledger });
  });

  it('is believed where its history leaves out a step that was put between later', () => {
    const ledger = {
      ...aLedgerThatIs('PAID'),
      history: [line('RECEIVED'), line('CREATED'), line('PAID')],
    };
    // It never learned what that step learns, and is none that could be believed to have done it.
    expect(faultsOf(ledger)).to.deep.equal(['it knows lines, although inventory is not done']);
    expect(faultsOf(without('lines', ledger))).to.deep.equal([]);
  });

  it('is believed where its order has come to rest in a status in which a later release lets something follow', () => {
    const rested = { ...aLedgerThatIs('CREATED'), sweepAt: null, expireAt: null };
    expect(read(rested)).to.deep.equal({ ledger: rested });
  });

  it('is handed on, or refused with everything that is wrong with it', () => {
    expect(trusted(read(aLedger()), UUID)).to.deep.equal(aLedger());
    const faults = ['it is FAILING', 'and more'];
    expect(() => trusted({ faults }, UUID)).to.throw(
      MalformedLedger,
      `The ledger of order ${UUID} can't be right: it is FAILING; and more`,
    );
  });
});

describe('A ledger that is not believed', () => {
  const kept: readonly (keyof OrderLedger)[] = [
    'uuid',
    'status',
    'history',
    'createdAt',
    'deadlineSeconds',
    'sweepAt',
    'shard',
    'user',
    'items',
  ];
  for (const field of kept) {
    it(`is without its ${field}`, () => {
      const faults = faultsOf(without(field, aLedger()));
      expect(faults.map((fault) => fault.split(':')[0])).to.deep.equal([field]);
    });
  }

  const misshapen: readonly (readonly [field: keyof OrderLedger, values: readonly unknown[]])[] = [
    ['uuid', [7, null]],
    ['status', [7, null]],
    ['reason', [7, null]],
    ['detail', [7, null]],
    ['history', ['RECEIVED', {}, null, []]],
    ['createdAt', ['2026-01-02', null, new Date(Number.NaN)]],
    ['deadlineSeconds', ['900', 0, -1, DEADLINE_SECONDS_MAX + 1, Number.NaN, null]],
    ['sweepAt', ['2026-01-02', new Date(Number.NaN), 0]],
    ['repeats', [-1, 1.5, '1', null]],
    ['trace', [7, null]],
    ['expireAt', ['2026-01-02', new Date(Number.NaN), 0]],
    ['shard', [-1, 1.5, '1', null]],
    ['user', [7, null, '', 'a/b']],
    ['items', [{}, null, [], 'widget']],
    ['paymentError', [7, null, 'please']],
    ['fail', [7, null]],
  ];
  for (const [field, values] of misshapen) {
    it(`has a ${field} of another kind`, () => {
      for (const value of values) {
        const faults = faultsOf({ ...aLedger(), [field]: value });
        expect(
          faults.map((fault) => fault.split(':')[0]),
          String(value),
        ).to.deep.equal([field]);
      }
    });
  }

  it('has lines in its order that are none', () => {
    const items = [{ item: 'widget', quantity: 0 }];
    expect(faultsOf({ ...aLedger(), items })).to.deep.equal([
      'items[0].quantity: must be a whole number from 1 to 1000000000',
    ]);
  });

  it('has a history that is no list of transitions', () => {
    const unreadable = [7, null, '', 'RECEIVED', line('received'), `${line('RECEIVED').slice(0, -9)}`];
    for (const entry of unreadable) {
      const faults = faultsOf({ ...aLedger(), history: [entry] });
      expect(faults, String(entry)).to.have.length(1);
      expect(faults[0]).to.match(/^history\[0\]: /);
    }
    expect(faultsOf({ ...aLedger(), history: [`${line('RECEIVED')} `] })).to.have.length(1);
    expect(faultsOf({ ...aLedger(), history: [`${line('RECEIVED')} ann of the night shift`] })).to.deep.equal(
      [],
    );
    expect(faultsOf({ ...aLedger(), history: [line('RECEIVED'), 'and so on'] })).to.deep.equal([
      'history[1]: is not a transition',
    ]);
  });

  type Told = readonly [what: string, fields: object, faults: readonly string[], uuid?: string];
  const told: readonly Told[] = [
    [
      'has a history that does not begin where orders begin',
      { ...aLedgerThatIs('CREATED'), history: [line('CREATED')] },
      ['its history begins with CREATED'],
    ],
    [
      'has a moment in its history that is none',
      { ...aLedger(), history: ['2026-99-99T03:04:05.678Z RECEIVED frontend'] },
      ['history[0]: is not a transition'],
    ],
    [
      'has a history that goes back on itself',
      { ...aLedger(), history: [line('RECEIVED'), line('CREATED'), line('RECEIVED')] },
      ['its history goes from CREATED to RECEIVED'],
    ],
    [
      'does a step twice',
      { ...aLedgerThatIs('CREATED'), history: [line('RECEIVED'), line('CREATED'), line('CREATED')] },
      ['its history goes from CREATED to CREATED'],
    ],
    [
      'was canceled before it failed',
      { ...aLedgerThatIs('CANCELED'), history: [line('RECEIVED'), line('CANCELED')] },
      ['its history goes from RECEIVED to CANCELED'],
    ],
    [
      'goes on after it has failed',
      { ...aLedgerThatIs('CREATED'), history: [line('RECEIVED'), line('FAILING'), line('CREATED')] },
      ['its history goes from FAILING to CREATED'],
    ],
    [
      'went where nobody knows',
      { ...aLedger(), status: 'LOST', history: [line('RECEIVED'), line('LOST')] },
      ['its history goes from RECEIVED to LOST'],
    ],
    [
      'has a history that goes back in time',
      { ...aLedgerThatIs('CREATED'), history: [line('RECEIVED', LATER), line('CREATED')] },
      ['its history goes back in time to CREATED'],
    ],
    [
      'is not what its history says',
      { ...aLedgerThatIs('CREATED'), status: 'RESERVED' },
      ['it is RESERVED, but its history ends with CREATED'],
    ],
    ['has a uuid that is none', { ...aLedger(), uuid: 'x' }, ['its uuid is not a UUID']],
    ['bears the uuid of another', aLedger({ uuid: uuidOf(2) }), [`it says that its uuid is ${uuidOf(2)}`]],
    ['stands under the uuid of another', aLedger(), [`it says that its uuid is ${UUID}`], uuidOf(2)],
    ['lies in another shard', { ...aLedger(), shard: 2 }, ['its shard is 2, not 1']],
    ['has a trace that is none', { ...aLedger(), trace: 'x' }, ['its trace is not a traceparent']],
    [
      'has ended well, and is to be swept all the same',
      { ...aLedgerThatIs('PAID'), sweepAt: NOW },
      ['it is PAID, but a sweep will look at it'],
    ],
    [
      'is canceled, and is to be swept all the same',
      { ...aLedgerThatIs('CANCELED'), sweepAt: NOW },
      ['it is CANCELED, but a sweep will look at it'],
    ],
    [
      'fails, and is hidden from the sweep, whatever else it says',
      { ...aLedgerThatIs('FAILING'), sweepAt: null, expireAt: null },
      ['it is FAILING, but no sweep will look at it'],
    ],
    [
      'has ended well, and does not say for how long it stays',
      without('expireAt', aLedgerThatIs('PAID')),
      ['it is PAID, but no sweep will look at it'],
    ],
    [
      'has ended well, and may be deleted although its records stay',
      { ...aLedgerThatIs('PAID'), expireAt: LATER },
      ['it is PAID, but may be deleted'],
    ],
    ['stands, and may be deleted', { ...aLedger(), expireAt: LATER }, ['it is RECEIVED, but may be deleted']],
    [
      'is canceled, and would never be deleted',
      { ...aLedgerThatIs('CANCELED'), expireAt: null },
      ['it is CANCELED, but will never be deleted'],
    ],
    ['fails for no reason', without('reason', aLedgerThatIs('FAILING')), ['it is FAILING without a reason']],
    [
      'fails, and nobody says why in words',
      without('detail', aLedgerThatIs('CANCELED')),
      ['it is CANCELED without a detail'],
    ],
    [
      'has a reason, and does not fail',
      { ...aLedgerThatIs('PAID'), reason: 'PAYMENT_ERROR', detail: 'No' },
      ['it is PAID, but has the reason PAYMENT_ERROR', 'it is PAID, but has a detail of a failure'],
    ],
    [
      'fails for a reason that nobody knows',
      { ...aLedgerThatIs('FAILING'), reason: 'BECAUSE' },
      ['its reason BECAUSE is none'],
    ],
    [
      'has not learned what a done step learns',
      without('lines', aLedgerThatIs('RESERVED')),
      ['lines: Invalid input: expected array, received undefined'],
    ],
    [
      'has learned something else than a done step learns',
      { ...aLedgerThatIs('PAID'), charged: 1.5 },
      ['charged: must be a whole number from 0 to 9007199254740991'],
    ],
    [
      'knows what no step has learned yet',
      { ...aLedgerThatIs('RESERVED'), charged: 0 },
      ['it knows charged, although payments is not done'],
    ],
    [
      'is canceled, and has no history',
      without('history', aLedgerThatIs('CANCELED')),
      ['history: Invalid input: expected array, received undefined'],
    ],
    [
      'went where nobody knows, although no step had learned anything',
      { ...aLedger(), status: 'LOST', history: ['RECEIVED', 'RESERVED', 'LOST'].map((one) => line(one)) },
      ['its history goes from RESERVED to LOST'],
    ],
    [
      'was canceled, and has forgotten what its steps had learned',
      without('lines', aLedgerThatIs('CANCELED')),
      ['lines: Invalid input: expected array, received undefined'],
    ],
    [
      'is like a tombstone, but has a part of an order',
      { ...overtaken, user: 'jack' },
      ['items: Invalid input: expected array, received undefined'],
    ],
    [
      'is like a tombstone, but does not say that it is canceled',
      { ...overtaken, status: 'FAILING' },
      ['user: must be text', 'items: Invalid input: expected array, received undefined'],
    ],
    [
      'is like a tombstone, but has done a step',
      {
        ...overtaken,
        history: [line('RECEIVED'), line('CREATED'), line('FAILING'), line('CANCELED')],
      },
      ['user: must be text', 'items: Invalid input: expected array, received undefined'],
    ],
  ];
  for (const [what, fields, faults, uuid] of told) {
    it(`${what}`, () => {
      expect(faultsOf(fields, uuid)).to.deep.equal(faults);
    });
  }

  it('is told where it goes round in circles, for longer than any order can, and not what it should know by then', () => {
    const circle = ['RECEIVED', 'CREATED', 'RESERVED'];
    const count = 2 * shopOfThree.statuses.length + 1;
    const history = Array.from({ length: count }, (_, index) => line(circle[index % 3] as string));
    expect(faultsOf({ ...aLedger(), history })[0]).to.equal('its history goes from RESERVED to RECEIVED');
  });

  it('waits, or has waited, and does not say until when, or which word was heard', () => {
    const delivering = aLedgerWith('DELIVERING');
    const delivered = aLedgerWith('DELIVERED');
    const until = delivered.waitsUntil?.delivery as Date;
    const cases: readonly (readonly [fields: object, faults: readonly string[]])[] = [
      [without('waitsUntil', delivering), ['delivery waits, but nobody knows until when']],
      [
        { waitsUntil: { delivery: until, payments: NOW } },
        ['payments has a time to wait, but does not wait'],
      ],
      [
        { ...delivering, heard: { delivery: { word: 'delivered' } } },
        ['delivery has heard a word, but did not go on'],
      ],
      [without('heard', delivered), ['delivery went on, but no word is there']],
      [
        { heard: { delivery: { word: 'delivered', by: 'jim' } } },
        ['the word that delivery has heard: by is unknown'],
      ],
      [
        { heard: { delivery: { word: 'sing' }, payments: { word: 'delivered' } } },
        [
          'the word that delivery has heard: sing is none of delivered, canceled',
          'payments has heard a word, but did not go on',
        ],
      ],
      [
        { ...aLedgerWith('PAID'), address: '1 Main Street' },
        ['it knows address, although delivery did not wait'],
      ],
      [delivering, []],
      [delivered, []],
    ];
    for (const [fields, faults] of cases) {
      const found = read({ ...('uuid' in fields ? {} : delivered), ...fields }, UUID, pipeline);
      expect('faults' in found ? found.faults : []).to.deep.equal(faults);
    }
  });

  it('is told everything that is wrong with what it says', () => {
    const ledger = { ...aLedgerThatIs('PAID'), shard: 3, sweepAt: NOW, reason: 'BECAUSE' };
    expect(faultsOf(ledger)).to.deep.equal([
      'its shard is 3, not 1',
      'it is PAID, but a sweep will look at it',
      'it is PAID, but has the reason BECAUSE',
      'its reason BECAUSE is none',
    ]);
  });

  it('is told a few faults of its shape, however many there are', () => {
    expect(faultsOf({})).to.have.length(5);
    const items = Array.from({ length: 50 }, (_, index) => ({ item: `item-${index}`, quantity: 0 }));
    expect(faultsOf({ ...aLedger(), items })).to.have.length(5);
  });

  it('never surprises whoever reads it, whatever stands in its fields', () => {
    const fields = Object.keys({
      ...aLedgerThatIs('CANCELED'),
      paymentError: '',
      fail: '',
      repeats: 0,
      trace: '',
    });
    const edits = fc.dictionary(fc.constantFrom(...fields), fc.anything(), { noNullPrototype: true });
    fc.assert(
      fc.property(fc.constantFrom(...shopOfThree.statuses), edits, (status: Status, edit) => {
        expect(() => readLedger(shopOfThree, UUID, { ...aLedgerThatIs(status), ...edit })).not.to.throw();
      }),
    );
  });
});

describe('An order that must go on', () => {
  it('[anomaly 27] is never hidden from the sweep by one edit', () => {
    const standing = shopOfThree.statuses.filter((status) => aLedgerThatIs(status).sweepAt !== null);
    expect(standing).not.to.deep.equal([]);
    for (const status of standing) {
      expect(faultsOf({ ...aLedgerThatIs(status), sweepAt: null })).to.deep.equal([
        `it is ${status}, but no sweep will look at it`,
      ]);
    }
  });
});

describe('A tombstone', () => {
  it('[anomaly 7] is known by having no order', () => {
    expect(isTombstone(shopOfThree, overtaken)).to.equal(true);
    for (const status of shopOfThree.statuses) {
      expect(isTombstone(shopOfThree, aLedgerThatIs(status)), status).to.equal(false);
    }
    const refused = complete(
      shopOfThree,
      fail(shopOfThree, aLedger(), { ...unknown, now: LATER }),
      'janitor',
      LATER,
    );
    expect(isTombstone(shopOfThree, refused)).to.equal(false);
  });
});
