/** A long list, or a long piece of work, which the server does a portion at a time. */
export interface Portion {
  /** Leads to the next portion, if there may be one. */
  readonly next_page?: string;
}

/** More than any list of this page; a server whose list has no end is broken. */
const PORTIONS_MAX = 1_000;

/** Asks for one portion after the other. @param ask is given the page that the portion before led to. */
export async function allPortions<P extends Portion>(
  ask: (page: string | undefined) => Promise<P>,
): Promise<readonly P[]> {
  const portions: P[] = [];
  let page: string | undefined;
  do {
    const portion = await ask(page);
    portions.push(portion);
    page = portion.next_page;
  } while (page !== undefined && portions.length < PORTIONS_MAX);
  return portions;
}

/** A path with the parameters that have a value. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given))}`;
}
