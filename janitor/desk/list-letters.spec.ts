import { expect } from 'chai';
import type { Query } from '../../saga/ports/store.ts';
import { NOW, storeHolding, uuidOf } from '../../test/support/builders.ts';
import { deadLetterPath } from './letter.ts';
import { COUNTED_MAX, countReasons, listLetters } from './list-letters.ts';

/** The letter with this number, made so many seconds after NOW. */
const letterAt = (number: number, fields: object = {}) => ({
  id: uuidOf(number),
  status: 'parked',
  reason: 'The message is not JSON',
  createdAt: new Date(NOW.getTime() + number * 1000),
  ...fields,
});
const holding = (...letters: { id: string }[]) =>
  storeHolding(Object.fromEntries(letters.map((letter) => [deadLetterPath(letter.id), letter])));
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('The list of letters', () => {
  it('has those of one status, newest first, a page at a time', async () => {
    const store = await holding(
      ...range(5).map((number) => letterAt(number)),
      letterAt(9, { status: 'discarded' }),
    );
    const listed: string[][] = [];
    let page: string | undefined;
    do {
      const { letters, nextPage } = await listLetters(store, { status: 'parked' }, 2, page);
      listed.push(letters.map(({ id }) => id));
      page = nextPage;
    } while (page !== undefined);
    expect(listed).to.deep.equal([[uuidOf(4), uuidOf(3)], [uuidOf(2), uuidOf(1)], [uuidOf(0)]]);
    const discarded = await listLetters(store, { status: 'discarded' }, 2, undefined);
    expect(discarded.letters.map(({ id }) => id)).to.deep.equal([uuidOf(9)]);
  });

  it('keeps to one reason', async () => {
    const store = await holding(letterAt(1), letterAt(2, { reason: 'It is poison' }));
    const { letters } = await listLetters(store, { status: 'parked', reason: 'It is poison' }, 10, undefined);
    expect(letters.map(({ id }) => id)).to.deep.equal([uuidOf(2)]);
  });
});

describe('The count by reason', () => {
  it('has the parked letters, the most frequent reason first, and those as frequent by their names', async () => {
    const store = await holding(
      letterAt(1, { reason: 'It is poison' }),
      letterAt(2, { reason: 'A typo' }),
      ...range(120).map((number) => letterAt(10 + number)),
      letterAt(300, { status: 'redriven' }),
      letterAt(301, { reason: 'Too large' }),
    );
    expect(await countReasons(store)).to.deep.equal({
      reasons: [
        { reason: 'The message is not JSON', count: 120 },
        { reason: 'A typo', count: 1 },
        { reason: 'It is poison', count: 1 },
        { reason: 'Too large', count: 1 },
      ],
      counted: 123,
      complete: true,
    });
  });

  it('ends early on a desk that overflows, and says so', async () => {
    const empty = await holding();
    const endless = {
      ...empty,
      query: async ({ limit }: Query) => range(limit).map((number) => letterAt(number)),
    };
    expect(await countReasons(endless)).to.deep.equal({
      reasons: [{ reason: 'The message is not JSON', count: COUNTED_MAX }],
      counted: COUNTED_MAX,
      complete: false,
    });
  });
});
