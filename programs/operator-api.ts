/** The janitor's routes, as a program calls them. */
export interface OperatorApi {
  /**
   * @returns the body of the answer.
   * @throws Error with one clear sentence if there is no answer, or if it is a refusal.
   */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * @param token sent as bearer token; empty: none is sent.
 * @throws Error if the url is malformed, or the token would travel unencrypted.
 */
export function createOperatorApi(url: string, token: string): OperatorApi {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new Error(`${url} is not the URL of a janitor, such as http://127.0.0.1:8080`);
  }
  if (token !== '' && base.protocol === 'http:' && !LOOPBACK.includes(base.hostname)) {
    throw new Error(`SAGA_TOKEN would travel to ${base.host} unencrypted: use https`);
  }
  return {
    async call(method, path, body) {
      const answer = await fetch(new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base), {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(token !== '' && { authorization: `Bearer ${token}` }),
        },
        ...(body && { body: JSON.stringify(body) }),
        // The token is for this server and no other.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((error: unknown) => {
        throw new Error(`Nothing answers at ${base.origin}: ${causeOf(error)}. Is the pipeline running?`);
      });
      const content = await contentOf(answer);
      if (!answer.ok) throw new Error(refusalOf(answer, content));
      if (content === undefined) throw new Error(`${base.origin} does not answer as the janitor does`);
      return content;
    },
  };
}

async function contentOf(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    return undefined;
  }
}

/** Our own refusals explain themselves; those of what stands in front of a service in the cloud have only a status. */
function refusalOf({ status, statusText }: Response, content: unknown): string {
  const { detail, errors = [] } = (content ?? {}) as {
    detail?: string;
    errors?: { field: string; message: string }[];
  };
  if (detail === undefined) return `The server refused: ${status} ${statusText}`.trim();
  return [detail, ...errors.map(({ field, message }) => `  ${field} ${message}`)].join('\n');
}

/** fetch itself only says that it failed. */
function causeOf(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
