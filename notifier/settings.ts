import { z } from 'zod';
import { wholeNumber } from '../saga/step/settings.ts';

/** Where to send notifications and how to sign them, as the environment says it. */
export const settings = {
  WEBHOOK_URL: z
    .string()
    .refine(isSafe, {
      error: 'must be an https URL without user and password; http will do for this machine alone',
    })
    .optional(),
  WEBHOOK_SECRET: z
    .string()
    .refine(isSecret, { error: 'must be whsec_ and 24 to 64 bytes in base64' })
    .optional(),
  WEBHOOK_TIMEOUT_MS: wholeNumber(100, 30_000).prefault('5000'),
};

/** Where notifications go. */
export interface Webhook {
  readonly url: string;
  readonly secret: string;
  /** How long the receiver may take for one answer, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Where notifications go, according to the settings; undefined if they are off.
 * @throws Error if they could not be signed.
 */
export function webhookOf(declared: Readonly<Record<string, unknown>>): Webhook | undefined {
  const { WEBHOOK_URL, WEBHOOK_SECRET, WEBHOOK_TIMEOUT_MS } = declared as z.infer<
    z.ZodObject<typeof settings>
  >;
  if (WEBHOOK_URL === undefined) return undefined;
  if (WEBHOOK_SECRET === undefined) {
    throw new Error('WEBHOOK_SECRET is missing: with WEBHOOK_URL, it signs what is sent');
  }
  return { url: WEBHOOK_URL, secret: WEBHOOK_SECRET, timeoutMs: WEBHOOK_TIMEOUT_MS };
}

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isOfThisMachine = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/.test(hostname);
  return (
    username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && isOfThisMachine))
  );
}

/** The sizes are those of the specification: https://github.com/standard-webhooks/standard-webhooks */
function isSecret(text: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const key = Buffer.from(encoded, 'base64');
  return key.toString('base64') === encoded && key.length >= 24 && key.length <= 64;
}
