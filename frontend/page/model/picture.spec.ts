import { expect } from 'chai';
import { trip } from '../../../examples/trip/trip.ts';
import { pipeline } from '../../../pipeline.ts';
import { definitionOf } from '../../definition-route.ts';
import type { Order, Took } from './order.ts';
import { pictureOf, type Stage } from './picture.ts';

const shop = definitionOf(pipeline);

/** An order with this history, a transition every 10 ms, such as "CREATED order". */
function orderWith(lines: readonly string[], more: Partial<Order> = {}): Order {
  const history = lines.map((line, index) => {
    const [status = '', by = '', reason] = line.split(' ');
    const at = new Date(Date.UTC(2026, 0, 2) + index * 10).toISOString();
    return { at, status, by, ...(reason && { reason }) };
  });
  const { status = '', at: updatedAt = '' } = history.at(-1) ?? {};
  const createdAt = history[0]?.at ?? '';
  return { uuid: 'u', status, createdAt, updatedAt, history, ...more };
}

const statesOf = (order: Order, saga = shop) =>
  Object.fromEntries(
    pictureOf(saga, order)
      .groups.flat()
      .map(({ name, state }) => [name, state]),
  );

const PAID = ['RECEIVED frontend', 'CREATED order', 'RESERVED inventory', 'PAID payments'];

describe('The picture of an order', () => {
  it('has a stage for the entry and for each step of the saga, in their order', () => {
    const names = pictureOf(shop, orderWith(['RECEIVED frontend']))
      .groups.flat()
      .map(({ name }) => name);
    expect(names).to.deep.equal(['frontend', ...pipeline.steps.map(({ name }) => name)]);
  });

  it('lights up nothing before there is an order', () => {
    expect(new Set(Object.values(statesOf(orderWith([]))))).to.deep.equal(new Set(['ahead']));
  });

  it('lights up the step whose turn it is', () => {
    expect(statesOf(orderWith(PAID.slice(0, 2)))).to.deep.equal({
      frontend: 'done',
      order: 'done',
      inventory: 'active',
      payments: 'ahead',
      delivery: 'ahead',
    });
  });

  it('lights up all steps that run beside one another, and each is done by itself', () => {
    const saga = definitionOf(trip);
    const [first, second] = trip.groups.find((group) => group.length > 1) ?? [];
    const begun = ['RECEIVED frontend', `${first?.leadsTo} ${first?.name}`];
    const states = statesOf(orderWith(begun), saga);
    expect(states[first?.name ?? '']).to.equal('done');
    expect(states[second?.name ?? '']).to.equal('active');
  });

  it('says how long each step took after the one before, and the whole', () => {
    const picture = pictureOf(shop, orderWith(PAID));
    expect(picture.groups.flat().map(({ afterMs }) => afterMs)).to.deep.equal([0, 10, 10, 10, undefined]);
    expect(picture.elapsedMs).to.equal(30);
  });

  it('shows a step that waits for a word, and one that has heard it', () => {
    const waiting = [...PAID, 'DELIVERING delivery'];
    expect(statesOf(orderWith(waiting)).delivery).to.equal('waiting');
    expect(statesOf(orderWith([...waiting, 'RESUMED delivery'])).delivery).to.equal('active');
    expect(statesOf(orderWith([...waiting, 'RESUMED delivery', 'DELIVERED delivery'])).delivery).to.equal(
      'done',
    );
  });

  it('shows a paused order before its next step, and lets it go on where it stood', () => {
    const paused = [...PAID.slice(0, 3), 'PAUSED janitor'];
    expect(statesOf(orderWith(paused)).payments).to.equal('paused');
    expect(statesOf(orderWith([...paused, 'RESERVED janitor']))).to.include({
      inventory: 'done',
      payments: 'active',
    });
  });

  it('shows a step that an operator has passed over', () => {
    expect(statesOf(orderWith([...PAID.slice(0, 3), 'PAID janitor'])).payments).to.equal('skipped');
  });

  it('turns the step red that refused, and runs back through exactly those that were done', () => {
    const refused = [...PAID.slice(0, 3), 'FAILING payments PAYMENT_ERROR'];
    const cause = { reason: 'PAYMENT_ERROR', detail: 'no' };
    const failing = pictureOf(shop, orderWith(refused, cause));
    expect(failing.groups.flat().map(({ state }) => state)).to.deep.equal([
      'undoing',
      'undoing',
      'undoing',
      'refused',
      'ahead',
    ]);
    expect(failing.failure).to.deep.equal({
      at: '2026-01-02T00:00:00.030Z',
      by: 'payments',
      ...cause,
      undoneBy: 'janitor',
      undoes: ['inventory', 'order', 'frontend'],
    });
    const canceled = pictureOf(shop, orderWith([...refused, 'CANCELED janitor'], cause));
    expect(canceled.groups.flat().map(({ state }) => state)).to.deep.equal([
      'undone',
      'undone',
      'undone',
      'refused',
      'ahead',
    ]);
    expect(canceled.failure).to.include({ undoneAt: '2026-01-02T00:00:00.040Z', tookMs: 10 });
  });

  it('has no red step if the order was canceled from outside', () => {
    for (const by of ['frontend', 'janitor']) {
      const canceled = orderWith([...PAID, `FAILING ${by}`, 'CANCELED janitor']);
      expect(Object.values(statesOf(canceled))).to.deep.equal([
        'undone',
        'undone',
        'undone',
        'undone',
        'ahead',
      ]);
      expect(pictureOf(shop, canceled).failure?.by).to.equal(by);
    }
  });

  it('finds the step that refused an orchestrated order, although the coordinator says so', () => {
    const refused = ['RECEIVED frontend', 'CREATED orchestrator', 'FAILING orchestrator ITEM_NOT_FOUND'];
    expect(statesOf(orderWith(refused)).inventory).to.equal('refused');
    const asked = ['RECEIVED frontend', 'FAILING orchestrator STEP_FAILED'];
    expect(statesOf(orderWith(asked)).order).to.equal('refused');
  });

  it('shows a fork or a tombstone that was canceled while it was paused', () => {
    const canceled = [...PAID.slice(0, 3), 'PAUSED janitor', 'FAILING janitor', 'CANCELED janitor'];
    expect(pictureOf(shop, orderWith(canceled)).failure).to.include({ by: 'janitor' });
  });

  it('says at each stage what it made the order hold', () => {
    const took: Took[] = [{ step: 'inventory', kind: 'item', name: 'widget', amount: 2 }];
    const stages = pictureOf(shop, orderWith(PAID, { took })).groups.flat();
    expect(stages.filter((stage: Stage) => stage.took.length > 0).map(({ name }) => name)).to.deep.equal([
      'inventory',
    ]);
  });
});
