import { z } from 'zod';
import { describeFaults, inputFaults, REPEATED_LENGTH_MAX } from '../input/input-faults.ts';
import type { Hold } from './document.ts';
import type { Infer, Known } from './step.ts';

/**
 * How a step waits for a word from outside: a courier, a customer, a person who approves, the clock. The order stands in a
 * status of its own until then. A word is recorded, and then the step decides again.
 */

/** The words for which a step can wait: the schema of what each carries. */
export type Words = Readonly<Record<string, z.ZodRawShape>>;

/** The word of the clock: nothing was heard in time, and the step is to decide all the same. */
export const SILENCE = 'silence';

/** A word that was heard, with what it carries. */
export type Word = { readonly word: string } & Readonly<Record<string, unknown>>;

/** The same, with literal types. */
export type WordOf<W extends Words> =
  | { readonly [Name in keyof W & string]: { readonly word: Name } & Readonly<Infer<W[Name]>> }[keyof W &
      string]
  | { readonly word: typeof SILENCE };

/** What a step says about its wait. */
export interface WaitDeclaration<
  Order extends object,
  Status extends string,
  Topic extends string,
  Learns extends z.ZodRawShape,
  Needs extends z.ZodRawShape,
  W extends Words,
> {
  /** The status of an order that waits, the topic that announces it, and what a message on it says. */
  readonly as: Status;
  readonly announces: Topic;
  readonly says: string;
  /** What the ledger learns when the wait begins. */
  readonly learns?: Learns;
  /** What may be heard, and what each word carries; first the word for which the step hopes. */
  readonly words: W;
  /** If nothing is heard in time: the order fails; the step decides on `SILENCE`; or people are shown it, and it waits on. */
  readonly afterwards: 'give up' | 'go on' | 'show';
  /** Where a word is said over HTTP: `POST /{path}/{word}`. It has `{uuid}`. */
  readonly path: `${string}{uuid}`;
  /** The service that listens there; by default the step's own. */
  readonly heardBy?: string;
  readonly audience?: 'operators';
  /** A topic by which the step's service hears words, too, as `{"uuid": "…", "outcome": "{word}"}`. */
  readonly listensTo?: { readonly topic: string; readonly says: string };
  /** Why the order can't heed this word, as a sentence; undefined if it can. */
  fault?(known: Known<Order, Needs & Learns>, word: NoInfer<WordOf<W>>): string | undefined;
  /** What the order holds from here until the step is done. Once a word was heard, it is there. */
  holds(known: Known<Order, Needs & Learns> & { readonly word?: NoInfer<WordOf<W>> }): readonly Hold[];
}

/** The same, for the kernel. */
export interface Wait {
  readonly as: string;
  readonly announces: string;
  readonly says: string;
  readonly learns: z.ZodObject;
  readonly words: Readonly<Record<string, z.ZodObject>>;
  readonly afterwards: 'give up' | 'go on' | 'show';
  readonly path: string;
  readonly heardBy: string;
  readonly audience?: 'operators';
  readonly listensTo?: { readonly topic: string; readonly says: string };
  // Methods, like those of a step.
  fault(known: object, word: Word): string | undefined;
  holds(known: object): readonly Hold[];
}

/** The wait of a step of this name. */
export const waitOf = (
  step: string,
  declared: WaitDeclaration<never, string, string, z.ZodRawShape, z.ZodRawShape, Words>,
): Wait =>
  ({
    heardBy: step,
    fault: () => undefined,
    ...declared,
    learns: z.strictObject(declared.learns ?? {}),
    words: Object.fromEntries(
      Object.entries(declared.words).map(([word, shape]) => [word, z.strictObject(shape)]),
    ),
  }) as never;

/** What is wrong with a word that a step is said to have heard, as a sentence; undefined if it may have. */
export function wordFault({ words, afterwards }: Wait, { word, ...carried }: Word): string | undefined {
  if (word === SILENCE && afterwards === 'go on') return undefined;
  const schema = Object.hasOwn(words, word) ? words[word] : undefined;
  if (schema === undefined)
    return `${word.slice(0, REPEATED_LENGTH_MAX)} is none of ${Object.keys(words).join(', ')}`;
  const { error } = schema.safeParse(carried, { reportInput: true });
  return error && describeFaults(inputFaults(error));
}
