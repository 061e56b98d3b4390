import type { WaitingStep } from '../../saga/step/saga.ts';
import type { Word } from '../../saga/step/wait.ts';
import { wordOf } from './builders.ts';

/** Where a word is said over HTTP to an order that waits, and what is posted there; by default the first word of its step. */
export function wordRequest({ waits }: WaitingStep, uuid: string, said: Word = wordOf(waits)) {
  const { word, ...body } = said;
  return { path: `/${waits.path.replace('{uuid}', uuid)}/${word}`, body };
}
