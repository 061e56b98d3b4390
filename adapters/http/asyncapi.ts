import { z } from 'zod';
import { DEAD_LETTER, REDRIVE } from '../../saga/deliver/message.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { declareTopology, publishedBy } from '../../saga/deliver/topology.ts';
import { snapshotSchema } from '../../saga/http/answers.ts';
import { DEAD_LETTER_TOPIC, ORCHESTRATION, PEOPLE, type Saga } from '../../saga/step/saga.ts';
import type { Wait } from '../../saga/step/wait.ts';
import { type About, jsonSchema, PROMISE } from './openapi.ts';

/** A message as AsyncAPI describes it. */
interface MessageObject {
  readonly summary: string;
  readonly contentType?: string;
  readonly headers?: object;
  readonly payload: object;
  readonly bindings?: object;
  readonly correlationId?: object;
}

/**
 * The AsyncAPI 3.0 description of a saga: its topics, the messages on them, and who publishes and reads which. All services
 * together count as one application. An operation that sends is named after a service and a topic, one that receives after its
 * subscription.
 */
export function asyncApiOf(saga: Saga, { title, version }: About): object {
  const { topics, subscriptions } = declareTopology(saga);
  const channels = Object.entries(topics).map(([topic, says]) => {
    const names = Object.keys(messagesOn(saga, topic));
    const refs = names.map((name) => [name, { $ref: `#/components/messages/${name}` }]);
    return [topic, { address: topic, description: says, messages: Object.fromEntries(refs) }];
  });
  const sends = serviceNames(saga).flatMap((service) =>
    publishedBy(saga, service).map((topic) => [
      `${service}-${topic}`,
      operation('send', topic, service, `${service} publishes on ${topic}`),
    ]),
  );
  const receives = Object.entries(subscriptions).map(([name, { topic, service = PEOPLE }]) => [
    name,
    operation('receive', topic, service, `Read by ${service}`),
  ]);
  return {
    asyncapi: '3.0.0',
    info: { title, version, description: PROMISE },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries([...sends, ...receives]),
    components: {
      messages: Object.assign({}, ...Object.keys(topics).map((topic) => messagesOn(saga, topic))),
      schemas: { Snapshot: jsonSchema(snapshotSchema(saga), 'draft-7') },
    },
  };
}

/** Without bindings of the channels, which would have to name a schema of Pub/Sub's own: the topics have none. */
const SERVERS = {
  pubsub: {
    host: 'pubsub.googleapis.com',
    pathname: '/projects/{project}',
    protocol: 'googlepubsub',
    description:
      'Google Cloud Pub/Sub. The emulator listens where PUBSUB_EMULATOR_HOST says; the embedded engine has no address',
    variables: { project: { description: 'The id of the project of Google Cloud: PROJECT_ID' } },
  },
};

const operation = (action: 'send' | 'receive', topic: string, who: string, summary: string) => ({
  action,
  channel: { $ref: `#/channels/${topic}` },
  summary,
  tags: [{ name: who }],
});

/** The messages on a topic, by names that are unique in the saga. */
function messagesOn(saga: Saga, topic: string): Readonly<Record<string, MessageObject>> {
  if (topic === DEAD_LETTER_TOPIC) return { [topic]: DEAD_LETTER_MESSAGE };
  const listening = saga.steps.find(({ waits }) => waits?.listensTo?.topic === topic)?.waits;
  if (listening) return { [topic]: wordMessage(listening) };
  return {
    [topic]: announcement(saga, topic),
    ...(topic === saga.entry.topic && { [`${topic}-from-outside`]: ORDER_FROM_OUTSIDE }),
  };
}

/** What `messageFor` publishes: a snapshot of the order, in a CloudEvent in binary mode. */
function announcement(saga: Saga, topic: string): MessageObject {
  const statuses = statusesOn(saga, topic);
  /** The same in each. */
  const fixed = {
    'ce-specversion': '1.0',
    'ce-type': `${saga.name}.${topic}`,
    'content-type': 'application/json',
  };
  return {
    summary: `An order is ${statuses.join(' or ')}`,
    headers: attributes(
      {
        ...Object.fromEntries(Object.entries(fixed).map(([name, value]) => [name, { const: value }])),
        'ce-id': text('The id of the fact, which a repetition has, too'),
        'ce-source': { enum: serviceNames(saga).map((name) => `/${saga.name}/${name}`) },
        'ce-subject': { ...text('The uuid of the order'), format: 'uuid' },
        'ce-time': { ...text('When the order came to this status'), format: 'date-time' },
      },
      {
        traceparent: text('The trace of the order, as W3C Trace Context writes it'),
        [REDRIVE.messageId]: text('The first id of a message that was sent back to its topic'),
        [REDRIVE.letter]: text('The dead letter that was sent back to its topic'),
      },
    ),
    payload: {
      allOf: [{ $ref: '#/components/schemas/Snapshot' }, { properties: { status: { enum: statuses } } }],
    },
    bindings: { googlepubsub: { attributes: fixed, bindingVersion: '0.2.0' } },
    correlationId: { location: '$message.header#/ce-subject' },
  };
}

/** The statuses that are announced on a topic: one, except on that of the workflow. */
function statusesOn(saga: Saga, topic: string): readonly string[] {
  const { order, workflow, statuses } = saga;
  if (topic !== workflow?.topic) return statuses.filter((status) => saga.topicOf(status) === topic);
  const orchestrated = order.modeIn === undefined ? {} : { [order.modeIn]: ORCHESTRATION };
  return statuses.filter((status) => saga.topicFor({ ...orchestrated, status }) === topic);
}

/** The kernel knows how to read such an order, and the OpenAPI document how it is posted. */
const ORDER_FROM_OUTSIDE: MessageObject = {
  summary: 'An order that another program publishes',
  payload: {
    type: 'object',
    description: 'An order as it is posted. Without a uuid it gets one, the same at every delivery',
    properties: { uuid: { type: 'string', format: 'uuid' } },
  },
};

/** A word for an order that waits, which another program publishes. */
const wordMessage = ({ words, as }: Wait): MessageObject => ({
  summary: `A word for an order that is ${as}`,
  payload: {
    anyOf: Object.entries(words).map(([word, carried]) =>
      jsonSchema(z.object({ uuid: z.uuid(), outcome: z.literal(word), ...carried.shape }), 'draft-7'),
    ),
  },
});

/** With the names that Pub/Sub itself uses when it dead-letters; only a service says why. */
const DEAD_LETTER_MESSAGE: MessageObject = {
  summary: 'A message that could not be processed, byte by byte as it came',
  contentType: 'application/octet-stream',
  headers: attributes(
    {
      [DEAD_LETTER.subscription]: text('The subscription by which it came'),
      [DEAD_LETTER.attempts]: { ...text('How often it was delivered'), pattern: '^[0-9]+$' },
    },
    {
      [DEAD_LETTER.reason]: text('Why it could not be processed'),
      [DEAD_LETTER.messageId]: text('The id that it had'),
    },
  ),
  payload: {},
};

function text(description: string) {
  return { type: 'string', description };
}

/** Attributes of a message. Others may come with it: they are nobody's business. */
function attributes(needed: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(needed), properties: { ...needed, ...optional } };
}
