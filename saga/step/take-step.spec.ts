import { expect } from 'chai';
import { z } from 'zod';
import type { OrderLedger, Status } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import {
  aLedger,
  aLedgerThatIs as aLedgerOf,
  anOrder,
  documentsOf,
  LATER,
  PRICE,
  SETTINGS,
  TRACE,
  UUID,
} from '../../test/support/builders.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { DEADLINE_SECONDS } from '../ledger/deadline.ts';
import { historyLine } from '../ledger/history.ts';
import { advance, fail, isFailed, type Ledger, PAUSED, receive, tombstone } from '../ledger/ledger.ts';
import { document } from './document.ts';
import { defineSaga, type Saga } from './saga.ts';
import { accept, type Read, refuse, type Step, stepsFor, wait } from './step.ts';
import { refusedTurn, stepTask, takeStep } from './take-step.ts';

const aLedgerThatIs = (status: Status, fields: Partial<OrderLedger> = {}) =>
  aLedgerOf(status, fields, shopOfThree);
const optionsOf = (step: Step, isEntry = step === first) => ({
  settings: SETTINGS.declared,
  deadlineSeconds: DEADLINE_SECONDS,
  isEntry,
});
const [first, second] = shopOfThree.steps as [Step, Step];
const DOCUMENTS = {
  'users/jack': { address: '1 Main Street' },
  'inventory/widget': { quantity: 10, loaded: 10, price_per_unit: PRICE },
};

const take = (step: Step, ledger: Ledger | undefined, message: object, documents: object = DOCUMENTS) =>
  stepTask(shopOfThree, step, { uuid: UUID, ...message }, optionsOf(step)).take(
    ledger,
    documentsOf({ ...documents }),
    LATER,
  );
const reads = (step: Step, ledger: Ledger | undefined, message: object) =>
  stepTask(shopOfThree, step, { uuid: UUID, ...message }, optionsOf(step)).reads?.(ledger, documentsOf({}));
const received = (trace?: string): Ledger =>
  receive(shopOfThree, UUID, anOrder(), first.name, LATER, DEADLINE_SECONDS, trace);
const done = (step: Step, ledger: Ledger, learned: object = {}): Ledger =>
  advance(shopOfThree, ledger, { step: step.name, by: step.name, learned, now: LATER });
const accepted = (from: Ledger, ledger: Ledger) => ({ outcome: 'accepted', from, ledger });
const refused = (by: string, ledger: Ledger, reason: string, detail: string) =>
  refusedTurn(shopOfThree, ledger, { by, reason, detail, now: LATER });

