import { type DeadLetter, isLegible } from './letter.ts';

/** A letter on its own. */
export function viewOf(letter: DeadLetter): object {
  if (!isLegible(letter)) return letter;
  return {
    ...letter,
    // A letter that somebody has edited is still shown.
    attributes: Object.fromEntries((letter.attributes ?? []).map(({ name, value }) => [name, value])),
  };
}
