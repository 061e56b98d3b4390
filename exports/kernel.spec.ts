import { expect } from 'chai';
import type { Ledger, OrderKind } from 'order-saga';
import {
  accept,
  account,
  counter,
  defineSaga,
  janitor,
  notifier,
  orchestrator,
  refuse,
  stepsFor,
  wait,
} from 'order-saga';
import { outcomeOf, type Subject, simulate } from 'order-saga/test-kit';
import { z } from 'zod';

/** A library asks a person before it lends, and counts what a reader has. All that says so comes from the package. */

const orderSchema = z.object({
  reader: z.string(),
  book: z.string(),
  mode: z.literal('orchestration').exactOptional(),
});
type Loan = z.infer<typeof orderSchema>;
const loans: OrderKind<Loan> = {
  schema: orderSchema,
  listedBy: ['reader'],
  modeIn: 'mode',
  parse(body) {
    const { data } = orderSchema.safeParse(body);
    return data ? { order: data } : { faults: [{ field: 'body', message: 'is no loan' }] };
  },
  shows: ({ reader, book, mode }: Ledger<Loan>) => ({ reader, book, mode }),
};
const books = account({
  name: 'book',
  path: 'books/{book}',
  balance: 'there',
  whole: 'copies',
  fields: {},
  missing: 'NO_SUCH_BOOK',
  shortage: 'ALL_LENT',
});
const tallies = counter({ name: 'tally', path: 'tallies/{reader}', counts: 'lent' });

const lend = stepsFor<Loan>()({
  name: 'desk',
  leadsTo: 'LENT',
  announces: 'book-lent',
  says: 'the reader has the book',
  refusals: ['DECLINED'],
  uses: [books, tallies],
  waits: {
    as: 'ASKED',
    announces: 'loan-asked',
    says: 'a librarian is asked',
    words: { agree: {}, decline: {} },
    afterwards: 'give up',
    path: 'loans/{uuid}',
    holds: ({ book }) => [books.of(book).amount(1)],
  },
  reads: ({ book, reader }) => [books.of(book), tallies.of(reader)],
  decide({ word }) {
    if (word === undefined) return wait(3_600, {});
    return word.word === 'agree' ? accept({}) : refuse('DECLINED', 'The librarian declined');
  },
  holds: ({ book, reader }) => [books.of(book).amount(1), tallies.of(reader).amount(-1)],
});

const library = defineSaga({
  name: 'library',
  order: loans,
  entry: { topic: 'loan-wanted', says: 'a reader wants a book' },
  steps: [lend],
  resumption: { topic: 'loan-resumed', says: 'the librarian has spoken' },
  workflow: { topic: 'loan-workflow', says: 'an orchestrated loan goes on' },
  failure: { topic: 'loan-failed', says: 'the loan was refused, or took too long' },
  end: { topic: 'loan-ended', says: 'the loan holds nothing any more' },
  reasons: ['NO_LOAN'],
  unknownReason: 'NO_LOAN',
  services: [janitor, orchestrator, notifier],
  subscriptions: {},
});

const order = { reader: 'ann', book: 'dune' };

describe('With the package alone, a saga', () => {
  it('can wait for a word, and count what it gives', () => {
    const there = { 'books/dune': { there: 1, copies: 1 } };
    expect(outcomeOf(library, 'desk', { order, documents: there })).to.deep.equal({
      waiting: {},
      seconds: 3_600,
      changes: { 'books/dune': { there: 0, copies: 1 } },
    });
    const held = { 'books/dune': { there: 0, copies: 1 } };
    expect(outcomeOf(library, 'desk', { order, documents: held, word: { word: 'agree' } })).to.deep.equal({
      accepted: {},
      changes: { 'tallies/ann': { lent: 1 } },
    });
    expect(outcomeOf(library, 'desk', { order, documents: held, word: { word: 'decline' } })).to.deep.equal({
      refused: 'DECLINED',
      detail: 'The librarian declined',
    });
  });

  it('keeps the promise in simulated worlds, in both modes', async () => {
    const loan: Subject = {
      saga: library,
      data: { books: { dune: { there: 2 } } },
      anOrder: (dice) => ({ ...order, ...dice.oneOf([{}, { mode: 'orchestration' }]) }),
    };
    const { failure } = await simulate(loan, { seeds: 20 });
    if (failure) throw new Error(failure.report);
  }).timeout(60_000);
});
