import type { DeadLetter } from './documents.ts';

/** A letter on its own. */
export function viewOf(letter: DeadLetter): object {
  return {
    ...letter,
    attributes: Object.fromEntries(letter.attributes.map(({ name, value }) => [name, value])),
  };
}
