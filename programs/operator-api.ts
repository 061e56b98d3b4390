import { userInfo } from 'node:os';
import type { z } from 'zod';
import { isLoopback } from '../adapters/http/operator-gate.ts';
import { OPERATOR_HEADER, writtenName } from '../adapters/http/operator-name.ts';
import { UsageError } from './command.ts';

/** The janitor's routes, as a program calls them. */
export interface OperatorApi {
  /**
   * @param answer the schema of the answer.
   * @returns the answer, as JSON has it.
   * @throws Error with one clear sentence if there is no such answer in time, or if it is a refusal.
   */
  call<Answer extends z.ZodType>(
    answer: Answer,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<z.input<Answer>>;
}

const TIMEOUT_MS = 30_000;

/**
 * @param token sent as bearer token; empty: none is sent.
 * @param timeoutMs how long an answer may take, to its last byte.
 * @param operator who asks, as histories record it; left out if that can't be a name.
 * @throws Error if the url or the token is malformed, or the token would travel unencrypted.
 */
export function createOperatorApi(
  url: string,
  token: string,
  timeoutMs = TIMEOUT_MS,
  operator = '',
): OperatorApi {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new Error(`${url} is not the URL of a janitor, such as http://127.0.0.1:8080`);
  }
  if (base.username !== '' || base.password !== '') {
    throw new Error('The URL must not name a user or a password: SAGA_TOKEN says who you are');
  }
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw new Error('SAGA_TOKEN has a space, a line break or another character that no token has');
  }
  if (token !== '' && base.protocol === 'http:' && !isLoopback(base.hostname)) {
    throw new Error(`SAGA_TOKEN would travel to ${base.host} unencrypted: use https`);
  }
  const { origin } = base;
  const name = writtenName(operator);
  return {
    async call(schema, method, path, body) {
      const signal = AbortSignal.timeout(timeoutMs);
      // Once headers have come, fetch may forget the signal; this does not.
      const late = new Promise<never>((_resolve, reject) => {
        const silent = new Error(`${origin} has not answered within ${timeoutMs / 1000} s`);
        signal.addEventListener('abort', () => reject(silent));
      });
      const asked = fetch(new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base), {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(name !== undefined && { [OPERATOR_HEADER]: name }),
          ...(token !== '' && { authorization: `Bearer ${token}` }),
        },
        ...(body && { body: JSON.stringify(body) }),
        // The token is for this server and no other.
        redirect: 'error',
        signal,
      });
      const answered = asked.then(async (answer) => ({ answer, text: await answer.text() }));
      const failed = (error: unknown) => {
        throw new Error(`Nothing answers at ${origin}: ${causeOf(error)}. Is the pipeline running?`);
      };
      const { answer, text } = await Promise.race([late, answered.catch(failed)]);
      const content = jsonIn(text);
      if (!answer.ok) throw new Error(refusalOf(answer, content));
      if (!schema.safeParse(content).success)
        throw new Error(`${origin} does not answer as the janitor does`);
      return content as z.input<typeof schema>;
    },
  };
}

/**
 * The operator at this machine, by name; empty if there is none.
 * @throws UsageError if SAGA_OPERATOR can't be a name.
 */
export function operatorHere(): string {
  const { SAGA_OPERATOR } = process.env;
  if (SAGA_OPERATOR?.trim()) {
    if (writtenName(SAGA_OPERATOR) === undefined) {
      throw new UsageError('SAGA_OPERATOR must be a name of 1 to 100 characters');
    }
    return SAGA_OPERATOR;
  }
  try {
    return userInfo().username;
  } catch {
    // In a container, an account need not have a name.
    return '';
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
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
