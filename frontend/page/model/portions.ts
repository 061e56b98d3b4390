import { Refusal } from './api.ts';

/** A long list, or a long piece of work, which the server does a portion at a time. */
export interface Portion {
  /** Leads to the next portion, if there may be one. */
  readonly next_page?: string;
}

/** More than any list of this page; a server whose list has no end is broken. */
const PORTIONS_MAX = 1_000;

/**
 * Has one portion after the other done.
 * @param ask is given the page that the portion before led to.
 * @param inWords says what was done, as a sentence.
 * @throws Refusal if a portion is refused; it says, too, what was done before.
 */
export async function doInPortions<P extends Portion>(
  ask: (page: string | undefined) => Promise<P>,
  inWords: (portions: readonly P[]) => string,
): Promise<string> {
  const portions: P[] = [];
  let page: string | undefined;
  do {
    const portion = await ask(page).catch((error) => {
      throw error instanceof Refusal && portions.length > 0
        ? new Refusal(error.status, `${inWords(portions)} Then it stopped: ${error.message}`)
        : error;
    });
    portions.push(portion);
    page = portion.next_page;
  } while (page !== undefined && portions.length < PORTIONS_MAX);
  return inWords(portions);
}

/** A path with the parameters that have a value. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given))}`;
}