describe('The first step', () => {
  it('takes an order that the frontend received', () => {
    expect(take(first, aLedger(), { order: anOrder() })).to.deep.equal(
      accepted(aLedger(), done(first, aLedger())),
    );
  });

  it('receives an order that was published straight to its topic, and takes it in the same turn', () => {
    expect(take(first, undefined, { order: anOrder() })).to.deep.equal(
      accepted(received(), done(first, received())),
    );
  });

  it('remembers under which trace such an order came, and of a known order the first one', () => {
    expect(take(first, undefined, { order: anOrder(), trace: TRACE })).to.deep.equal(
      accepted(received(TRACE), done(first, received(TRACE))),
    );
    const traced = aLedger({ trace: TRACE });
    expect(take(first, traced, { trace: TRACE.replaceAll('a', 'f') })).to.deep.equal(
      accepted(traced, done(first, traced)),
    );
  });

  it('refuses an order with a ledger that says so, also where none was there', () => {
    const because = ['USER_NOT_FOUND', 'There is no user jack'] as const;
    expect(take(first, aLedger(), {}, {})).to.deep.equal(refused(first.name, aLedger(), ...because));
    expect(take(first, undefined, { order: anOrder() }, {})).to.deep.equal(
      refused(first.name, received(), ...because),
    );
  });

  it('[anomaly 22] parks what is not an order and has no ledger', () => {
    expect(take(first, undefined, { orderFault: 'user is missing' })).to.deep.equal({
      outcome: 'parked',
      detail: 'The message is not an order: user is missing',
    });
  });

  it('of another time, where orders still wait for it, begins their ledgers and leaves the rest to the first one of now', () => {
    const task = (message: object) =>
      stepTask(shopOfThree, second, { uuid: UUID, ...message }, optionsOf(second, true));
    const begun = receive(shopOfThree, UUID, anOrder(), second.name, LATER, DEADLINE_SECONDS);
    const nothing = documentsOf({});
    expect(task({ order: anOrder() }).take(undefined, nothing, LATER)).to.deep.equal({
      outcome: 'accepted',
      ledger: begun,
    });
    expect(task({ orderFault: 'user is missing' }).take(undefined, nothing, LATER)).to.deep.equal({
      outcome: 'parked',
      detail: 'The message is not an order: user is missing',
    });
    expect(task({ order: anOrder() }).take(begun, nothing, LATER)).to.deep.equal({
      outcome: 'duplicate',
      ledger: begun,
    });
  });

  it('[anomaly 39] parks an order that comes under the uuid of another one, wherever that stands', () => {
    const parked = { outcome: 'parked', detail: 'Another order has the uuid of the message' };
    const other = anOrder({ items: [{ item: 'widget', quantity: 3 }] });
    for (const status of ['RECEIVED', 'CREATED', 'FAILING'] as const) {
      expect(take(first, aLedgerThatIs(status), { order: other }), status).to.deep.equal(parked);
      expect(take(first, aLedgerThatIs(status), { order: anOrder() }).outcome).not.to.equal('parked');
    }
  });

  it('takes an order for no other one where its failure came before it, or what it asked for was replaced', () => {
    const failure = { by: 'janitor', reason: 'INVALID_ORDER', detail: 'Unknown', now: LATER };
    const unknown = tombstone(shopOfThree, UUID, failure, DEADLINE_SECONDS);
    expect(take(first, unknown, { order: anOrder() })).to.deep.equal({ outcome: 'fenced', ledger: unknown });
    const rewritten = aLedgerThatIs('PAID', {
      user: 'jill',
      rewritten: historyLine('PAID', 'order', LATER, 'alice'),
    });
    expect(take(first, rewritten, { order: anOrder() })).to.deep.equal({
      outcome: 'duplicate',
      ledger: rewritten,
    });
  });

  it('fetches the documents along with the ledger, and nothing once it is clear that nothing will be done', () => {
    expect(reads(first, undefined, { order: anOrder() })).to.deep.equal(['users/jack']);
    expect(reads(first, undefined, { orderFault: 'user is missing' })).to.deep.equal([]);
    expect(reads(first, aLedger({ user: 'jill' }), { order: anOrder() })).to.deep.equal(['users/jill']);
    expect(reads(first, aLedgerThatIs('CREATED'), { order: anOrder() })).to.deep.equal([]);
  });
});

describe('A later step', () => {
  it('takes an order that stands where it begins', () => {
    const ledger = aLedgerThatIs('CREATED');
    const lines = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];
    expect(take(second, ledger, {})).to.deep.equal(accepted(ledger, done(second, ledger, { lines })));
  });

  it('[anomaly 22] parks a message of an order that nobody knows, whatever it describes', () => {
    const parked = { outcome: 'parked', detail: 'No order has the uuid of the message' };
    expect(take(second, undefined, {})).to.deep.equal(parked);
    expect(take(second, undefined, { order: anOrder() })).to.deep.equal(parked);
  });

  it('fetches what the message describes along with the ledger, and then what the ledger says', () => {
    const other = anOrder({ items: [{ item: 'gadget', quantity: 1 }] });
    expect(reads(second, undefined, {})).to.deep.equal([]);
    expect(reads(second, undefined, { order: other })).to.deep.equal(['inventory/gadget']);
    expect(reads(second, aLedgerThatIs('CREATED'), { order: other })).to.deep.equal(['inventory/widget']);
    for (const status of shopOfThree.statuses.filter((one) => one !== 'CREATED')) {
      expect(reads(second, aLedgerThatIs(status), { order: other }), status).to.deep.equal([]);
    }
  });
});

