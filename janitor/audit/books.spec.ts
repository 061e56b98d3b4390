import { expect } from 'chai';
import { counter } from '../../saga/step/document.ts';
import { customers } from '../../shop/customers.ts';
import { sales } from '../../shop/sales.ts';
import { stock } from '../../shop/stock.ts';
import { Books } from './books.ts';

const booksOf = () => new Books([stock, customers, sales]);
const widget = stock.of('widget');
const sold = sales.of('widget');
const faultsIn = (books: Books) => [...books.faults()];

describe('The books', () => {
  it('correct a balance down to nothing, and not below', () => {
    const correctionWhere = (held: number) => {
      const books = booksOf();
      books.enter(stock, widget.path, { quantity: 5, loaded: 100, price_per_unit: 5 });
      books.hold(widget.amount(held));
      return faultsIn(books)[0]?.correction;
    };
    expect(correctionWhere(95)).to.equal(undefined);
    expect(correctionWhere(100)).to.deep.equal({ field: 'quantity', by: -5, corrections: 0 });
    expect(correctionWhere(101)).to.equal(undefined);
  });

  it('take a counter that is not there for nothing counted', () => {
    const books = booksOf();
    books.hold(sold.amount(-2));
    books.hold(sales.of('gadget').amount(0));
    expect(faultsIn(books)).to.deep.equal([
      {
        kind: 'total',
        path: sold.path,
        sentence: 'sales/widget: sold 0 and -2 held by orders make -2, not 0: 2 missing',
        correction: { field: 'sold', by: 2, corrections: 0 },
      },
    ]);
  });

  it('say what a counter that is there counts wrong', () => {
    const books = booksOf();
    books.enter(sales, sold.path, { sold: 3 });
    books.hold(sold.amount(-2));
    expect(faultsIn(books)).to.deep.include.members([
      {
        kind: 'total',
        path: sold.path,
        sentence: 'sales/widget: sold 3 and -2 held by orders make 1, not 0: 1 too many',
        correction: { field: 'sold', by: -1, corrections: 0 },
      },
    ]);
  });

  it('miss an account also where a counter of the same document has counted nothing yet', () => {
    const counted = counter({ name: 'count', path: 'inventory/{item}', counts: 'asked' });
    const books = new Books([counted, stock]);
    books.hold(counted.of('widget').amount(0));
    books.hold(widget.amount(2));
    expect(faultsIn(books).map(({ kind, path }) => [kind, path])).to.deep.equal([
      ['missing-account', widget.path],
    ]);
  });

  it('say nothing of what is malformed, which is a fault of its own', () => {
    const books = booksOf();
    books.enter(sales, sold.path);
    books.hold(sold.amount(-2));
    books.enter(stock, widget.path, { quantity: 'many', loaded: 100 });
    books.hold(widget.amount(2));
    expect(faultsIn(books)).to.deep.equal([]);
  });

  it('need every account above a record, and no other document', () => {
    const books = booksOf();
    books.needParentOf('users/joe/rooms/1/orders/x');
    expect(faultsIn(books).map(({ path }) => path)).to.deep.equal([customers.of('joe').path]);
  });

  it('are in doubt because of the first that is wrong by its path, whichever is found first', () => {
    const books = booksOf();
    books.hold(sold.amount(-2));
    for (const path of ['sagas/2', 'sagas/1', 'sagas/3']) books.doubt(path);
    expect(faultsIn(books).map(({ inDoubtUntil }) => inDoubtUntil)).to.deep.equal(['sagas/1']);
  });
});
