import type { DeadLetter } from './documents.ts';

/** A letter on its own. */
export function viewOf(letter: DeadLetter): object {
  return {
    ...letter,
    // A letter that somebody has edited is still shown.
    attributes: Object.fromEntries((letter.attributes ?? []).map(({ name, value }) => [name, value])),
  };
}