describe('A step', () => {
  it('[anomaly 39] goes by the ledger, whatever the message claims', () => {
    const order = anOrder({ user: 'jill', items: [{ item: 'gold', quantity: 1 }] });
    for (const [step, ledger, claims] of [
      [first, aLedger(), [{ orderFault: 'all of it' }]],
      [second, aLedgerThatIs('CREATED'), [{ order }, { orderFault: 'all of it' }]],
    ] as const) {
      const expected = take(step, ledger, { order: anOrder() });
      expect(expected).to.have.property('outcome', 'accepted');
      for (const claim of claims) expect(take(step, ledger, claim)).to.deep.equal(expected);
    }
  });

  for (const [index, step] of shopOfThree.steps.entries()) {
    const statuses = shopOfThree.statuses.filter((status) => !shopOfThree.stepsAfter(status).includes(step));
    it(`[anomaly 56] of ${step.name} does nothing while the order is paused`, () => {
      const ledger = aLedgerThatIs(PAUSED);
      const turn = take(step, ledger, { order: anOrder() });
      expect(turn.outcome).to.be.oneOf(['ignored', 'duplicate']);
      expect(turn.ledger).to.equal(ledger);
    });
    for (const status of statuses) {
      const ledger = aLedgerThatIs(status);
      const place = shopOfThree.statuses.indexOf(status);
      if (isFailed(ledger) || status === PAUSED) continue;
      if (place > index) {
        it(`[anomaly 1] of ${step.name} does nothing again once the order is ${status}`, () => {
          expect(take(step, ledger, { order: anOrder() })).to.deep.equal({ outcome: 'duplicate', ledger });
        });
      } else {
        it(`[anomaly 4] of ${step.name} does nothing while the order is ${status}`, () => {
          expect(take(step, ledger, { order: anOrder() })).to.deep.equal({ outcome: 'ignored', ledger });
        });
      }
    }
  }

  for (const status of ['FAILING', 'CANCELED'] as const satisfies readonly Status[]) {
    it(`[anomaly 8] does nothing where the order is ${status}`, () => {
      const ledger = aLedgerThatIs(status);
      for (const step of [first, second]) {
        expect(take(step, ledger, { order: anOrder() })).to.deep.equal({ outcome: 'fenced', ledger });
      }
    });
  }

  it('[anomaly 20] knows its own refusal again', () => {
    for (const [step, from] of [
      [first, aLedger()],
      [second, aLedgerThatIs('CREATED')],
    ] as const) {
      const { ledger } = take(step, from, {}, {});
      expect(take(step, ledger, { order: anOrder() })).to.deep.equal({ outcome: 'duplicate', ledger });
    }
  });

  it('[anomaly 28] refuses work that comes too late, and does none of it', () => {
    const late = aLedger({ deadlineSeconds: 10 });
    expect(take(first, late, {})).to.deep.equal(
      refused(first.name, late, 'DEADLINE_EXCEEDED', 'The order stood as RECEIVED for more than 10 s'),
    );
    const inTime = aLedger({ deadlineSeconds: 60 });
    expect(take(first, inTime, {})).to.deep.equal(accepted(inTime, done(first, inTime)));
  });

  it('refuses an order that asks it to, whatever it would decide, and no other step does', () => {
    for (const [step, ledger, other] of [
      [first, aLedger({ fail: first.name }), aLedger({ fail: second.name })],
      [
        second,
        aLedgerThatIs('CREATED', { fail: second.name }),
        aLedgerThatIs('CREATED', { fail: first.name }),
      ],
    ] as const) {
      const because = `The order asked for ${step.name} to fail (fail)`;
      const refusal = refused(step.name, ledger, 'STEP_FAILED', because);
      for (const documents of [DOCUMENTS, {}])
        expect(take(step, ledger, {}, documents)).to.deep.equal(refusal);
      expect(take(step, other, {})).to.have.property('outcome', 'accepted');
    }
  });

  it('refuses an order that asks it to and comes too late for being late', () => {
    const late = aLedger({ deadlineSeconds: 10, fail: first.name });
    expect(take(first, late, {}).ledger).to.have.property('reason', 'DEADLINE_EXCEEDED');
  });

  it('takes an order that came to rest before there was this step, however late that is', () => {
    const rested = aLedger({ deadlineSeconds: 10, sweepAt: null, expireAt: null });
    expect(take(first, rested, {})).to.deep.equal(accepted(rested, done(first, rested)));
  });
});

