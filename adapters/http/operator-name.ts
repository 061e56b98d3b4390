import type { Request } from 'express';
import { z } from 'zod';
import { invalidInput } from '../../saga/http/http.ts';
import { NOTE_MARK } from '../../saga/ledger/history.ts';
import { bearerOf } from './caller-of.ts';
import type { OperatorCheck } from './operator-gate.ts';

/** An operator's name, as histories and log lines record it. */

const LENGTH_MAX = 100;
const NAME = /^\S[^\p{Cc}\p{Cs}]*$/u;
const isOperatorName = (text: string): boolean =>
  text.length <= LENGTH_MAX && NAME.test(text) && !text.includes(NOTE_MARK);

/** The header in which operators say who they are, percent-encoded, where nothing else says it. */
export const OPERATOR_HEADER = 'Saga-Operator';
export const OPERATOR_HEADER_MEANS = `Who you are, for histories and the log: 1 to ${LENGTH_MAX} characters, percent-encoded. It is not asked where the platform says it`;

/** As what the header carries; undefined if that can't be a name. */
export const writtenName = (name: string): string | undefined =>
  isOperatorName(name) ? encodeURIComponent(name) : undefined;

/**
 * The operator's name: what the platform says, or what the operators say of themselves, who share a token or a machine.
 * @throws Problem 400 if it can't be a name.
 */
export function operatorName({ by }: OperatorCheck, request: Request): string | undefined {
  return by === 'platform' ? nameByPlatform(request) : nameByHeader(request);
}

function nameByHeader(request: Request): string | undefined {
  const said = request.headersDistinct[OPERATOR_HEADER.toLowerCase()];
  if (said === undefined) return undefined;
  const name = said.length === 1 ? decoded(said[0] ?? '') : '';
  if (isOperatorName(name)) return name;
  const message = `must be a name of 1 to ${LENGTH_MAX} characters, percent-encoded, sent once`;
  throw invalidInput([{ field: OPERATOR_HEADER, message }]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Identity-Aware Proxy calls a service as this account of its own. */
const PROXY = /@gcp-sa-iap\.iam\.gserviceaccount\.com$/;

/**
 * Cloud Run checks one token, takes its signature off, and passes it on. What it has not checked, a caller could make up: the
 * other token, and the header of Identity-Aware Proxy unless that is who calls.
 * https://cloud.google.com/run/docs/authenticating/service-to-service
 * https://cloud.google.com/iap/docs/identity-howto
 */
function nameByPlatform(request: Request): string | undefined {
  const checked = tokenIn(request.get('x-serverless-authorization')) ?? bearerOf(request);
  const email = emailIn(checked);
  const isProxied = checked === '' || (email !== undefined && PROXY.test(email));
  const name = isProxied ? request.get('x-goog-authenticated-user-email')?.replace(/^[^:]*:/, '') : email;
  return name !== undefined && isOperatorName(name) ? name : undefined;
}

const tokenIn = (header: string | undefined): string | undefined =>
  header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? '-');

const claims = z.object({ email: z.string() });

/** The address in a token that was checked before; undefined if it has none. */
function emailIn(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    return claims.safeParse(JSON.parse(payload)).data?.email;
  } catch {
    return undefined;
  }
}
