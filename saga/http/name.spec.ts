import { expect } from 'chai';
import { isName, nameSchema } from './name.ts';

const faultIn = (name: string): string | undefined => nameSchema.safeParse(name).error?.issues[0]?.message;

describe('A name', () => {
  for (const name of [
    'a',
    'jack',
    'A 1',
    '\u00e9',
    '\u8a9e',
    '_x_',
    '__x',
    'a.b',
    '...',
    '.a',
    '\u{1f600}'.repeat(128),
  ]) {
    it(`may be ${JSON.stringify(name.slice(0, 10))}, of ${name.length}`, () => {
      expect([faultIn(name), isName(name)]).to.deep.equal([undefined, true]);
    });
  }

  const faults: readonly (readonly [fault: string, ...names: readonly string[]])[] = [
    ['must have 1 to 128 characters', '', 'x'.repeat(129), '\u{1f600}'.repeat(129)],
    ['must not contain "/"', '/', 'a/b'],
    ['must not contain control characters', '\0', 'a\nb', '\u007f'],
    ['must be well-formed Unicode (it has half of a surrogate pair)', '\ud800', 'a\udc00'],
    ['must have a character that can be seen', ' ', '\u200b', '\u2800', '\u202e \u3000'],
    ['is a reserved name', '.', '..', '____', '__a__', '__\u2028__'],
  ];
  for (const [fault, ...names] of faults) {
    for (const name of names) {
      it(`[anomalies 41, 42] ${fault}: ${JSON.stringify(name.slice(0, 10))}, of ${name.length}`, () => {
        expect([faultIn(name), isName(name)]).to.deep.equal([fault, false]);
      });
    }
  }
});
