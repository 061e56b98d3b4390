import { z } from 'zod';
import type { Route } from '../../saga/http/http.ts';
import { OPERATOR_HEADER, OPERATOR_HEADER_MEANS } from './operator-name.ts';
import { problemSchema } from './problem-body.ts';

/** The name of the API, and its release. */
export interface About {
  readonly title: string;
  readonly version: string;
}

export const PROMISE =
  'At-least-once delivery, effectively-once effects, and every accepted order reaches exactly one final state.';

/** The OpenAPI 3.1 description of routes, from the schemas that check their input. */
export function openApiOf(routes: readonly Route[], { title, version }: About): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description: PROMISE },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema) },
      securitySchemes: {
        operator: { type: 'http', scheme: 'bearer', description: "The operators' token (docs/security.md)" },
        customer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: "A customer's ID token, asked for with CUSTOMER_AUTH=oidc (docs/security.md)",
        },
      },
    },
  };
}

/** What is answered wherever the input does not fit the schemas. */
const INPUT_RESPONSES = { 400: 'A parameter or a field is wrong or unknown; errors says which' };

/** What a server answers that is for its own machine alone. */
const LOCAL_RESPONSES = { 403: 'Asked by a page of another site, or from another machine' };

/** What the gates may answer instead of any route, or instead of one for operators. */
const GATE_RESPONSES = { 429: 'Too many requests of this client; Retry-After says when to try again' };
const OPERATOR_RESPONSES = {
  401: "The operators' token is missing or wrong",
  403: 'Operators are not let in here, or not from this site',
  ...GATE_RESPONSES,
};

const CUSTOMER_RESPONSES = {
  401: "The customer's token is missing or wrong, where tokens are asked for",
  503: "The store does not answer, or the keys of the tokens' issuer; try again",
};
const SECURITY = {
  operators: [{ operator: [] }],
  // Whether a token is asked for is a setting of the service.
  customers: [{ customer: [] }, { operator: [] }, {}],
};

function operationOf({ method, path, summary, audience, body, query, headers, ...route }: Route): object {
  const isForOperators = audience === 'operators';
  const responses = {
    ...INPUT_RESPONSES,
    ...LOCAL_RESPONSES,
    ...(isForOperators ? OPERATOR_RESPONSES : method !== 'GET' && GATE_RESPONSES),
    ...(audience === 'customers' && CUSTOMER_RESPONSES),
    ...route.responses,
  };
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(query ? queryParameters(query) : []),
    ...Object.entries({
      ...headers,
      ...(isForOperators && method !== 'GET' && { [OPERATOR_HEADER]: OPERATOR_HEADER_MEANS }),
    }).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  return {
    summary,
    ...(audience && { security: SECURITY[audience] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body) } } },
    }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, description]) => [
        status,
        responseOf(Number(status), description, route),
      ]),
    ),
  };
}

function responseOf(
  status: number,
  description: string,
  { answer, example, events }: Pick<Route, 'answer' | 'example' | 'events'>,
): object {
  if (status >= 400) {
    const schema = { $ref: '#/components/schemas/Problem' };
    return { description, content: { 'application/problem+json': { schema } } };
  }
  const media = { schema: jsonSchema(answer), ...(example !== undefined && { example }) };
  return { description, content: events ? eventStream(media, events) : { 'application/json': media } };
}

/** OpenAPI 3.1 knows no events: to it, a stream is a text. What each event has in its data stands beside that. */
const eventStream = (media: object, events: NonNullable<Route['events']>) => ({
  'text/event-stream': {
    ...media,
    'x-event-data': Object.fromEntries(
      Object.entries(events).map(([event, data]) => [event, jsonSchema(data)]),
    ),
  },
});

function queryParameters(query: z.ZodType): object[] {
  const { properties = {} } = jsonSchema(query) as { properties?: Record<string, object> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}

/**
 * The JSON Schema of what a schema takes. Of an answer, too, that is the form that JSON has.
 * @param target its draft; OpenAPI 3.1 has the default one.
 */
export function jsonSchema(schema: z.ZodType, target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12'): object {
  const {
    $schema: _,
    id: __,
    ...rest
  } = z.toJSONSchema(schema, { io: 'input', target }) as Record<string, unknown>;
  return rest;
}
