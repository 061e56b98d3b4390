import { readFileSync } from 'node:fs';
import dotenv from 'dotenv';
import { z } from 'zod';
import { type CustomerIdentity, isKeySource } from '../adapters/http/customer-identity.ts';
import { isLoopback, type OperatorCheck } from '../adapters/http/operator-gate.ts';
import type { PushIdentity } from '../adapters/push/push-token.ts';
import { DEADLINE_SECONDS, DEADLINE_SECONDS_MAX } from '../saga/ledger/deadline.ts';
import type { Saga } from '../saga/step/saga.ts';
import { wholeNumber } from '../saga/step/settings.ts';

/** What the environment says, checked. Every variable is explained in `.env.example`. */
export type Config = Readonly<ReturnType<typeof readConfig>>;

const either = new Intl.ListFormat('en-GB', { type: 'disjunction' });
const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  z.enum(words, { error: `must be ${either.format(words)}` });

const hostAndPort = z
  .string()
  .refine(
    (text) => Number(/^[^\s:/]+:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN) <= 65535,
    'must be host:port, such as 127.0.0.1:8085',
  );

/** What Google accepts as the place of a metric: https://cloud.google.com/stackdriver/docs/reference/telemetry/v1.metrics */
const PLACE = /(^|,) *(location|cloud\.availability_zone|cloud\.region) *= *[^ ,]/;

/** The samplers that OpenTelemetry knows. For any other it uses its own default, and only logs a warning. */
const SAMPLERS = ['', 'parentbased_'].flatMap((kind) =>
  ['always_on', 'always_off', 'traceidratio'].map((name) => `${kind}${name}`),
);

