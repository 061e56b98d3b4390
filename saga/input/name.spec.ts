import { expect } from 'chai';
import { isName, nameSchema } from './name.ts';

const faultIn = (name: string): string | undefined => nameSchema.safeParse(name).error?.issues[0]?.message;

const shortened = (name: string): string =>
  JSON.stringify(name.slice(0, 10)) + (name.length > 10 ? `, ${name.length} characters long` : '');

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
    '__',
    'x'.repeat(128),
    '\u{1f600}'.repeat(128),
  ]) {
    it(`may be ${shortened(name)}`, () => {
      expect([faultIn(name), isName(name)]).to.deep.equal([undefined, true]);
    });
  }

  const faults: readonly (readonly [fault: string, ...names: readonly string[]])[] = [
    ['must have 1 to 128 characters', '', 'x'.repeat(129), '\u{1f600}'.repeat(129), 'x'.repeat(2048)],
    ['must not contain "/"', '/', 'a/b', '../sagas'],
    ['must not contain control characters', '\0', 'a\nb', '\u007f', 'a\u0085b'],
    ['must be well-formed Unicode (it has half of a surrogate pair)', '\ud800', 'a\udc00'],
    ['must have a character that can be seen', ' ', '\u200b', '\u2800', '\u3164', '\u202e \u3000'],
    ['is a reserved name', '.', '..', '____', '__a__', '__proto__', '__a\u2028b__'],
  ];
  for (const [fault, ...names] of faults) {
    for (const name of names) {
      it(`[anomalies 41, 42] may not be ${shortened(name)}: it ${fault}`, () => {
        expect([faultIn(name), isName(name)]).to.deep.equal([fault, false]);
      });
    }
  }
});
