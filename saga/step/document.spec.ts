import { inspect } from 'node:util';
import { expect } from 'chai';
import { z } from 'zod';
import { documentsOf } from '../../test/support/builders.ts';
import { WorkingCopy } from '../commit/documents.ts';
import { account, counter, document, nameOf, readDocument, record } from './document.ts';

const rules = document({
  name: 'rule',
  path: 'rules/{rule}',
  schema: z.object({ allowed: z.boolean() }),
  missing: 'NO_RULE',
});
const shelf = {
  name: 'shelf',
  path: 'halls/{hall}/shelves/{shelf}',
  balance: 'left',
  whole: 'all',
  fields: { label: z.string() },
  shortage: 'SHELF_EMPTY',
} as const;
const shelves = account(shelf);
const purse = {
  name: 'purse',
  path: 'purses/{owner}',
  balance: 'coins',
  whole: 'limit',
  mayBeUnlimited: true,
  fields: {},
  missing: 'NO_PURSE',
  shortage: 'TOO_POOR',
} as const;
const purses = account(purse);
const boxes = record({
  name: 'box',
  path: 'halls/{hall}/boxes/{uuid}',
  schema: z.object({ wanted: z.int() }),
});

describe('A kind of document', () => {
  it('puts names in its path, and finds them in it again', () => {
    expect([
      rules.of('one').path,
      shelves.of('north', 'top').path,
      boxes.of('north', '1').path,
    ]).to.deep.equal(['rules/one', 'halls/north/shelves/top', 'halls/north/boxes/1']);
    expect(rules.namesIn('rules/one')).to.deep.equal(['one']);
    expect(shelves.namesIn('halls/north/shelves/top')).to.deep.equal(['north', 'top']);
  });

  it('takes every name as it is, whatever it looks like', () => {
    for (const name of ['a b', '$&', '.*', '日本', 'a\nb', '{hall}']) {
      expect(rules.of(name).path).to.equal(`rules/${name}`);
      expect(rules.namesIn(`rules/${name}`), name).to.deep.equal([name]);
    }
  });

  it('knows no document of another kind for its own', () => {
    const others = ['rules', 'rules/', 'rules/a/b', 'rulesets/a', 'x/rules/a', 'halls/a/boxes/b', ''];
    for (const path of others) expect(rules.namesIn(path), path).to.equal(undefined);
    for (const path of ['halls/a/boxes/b', 'halls/a/shelves', 'halls/a/b/shelves/c']) {
      expect(shelves.namesIn(path), path).to.equal(undefined);
    }
  });

  it('is what people call its documents by, with the last name in their path', () => {
    expect(nameOf(rules.of('one'))).to.equal('rule one');
    expect(nameOf(shelves.of('north', 'top'))).to.equal('shelf top');
    expect(nameOf({ kind: rules, path: 'elsewhere/one' })).to.equal('rule elsewhere/one');
  });

  it('says whether an order can do without such a document, and why it is refused if not', () => {
    const kinds = [rules, shelves, purses, boxes];
    expect(kinds.map(({ missing }) => missing)).to.deep.equal(['NO_RULE', undefined, 'NO_PURSE', undefined]);
    expect([shelves, purses].map(({ shortage }) => shortage)).to.deep.equal(['SHELF_EMPTY', 'TOO_POOR']);
  });

  it('says what can be held of its documents: nothing, amounts, or themselves', () => {
    expect([rules, shelves, boxes].map(({ held }) => held)).to.deep.equal(['nothing', 'amounts', 'records']);
    expect(shelves.of('north', 'top').amount(3)).to.deep.equal({
      account: shelves,
      path: 'halls/north/shelves/top',
      amount: 3,
    });
    expect(boxes.of('north', '1').holding({ wanted: 3 })).to.deep.equal({
      record: boxes,
      path: 'halls/north/boxes/1',
      fields: { wanted: 3 },
    });
  });

  it('wants a name for each brace, the uuid of a record last, and nothing held that its kind does not hold', () => {
    const schema = z.object({});
    const doesNotCompile = [
      // @ts-expect-error a name is missing
      () => shelves.of('north'),
      // @ts-expect-error there is no place for another name
      () => rules.of('one', 'two'),
      // @ts-expect-error a record tells in its path for which order it is
      () => record({ name: 'note', path: 'notes/{name}', schema }),
      // @ts-expect-error a rule has no balance
      () => rules.of('one').amount(1),
      // @ts-expect-error the box says how much was wanted
      () => boxes.of('north', '1').holding({}),
    ];
    expect(doesNotCompile).to.have.length(5);
  });
});

