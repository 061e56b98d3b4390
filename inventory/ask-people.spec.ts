import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import type { Path } from '../saga/ports/store.ts';
import { wordTask } from '../saga/step/hear-word.ts';
import { changeOf } from '../saga/step/holds.ts';
import type { WaitingStep } from '../saga/step/saga.ts';
import { afterwards, aLedgerThatIs, documentsOf, LATER } from '../test/support/builders.ts';
import { type Given, outcomeOf, UUID, whenCanceled } from '../test-kit/step-outcome.ts';

const stock = (widgets: number, wotsits: number): Readonly<Record<Path, object>> => ({
  'inventory/widget': { quantity: widgets, loaded: 99, price_per_unit: 10 },
  'inventory/wotsit': { quantity: wotsits, loaded: 99, price_per_unit: 15 },
});
const items = [
  { item: 'widget', quantity: 5 },
  { item: 'wotsit', quantity: 2 },
];
const line = (item: string, quantity: number) => ({
  item,
  quantity,
  price_per_unit: item === 'widget' ? 10 : 15,
});
const reservation = (item: string): Path => `inventory/${item}/orders/${UUID}`;
const DAY_SECONDS = 86_400;

const given = (fields: Partial<Given> & { readonly asks?: boolean }): Given => ({
  order: { user: 'jack', items, ...(fields.asks && { on_shortage: 'ask' }) },
  documents: stock(50, 50),
  ...fields,
});
const outcome = (fields: Parameters<typeof given>[0]) => outcomeOf(pipeline, 'inventory', given(fields));
const ALL = [line('widget', 5), line('wotsit', 2)];

describe('An order of which only a part is there', () => {
  it('is refused, unless it asks', () => {
    expect(outcome({ documents: stock(3, 50) })).to.deep.include({ refused: 'INSUFFICIENT_INVENTORY' });
  });

  it('that asks holds what there is, at its price, and waits a day for a word', () => {
    expect(outcome({ asks: true, documents: stock(3, 0) })).to.deep.equal({
      waiting: { offered: [line('widget', 3)] },
      seconds: DAY_SECONDS,
      changes: {
        'inventory/widget': { quantity: 0, loaded: 99, price_per_unit: 10 },
        [reservation('widget')]: { quantity: 3, price_per_unit: 10 },
      },
    });
  });

  it('that asks is refused where nothing is there at all, and does not wait where all is', () => {
    expect(outcome({ asks: true, documents: stock(0, 0) })).to.deep.include({
      refused: 'INSUFFICIENT_INVENTORY',
    });
    expect(outcome({ asks: true })).to.deep.include({ accepted: { lines: ALL } });
  });
});

describe('An order of more than APPROVAL_ABOVE', () => {
  const settings = (APPROVAL_ABOVE: number) => ({ APPROVAL_ABOVE, APPROVAL_HOURS: 2 });

  it('waits for a person, and one of exactly that does not', () => {
    expect(outcome({ settings: settings(79) })).to.deep.include({ waiting: { offered: ALL }, seconds: 7200 });
    expect(outcome({ settings: settings(80) })).to.deep.include({ accepted: { lines: ALL } });
  });
});

describe('A word for an order that waits', () => {
  const held = {
    ...stock(45, 48),
    [reservation('widget')]: { quantity: 5, price_per_unit: 10 },
    [reservation('wotsit')]: { quantity: 2, price_per_unit: 15 },
  };
  const waited = { learned: { offered: ALL }, documents: held };
  const step = pipeline.steps.find(({ name }) => name === 'inventory') as WaitingStep;
  const amend = (...lines: (typeof items)[number][]) => ({ word: 'amend', items: lines });

  /** What the word alone does, in the service that hears it. */
  function heard(word: { readonly word: string }) {
    const ledger = { ...aLedgerThatIs('WAITING', { items }), offered: ALL };
    const copy = documentsOf(held);
    const turn = wordTask(pipeline, step, { uuid: UUID, word, by: 'frontend' }).take(ledger, copy, LATER);
    const change = turn.ledger && changeOf(pipeline, ledger, turn.ledger, copy);
    const writes = change && 'writes' in change ? change.writes : [];
    const after = afterwards(copy, writes);
    return {
      outcome: turn.outcome,
      ...(turn.detail && { detail: turn.detail }),
      changes: Object.fromEntries(writes.map(({ path }) => [path, after.get(path)])),
    };
  }

  it('approve: it gets what it was offered, and nothing moves', () => {
    expect(heard({ word: 'approve' })).to.deep.equal({ outcome: 'resumed', changes: {} });
    const approved = outcome({ ...waited, word: { word: 'approve' } });
    expect(approved).to.deep.equal({ accepted: { lines: ALL }, changes: {} });
  });

  it('[anomaly 49] amend: the price follows, and the difference goes back in the commit of the word', () => {
    expect(heard(amend({ item: 'widget', quantity: 2 }))).to.deep.equal({
      outcome: 'resumed',
      changes: {
        'inventory/widget': { quantity: 48, loaded: 99, price_per_unit: 10 },
        'inventory/wotsit': { quantity: 50, loaded: 99, price_per_unit: 15 },
        [reservation('widget')]: { quantity: 2, price_per_unit: 10 },
        [reservation('wotsit')]: undefined,
      },
    });
    const amended = outcome({
      ...waited,
      documents: { ...stock(48, 50), [reservation('widget')]: { quantity: 2, price_per_unit: 10 } },
      word: amend({ item: 'widget', quantity: 2 }),
    });
    expect(amended).to.deep.equal({ accepted: { lines: [line('widget', 2)] }, changes: {} });
  });

  it('[anomaly 49] amend: leaves alone what it names in full, and gives back of another line alone', () => {
    const word = amend({ item: 'widget', quantity: 5 }, { item: 'wotsit', quantity: 1 });
    expect(heard(word)).to.deep.equal({
      outcome: 'resumed',
      changes: {
        'inventory/wotsit': { quantity: 49, loaded: 99, price_per_unit: 15 },
        [reservation('wotsit')]: { quantity: 1, price_per_unit: 15 },
      },
    });
  });

  it('amend: takes nothing that the order does not hold', () => {
    const detail = (...lines: (typeof items)[number][]) => heard(amend(...lines)).detail;
    expect(detail({ item: 'widget', quantity: 6 })).to.equal(
      'An amendment takes out lines or makes them smaller: the order holds 5 of widget',
    );
    expect(detail({ item: 'unicorn', quantity: 1 })).to.match(/the order holds 0 of unicorn$/);
    expect(detail({ item: 'widget', quantity: 1 }, { item: 'widget', quantity: 1 })).to.equal(
      'items names "widget" twice: add the quantities up',
    );
    expect(heard({ word: 'amend' }).outcome).to.equal('unheeded');
    expect(heard(amend()).outcome).to.equal('unheeded');
  });

  it('[anomaly 13] cancel, or none in time: everything goes back', () => {
    const order = { user: 'jack', items };
    const record = { [`users/jack/orders/${UUID}`]: { items, createdAt: LATER } };
    const documents = { ...held, ...record };
    expect(
      whenCanceled(pipeline, { order, learned: { offered: ALL }, documents, status: 'WAITING' }),
    ).to.deep.equal({
      'inventory/widget': { quantity: 50, loaded: 99, price_per_unit: 10 },
      'inventory/wotsit': { quantity: 50, loaded: 99, price_per_unit: 15 },
      [reservation('widget')]: undefined,
      [reservation('wotsit')]: undefined,
      [`users/jack/orders/${UUID}`]: undefined,
    });
  });
});
