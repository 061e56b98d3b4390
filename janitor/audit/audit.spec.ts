import { expect } from 'chai';
import fc from 'fast-check';
import { itemPath, reservationPath } from '../../inventory/documents.ts';
import { orderRecordPath, userPath } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { DEADLINE_SECONDS, redriven } from '../../saga/ledger/deadline.ts';
import {
  doneSteps,
  fail,
  receive,
  type Saga,
  sagaPath,
  TOMBSTONE_DAYS,
  tombstone,
} from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { aWorld, type Course, edit, place, type World } from '../../test/support/audited-world.ts';
import { anOrder, LATER, NOW, storeHolding, UUID, uuidOf } from '../../test/support/builders.ts';
import { audit } from './audit.ts';
import { LISTED_MAX } from './audit-report.ts';
import { expectedRecords } from './expected-records.ts';

const audited = async (world: World, now = LATER) =>
  audit(await (await storeHolding(Object.fromEntries(world))).snapshot(), now);
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
function aPaidOrder(): { world: World; saga: Saga } {
  const world = aWorld();
  place(world, 2, { done: 3, end: 'canceled', order: { user: 'joe' } });
  return { world, saga: place(world, 1, { done: 3, order: { user: 'joe' } }) };
}
const ID = uuidOf(1);
const RESERVATION = reservationPath('widget', ID);
const RECORD = orderRecordPath('joe', ID);
const INVOICE = invoicePath(ID);

