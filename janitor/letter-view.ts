import { type DeadLetter, isLegible } from './documents.ts';

/** What may be large, or is of no use to people. */
const LEFT_OUT = ['attributes', 'body', 'encoding', 'expireAt'];

/** A letter as it stands in a list. */
export function outlineOf(letter: DeadLetter): object {
  return Object.fromEntries(Object.entries(letter).filter(([field]) => !LEFT_OUT.includes(field)));
}

/** A letter on its own. */
export function viewOf(letter: DeadLetter): object {
  if (!isLegible(letter)) return letter;
  return {
    ...letter,
    attributes: Object.fromEntries(letter.attributes.map(({ name, value }) => [name, value])),
  };
}