const ownVariables = z
  .object({
    PROJECT_ID: z
      .string()
      .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be the id of a Google Cloud project')
      .optional(),
    PORT: wholeNumber(0, 65535).prefault('8080'),
    HOST: z.string().default('127.0.0.1'),
    BACKEND: oneOf('memory', 'gcp').default('gcp'),
    SUBSCRIBER: oneOf('pull', 'push').default('pull'),
    PUSH_AUTH: oneOf('token', 'platform').default('token'),
    PUSH_AUDIENCE: z.string().optional(),
    PUSH_SERVICE_ACCOUNT: z.email({ error: 'must be the address of a service account' }).optional(),
    OPERATOR_AUTH: oneOf('token', 'platform').optional(),
    OPERATOR_TOKEN: z
      .string()
      .regex(/^[\w.~+/=-]{32,}$/, {
        error: 'must have at least 32 letters, digits or -._~+/=, as `openssl rand -hex 32` gives',
      })
      .optional(),
    CUSTOMER_AUTH: oneOf('off', 'oidc').optional(),
    CUSTOMER_ISSUER: z
      .string()
      .refine(
        isKeySource,
        'must be an https URL, such as https://accounts.google.com, or http on this machine',
      )
      .optional(),
    CUSTOMER_AUDIENCE: z.string().optional(),
    CUSTOMER_CLAIM: z
      .string()
      .regex(/^\S{1,100}$/, 'must be the name of a claim, such as sub')
      .default('sub'),
    CLIENT_CHANGES_PER_MINUTE: wholeNumber(0, 1_000_000).optional(),
    OPERATOR_REQUESTS_PER_MINUTE: wholeNumber(0, 1_000_000).optional(),
    TRUSTED_PROXIES: wholeNumber(0, 10).optional(),
    K_SERVICE: z.string().optional(),
    FIRESTORE_DATABASE: z
      .string()
      .regex(/^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/, {
        error: 'must be (default), or 4 to 63 small letters, digits and hyphens that begin with a letter',
      })
      .default('(default)'),
    PUBSUB_EMULATOR_HOST: hostAndPort.optional(),
    FIRESTORE_EMULATOR_HOST: hostAndPort.optional(),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: z.string().optional(),
    LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
    TELEMETRY: oneOf('off', 'otlp', 'google').default('off'),
    OTEL_RESOURCE_ATTRIBUTES: z.string().optional(),
    OTEL_TRACES_SAMPLER: z
      .enum(SAMPLERS, {
        error: `must be ${SAMPLERS.join(', ')}, or not be set: then 100 traces begin a second`,
      })
      .optional(),
    METRICS: oneOf('off', 'prometheus').default('off'),
    STORE_TIMEOUT_MS: wholeNumber(100, 600_000).prefault('10000'),
    PUBLISH_TIMEOUT_MS: wholeNumber(100, 600_000).prefault('10000'),
    SAGA_DEADLINE_SECONDS: wholeNumber(1, DEADLINE_SECONDS_MAX).prefault(String(DEADLINE_SECONDS)),
    SWEEP_INTERVAL_SECONDS: wholeNumber(0, 86_400).prefault('10'),
  })
  .superRefine(
    (value, context) => {
      const fault = (name: string, message: string) =>
        context.addIssue({ code: 'custom', path: [name], message, input: value });
      if (value.SUBSCRIBER === 'push' && value.BACKEND === 'memory') {
        fault('SUBSCRIBER', 'must be pull with BACKEND=memory: the embedded engine pushes nothing');
      }
      if (value.TELEMETRY === 'google' && value.BACKEND === 'memory') {
        fault(
          'TELEMETRY',
          'must be off or otlp with BACKEND=memory: there is no project that Google could file it under',
        );
      }
      if (value.OPERATOR_AUTH === 'token' && value.OPERATOR_TOKEN === undefined) {
        fault('OPERATOR_TOKEN', "is missing: with OPERATOR_AUTH=token it opens the operators' routes");
      }
      if (value.OPERATOR_AUTH === 'platform' && value.OPERATOR_TOKEN !== undefined) {
        fault('OPERATOR_TOKEN', 'must not be set with OPERATOR_AUTH=platform: nobody would ask for it');
      }
      if (value.CUSTOMER_AUTH === 'oidc') {
        for (const name of ['CUSTOMER_ISSUER', 'CUSTOMER_AUDIENCE'] as const) {
          if (value[name] === undefined)
            fault(name, 'is missing: CUSTOMER_AUTH=oidc needs it to check tokens');
        }
      }
      if (value.CUSTOMER_AUTH === undefined && value.CUSTOMER_ISSUER !== undefined) {
        fault(
          'CUSTOMER_AUTH',
          'is missing: with CUSTOMER_ISSUER, say oidc, or off if nobody is to ask for tokens',
        );
      }
      if (value.BACKEND !== 'gcp') return;
      if (value.TELEMETRY === 'google' && !PLACE.test(value.OTEL_RESOURCE_ATTRIBUTES ?? '')) {
        fault(
          'OTEL_RESOURCE_ATTRIBUTES',
          'must say where this is with TELEMETRY=google, such as cloud.region=europe-west1: Google drops every metric without a place',
        );
      }
      if (value.SUBSCRIBER === 'push' && value.PUSH_AUTH === 'token') {
        for (const name of ['PUSH_AUDIENCE', 'PUSH_SERVICE_ACCOUNT'] as const) {
          if (value[name] === undefined) {
            fault(
              name,
              'is missing: without it anybody could push; or say PUSH_AUTH=platform where Cloud Run checks',
            );
          }
        }
      }
      if (value.PROJECT_ID === undefined) fault('PROJECT_ID', 'is missing: BACKEND=gcp needs a project');
      const emulators = [value.PUBSUB_EMULATOR_HOST, value.FIRESTORE_EMULATOR_HOST];
      if (emulators.filter(Boolean).length === 1) {
        const absent = value.PUBSUB_EMULATOR_HOST ? 'FIRESTORE_EMULATOR_HOST' : 'PUBSUB_EMULATOR_HOST';
        fault(
          absent,
          'is missing: one half on an emulator and the other on Google would mix test and real orders',
        );
      }
      // The client obeys gcloud's variable for the emulator even if no other variable is set.
      if (value.CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB && emulators[0] === undefined) {
        fault(
          'CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB',
          'is set, and would lead to the emulator: unset it, or name both emulators',
        );
      }
    },
    // Even if single variables are wrong, so that one error names them all.
    { when: () => true },
  );

type Variables = z.infer<typeof ownVariables>;

/** How long steps wait, as `step=milliseconds,step=milliseconds`. */
function slowDown({ steps }: Saga) {
  const delays = Object.fromEntries(steps.map(({ name }) => [name, wholeNumber(0, 60_000).exactOptional()]));
  return z
    .string()
    .transform((text) => Object.fromEntries(text.split(',').map((one) => one.trim().split(/ *= *(.*)/))))
    .pipe(
      z.strictObject(delays, {
        error: ({ keys }) => `names no step: ${keys}; there are ${Object.keys(delays).join(', ')}`,
      }),
    )
    .default({});
}

/** Adds what `.env` says to the environment; what is set already stays. */
export function loadDotenv(): void {
  dotenv.config({ quiet: true });
}

