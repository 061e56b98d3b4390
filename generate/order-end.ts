import type { Saga } from '../saga/step/saga.ts';

/** How an order comes to its end, for what deploys the pipeline and wants to see one arrive there. */
interface End {
  /** The status of an order that has succeeded. */
  readonly success: string;
  /** By the status in which an order waits for somebody outside: the word that lets it go on, and the topic on which it is said. */
  readonly words: Readonly<Record<string, { readonly topic: string; readonly word: string }>>;
}

/** A step names first the word for which it hopes. */
export const endOf = ({ success, steps }: Saga): End => ({
  success,
  words: Object.fromEntries(
    steps.flatMap(({ waits }) => {
      const [word] = Object.keys(waits?.words ?? {});
      return waits?.listensTo && word !== undefined
        ? [[waits.as, { topic: waits.listensTo.topic, word }]]
        : [];
    }),
  ),
});
