import { expect } from 'chai';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import type { Path, Version, Versioned } from '../ports/store.ts';
import { create, remove, update, WorkingCopy, type Write } from './documents.ts';

const VERSION = 7 as unknown as Version;

/** What was read: `there` with a version, and that there is no `absent`. Everything else was not read. */
function workingCopy(): WorkingCopy {
  const copy = new WorkingCopy();
  const there: Versioned = deepFreeze({ fields: { a: 1, b: 2 }, version: VERSION });
  copy.load(['d/there', 'd/absent'], new Map([['d/there', there]]));
  return copy;
}

const decided = (...decisions: Write[][]): WorkingCopy => {
  const copy = workingCopy();
  for (const writes of decisions) copy.apply(deepFreeze(writes));
  return copy;
};

describe('The working copy of a batch', () => {
  it('shows what was read, and nothing where there is nothing', () => {
    const copy = workingCopy();
    expect(['d/there', 'd/absent'].map((path) => [copy.get(path), copy.has(path)])).to.deep.equal([
      [{ a: 1, b: 2 }, true],
      [undefined, true],
    ]);
    expect(copy.has('d/unread')).to.equal(false);
    expect(() => copy.get('d/unread')).to.throw('d/unread was not read');
    expect([copy.writes, copy.writeCount]).to.deep.equal([[], 0]);
  });

  it('shows the same object until the next write, so that a reader can tell whether it has seen it', () => {
    const copy = decided([update('d/there', { a: 3 }), create('d/absent', { a: 1 })]);
    for (const path of ['d/there', 'd/absent']) {
      const seen = copy.get(path);
      expect(copy.get(path)).to.equal(seen);
      copy.apply([update(path, { b: 4 })]);
      expect(copy.get(path)).to.deep.equal({ ...seen, b: 4 });
    }
  });

  const cases: readonly (readonly [
    what: string,
    decisions: Write[][],
    path: Path,
    seen: object | undefined,
    commit: object[],
  ])[] = [
    [
      'creates a document that is not there',
      [[create('d/absent', { a: 1 })]],
      'd/absent',
      { a: 1 },
      [{ kind: 'create', path: 'd/absent', fields: { a: 1 } }],
    ],
    [
      'creates a document that it did not read, and leaves it to the guard',
      [[create('d/unread', { a: 1 })]],
      'd/unread',
      { a: 1 },
      [{ kind: 'create', path: 'd/unread', fields: { a: 1 } }],
    ],
    [
      'updates what it read, guarded by the version',
      [[update('d/there', { b: 3 })]],
      'd/there',
      { a: 1, b: 3 },
      [{ kind: 'update', path: 'd/there', fields: { b: 3 }, version: VERSION }],
    ],
    [
      'removes what it read, guarded by the version',
      [[remove('d/there')]],
      'd/there',
      undefined,
      [{ kind: 'remove', path: 'd/there', version: VERSION }],
    ],
    [
      'removes what it did not read, whatever is there',
      [[remove('d/unread')]],
      'd/unread',
      undefined,
      [{ kind: 'remove', path: 'd/unread' }],
    ],
    [
      'makes one write of two updates',
      [[update('d/there', { a: 3 })], [update('d/there', { b: 4 })]],
      'd/there',
      { a: 3, b: 4 },
      [{ kind: 'update', path: 'd/there', fields: { a: 3, b: 4 }, version: VERSION }],
    ],
    [
      'lets the later update of a field win',
      [[update('d/there', { a: 3 })], [update('d/there', { a: 4 })]],
      'd/there',
      { a: 4, b: 2 },
      [{ kind: 'update', path: 'd/there', fields: { a: 4 }, version: VERSION }],
    ],
    [
      'creates a document as a later decision has changed it',
      [[create('d/absent', { a: 1, b: 1 })], [update('d/absent', { b: 2 })]],
      'd/absent',
      { a: 1, b: 2 },
      [{ kind: 'create', path: 'd/absent', fields: { a: 1, b: 2 } }],
    ],
    [
      'writes nothing where a document comes and goes',
      [[create('d/absent', { a: 1 })], [remove('d/absent')]],
      'd/absent',
      undefined,
      [],
    ],
    [
      'removes what it has updated before',
      [[update('d/there', { a: 3 })], [remove('d/there')]],
      'd/there',
      undefined,
      [{ kind: 'remove', path: 'd/there', version: VERSION }],
    ],
    [
      'removes once what is removed twice',
      [[remove('d/there')], [remove('d/there')]],
      'd/there',
      undefined,
      [{ kind: 'remove', path: 'd/there', version: VERSION }],
    ],
    [
      'creates again what came and went',
      [[create('d/absent', { a: 1 }), remove('d/absent')], [create('d/absent', { a: 2 })]],
      'd/absent',
      { a: 2 },
      [{ kind: 'create', path: 'd/absent', fields: { a: 2 } }],
    ],
  ];
  for (const [what, decisions, path, seen, commit] of cases) {
    it(what, () => {
      const copy = decided(...decisions);
      expect(copy.get(path)).to.deep.equal(seen);
      expect(copy.writes).to.deep.equal(commit);
      expect(copy.writeCount).to.equal(commit.length);
    });
  }

  const faults: readonly (readonly [what: string, writes: Write[], message: string])[] = [
    ['creates what is there', [create('d/there', {})], 'd/there exists although'],
    ['creates twice', [create('d/absent', {}), create('d/absent', {})], 'd/absent exists although'],
    ['updates what is not there', [update('d/absent', {})], 'd/absent does not exist'],
    ['updates what it did not read', [update('d/unread', {})], 'd/unread does not exist'],
    ['updates what it has removed', [remove('d/there'), update('d/there', {})], 'd/there does not exist'],
    [
      'replaces a document',
      [remove('d/there'), create('d/there', {})],
      "can't be removed and created in one commit",
    ],
  ];
  for (const [what, writes, message] of faults) {
    it(`[anomaly 23] takes nothing of a decision that ${what}, and keeps what was decided before`, () => {
      const copy = decided([update('d/there', { b: 3 }), create('d/earlier', { a: 1 })]);
      const before = structuredClone([copy.writes, copy.get('d/there'), copy.get('d/absent')]);
      const decision = [update('d/there', { a: 9 }), remove('d/earlier'), create('d/other', {}), ...writes];
      expect(() => copy.apply(deepFreeze(decision))).to.throw(message);
      const sameOrder = copy.writes.toSorted((one, other) => (one.path < other.path ? 1 : -1));
      expect([sameOrder, copy.get('d/there'), copy.get('d/absent')]).to.deep.equal(before);
      expect(copy.has('d/other')).to.equal(false);
    });
  }
});
