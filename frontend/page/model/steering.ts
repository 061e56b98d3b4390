import { counted } from './words.ts';

/** What became of a portion of the orders that were to be steered. */
export interface Steered {
  readonly steered: number;
  readonly untouched: number;
  readonly failed: number;
}

/** "12 orders paused; 3 had come to their end; of 1 it is not known: look at it". @param done such as "paused". */
export function steeredText(portions: readonly Steered[], done: string): string {
  const sum = (count: (portion: Steered) => number) =>
    portions.reduce((total, portion) => total + count(portion), 0);
  const [steered, untouched, failed] = [
    sum((one) => one.steered),
    sum((one) => one.untouched),
    sum((one) => one.failed),
  ];
  return [
    `${counted(steered, 'order')} ${done}`,
    ...(untouched > 0 ? [`${counted(untouched, 'order')} could not be, such as those that have ended`] : []),
    ...(failed > 0 ? [`${counted(failed, 'order')} may or may not be: the store did not answer`] : []),
  ].join('; ');
}

/** What a sweep did. */
export interface Swept {
  readonly announced: number;
  readonly failed: number;
  readonly errors: number;
}

/** "3 orders announced again, 1 given up"; nothing stood still if nothing was done. */
export function sweptText({ announced, failed, errors }: Swept): string {
  const parts = [
    ...(announced > 0 ? [`${counted(announced, 'order')} announced again`] : []),
    ...(failed > 0 ? [`${counted(failed, 'order')} given up, because time was up`] : []),
    ...(errors > 0 ? [`${counted(errors, 'order')} could not be moved`] : []),
  ];
  return parts.length === 0 ? 'No order had stood still for long enough to be moved on' : parts.join(', ');
}