/** Tags are read and never held; without one, the step that uses them decides. */
const tags = document({
  name: 'tag',
  path: 'tags/{user}',
  schema: z.object({ label: z.string(), weight: z.int() }),
});
const rules = document({
  name: 'rule',
  path: 'rules/{user}',
  schema: z.object({ allowed: z.boolean() }),
  missing: 'NO_RULE',
  closedBecause: ({ allowed }) => (allowed ? undefined : 'The rule forbids it'),
});

/** A saga of one step that decides so. */
function sagaThat(decide: (known: object, read: Read, settings: object) => ReturnType<Step['decide']>) {
  const step: Step = stepsFor<Order>()({
    name: 'tagging',
    leadsTo: 'TAGGED',
    announces: 'tagged',
    says: 'the order has its tag',
    refusals: ['TOO_HEAVY'],
    uses: [tags, rules],
    learns: { label: z.string() },
    reads: ({ user }) => [tags.of(user), rules.of(user)],
    decide: decide as never,
    holds: () => [],
  });
  const saga = defineSaga({
    name: 'tagging',
    order: shopOfThree.order,
    entry: shopOfThree.entry,
    steps: [step],
    failure: shopOfThree.failure,
    end: shopOfThree.end,
    reasons: ['NO'],
    unknownReason: 'NO',
    services: [],
    subscriptions: {},
  });
  return { saga, step };
}
const TAGGED = { 'tags/jack': { label: 'red', weight: 3 }, 'rules/jack': { allowed: true } };
const tagging = (
  decide: Parameters<typeof sagaThat>[0],
  { documents = TAGGED, settings = {} }: { documents?: object; settings?: object } = {},
) => {
  const { saga, step } = sagaThat(decide);
  return takeStep(saga, step, aLedger(), documentsOf({ ...documents }), settings, LATER);
};