describe('An account', () => {
  const isShelf = (fields: object) => account(shelf).schema.safeParse(fields).success;
  const isPurse = (fields: object) => account(purse).schema.safeParse(fields).success;

  it('has a balance and its whole, both counted, besides its own fields', () => {
    expect(isShelf({ label: 'x', left: 0, all: 3 })).to.equal(true);
    expect(isShelf({ label: 'x', left: 0, all: 3, corrections: 1 })).to.equal(true);
  });

  const malformed: readonly object[] = [
    {},
    { label: 'x' },
    { label: 'x', left: 1 },
    { label: 'x', all: 1 },
    { left: 1, all: 1 },
    { label: 'x', left: -1, all: 1 },
    { label: 'x', left: 1.5, all: 2 },
    { label: 'x', left: '1', all: 1 },
    { label: 'x', left: 1, all: null },
    { label: 'x', left: 2 ** 53, all: 2 ** 53 },
    { label: 'x', left: 1, all: 1, corrections: -1 },
    { label: 'x', left: undefined, all: undefined },
  ];
  for (const fields of malformed) {
    it(`[anomaly 43] is never ${inspect(fields)}`, () => {
      expect(isShelf(fields)).to.equal(false);
    });
  }

  it('may be without a limit where its kind says so: then it has neither of the two', () => {
    const both = [{}, { coins: 1, limit: 2 }, { coins: 1 }, { limit: 2 }];
    expect(both.map(isPurse)).to.deep.equal([true, true, false, false]);
    expect(isPurse({ coins: undefined, limit: undefined })).to.equal(false);
  });
});

describe('A counter', () => {
  it('has a path and counts in a field of its own, but no whole and no reason to refuse an order', () => {
    const tallies = counter({ name: 'tally', path: 'halls/{hall}/tallies/{shelf}', counts: 'boxes' });
    const { path } = tallies.of('north', 'top');
    expect([path, tallies.namesIn(path)]).to.deep.equal(['halls/north/tallies/top', ['north', 'top']]);
    const { held, balance, whole, mayBeUnlimited, missing, shortage } = tallies;
    expect({ held, balance, whole, mayBeUnlimited, missing, shortage }).to.deep.equal({
      held: 'amounts',
      balance: 'boxes',
      whole: undefined,
      mayBeUnlimited: false,
      missing: undefined,
      shortage: undefined,
    });
    expect(tallies.of('north', 'top').amount(-1)).to.deep.equal({ account: tallies, path, amount: -1 });
    const counts = [{ boxes: 3 }, { boxes: 0, corrections: 1 }, {}, { boxes: -1 }, { boxes: 1.5 }];
    expect(counts.map((fields) => tallies.schema.safeParse(fields).success)).to.deep.equal([
      ...[true, true],
      ...[false, false, false],
    ]);
  });
});

describe('A document that is read', () => {
  const found = documentsOf({
    'rules/good': { allowed: true, note: 'written by hand' },
    'rules/bad': { allowed: 'yes' },
    'purses/half': { coins: 1 },
  });

  it('is what its kind says, without what nobody knows', () => {
    expect(readDocument(found, rules.of('good'))).to.deep.equal({ allowed: true });
  });

  it('is checked once for all orders of a batch, but anew as another kind', () => {
    const rule = readDocument(found, rules.of('good'));
    expect(readDocument(found, rules.of('good'))).to.equal(rule);
    const notes = document({ name: 'note', path: 'rules/{rule}', schema: z.object({ note: z.string() }) });
    expect(readDocument(found, notes.of('good'))).to.deep.equal({ note: 'written by hand' });
  });

  it('is nothing where there is none', () => {
    expect(readDocument(found, rules.of('none'))).to.equal(undefined);
  });

  it('[anomaly 43] is a surprise that names its faults where it is malformed', () => {
    expect(() => readDocument(found, rules.of('bad'))).to.throw(
      /^The document rules\/bad is malformed: .*allowed/su,
    );
    expect(() => readDocument(found, purses.of('half'))).to.throw(
      'has coins or limit without the other: it needs both, or none for no limit',
    );
  });

  it('is a surprise where nobody asked for it to be read', () => {
    expect(() => readDocument(new WorkingCopy(), rules.of('good'))).to.throw('rules/good was not read');
  });
});