describe('The audit', () => {
  it('finds nothing wrong with what the services leave behind, in any status, and counts it', async () => {
    const world = aWorld();
    for (const [number, course] of COURSES.entries()) place(world, number, course);
    world.set(sagaPath(UUID), tombstone(UUID, 'INVALID_ORDER', 'Unknown', NOW));
    world.set('dead-letters/1', { status: 'parked' });
    world.set('dead-letters/2', { status: 'redriven' });
    world.set('dead-letters/3', { status: 'parked' });
    expect(await audited(world)).to.deep.equal({
      checkedAt: LATER,
      counts: {
        orders: 25,
        byStatus: { RECEIVED: 2, CREATED: 2, RESERVED: 2, PAID: 2, FAILING: 8, CANCELED: 9 },
        items: 2,
        users: 2,
        orderRecords: 12,
        reservations: 16,
        invoices: 4,
        deadLettersParked: 2,
      },
      violations: [],
      violationCount: 0,
      stuck: [],
      stuckCount: 0,
      notices: [],
      noticeCount: 0,
    });
  });

  it('expects no record of an order that its first step both received and refused', async () => {
    const world = aWorld();
    const direct = receive(UUID, anOrder({ user: 'nobody' }), 'order', NOW);
    world.set(sagaPath(UUID), fail(direct, 'order', 'USER_NOT_FOUND', 'There is no user nobody', NOW));
    const { violations, counts } = await audited(world);
    expect([violations, counts.byStatus]).to.deep.equal([[], { FAILING: 1 }]);
  });

  it('knows every record that the steps make, to the last field', async () => {
    for (const course of COURSES) {
      const world = aWorld();
      const before = new Set(world.keys());
      const saga = place(world, 1, course);
      const made = [...world].filter(([path]) => !before.has(path) && path !== sagaPath(saga.uuid));
      expect(new Map(expectedRecords(saga).map(({ path, fields }) => [path, fields]))).to.deep.equal(
        new Map(made),
      );
    }
  });

  describe('holds stock and credit to what was loaded', () => {
    it('and says by how much they are off, and how that is corrected', async () => {
      const { world } = aPaidOrder();
      edit(world, itemPath('widget'), { quantity: 97 });
      edit(world, userPath('joe'), { credit: 995, corrections: 2 });
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'total',
          path: itemPath('widget'),
          sentence: 'inventory/widget: quantity 97 and 2 held by orders make 99, not 100: 1 missing',
          correction: { field: 'quantity', by: 1, corrections: 0 },
        },
        {
          kind: 'total',
          path: userPath('joe'),
          sentence: 'users/joe: credit 995 and 10 held by orders make 1005, not 1000: 5 too many',
          correction: { field: 'credit', by: -5, corrections: 2 },
        },
      ]);
    });

    it('but offers no correction where more is held than there ever was', async () => {
      const { world } = aPaidOrder();
      edit(world, itemPath('widget'), { quantity: 0, loaded: 1 });
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'total',
          path: itemPath('widget'),
          sentence:
            'inventory/widget: quantity 0 and 2 held by orders make 2, not 1: 1 too many; more is held than there ever was',
        },
      ]);
    });

    it('also where the document is gone', async () => {
      const { world } = aPaidOrder();
      world.delete(itemPath('widget'));
      world.delete(userPath('joe'));
      expect((await audited(world)).violations).to.deep.equal([
        {
          kind: 'total',
          path: itemPath('widget'),
          sentence: 'inventory/widget does not exist, but orders hold 2 of it',
        },
        {
          kind: 'total',
          path: userPath('joe'),
          sentence: 'users/joe does not exist, but orders hold 10 of it',
        },
      ]);
    });

    for (const quantity of [-1, 1.5, '98', null, undefined, Number.NaN]) {
      it(`and to whole numbers that are not negative: ${quantity}`, async () => {
        const { world } = aPaidOrder();
        edit(world, itemPath('widget'), { quantity });
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([
          ['document', itemPath('widget')],
        ]);
        expect(violations[0]?.sentence).to.match(/^inventory\/widget is malformed: quantity: /);
      });
    }

    it('and says where nobody has noted how much was loaded', async () => {
      const { world } = aPaidOrder();
      edit(world, itemPath('widget'), { loaded: undefined });
      edit(world, userPath('joe'), { credit_limit: undefined });
      const { violations, notices } = await audited(world);
      expect(violations).to.deep.equal([]);
      expect(notices).to.deep.equal([
        "inventory/widget does not say how much was loaded, so it can't be audited",
        "users/joe has a credit, but does not say of which limit, so it can't be audited",
      ]);
    });

    it('and takes a limit that was lifted for none', async () => {
      const { world } = aPaidOrder();
      edit(world, userPath('joe'), { credit: undefined });
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

    it('and finds each one that is missing; what then is held is in doubt', async () => {
      for (const [path, room, ...totals] of [
        [RECORD, 'order record'],
        [
          RESERVATION,
          'reservation',
          {
            kind: 'total',
            path: itemPath('widget'),
            sentence: 'inventory/widget: quantity 98 and 0 held by orders make 98, not 100: 2 missing',
            inDoubt: true,
          },
        ],
        [
          INVOICE,
          'invoice',
          {
            kind: 'total',
            path: userPath('joe'),
            sentence: 'users/joe: credit 990 and 0 held by orders make 990, not 1000: 10 missing',
            inDoubt: true,
          },
        ],
      ] as const) {
        const { world } = aPaidOrder();
        world.delete(path);
        expect((await audited(world)).violations).to.have.deep.members([missing(path, room), ...totals]);
      }
    });

    it('and finds what a record says otherwise', async () => {
      const edits: readonly [Path, object][] = [
        [RECORD, { items: [{ item: 'widget', quantity: 3 }] }],
        [RECORD, { createdAt: LATER }],
        [RESERVATION, { quantity: 3 }],
        [RESERVATION, { quantity: '2' }],
        [RESERVATION, { price_per_unit: 4 }],
        [INVOICE, { total_invoice: 11 }],
        [INVOICE, { charged: 9 }],
        [INVOICE, { user: 'jack' }],
      ];
      for (const [path, fields] of edits) {
        const { world } = aPaidOrder();
        edit(world, path, fields);
        const { violations } = await audited(world);
        expect(violations.filter(({ kind }) => kind !== 'total')).to.deep.equal([
          {
            kind: 'wrong-record',
            path,
            uuid: ID,
            status: 'PAID',
            sentence: `Order ${ID} is PAID, but its ${
              path === RECORD ? 'order record' : path === INVOICE ? 'invoice' : 'reservation'
            } ${path} has another ${Object.keys(fields)[0]} than its ledger`,
          },
        ]);
        // What is held is in doubt, so that no counter is corrected by it.
        expect(violations.filter(({ correction }) => correction)).to.deep.equal([]);
      }
    });

    it('but takes no offence at a field that somebody has added', async () => {
      const { world } = aPaidOrder();
      for (const path of [RECORD, RESERVATION, INVOICE]) edit(world, path, { note: 'a gift' });
      expect((await audited(world)).violations).to.deep.equal([]);
    });

    it('and finds what a canceled order still holds', async () => {
      const { world } = aPaidOrder();
      const kept = [RECORD, RESERVATION, INVOICE].map((path) => [path, world.get(path) ?? {}] as const);
      const canceled = aWorld();
      place(canceled, 1, { done: 3, end: 'canceled', order: { user: 'joe' } });
      for (const [path, fields] of kept) canceled.set(path, fields);
      const { violations } = await audited(canceled);
      expect(violations.filter(({ kind }) => kind === 'stray-record')).to.have.deep.members(
        [
          ['order record', RECORD],
          ['reservation', RESERVATION],
          ['invoice', INVOICE],
        ].map(([room, path]) => ({
          kind: 'stray-record',
          path,
          uuid: ID,
          status: 'CANCELED',
          sentence: `Order ${ID} is CANCELED and has no ${room} ${path}, but there it is`,
        })),
      );
      expect(violations.filter(({ correction }) => correction)).to.deep.equal([]);
    });

    it('and finds a record of a step that is not done, of another item or of another user', async () => {
      const stray: readonly [number, Path, object][] = [
        [0, orderRecordPath('jack', ID), { items: [], createdAt: NOW }],
        [1, reservationPath('widget', ID), { quantity: 2, price_per_unit: 5 }],
        [2, invoicePath(ID), { user: 'jack', total_invoice: 10, createdAt: NOW }],
        [3, reservationPath('gadget', ID), { quantity: 2, price_per_unit: 5 }],
        [3, orderRecordPath('joe', ID), { items: [], createdAt: NOW }],
      ];
      for (const [done, path, fields] of stray) {
        const world = aWorld();
        place(world, 1, { done });
        world.set(path, fields);
        const { violations } = await audited(world);
        expect(
          violations.flatMap(({ kind, path }) => (kind === 'total' ? [] : [[kind, path]])),
        ).to.deep.equal([['stray-record', path]]);
      }
    });

    it('and finds records whose ledger is gone, unless they are as old as a ledger becomes', async () => {
      const { world } = aPaidOrder();
      world.delete(sagaPath(ID));
      for (const days of [0, TOMBSTONE_DAYS - 2]) {
        const { violations } = await audited(world, daysLater(days));
        expect(violations.map(({ sentence }) => sentence)).to.deep.equal([
          `The reservation ${RESERVATION} belongs to no order: there is no ledger sagas/${ID}`,
          `The invoice ${INVOICE} belongs to no order: there is no ledger sagas/${ID}`,
          `The order record ${RECORD} belongs to no order: there is no ledger sagas/${ID}`,
        ]);
      }
      expect((await audited(world, daysLater(TOMBSTONE_DAYS))).violations).to.deep.equal([]);
      world.delete(INVOICE);
      expect(
        (await audited(world, daysLater(TOMBSTONE_DAYS))).violations.map(({ path }) => path),
      ).to.deep.equal([RESERVATION, userPath('joe'), RECORD]);
    });

    it('and records of an expired order to their own form', async () => {
      const { world } = aPaidOrder();
      world.delete(sagaPath(ID));
      edit(world, RESERVATION, { quantity: -2 });
      const { violations } = await audited(world, daysLater(TOMBSTONE_DAYS));
      expect(violations.map(({ kind, path, correction }) => [kind, path, correction])).to.deep.equal([
        ['total', itemPath('widget'), undefined],
        ['document', RESERVATION, undefined],
      ]);
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
      ['its shard is 5, not 1', { shard: 5 }],
      ['it has no user', { user: '' }],
      ['it has no lines', { items: [], total_invoice: 0, charged: 0 }],
      [
        'it names an item twice',
        { items: [1, 1].map((n) => ({ item: 'a', quantity: n, price_per_unit: 5 })) },
      ],
      ['its history begins with CREATED', { history: all.slice(1) }],
      ['its history goes from RECEIVED to RESERVED', { history: all.toSpliced(1, 1) }],
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
      ['its history says that janitor made it PAID', { history: all.with(3, line('PAID', 'janitor')) }],
      ['it is PAID, but has the reason PAYMENT_ERROR', { reason: 'PAYMENT_ERROR' }],
      ['its line of widget is reserved without a price', { items: [{ item: 'widget', quantity: 2 }] }],
      ['it is invoiced without a total', { total_invoice: undefined, charged: undefined }],
      ['its total is 11, but its lines come to 10', { total_invoice: 11, charged: 11 }],
      ['9 was charged for a total of 10', { charged: 9 }],
      ['status: ', { status: 'LOST' }],
      ['history: ', { history: [] }],
      ['history: ', { history: 'PAID' }],
      ['history.0: is not a transition', { history: ['PAID'] }],
      ['history.3: ', { history: all.with(3, '2026-99-99T99:99:99.999Z PAID payments') }],
      ['items.0.quantity: ', { items: [{ item: 'widget', quantity: -2 }] }],
      ['items.0.item: is not a name', { items: [{ item: 'a/b', quantity: 2 }] }],
      ['items.0: ', { items: [null] }],
      ['user: is not a name', { user: '../jack' }],
      ['createdAt: ', { createdAt: 'yesterday' }],
      ['deadlineSeconds: ', { deadlineSeconds: undefined }],
      ['sweepAt: ', { sweepAt: 'soon' }],
    ];
    for (const [fault, fields] of faults) {
      it(`and says so, without holding its records against it: ${fault}`, async () => {
        const { world } = aPaidOrder();
        edit(world, sagaPath(ID), fields);
        edit(world, itemPath('widget'), { quantity: 97 });
        const { violations } = await audited(world);
        expect(violations.map(({ kind, path }) => [kind, path])).to.deep.equal([
          ['total', itemPath('widget')],
          ['ledger', sagaPath(ID)],
        ]);
        expect(violations[1]?.sentence).to.contain(`The ledger sagas/${ID} can't be right: `);
        expect(violations[1]?.sentence).to.contain(fault);
        expect(violations[0]).to.include({ inDoubt: true }).and.not.have.property('correction');
      });
    }

    it('and says so of one that failed without a reason, or that no sweep would find', async () => {
      const world = aWorld();
      place(world, 1, { done: 1, end: 'failing' });
      place(world, 2, { done: 1 });
      place(world, 3, { done: 1 });
      edit(world, sagaPath(uuidOf(3)), { expireAt: NOW });
      edit(world, sagaPath(uuidOf(1)), { reason: undefined });
      edit(world, sagaPath(uuidOf(2)), { sweepAt: null });
      expect((await audited(world)).violations.map(({ sentence }) => sentence)).to.deep.equal([
        `The ledger sagas/${uuidOf(1)} can't be right: it is FAILING without a reason`,
        `The ledger sagas/${uuidOf(2)} can't be right: it is CREATED, but no sweep will look at it`,
        `The ledger sagas/${uuidOf(3)} can't be right: it is CREATED, but may be deleted`,
      ]);
    });
  });

  it('takes an order at its word that it came to rest, also where something follows now in its status', async () => {
    const world = aWorld();
    const rested = { sweepAt: null, expireAt: daysLater(TOMBSTONE_DAYS) };
    place(world, 1, { done: 1 });
    edit(world, sagaPath(uuidOf(1)), rested);
    place(world, 2, { done: 1, end: 'failing' });
    edit(world, sagaPath(uuidOf(2)), rested);
    const { violations, stuck } = await audited(world, daysLater(1));
    expect(violations.map(({ sentence }) => sentence)).to.deep.equal([
      `The ledger sagas/${uuidOf(2)} can't be right: it is FAILING, but no sweep will look at it; it is FAILING, but may be deleted`,
    ]);
    expect(stuck).to.deep.equal([]);
  });

  describe('shows stuck orders apart', () => {
    const secondsIn = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds);

    it('[anomaly 27] once their stage is over its deadline, with the message that is missing', async () => {
      for (const course of [{ done: 0 }, { done: 1 }, { done: 2 }, { done: 2, end: 'failing' as const }]) {
        const world = aWorld();
        const saga = place(world, 1, course);
        expect((await audited(world, secondsIn(DEADLINE_SECONDS - 1))).stuck).to.deep.equal([]);
        const { topic, attributes, data } = messageFor(saga);
        const report = await audited(world, secondsIn(DEADLINE_SECONDS));
        expect(report.stuck).to.deep.equal([
          {
            uuid: ID,
            status: saga.status,
            since: NOW,
            redrives: 0,
            sentence: `Order ${ID} is ${saga.status} since ${NOW.toISOString()}, 0 times re-driven: nothing followed ${topic}`,
            missing: { topic, attributes, data: data.toString() },
          },
        ]);
        expect([report.stuckCount, report.violations]).to.deep.equal([1, []]);
      }
    });

    it('[anomaly 12] also before that, when they were re-driven often', async () => {
      const world = aWorld();
      let saga = place(world, 1, { done: 3, end: 'failing' });
      for (let redrive = 1; redrive <= 3; redrive++) {
        expect((await audited(world)).stuckCount).to.equal(0);
        saga = redriven(saga, NOW);
        world.set(sagaPath(ID), saga);
      }
      expect((await audited(world)).stuck.map(({ redrives }) => redrives)).to.deep.equal([3]);
    });

    it('never when they rest', async () => {
      const { world } = aPaidOrder();
      expect((await audited(world, secondsIn(10 * DEADLINE_SECONDS))).stuck).to.deep.equal([]);
    });
  });

  it('lists a thousand of a kind and counts all, in pages, and tells how far it is', async () => {
    const world = aWorld();
    for (let number = 0; number < LISTED_MAX + 1; number++) {
      world.set(orderRecordPath('jack', uuidOf(number)), { createdAt: NOW });
    }
    const progress: number[] = [];
    const snapshot = await (await storeHolding(Object.fromEntries(world))).snapshot();
    const report = await audit(snapshot, LATER, (checkedCount) => {
      progress.push(checkedCount);
    });
    expect([report.violations.length, report.violationCount]).to.deep.equal([LISTED_MAX, LISTED_MAX + 1]);
    expect(progress).to.deep.equal(progress.toSorted((one, other) => one - other));
    expect(progress.length).to.be.greaterThan(4);
    expect(progress.at(-1)).to.equal(LISTED_MAX + 1 + 4);
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
          const { violations, notices } = await audited(world);
          expect([violations, notices]).to.deep.equal([[], []]);
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
          const holdsNoRecords = (fields: object) =>
            'history' in fields && doneSteps(fields as Saga).length === 0;
          const holdsNothing = (path: Path, fields: object) =>
            // Nobody misses a canceled order, an item that nobody wants, or a customer who owes nothing.
            removes && (/^(inventory|users)\/[^/]+$/.test(path) || holdsNoRecords(fields));
          const documents = [...world].filter(([path, fields]) => !holdsNothing(path, fields));
          const [path, fields] = documents[at % documents.length] ?? ['', {}];
          const ignored = ['corrections', 'deadlineSeconds', 'price_per_unit'];
          const numbers = Object.entries(fields).filter(
            ([field, value]) =>
              typeof value === 'number' &&
              !(ignored.includes(field) && /^(inventory|sagas)\/[^/]+$/.test(path)),
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
