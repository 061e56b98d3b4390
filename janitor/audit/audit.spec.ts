import { expect } from 'chai';
import fc from 'fast-check';
import { reservations } from '../../inventory/reservations.ts';
import { orderRecords } from '../../order/order-records.ts';
import { invoices } from '../../payments/invoices.ts';
import { pipeline } from '../../pipeline.ts';

import { messageFor } from '../../saga/deliver/message.ts';
import { announcedAgain, DEADLINE_SECONDS, DEADLINE_SECONDS_MAX } from '../../saga/ledger/deadline.ts';
import {
  fail,
  type Ledger,
  ledgerPath,
  receive,
  TOMBSTONE_DAYS,
  tombstone,
} from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import type { Act, Saga } from '../../saga/step/saga.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';
import { aWorld, type Course, edit, place, type World } from '../../test/support/audited-world.ts';
import {
  aLedgerThatIs,
  anOrder,
  LATER,
  NOW,
  storeHolding,
  UUID,
  uuidOf,
} from '../../test/support/builders.ts';
import { aLedgerOfThree, shopOfThree } from '../../test/support/shop-of-three.ts';
import { audit } from './audit.ts';
import { LISTED_MAX } from './audit-report.ts';

const audited = async (world: World, now = LATER, saga: Saga = shopOfThree) =>
  audit(saga, await (await storeHolding(Object.fromEntries(world))).snapshot(), now);
const daysLater = (days: number) => new Date(NOW.getTime() + days * 24 * 60 * 60 * 1000);

/** An order of each course that there is, by Jack and by Joe, who has a limit. */
const COURSES: readonly Course[] = (['stands', 'failing', 'canceled'] as const).flatMap((end) =>
  [0, 1, 2, 3].flatMap((done) =>
    ['jack', 'joe'].map((user) => ({
      done,
      end,
      order: {
        user,
        items: [
          { item: 'widget', quantity: 2 },
          { item: 'gadget', quantity: 1 },
        ],
      },
    })),
  ),
);

/** Joe's order of two widgets, paid, beside one that is canceled. */
function aPaidOrder(): { world: World; ledger: Ledger } {
  const world = aWorld();
  place(world, 2, { done: 3, end: 'canceled', order: { user: 'joe' } });
  return { world, ledger: place(world, 1, { done: 3, order: { user: 'joe' } }) };
}
const ID = uuidOf(1);
const RESERVATION = reservations.of('widget', ID).path;
const RECORD = orderRecords.of('joe', ID).path;
const INVOICE = invoices.of(ID).path;
const RECORDS: readonly (readonly [Path, string])[] = [
  [RECORD, orderRecords.name],
  [RESERVATION, reservations.name],
  [INVOICE, invoices.name],
];

/** Takes a field out of a document, as somebody might do by hand. */
function lose(world: World, path: Path, field: string): void {
  const { [field]: _, ...rest } = world.get(path) as Record<string, unknown>;
  world.set(path, rest);
}

