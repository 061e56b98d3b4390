import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { isFailed, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { isAmount } from '../../saga/step/holds.ts';
import { LOWER_A_THRESHOLD } from '../support/builders.ts';
import { falsified } from '../support/falsified.ts';
import { finishedOrder, LOADED } from '../support/finished-order.ts';
import {
  ACCOUNTS,
  type AllDocuments,
  bookFaults,
  earlyFaults,
  type Fields,
  forkFaults,
  holdingFaults,
  keepingFaults,
  type Loaded,
  PAUSED,
  personalFaults,
  transitionFaults,
  WAITING,
  WAY,
} from './invariants.ts';

/**
 * The checker is written by hand, and the test kit checks much of the same. So that neither hides what the other lacks, each
 * thing that an order of the pipeline holds or has learned is falsified here, and the checker alone must notice.
 */

const { ledger, holds, documents } = finishedOrder();
const PATH = ledgerPath(ledger.uuid);
const order = ledger as Required<typeof ledger>;

/** Everything as it is, but for this document; undefined: it is gone. */
function having(path: Path, fields: Fields | undefined): AllDocuments {
  const others = new Map(documents);
  others.delete(path);
  return fields === undefined ? others : others.set(path, fields);
}

const faultsOfBooks = (all: AllDocuments) => bookFaults(all, LOADED as unknown as Loaded);
const faultsOfHoldings = (all: AllDocuments) => holdingFaults(all, [order], new Set());

/** @param todo what to do if the step is new. */
function mustNotice(faults: readonly string[], what: string, todo: string): void {
  expect(faults, `test/simulation/invariants.ts knows nothing of ${what}: ${todo}`).not.to.deep.equal([]);
}

describe('The hand-written checker of the simulation', () => {
  it('knows every status, and where the documents of every kind lie', () => {
    const statuses = pipeline.statuses.filter(
      (status) => !isFailed({ status }) && ![...WAY, WAITING, PAUSED].includes(status),
    );
    expect(statuses, 'add them to WAY of test/simulation/invariants.ts').to.deep.equal([]);
    const accounts = [...documents.keys()].filter(
      (path) => ACCOUNTS.test(path) !== pipeline.accounts.some(({ namesIn }) => namesIn(path) !== undefined),
    );
    expect(accounts, 'add their collections to ACCOUNTS of test/simulation/invariants.ts').to.deep.equal([]);
  });

  it('finds nothing where all is well', () => {
    expect([
      ...transitionFaults(PATH, undefined, ledger),
      ...transitionFaults(PATH, ledger, ledger),
      ...faultsOfBooks(documents),
      ...faultsOfHoldings(documents),
    ]).to.deep.equal([]);
  });

  for (const hold of holds) {
    const { path } = hold;
    if (!isAmount(hold)) {
      it(`notices that the ${hold.record.name} of an order is gone`, () => {
        mustNotice(faultsOfHoldings(having(path, undefined)), path, 'add it to recordPathsOf');
        mustNotice(faultsOfBooks(having(path, undefined)), path, 'add it to recordFaults');
      });

      it(`notices that the ${hold.record.name} of an order says something else`, () => {
        for (const fields of falsified(hold.fields)) {
          mustNotice(faultsOfBooks(having(path, fields as Fields)), path, 'add it to recordFaults');
        }
      });
    } else {
      const { name, balance } = hold.account;
      it(`notices that a unit of the ${name} is gone, and that an order took none`, () => {
        expect(hold.amount, `joe's order takes nothing of ${path}: ${LOWER_A_THRESHOLD}`).not.to.equal(0);
        const account = documents.get(path) as Fields;
        for (const change of [-1, hold.amount]) {
          const faults = faultsOfBooks(having(path, { ...account, [balance]: account[balance] + change }));
          mustNotice(faults, `the ${balance} of ${path}`, 'add a function like stockFaults to bookFaults');
        }
      });
    }
  }

  for (const field of [
    ...pipeline.orderFields,
    ...pipeline.acts.flatMap(({ learns }) => Object.keys(learns.shape)),
  ]) {
    it(`notices that a later commit overwrites or forgets ${field}`, () => {
      // Joe's order lacks what need not be asked.
      const before: Fields = { [field]: 'invented', ...ledger };
      const { [field]: value, ...forgotten } = before;
      const overwritten = falsified(value).map((other) => ({ ...before, [field]: other }));
      for (const after of [forgotten, ...overwritten])
        mustNotice(transitionFaults(PATH, before, after), field, 'add it to WRITTEN_ONCE');
    });
  }

  const at = new Date('2030-01-01T00:00:00.000Z');
  const FORK = 'sagas/fork';
  const copied = ledger.history.slice(0, ledger.history.findIndex((line) => line.includes(' PAID ')) + 1);
  const begun = [`${at.toISOString()} PAUSED janitor`, `${at.toISOString()} PAID janitor`];
  const { offered: _, address: __, ...known } = ledger as Fields;
  const fork = { ...known, uuid: 'fork', forkOf: { uuid: order.uuid, at }, history: [...copied, ...begun] };
  const origin: Fields = { ...ledger, forks: ['fork'] };
  const faultsOfFork = (after: Fields, from = origin, others: readonly [string, Fields][] = []) =>
    forkFaults(new Map([[PATH, from], [FORK, after], ...others]), { path: FORK, before: undefined, after });

  it('finds nothing wrong with a fork that is right', () => {
    expect(faultsOfFork(fork)).to.deep.equal([]);
    expect(forkFaults(new Map([[FORK, fork]]), { path: PATH, before: ledger, after: origin })).to.deep.equal(
      [],
    );
  });

  it('notices what is wrong with a fork', () => {
    const twin = { ...fork, uuid: 'twin' };
    const wrong: Readonly<Record<string, readonly string[]>> = {
      'of an order that stands': faultsOfFork(fork, { ...origin, status: 'PAID' }),
      'that its origin does not name': faultsOfFork(fork, ledger),
      'that there is twice': faultsOfFork(fork, { ...origin, forks: ['twin', 'fork'] }, [
        ['sagas/twin', twin],
      ]),
      'with another past': faultsOfFork({ ...fork, history: [...copied.slice(1), ...begun] }),
      'that has moved on in its first commit': faultsOfFork({
        ...fork,
        history: [...fork.history, 'at PAID'],
      }),
      'that was charged otherwise': faultsOfFork({ ...fork, charged: -1 }),
      'that is named and does not exist': forkFaults(new Map(), {
        path: PATH,
        before: ledger,
        after: origin,
      }),
      'that is forgotten': forkFaults(new Map(), { path: PATH, before: origin, after: ledger }),
    };
    for (const [what, faults] of Object.entries(wrong)) expect(faults, what).not.to.deep.equal([]);
  });

  it('[anomaly 53] notices an order that fails as too late before any clock shows that it is', () => {
    const line = (status: string, seconds: number) =>
      `${new Date(at.getTime() + 1000 * seconds).toISOString()} ${status} janitor`;
    const failing = (before: string, reason: string, seconds: number) => {
      const way = { deadlineSeconds: 900, history: [line('RECEIVED', 0), line(before, 10)] };
      const history = [...way.history, line('FAILING', seconds)];
      return earlyFaults(PATH, way, { ...way, history, reason }, at.getTime() + 1000 * seconds);
    };
    expect(failing('CREATED', 'DEADLINE_EXCEEDED', 909)).to.have.length(1);
    expect(failing('CREATED', 'DEADLINE_EXCEEDED', 910)).to.deep.equal([]);
    expect(failing('CREATED', 'CANCELED_BY_CUSTOMER', 11)).to.deep.equal([]);
    expect(failing(WAITING, 'DEADLINE_EXCEEDED', 86_409)).to.have.length(1);
    expect(failing(WAITING, 'DEADLINE_EXCEEDED', 86_410)).to.deep.equal([]);
    expect(failing('DELIVERING', 'DEADLINE_EXCEEDED', 1_000_000)).to.have.length(1);
  });

  const pseudonym = '00000000-1111-4111-8111-111111111111';
  const rewritten = `${at.toISOString()} ${ledger.status} order`;
  const erased: Fields = { ...ledger, user: pseudonym, address: 'erased', rewritten };

  it('finds nothing wrong with an order whose customer is erased', () => {
    expect(transitionFaults(PATH, ledger, erased)).to.deep.equal([]);
  });

  it('notices what is wrong with an order that is rewritten', () => {
    const wrong: Readonly<Record<string, readonly string[]>> = {
      'keeps its customer': transitionFaults(PATH, ledger, { ...erased, user: order.user }),
      'keeps the address': transitionFaults(PATH, ledger, { ...erased, address: order.address }),
      'was charged otherwise': transitionFaults(PATH, ledger, { ...erased, charged: order.charged + 1 }),
      'does not say so': transitionFaults(PATH, ledger, { ...erased, rewritten: undefined }),
      'has a history that goes on': transitionFaults(PATH, ledger, {
        ...erased,
        history: [...ledger.history, `${at.toISOString()} FAILING order`],
        status: 'FAILING',
      }),
    };
    for (const [what, faults] of Object.entries(wrong)) expect(faults, what).not.to.deep.equal([]);
  });

  it('notices a customer who is gone and was never marked, or owes something, and one who is named', () => {
    const joe = 'users/joe';
    const whole = { credit: 9, credit_limit: 9, erasedAs: pseudonym };
    expect(keepingFaults(joe, whole, undefined)).to.deep.equal([]);
    expect(keepingFaults(joe, { ...whole, erasedAs: undefined }, undefined)).not.to.deep.equal([]);
    expect(keepingFaults(joe, { ...whole, credit: 8 }, undefined)).not.to.deep.equal([]);
    expect(keepingFaults(joe, whole, { ...whole, erasedAs: 'another' })).not.to.deep.equal([]);
    const named = new Map([['dead-letters/1', { body: 'from joe' }]]);
    expect(personalFaults(named, new Set(['joe']))).to.have.length(1);
    expect(personalFaults(named, new Set(['jo']))).to.deep.equal([]);
  });

  it('notices a dead letter that is another one, and one that is only half emptied', () => {
    const letter = { id: '1', status: 'parked', reason: 'unknown', attributes: [{}], body: 'from joe' };
    const emptied = {
      id: '1',
      status: 'discarded',
      reason: 'Its customer was erased',
      attributes: [],
      body: '',
    };
    expect(keepingFaults('dead-letters/1', letter, emptied)).to.deep.equal([]);
    for (const after of [
      { ...letter, body: '' },
      { ...emptied, id: '2' },
      { ...emptied, body: letter.body },
    ])
      expect(keepingFaults('dead-letters/1', letter, after)).not.to.deep.equal([]);
    expect(keepingFaults('dead-letters/1', emptied, letter)).not.to.deep.equal([]);
  });
});