describe('The decision of a step', () => {
  it('is told the order, the moment, the documents that it reads, and its settings', () => {
    const told: unknown[] = [];
    tagging(
      (known, read, settings) => {
        told.push(known, read(tags.of('jack')), read(rules.of('jack')), settings);
        return accept({ label: 'x' });
      },
      { settings: deepFreeze({ TAG: 1 }) },
    );
    expect(told).to.deep.equal([
      { ...aLedger(), at: LATER },
      TAGGED['tags/jack'],
      TAGGED['rules/jack'],
      { TAG: 1 },
    ]);
  });

  it('becomes what the order learns, under the name of the step', () => {
    const { saga } = sagaThat(() => accept({}));
    const move = { step: 'tagging', by: 'tagging', learned: { label: 'red' }, now: LATER };
    expect(tagging(() => accept({ label: 'red' }))).to.deep.equal(
      accepted(aLedger(), advance(saga, aLedger(), move)),
    );
  });

  it('becomes a refusal with its reason, under the same name', () => {
    const decide = () => refuse('TOO_HEAVY', 'The order weighs too much');
    const refusal = { by: 'tagging', reason: 'TOO_HEAVY', detail: 'The order weighs too much', now: LATER };
    expect(tagging(decide)).to.deep.equal({
      outcome: 'refused',
      ledger: fail(sagaThat(decide).saga, aLedger(), refusal),
      detail: 'TOO_HEAVY: The order weighs too much',
    });
  });

  it('is a surprise where it says that it has learned what it does not declare', () => {
    expect(() => tagging(() => accept({ label: 'red', items: [] }))).to.throw('Unrecognized key');
    expect(() => tagging(() => accept({}))).to.throw('label');
  });

  it('is not asked for where an order passed the steps before they learned what it needs', () => {
    const { saga, step } = sagaThat(() => accept({ label: 'red' }));
    const needy = { ...step, needs: { weight: z.int() } };
    const late = () => takeStep(saga, needy, aLedger(), documentsOf(TAGGED), {}, LATER);
    expect(late).to.throw(`Order ${UUID} does not know weight, which tagging needs`);
  });

  it('is not asked for where a document is missing that the order needs, and learns of one that it can do without', () => {
    const { 'rules/jack': _rule, ...unruled } = TAGGED;
    expect(tagging(() => accept({ label: 'x' }), { documents: unruled })).to.deep.equal({
      outcome: 'refused',
      ledger: fail(sagaThat(() => accept({})).saga, aLedger(), {
        by: 'tagging',
        reason: 'NO_RULE',
        detail: 'There is no rule jack',
        now: LATER,
      }),
      detail: 'NO_RULE: There is no rule jack',
    });
    const { 'tags/jack': _tag, ...untagged } = TAGGED;
    const found = tagging((_known, read) => accept({ label: String(read(tags.of('jack'))) }), {
      documents: untagged,
    });
    expect(found.ledger).to.have.property('label', 'undefined');
  });

  it('is not asked for where a document that the order needs takes no orders', () => {
    const documents = { ...TAGGED, 'rules/jack': { allowed: false } };
    expect(tagging(() => accept({ label: 'x' }), { documents })).to.include({
      outcome: 'refused',
      detail: 'NO_RULE: The rule forbids it',
    });
  });

  it('is asked for all the same if an earlier step has read that document, and so taken the order by it', () => {
    const behindOneThatRead = (...read: Parameters<Step['reads']>[0][]) => {
      const { saga, step } = sagaThat(() => accept({ label: 'x' }));
      const first: Step = {
        ...step,
        name: 'first',
        leadsTo: 'FIRST',
        announces: 'firsts',
        learns: z.object({}),
        reads: () => read as never,
      };
      const both = defineSaga({ ...saga, steps: [first, step] } as never) as unknown as Saga;
      const ledger = advance(both, aLedger(), { step: 'first', by: 'first', learned: {}, now: LATER });
      const closed = documentsOf({ ...TAGGED, 'rules/jack': { allowed: false } });
      return takeStep(both, step, ledger, closed, {}, LATER).outcome;
    };
    expect(behindOneThatRead(tags.of('jack'), rules.of('jack'))).to.equal('accepted');
    expect(behindOneThatRead(tags.of('jack'), rules.of('jill'))).to.equal('refused');
  });

  it('[anomaly 43] is not asked for over a document that is malformed', () => {
    const documents = { ...TAGGED, 'tags/jack': { label: 'red', weight: '3' } };
    expect(() => tagging(() => accept({ label: 'x' }), { documents })).to.throw(
      'The document tags/jack is malformed',
    );
  });

  it('is a surprise where it looks at what it did not say that it reads', () => {
    expect(() => tagging((_known, read) => accept({ label: String(read(tags.of('jill'))) }))).to.throw(
      'tags/jill was not read: it is missing in what tagging reads',
    );
  });

  it('is a surprise where it learns something else than it said', () => {
    expect(() => tagging(() => accept({}))).to.throw('label');
    expect(() => tagging(() => accept({ label: 7 }))).to.throw('label');
  });

  it('is a surprise where it waits for a word, although its step does not say for which', () => {
    expect(() => tagging(() => wait(1, {}))).to.throw(`Order ${UUID} can't wait: tagging does not say how`);
  });

  it('has no hold on what it is told', () => {
    const meddle = (known: object) => {
      (known as { items: { quantity: number }[] }).items.splice(0);
      return accept({ label: 'x' });
    };
    expect(() => tagging(meddle)).to.throw(TypeError);
  });
});