describe('The audit', () => {
  it('finds nothing wrong with what the services leave behind, in any status, and counts it', async () => {
    const world = aWorld();
    for (const [number, course] of COURSES.entries()) place(world, number, course);
    const failure = { by: 'janitor', reason: 'INVALID_ORDER', detail: 'Unknown', now: NOW };
    world.set(ledgerPath(UUID), tombstone(shopOfThree, UUID, failure, DEADLINE_SECONDS));
    world.set('dead-letters/1', { status: 'parked' });
    world.set('dead-letters/2', { status: 'redriven' });
    world.set('dead-letters/3', { status: 'parked' });
    // A collection of the same name, which is nobody's ledger.
    world.set(`users/jack/sagas/${UUID}`, { note: 'a tale' });
    expect(await audited(world)).to.deep.equal({
      checkedAt: LATER,
      counts: {
        orders: 25,
        byStatus: { RECEIVED: 2, CREATED: 2, RESERVED: 2, PAID: 2, FAILING: 8, CANCELED: 9 },
        documents: { user: 2, item: 2, 'order record': 12, reservation: 16, invoice: 4 },
        deadLettersParked: 2,
      },
      violations: [],
      violationCount: 0,
      stuck: [],
      stuckCount: 0,
    });
  });

  it('expects no record of an order that its first step both received and refused', async () => {
    const world = aWorld();
    const order = anOrder({ user: 'nobody' });
    const direct = receive(shopOfThree, UUID, order, 'order', NOW, DEADLINE_SECONDS);
    const refusal = { by: 'order', reason: 'USER_NOT_FOUND', detail: 'There is no user nobody', now: NOW };
    world.set(ledgerPath(UUID), fail(shopOfThree, direct, refusal));
    const { violations, counts } = await audited(world);
    expect([violations, counts.byStatus]).to.deep.equal([[], { FAILING: 1 }]);
  });

  it('knows every record that the steps make, to the last field', async () => {
    for (const course of COURSES) {
      const world = aWorld();
      const before = new Set(world.keys());
      const ledger = place(world, 1, course);
      const made = [...world].filter(([path]) => !before.has(path) && path !== ledgerPath(ledger.uuid));
      for (const [path, fields] of made) {
        for (const field of Object.keys(fields)) {
          const { [field]: _, ...rest } = fields as Record<string, unknown>;
          world.set(path, rest);
          expect((await audited(world)).violations.map(({ kind, path }) => [kind, path])).to.deep.include([
            'wrong-record',
            path,
          ]);
        }
        world.set(path, fields);
      }
      expect((await audited(world)).violations).to.deep.equal([]);
    }
  });

  describe('holds stock and credit to what was loaded', () => {
    it('and says by how much they are off, and how that is corrected', async () => {
      const { world } = aPaidOrder();
      edit(world, stock.of('widget').path, { quantity: 97 });
      edit(world, customers.of('joe').path, { credit: 995, corrections: 2 });
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'total',
          path: stock.of('widget').path,
          sentence: 'inventory/widget: quantity 97 and 2 held by orders make 99, not 100: 1 missing',
          correction: { field: 'quantity', by: 1, corrections: 0 },
        },
        {
          kind: 'total',
          path: customers.of('joe').path,
          sentence: 'users/joe: credit 995 and 10 held by orders make 1005, not 1000: 5 too many',
          correction: { field: 'credit', by: -5, corrections: 2 },
        },
      ]);
    });

    it('but offers no correction where more is held than there ever was', async () => {
      const { world } = aPaidOrder();
      edit(world, stock.of('widget').path, { quantity: 0, loaded: 1 });
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'total',
          path: stock.of('widget').path,
          sentence:
            'inventory/widget: quantity 0 and 2 held by orders make 2, not 1: 1 too many; more is held than there ever was',
        },
      ]);
    });

    it('also where the document of one is gone that orders hold of, or only need', async () => {
      const { world } = aPaidOrder();
      world.delete(stock.of('widget').path);
      world.delete(customers.of('joe').path);
      place(world, 3, { done: 1 });
      world.delete(customers.of('jack').path);
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'missing-account',
          path: stock.of('widget').path,
          sentence: 'There is no item widget at inventory/widget, but orders hold 2 of it',
        },
        {
          kind: 'missing-account',
          path: customers.of('jack').path,
          sentence: 'There is no user jack at users/jack, but orders need it',
        },
        {
          kind: 'missing-account',
          path: customers.of('joe').path,
          sentence: 'There is no user joe at users/joe, but orders hold 10 of it',
        },
      ]);
    });

    for (const quantity of [-1, 1.5, '98', null, undefined, Number.NaN]) {
      it(`and to whole numbers that are not negative: ${quantity}`, async () => {
        const { world } = aPaidOrder();
        edit(world, stock.of('widget').path, { quantity });
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([
          ['document', stock.of('widget').path],
        ]);
        expect(violations[0]?.sentence).to.match(/^inventory\/widget is malformed: quantity: /);
      });
    }

    it('and to both, what is left and what there was', async () => {
      for (const [path, field, fault] of [
        [stock.of('widget').path, 'quantity', 'quantity: '],
        [stock.of('widget').path, 'loaded', 'loaded: '],
        [customers.of('joe').path, 'credit', 'all: has credit or credit_limit without the other'],
        [customers.of('joe').path, 'credit_limit', 'all: has credit or credit_limit without the other'],
      ] as const) {
        const { world } = aPaidOrder();
        lose(world, path, field);
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([['document', path]]);
        expect(violations[0]?.sentence).to.contain(`${path} is malformed: ${fault}`);
      }
    });

    it('and takes a limit that was lifted for none', async () => {
      const { world } = aPaidOrder();
      for (const field of ['credit', 'credit_limit']) lose(world, customers.of('joe').path, field);
      expect((await audited(world)).violations).to.deep.equal([]);
    });
  });

  describe('holds the records to the ledger', () => {
    const missing = (path: Path, room: string) => ({
      kind: 'missing-record',
      path,
      uuid: ID,
      status: 'PAID',
      sentence: `Order ${ID} is PAID, but its ${room} ${path} is missing`,
    });

    it('and finds each one that is missing', async () => {
      for (const [path, room] of RECORDS) {
        const { world } = aPaidOrder();
        world.delete(path);
        expect((await audited(world)).violations).to.deep.equal([missing(path, room)]);
      }
    });

    it('and then does not correct an account that is off as well, before the record is mended', async () => {
      const stray = reservations.of('gadget', ID).path;
      const breaks: readonly (readonly [inDoubtUntil: Path, break_: (world: World) => void])[] = [
        [RECORD, (world) => world.delete(RECORD)],
        [INVOICE, (world) => edit(world, INVOICE, { charged: 9 })],
        [stray, (world) => world.set(stray, { quantity: 1, price_per_unit: 7 })],
      ];
      for (const [inDoubtUntil, break_] of breaks) {
        const { world } = aPaidOrder();
        break_(world);
        for (const item of ['widget', 'gadget']) edit(world, stock.of(item).path, { quantity: 40 });
        edit(world, customers.of('joe').path, { credit: 995 });
        const totals = (await audited(world)).violations.filter(({ kind }) => kind === 'total');
        expect(totals).to.have.length(3);
        for (const one of totals) {
          expect(one).to.include({ inDoubtUntil }).and.not.have.property('correction');
          expect(one.sentence).to.contain(`; in doubt until ${inDoubtUntil} is mended`);
        }
      }
    });

    it('and finds what a record says otherwise', async () => {
      const edits: readonly (readonly [Path, object])[] = [
        [RECORD, { items: [{ item: 'widget', quantity: 3 }] }],
        [RECORD, { createdAt: LATER }],
        [RESERVATION, { quantity: 3 }],
        [RESERVATION, { quantity: '2' }],
        [RESERVATION, { price_per_unit: 4 }],
        [INVOICE, { total_invoice: 11 }],
        [INVOICE, { charged: 9 }],
        [INVOICE, { user: 'jack' }],
        ...RECORDS.map(([path]) => [path, { note: 'a gift' }] as const),
      ];
      for (const [path, fields] of edits) {
        const { world } = aPaidOrder();
        edit(world, path, fields);
        expect((await audited(world)).violations).to.deep.equal([
          {
            kind: 'wrong-record',
            path,
            uuid: ID,
            status: 'PAID',
            sentence: `Order ${ID} is PAID, but its ${new Map(RECORDS).get(path)} ${path} has another ${Object.keys(fields)[0]} than its ledger says`,
          },
        ]);
      }
    });

    it('and finds what a canceled order still holds', async () => {
      const { world } = aPaidOrder();
      const kept = RECORDS.map(([path]) => [path, world.get(path) ?? {}] as const);
      const canceled = aWorld();
      place(canceled, 1, { done: 3, end: 'canceled', order: { user: 'joe' } });
      for (const [path, fields] of kept) canceled.set(path, fields);
      const { violations } = await audited(canceled);
      expect(violations).to.have.deep.members(
        RECORDS.map(([path, room]) => ({
          kind: 'stray-record',
          path,
          uuid: ID,
          status: 'CANCELED',
          sentence: `Order ${ID} is CANCELED and has no ${room} ${path}, but there it is`,
        })),
      );
    });

    it('and finds a record of a step that is not done, of another item or of another user', async () => {
      const stray: readonly [number, Path, object][] = [
        [0, orderRecords.of('jack', ID).path, { items: [], createdAt: NOW }],
        [1, reservations.of('widget', ID).path, { quantity: 2, price_per_unit: 5 }],
        [2, invoices.of(ID).path, { user: 'jack', total_invoice: 10, createdAt: NOW }],
        [3, reservations.of('gadget', ID).path, { quantity: 2, price_per_unit: 5 }],
        [3, orderRecords.of('joe', ID).path, { items: [], createdAt: NOW }],
      ];
      for (const [done, path, fields] of stray) {
        const world = aWorld();
        place(world, 1, { done });
        world.set(path, fields);
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([['stray-record', path]]);
      }
    });

    it('and finds records whose ledger is gone, however old they are; what was held is then in doubt', async () => {
      const { world } = aPaidOrder();
      world.delete(ledgerPath(ID));
      const doubt = `; in doubt until ${RESERVATION} is mended`;
      for (const days of [0, 2 * TOMBSTONE_DAYS]) {
        const { violations } = await audited(world, daysLater(days));
        expect(
          violations.flatMap(({ kind, sentence }) => (kind === 'stray-record' ? [sentence] : [])),
        ).to.deep.equal([
          `The reservation ${RESERVATION} belongs to no order: there is no ledger sagas/${ID}`,
          `The invoice ${INVOICE} belongs to no order: there is no ledger sagas/${ID}`,
          `The order record ${RECORD} belongs to no order: there is no ledger sagas/${ID}`,
        ]);
        expect(violations.filter(({ kind }) => kind === 'total')).to.deep.equal([
          {
            kind: 'total',
            path: stock.of('widget').path,
            sentence: `inventory/widget: quantity 98 and 0 held by orders make 98, not 100: 2 missing${doubt}`,
            inDoubtUntil: RESERVATION,
          },
          {
            kind: 'total',
            path: customers.of('joe').path,
            sentence: `users/joe: credit 990 and 0 held by orders make 990, not 1000: 10 missing${doubt}`,
            inDoubtUntil: RESERVATION,
          },
        ]);
      }
    });
  });

  describe('holds each ledger to itself', () => {
    const line = (status: string, by: string) => `${NOW.toISOString()} ${status} ${by}`;
    const all = [
      line('RECEIVED', 'frontend'),
      line('CREATED', 'order'),
      line('RESERVED', 'inventory'),
      line('PAID', 'payments'),
    ];
    const faults: readonly [string, object][] = [
      ['it says that its uuid is', { uuid: uuidOf(7), shard: 7 }],
      ['its uuid is not a UUID', { uuid: '1' }],
      ['its shard is 5, not 1', { shard: 5 }],
      ['its trace is not a traceparent', { trace: 'x' }],
      ['user: must have 1 to 128 characters', { user: '' }],
      ['user: must be text', { user: undefined }],
      ['items: ', { items: [] }],
      ['items: names an item twice', { items: [1, 1].map((quantity) => ({ item: 'a', quantity })) }],
      ['paymentError: is not JSON', { paymentError: '{' }],
      ['lines: ', { lines: undefined }],
      ['lines[0].price_per_unit: ', { lines: [{ item: 'widget', quantity: 2 }] }],
      ['charged: ', { charged: undefined }],
      ['charged: ', { charged: -1 }],
      ['its history begins with CREATED', { history: all.slice(1) }],
      ['its history goes from PAID to PAID', { history: [...all, all[3]] }],
      [
        'its history goes from CANCELED to PAID',
        { history: all.toSpliced(3, 0, line('CANCELED', 'janitor')) },
      ],
      [
        'its history goes back in time to PAID',
        { history: all.with(3, all[3]?.replace(/^\d{4}/, '2001') ?? '') },
      ],
      ['it is PAID, but its history ends with RESERVED', { history: all.slice(0, 3) }],
      [
        'lines: names an item twice',
        { lines: [1, 1].map(() => ({ item: 'widget', quantity: 2, price_per_unit: 5 })) },
      ],
      ['it is PAID, but has the reason PAYMENT_ERROR', { reason: 'PAYMENT_ERROR' }],
      ['it is PAID, but has a detail of a failure', { detail: 'x' }],
      ['it is PAID, but a sweep will look at it', { sweepAt: LATER }],
      ['it is PAID, but no sweep will look at it', { expireAt: undefined }],
      ['it is PAID, but may be deleted', { expireAt: LATER }],
      ['it is LOST, but its history ends with PAID', { status: 'LOST' }],
      ['repeats: ', { repeats: -1 }],
      ['history: ', { history: [] }],
      ['history: ', { history: 'PAID' }],
      ['history[0]: is not a transition', { history: ['PAID'] }],
      ['history[3]: ', { history: all.with(3, '2026-99-99T99:99:99.999Z PAID payments') }],
      ['items[0].quantity: ', { items: [{ item: 'widget', quantity: -2 }] }],
      ['items[0].item: must not contain', { items: [{ item: 'a/b', quantity: 2 }] }],
      ['items[0]: ', { items: [null] }],
      ['user: must not contain', { user: '../jack' }],
      ['createdAt: ', { createdAt: 'yesterday' }],
      ['deadlineSeconds: ', { deadlineSeconds: undefined }],
      ['deadlineSeconds: ', { deadlineSeconds: 0 }],
      ['deadlineSeconds: ', { deadlineSeconds: DEADLINE_SECONDS_MAX + 1 }],
      ['sweepAt: ', { sweepAt: 'soon' }],
    ];
    for (const [fault, fields] of faults) {
      it(`and says so, without holding its records against it: ${fault}`, async () => {
        const { world } = aPaidOrder();
        edit(world, ledgerPath(ID), fields);
        edit(world, stock.of('widget').path, { quantity: 97 });
        const { violations } = await audited(world);
        // What it holds nobody can tell, so that nothing must be corrected by what the others hold.
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([
          ['total', stock.of('widget').path],
          ['ledger', ledgerPath(ID)],
          ['total', customers.of('joe').path],
        ]);
        expect(violations[1]?.sentence).to.contain(`The ledger sagas/${ID} can't be right: `);
        expect(violations[1]?.sentence).to.contain(fault);
        for (const total of [violations[0], violations[2]]) {
          expect(total)
            .to.include({ inDoubtUntil: ledgerPath(ID) })
            .and.not.have.property('correction');
        }
      });
    }

    const edits: readonly (readonly [fault: string, fields: object])[] = [
      ['which is no service', { history: all.with(3, line('PAID', 'somebody')) }],
      [
        `it was created at ${LATER.toISOString()}, but received at ${NOW.toISOString()}`,
        { createdAt: LATER },
      ],
      [
        `it moved at ${LATER.toISOString()}, but its last transition was at ${NOW.toISOString()}`,
        { movedAt: LATER },
      ],
      ['it is found by gadget, bolt, but asked for widget', { mentions: ['gadget', 'bolt'] }],
      ['it is found by no name, but asked for widget', { mentions: [] }],
    ];
    for (const [fault, fields] of edits) {
      it(`and still believes what it holds where an edit has not touched that: ${fault}`, async () => {
        const { world } = aPaidOrder();
        edit(world, ledgerPath(ID), fields);
        edit(world, stock.of('widget').path, { quantity: 97 });
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([
          ['total', stock.of('widget').path],
          ['ledger', ledgerPath(ID)],
        ]);
        expect(violations[1]?.sentence).to.contain(fault);
        expect(violations[0]?.correction).to.deep.include({ field: 'quantity', by: 1 });
      });
    }

    it('and says so of one whose deadline and sweeps would be as far away as its last moment', async () => {
      const world = aWorld();
      place(world, 1, { done: 1 });
      const { history } = world.get(ledgerPath(ID)) as Ledger;
      const aheadIn = async (at: Date) => {
        edit(world, ledgerPath(ID), {
          history: history.with(1, `${at.toISOString()} CREATED order`),
          movedAt: at,
        });
        const { violations } = await audited(world, NOW);
        return violations.flatMap(({ kind, sentence }) => (kind === 'ledger' ? [sentence] : []));
      };
      const hour = 60 * 60 * 1000;
      expect(await aheadIn(new Date(NOW.getTime() + hour))).to.deep.equal([]);
      const to = new Date(NOW.getTime() + hour + 1);
      expect(await aheadIn(to)).to.deep.equal([
        `The ledger sagas/${ID} can't be right: it is CREATED only since ${to.toISOString()}, which is to come`,
      ]);
    });

    const changedHolds: readonly (readonly [
      fault: string,
      changed: (holds: Act['holds']) => Act['holds'],
    ])[] = [
      [
        "what it holds can't be told: There is no price",
        () => () => {
          throw new Error('There is no price');
        },
      ],
      [`it holds its order record ${RECORD} twice`, (holds) => (known) => [...holds(known), ...holds(known)]],
    ];
    for (const [fault, changed] of changedHolds) {
      it(`and says so where a release can not tell any more what it holds: ${fault}`, async () => {
        const { world } = aPaidOrder();
        const release: Saga = {
          ...shopOfThree,
          actsOf: (ledger) =>
            shopOfThree.actsOf(ledger).map((act) => ({ ...act, holds: changed(act.holds) })),
        };
        const { violations } = await audited(world, LATER, release);
        expect(
          violations.filter(({ kind }) => kind === 'ledger').map(({ sentence }) => sentence),
        ).to.deep.equal([`The ledger sagas/${ID} can't be right: ${fault}`]);
      });
    }

    it('and says so where it is found by something although no order is found by anything', async () => {
      const { mentions: _, ...order } = shopOfThree.order;
      const { world } = aPaidOrder();
      world.delete(ledgerPath(uuidOf(2)));
      const { violations } = await audited(world, LATER, { ...shopOfThree, order });
      expect(violations.map(({ sentence }) => sentence)).to.deep.equal([
        `The ledger sagas/${ID} can't be right: it is found by widget, but asked for nothing`,
      ]);
    });

    it('and says so of a tombstone that is found by what it never asked for', async () => {
      const failure = { by: 'janitor', reason: 'INVALID_ORDER', detail: 'Unknown', now: NOW };
      const fields = { ...tombstone(shopOfThree, UUID, failure, DEADLINE_SECONDS), mentions: ['widget'] };
      const { violations } = await audited(new Map([[ledgerPath(UUID), fields]]));
      expect(violations.map(({ sentence }) => sentence)).to.deep.equal([
        `The ledger sagas/${UUID} can't be right: it is found by widget, but asked for nothing`,
      ]);
    });

    it('and says so of one whose next sweep is further away than any pause, unless a wait is as long', async () => {
      const ahead = (ms: number) => new Date(NOW.getTime() + 2 * 60 * 60 * 1000 + ms);
      const faultsWhere = async (saga: Saga, ledger: Ledger) => {
        const { violations } = await audited(new Map([[ledgerPath(UUID), ledger]]), NOW, saga);
        return violations.flatMap(({ kind, sentence }) =>
          kind === 'ledger' ? [sentence.split(': ')[1]] : [],
        );
      };
      const unseen = (status: string, at: Date) => [
        `it is ${status}, but no sweep will look at it before ${at.toISOString()}`,
      ];
      const standing = aLedgerOfThree('RESERVED', { deadlineSeconds: 3 * 60 * 60 });
      for (const [sweepAt, faults] of [
        [ahead(0), []],
        [ahead(1), unseen('RESERVED', ahead(1))],
        // Not even where its stage ends then.
        [new Date(NOW.getTime() + 3 * 60 * 60 * 1000), unseen('RESERVED', ahead(60 * 60 * 1000))],
      ] as const)
        expect(await faultsWhere(shopOfThree, { ...standing, sweepAt })).to.deep.equal(faults);
      const waiting = aLedgerThatIs('DELIVERING');
      const [end = NOW] = Object.values(waiting.waitsUntil ?? {});
      expect(await faultsWhere(pipeline, { ...waiting, sweepAt: end })).to.deep.equal([]);
      const edited = new Date(end.getTime() + 1);
      expect(await faultsWhere(pipeline, { ...waiting, sweepAt: edited })).to.deep.equal(
        unseen('DELIVERING', edited),
      );
    });

    it('and says so of one that is canceled, but would be deleted at another moment than it must', async () => {
      for (const days of [0, TOMBSTONE_DAYS - 1, TOMBSTONE_DAYS + 1]) {
        const world = aWorld();
        place(world, 1, { done: 1, end: 'canceled' });
        const expireAt = new Date(LATER.getTime() + days * 24 * 60 * 60 * 1000);
        edit(world, ledgerPath(ID), { expireAt });
        expect((await audited(world)).violations.map(({ sentence }) => sentence)).to.deep.equal([
          `The ledger sagas/${ID} can't be right: it may be deleted at ${expireAt.toISOString()}, not at 2026-04-12T03:05:00.000Z`,
        ]);
      }
    });

    it('and says so of one that failed without a reason, or that no sweep would find', async () => {
      const world = aWorld();
      place(world, 1, { done: 1, end: 'failing' });
      place(world, 2, { done: 1 });
      place(world, 3, { done: 1 });
      edit(world, ledgerPath(uuidOf(3)), { expireAt: NOW });
      edit(world, ledgerPath(uuidOf(1)), { reason: undefined });
      edit(world, ledgerPath(uuidOf(2)), { sweepAt: null });
      expect((await audited(world)).violations.map(({ sentence }) => sentence)).to.deep.equal([
        `The ledger sagas/${uuidOf(1)} can't be right: it is FAILING without a reason`,
        `The ledger sagas/${uuidOf(2)} can't be right: it is CREATED, but no sweep will look at it`,
        `The ledger sagas/${uuidOf(3)} can't be right: it is CREATED, but may be deleted`,
      ]);
    });
  });

  it('takes an order at its word that it came to rest, also where something follows now in its status', async () => {
    const world = aWorld();
    const rested = { sweepAt: null, expireAt: null };
    place(world, 1, { done: 1 });
    edit(world, ledgerPath(uuidOf(1)), rested);
    place(world, 2, { done: 1, end: 'failing' });
    edit(world, ledgerPath(uuidOf(2)), rested);
    const { violations, stuck } = await audited(world, daysLater(1));
    expect(violations.map(({ sentence }) => sentence)).to.deep.equal([
      `The ledger sagas/${uuidOf(2)} can't be right: it is FAILING, but no sweep will look at it`,
    ]);
    expect(stuck).to.deep.equal([]);
  });

  describe('shows stuck orders apart', () => {
    const secondsIn = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds);

    it('[anomaly 27] once their stage is over its deadline, with the message that is missing', async () => {
      for (const course of [{ done: 0 }, { done: 1 }, { done: 2 }, { done: 2, end: 'failing' as const }]) {
        const world = aWorld();
        const ledger = place(world, 1, course);
        expect((await audited(world, secondsIn(DEADLINE_SECONDS - 1))).stuck).to.deep.equal([]);
        const { topic, attributes, data } = messageFor(shopOfThree, ledger);
        const report = await audited(world, secondsIn(DEADLINE_SECONDS));
        expect(report.stuck).to.deep.equal([
          {
            uuid: ID,
            status: ledger.status,
            since: NOW,
            repeats: 0,
            sentence: `Order ${ID} is ${ledger.status} since ${NOW.toISOString()}, announced again 0 times: nothing followed ${topic}`,
            missing: { topic, attributes, data: data.toString() },
          },
        ]);
        expect([report.stuckCount, report.violations]).to.deep.equal([1, []]);
      }
    });

    it('[anomaly 12] also before that, when they were announced again often', async () => {
      const world = aWorld();
      let ledger: Ledger = place(world, 1, { done: 3, end: 'failing' });
      for (let repeat = 1; repeat <= 3; repeat++) {
        expect((await audited(world)).stuckCount).to.equal(0);
        ledger = announcedAgain(shopOfThree, ledger, NOW);
        world.set(ledgerPath(ID), ledger);
      }
      expect((await audited(world)).stuck.map(({ repeats }) => repeats)).to.deep.equal([3]);
    });

    it('[anomaly 48] when nothing was heard until their wait was over: only people can say the word', async () => {
      const ledger = aLedgerThatIs('DELIVERING');
      const [end = NOW] = Object.values(ledger.waitsUntil ?? {});
      const world = new Map([[ledgerPath(UUID), ledger]]);
      expect((await audited(world, new Date(end.getTime() - 1), pipeline)).stuck).to.deep.equal([]);
      const words = Object.keys(pipeline.waitingIn('DELIVERING')?.waits.words ?? {}).join(' or ');
      expect((await audited(world, end, pipeline)).stuck).to.deep.equal([
        {
          uuid: UUID,
          status: 'DELIVERING',
          since: NOW,
          repeats: 0,
          sentence: `Order ${UUID} is DELIVERING since ${NOW.toISOString()}, and waits for ${words}: nothing was heard until ${end.toISOString()}`,
        },
      ]);
    });

    it('never when they rest', async () => {
      const { world } = aPaidOrder();
      expect((await audited(world, secondsIn(10 * DEADLINE_SECONDS))).stuck).to.deep.equal([]);
    });
  });

  it('lists a thousand of a kind and counts all, in pages, and tells how far it is', async () => {
    const world = aWorld();
    for (let number = 0; number < LISTED_MAX + 1; number++) {
      world.set(orderRecords.of('jack', uuidOf(number)).path, { createdAt: NOW });
    }
    const progress: number[] = [];
    const { scan, read } = await (await storeHolding(Object.fromEntries(world))).snapshot();
    const readAtOnce: number[] = [];
    const snapshot = {
      scan,
      read(paths: readonly Path[]) {
        readAtOnce.push(paths.length);
        return read(paths);
      },
    };
    const report = await audit(shopOfThree, snapshot, LATER, (checkedCount) => {
      progress.push(checkedCount);
    });
    expect([report.violations.length, report.violationCount]).to.deep.equal([LISTED_MAX, LISTED_MAX + 1]);
    expect(readAtOnce).to.deep.equal([500, 500, 1]);
    expect(progress).to.deep.equal(progress.toSorted((one, other) => one - other));
    expect(progress.length).to.be.greaterThan(4);
    expect(progress.at(-1)).to.equal(LISTED_MAX + 1 + 4);
  });

  it('reads no more records at once than a store takes, however many a page of orders has', async () => {
    const world = aWorld();
    edit(world, stock.of('widget').path, { quantity: 1000, loaded: 1000 });
    for (let number = 0; number < 251; number++) place(world, number, { done: 2 });
    const { scan, read } = await (await storeHolding(Object.fromEntries(world))).snapshot();
    const readAtOnce: number[] = [];
    const counting = (paths: readonly Path[]) => {
      readAtOnce.push(paths.length);
      return read(paths);
    };
    const { violations } = await audit(shopOfThree, { scan, read: counting }, LATER);
    expect(violations).to.deep.equal([]);
    // Its orders have 502 records.
    expect(Math.max(...readAtOnce)).to.equal(500);
  });

  describe('of any orders whatever', () => {
    const anyCourse = fc.record({
      done: fc.integer({ min: 0, max: 3 }),
      end: fc.constantFrom('stands', 'failing', 'canceled'),
      order: fc.record({
        user: fc.constantFrom('jack', 'joe'),
        items: fc.uniqueArray(
          fc.record({ item: fc.constantFrom('widget', 'gadget'), quantity: fc.integer({ min: 1, max: 3 }) }),
          { minLength: 1, maxLength: 2, selector: ({ item }) => item },
        ),
      }),
    }) as fc.Arbitrary<Course>;
    const anyWorld = fc.array(anyCourse, { minLength: 1, maxLength: 8 }).map((courses) => {
      const world = aWorld();
      for (const [number, course] of courses.entries()) place(world, number, course);
      return world;
    });

    it('is clean as long as nobody meddles', async () => {
      await fc.assert(
        fc.asyncProperty(anyWorld, async (world) => {
          expect((await audited(world)).violations).to.deep.equal([]);
        }),
      );
    });

    it('finds every document that is replaced by anything else, and never fails itself', async () => {
      const anyValue = fc.oneof(fc.string(), fc.double(), fc.constantFrom(null, true, NOW));
      const anyFields = fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom('items', 'user', 'history', 'quantity', 'createdAt')),
        fc.oneof(anyValue, fc.array(anyValue), fc.dictionary(fc.string(), anyValue)),
      );
      await fc.assert(
        fc.asyncProperty(anyWorld, fc.nat(), anyFields, async (world, at, fields) => {
          const [path = ''] = [...world.keys()].slice(at % world.size);
          world.set(path, fields);
          expect((await audited(world)).violationCount).to.be.greaterThan(0);
        }),
      );
    });

    it('finds every document that somebody removes, and every number that somebody changes', async () => {
      await fc.assert(
        fc.asyncProperty(anyWorld, fc.nat(), fc.nat(), fc.boolean(), async (world, at, of, removes) => {
          const holdsNothing = (fields: object) =>
            'history' in fields && shopOfThree.actsOf(fields as Ledger).length === 0;
          const isAccount = (path: Path) => shopOfThree.accounts.some((kind) => kind.namesIn(path));
          const isNeeded = (path: Path) => [...world.keys()].some((one) => one.startsWith(`${path}/`));
          // Nobody misses an order that holds nothing, or an account that no order needs.
          const isMissed = (path: Path, fields: object) =>
            !removes || (isAccount(path) ? isNeeded(path) : !holdsNothing(fields));
          const documents = [...world].filter(([path, fields]) => isMissed(path, fields));
          const [path, fields] = documents[at % documents.length] ?? ['', {}];
          // A price and a deadline are facts of the world; what an order was charged that is canceled, nothing depends on.
          const isFact = (field: string) =>
            ['deadlineSeconds', ...(isAccount(path) ? ['price_per_unit'] : [])].includes(field) ||
            (['charged', 'delivery_cost'].includes(field) && holdsNothing(fields));
          const numbers = Object.entries(fields).filter(
            ([field, value]) => typeof value === 'number' && !isFact(field),
          );
          const [field, value] = numbers[of % numbers.length] ?? [];
          fc.pre(path !== '' && (removes || field !== undefined));
          if (removes) world.delete(path);
          else edit(world, path, { [field ?? '']: (value as number) + 1 });
          expect((await audited(world)).violationCount).to.be.greaterThan(0);
        }),
      );
    });
  });
});