/**
 * Reads the configuration.
 * @param environment such as process.env; a value that is empty or blank counts as not set.
 * @param saga whose steps and services declare settings of their own.
 * @throws Error that names every variable that is wrong or missing, and what it must be.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>, saga: Saga) {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = z
    .intersection(ownVariables, z.object({ SLOW_DOWN: slowDown(saga) }).and(z.object(saga.settings)))
    .safeParse(set);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`);
    throw new Error(`The configuration is wrong (environment or .env):\n${faults.join('\n')}`);
  }
  const variables: Variables = parsed.data;
  return {
    projectId: variables.PROJECT_ID ?? 'embedded',
    port: variables.PORT,
    host: variables.HOST,
    backend: variables.BACKEND,
    /** Whether messages are pulled, or pushed to `POST /push/{subscription}`. */
    subscriber: variables.SUBSCRIBER,
    /** Whose tokens a push must have; `platform` if what stands in front of the service has checked that. */
    pushIdentity: pushIdentityOf(variables),
    ...operatorsOf(variables),
    ...customersOf(variables),
    ...ratesOf(variables),
    /**
     * How many proxies in front add the caller to X-Forwarded-For. On Cloud Run, which alone sets K_SERVICE, there is one.
     */
    trustedProxies: variables.TRUSTED_PROXIES ?? (variables.K_SERVICE ? 1 : 0),
    firestoreDatabase: variables.FIRESTORE_DATABASE,
    /** Whether the clients talk to the emulators. */
    isEmulated: variables.PUBSUB_EMULATOR_HOST !== undefined,
    logLevel: variables.LOG_LEVEL,
    /** Where traces and metrics are sent: to a collector, to Google, or nowhere. */
    telemetry: variables.TELEMETRY,
    /** Whether metrics can be fetched at `GET /metrics`, besides being sent. */
    metrics: variables.METRICS,
    storeTimeoutMs: variables.STORE_TIMEOUT_MS,
    publishTimeoutMs: variables.PUBLISH_TIMEOUT_MS,
    /** How long each stage of an order may take. */
    deadlineSeconds: variables.SAGA_DEADLINE_SECONDS,
    /** How long the janitor waits between two sweeps; 0: it sweeps only on request. */
    sweepIntervalSeconds: variables.SWEEP_INTERVAL_SECONDS,
    /** How long steps wait before they take a batch of messages, in milliseconds. */
    slowDownMs: parsed.data.SLOW_DOWN,
    /** The values of the settings that steps and services declare. */
    declared: Object.fromEntries(Object.keys(saga.settings).map((name) => [name, parsed.data[name]])),
  };
}

/** If messages are pulled, there are no pushes, and the identity is one that no token can have. */
function pushIdentityOf({
  PUSH_AUTH,
  PUSH_AUDIENCE,
  PUSH_SERVICE_ACCOUNT,
}: Variables): PushIdentity | 'platform' {
  if (PUSH_AUTH === 'platform') return 'platform';
  return { audience: PUSH_AUDIENCE ?? 'nobody', serviceAccount: PUSH_SERVICE_ACCOUNT ?? 'nobody' };
}

/**
 * How operators are known; if nothing says it, they are the people on this machine, but only if no other machine can reach the
 * service. Without `operators`, their routes are closed.
 */
function operatorsOf({ HOST, OPERATOR_AUTH, OPERATOR_TOKEN }: Variables): { operators?: OperatorCheck } {
  if (OPERATOR_TOKEN !== undefined) return { operators: { by: 'token', token: OPERATOR_TOKEN } };
  if (OPERATOR_AUTH === 'platform') return { operators: { by: 'platform' } };
  return isLoopback(HOST) ? { operators: { by: 'loopback' } } : {};
}

/** Without `customerIdentity`, customers are not told apart. */
function customersOf({
  CUSTOMER_AUTH,
  CUSTOMER_ISSUER = '',
  CUSTOMER_AUDIENCE = '',
  CUSTOMER_CLAIM,
}: Variables): { customerIdentity?: CustomerIdentity } {
  if (CUSTOMER_AUTH !== 'oidc') return {};
  return {
    customerIdentity: { issuer: CUSTOMER_ISSUER, audience: CUSTOMER_AUDIENCE, claim: CUSTOMER_CLAIM },
  };
}

/** On your own machine nothing is limited, because a load test is a single client, too. */
function ratesOf({ HOST, CLIENT_CHANGES_PER_MINUTE, OPERATOR_REQUESTS_PER_MINUTE }: Variables) {
  const [changes, requests] = isLoopback(HOST) ? [0, 0] : [6000, 300];
  return {
    clientChangesPerMinute: CLIENT_CHANGES_PER_MINUTE ?? changes,
    operatorRequestsPerMinute: OPERATOR_REQUESTS_PER_MINUTE ?? requests,
  };
}

/** The root of the package; the compiled code is two folders below it. */
export const packageRoot = new URL('../../', import.meta.url);

/** The version of this release. */
export const packageVersion = (): string =>
  JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')).version;
