/** The pipeline's own routes, as this page asks them. */

/** Why a request was refused, in the server's words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  /** What is wrong with each field. */
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  constructor(status: number, message: string, errors: Refusal['errors'] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** Shown to the server if it asks who is there; kept for as long as the tab is open. */
let token = '';
export const setToken = (text: string): void => {
  token = text.trim();
};
export const authorization = (): Record<string, string> =>
  token ? { Authorization: `Bearer ${token}` } : {};

const TIMEOUT_MS = 30_000;
/** What reads or moves many orders may take as long as the server gives it. */
const LONG_TIMEOUT_MS = 300_000;
const LONG = /^\/(audit|repair|sweep|dead-letters\/redrive|sagas\/(pause|resume))\b/;

function noAnswer(): never {
  throw new Refusal(0, 'The server does not answer. It may be starting again; try once more.');
}

/** @throws Refusal, with status 0 if no answer came. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: {
      Accept: 'application/json',
      ...authorization(),
      ...(body && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    signal: AbortSignal.timeout(LONG.test(path) ? LONG_TIMEOUT_MS : TIMEOUT_MS),
    ...(body && { body: JSON.stringify(body) }),
  }).catch(noAnswer);
  const json = await answer.json().catch(answer.ok ? noAnswer : () => ({}));
  if (answer.ok) return json as T;
  const { detail, errors } = json as { detail?: string; errors?: Refusal['errors'] };
  throw new Refusal(answer.status, detail ?? `The server answered ${answer.status}`, errors);
}

export const get = <T>(path: string): Promise<T> => ask<T>('GET', path);
export const post = <T>(path: string, body?: object): Promise<T> => ask<T>('POST', path, body);

/** What went wrong, as sentences for people. */
export function sentencesOf(error: unknown): string[] {
  if (!(error instanceof Refusal)) return [String(error)];
  if (error.errors.length === 0) return [error.message];
  return error.errors.map(({ field, message }) => `${field} ${message}`);
}
