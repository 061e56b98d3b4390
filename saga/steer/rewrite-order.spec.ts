import { expect } from 'chai';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { aLedgerThatIs, documentsOf, LATER, UUID } from '../../test/support/builders.ts';
import { finishedOrder } from '../../test/support/finished-order.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { create, remove, update } from '../commit/documents.ts';
import { takeTurns } from '../deliver/turns.ts';
import { isStanding } from '../ledger/deadline.ts';
import { historyLine } from '../ledger/history.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerPath } from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';
import { changeOf } from '../step/holds.ts';
import { rewriteTask } from './rewrite-order.ts';

/** Joe's order becomes jill's. */
const toJill = (ledger: Ledger) => ((ledger as OrderLedger).user === 'jill' ? undefined : { user: 'jill' });
const task = (replaces: (ledger: Ledger) => object | undefined = toJill) =>
  rewriteTask(pipeline, UUID, replaces, { by: 'order', person: 'alice' });
const { ledger, documents } = finishedOrder();
const { charged = 0 } = ledger;
const jill = (credit: number) => ({
  'users/jill': { address: '5 Low Street', credit, credit_limit: credit },
});
const world = (credit: number): Record<Path, object> => ({
  ...Object.fromEntries(documents),
  ...jill(credit),
});
const rewritten = historyLine(ledger.status, 'order', LATER, 'alice');

describe('An order at rest that is rewritten', () => {
  it('says something else, and by whose wish; its history stays', () => {
    expect(task().take(ledger, documentsOf(world(charged)), LATER)).to.deep.equal({
      outcome: 'rewritten',
      ledger: { ...ledger, user: 'jill', rewritten },
    });
  });

  it('takes along its records and what it holds of accounts, and touches nothing else', () => {
    const read = documentsOf(world(charged));
    const after = task().take(ledger, read, LATER).ledger as Ledger;
    const change = changeOf(pipeline, ledger, after, read);
    const was = (path: Path) => documents.get(path) as Record<string, unknown>;
    const record = was(`users/joe/orders/${UUID}`);
    expect('writes' in change && change.writes).to.have.deep.members([
      update('users/joe', { credit: Number(was('users/joe').credit) + charged }),
      update('users/jill', { credit: 0 }),
      remove(`users/joe/orders/${UUID}`),
      create(`users/jill/orders/${UUID}`, record),
      update(`payments/${UUID}`, { ...was(`payments/${UUID}`), user: 'jill' }),
      update(`deliveries/${UUID}`, { ...was(`deliveries/${UUID}`), user: 'jill' }),
    ]);
  });

  it('reads all that it may write', () => {
    const paths = task().reads?.(ledger, documentsOf({})) ?? [];
    expect(paths).to.include.members([
      'users/joe',
      'users/jill',
      `payments/${UUID}`,
      `users/joe/orders/${UUID}`,
    ]);
    expect(task().reads?.(undefined, documentsOf({}))).to.deep.equal([]);
  });

  it('is rewritten once, however often it is asked', () => {
    const after = { ...ledger, user: 'jill', rewritten };
    expect(task().reads?.(after, documentsOf({}))).to.deep.equal([]);
    expect(task().take(after, documentsOf({}), LATER)).to.deep.equal({ outcome: 'duplicate', ledger: after });
  });

  it('stays as it is, and never fails, if the other account has too little', () => {
    expect(() => task().take(ledger, documentsOf(world(charged - 1)), LATER)).to.throw(
      `user jill has credit ${charged - 1}, which is less than ${charged}`,
    );
  });

  it('must be a ledger that can be read again', () => {
    expect(() => task(() => ({ user: 7 })).take(ledger, documentsOf(world(charged)), LATER)).to.throw(
      `The ledger of order ${UUID} can't be right: user: `,
    );
  });

  it('is committed, and announces nothing', async () => {
    const ports = await recordedPorts(world(charged));
    const [taken] = await takeTurns(pipeline, 'order', [task()], ports);
    expect(taken).to.have.nested.property('turn.outcome', 'rewritten');
    expect(ports.published).to.deep.equal([]);
    const found = await ports.store.read([ledgerPath(UUID), `payments/${UUID}`]);
    expect([...found.values()].map(({ fields }) => (fields as { user: string }).user)).to.deep.equal([
      'jill',
      'jill',
    ]);
  });

  it('must exist', () => {
    expect(task().take(undefined, documentsOf({}), LATER)).to.deep.equal({ outcome: 'ignored' });
  });
});

describe('An order that stands', () => {
  for (const status of pipeline.statuses.filter((one) => isStanding(pipeline, { status: one }))) {
    it(`is not rewritten while it is ${status}`, () => {
      const standing = aLedgerThatIs(status);
      expect(task().take(standing, documentsOf(jill(0)), LATER)).to.deep.equal({
        outcome: 'unheeded',
        ledger: standing,
        detail: `The order stands as ${status}`,
      });
    });
  }
});
