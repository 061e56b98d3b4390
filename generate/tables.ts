import type { ServiceDefinition } from '../saga/deliver/service.ts';
import { declareTopology, readersOf, subscriptionOf, topologyOf } from '../saga/deliver/topology.ts';
import {
  CANCELED,
  CANCELED_BY_OPERATOR,
  DEADLINE_EXCEEDED,
  FAILING,
  RECEIVED,
  RESUMED,
  STEP_FAILED,
} from '../saga/ledger/ledger.ts';
import type { Account, AnyKind } from '../saga/step/document.ts';
import { isWaitingStep, PEOPLE, type Saga } from '../saga/step/saga.ts';
import type { Step } from '../saga/step/step.ts';
import { shapeOf } from './firestore-indexes.ts';
import { publishersOf, servicesLeadingTo } from './services-leading-to.ts';

/** Facts about the saga, as Markdown tables. */

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

const code = (text: string): string => `\`${text}\``;

/** Each status, the topic on which it is announced, and who leads an order there. */
export const statusTable = (saga: Saga): string[] =>
  table(
    ['status', 'announced on', 'who leads an order there'],
    saga.statuses.map((status) => [
      code(status),
      code(saga.topicOf(status)),
      [...servicesLeadingTo(saga, status), ...(status === RECEIVED ? [withoutIntake(saga)] : [])].join(', '),
    ]),
  );

/** The first step also takes orders that were not published by the service that takes orders in. */
const withoutIntake = ({ steps: [first], entry }: Saga): string =>
  `or ${first?.name}, where another program has published to ${code(entry.topic)}`;

/** Each reason for which an order fails, and where it comes from. */
export const reasonTable = (saga: Saga): string[] =>
  table(
    ['reason', 'where it comes from'],
    saga.reasons.map((reason) => [code(reason), sourcesOf(saga, reason).join('; ')]),
  );

function sourcesOf(saga: Saga, reason: string): string[] {
  const brought = saga.kinds.flatMap((kind) => {
    const document = code(kind.template);
    return [
      ...(kind.missing === reason
        ? [`the order needs ${document}, which is missing${kind.closedBecause ? ' or takes no orders' : ''}`]
        : []),
      ...(isShortage(kind, reason)
        ? [`the order would take more than is left: ${code(kind.balance)} of ${document}`]
        : []),
    ];
  });
  const refusing = saga.steps.filter(
    ({ reasons, uses }) =>
      reasons.includes(reason) && !uses.some((kind) => kind.missing === reason || isShortage(kind, reason)),
  );
  const sources = [
    ...brought,
    ...refusing.map(({ name }) => `${name} refuses`),
    ...(reason === DEADLINE_EXCEEDED ? ['a stage took longer than the order allows'] : []),
    ...(reason === STEP_FAILED ? ['the order asked for a step to fail'] : []),
    ...(reason === CANCELED_BY_OPERATOR ? ['an operator canceled the order'] : []),
    ...(reason === saga.unknownReason ? ['a failure that came before its order and named no reason'] : []),
  ];
  const mayFail = ({ publishes }: ServiceDefinition) => publishes(saga).includes(saga.failure.topic);
  // If neither a step nor the kernel declares the reason, it comes from a service beside the steps.
  return sources.length > 0
    ? sources
    : [`a service beside the steps: ${namesOf(saga.services.filter(mayFail)).join(' or ')}`];
}

const isShortage = (kind: AnyKind, reason: string): kind is Account =>
  kind.held === 'amounts' && kind.shortage === reason;

const namesOf = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);

/** Each topic, what a message on it says, who publishes it and who reads it. */
export function topicTable(saga: Saga): string[] {
  const { topics, subscriptions } = declareTopology(saga);
  const readersOf = (topic: string) =>
    Object.entries(subscriptions)
      .filter(([, { topic: read }]) => read === topic)
      .map(([name, { service = PEOPLE }]) => `${service} (${code(name)})`);
  return table(
    ['topic', 'what it says', 'published by', 'read by'],
    Object.entries(topics).map(([topic, says]) => [
      code(topic),
      says,
      publishersOf(saga, topic).join(', '),
      readersOf(topic).join(', '),
    ]),
  );
}

/** Each topic that the sweep publishes again, who then has to react, and by which subscription. */
export function announcementTable(saga: Saga): string[] {
  const topology = topologyOf(saga);
  const rows = saga.statuses.flatMap((status) => {
    const topic = saga.topicOf(status);
    const services =
      status === FAILING ? servicesLeadingTo(saga, CANCELED) : namesOf(stepsAfter(saga, status));
    return services.map((name) => [code(topic), name, code(subscriptionOf(topology, name, topic))]);
  });
  return table(['published again', 'service that does not react', 'its subscription'], rows);
}

const stepsAfter = (saga: Saga, status: string): readonly Step[] =>
  status === RESUMED ? saga.steps.filter(isWaitingStep) : saga.stepsAfter(status);

/** Each service that can run as a function, and the subscriptions whose messages it then takes. */
export function functionTable(saga: Saga): string[] {
  const topology = topologyOf(saga);
  const readBy = (name: string) =>
    Object.entries(topology.subscriptions).flatMap(([subscription, { service }]) =>
      service === name ? [code(subscription)] : [],
    );
  return table(
    ['service', 'what its function takes'],
    readersOf(topology).map((name) => [code(name), readBy(name).join(', ')]),
  );
}

/** Each kind of document that the steps use, with its fields. */
export const documentTable = (saga: Saga): string[] =>
  table(
    ['path', 'what it is', 'fields', 'used by'],
    saga.kinds.map((kind) => [
      code(kind.template),
      kind.held === 'amounts'
        ? `${kind.name}, ${kind.whole === undefined ? `a counter: ${code(kind.balance)} is what orders were given` : `an account: ${code(kind.balance)} is what is left of ${code(kind.whole)}`}`
        : kind.name,
      Object.entries(shapeOf(kind))
        .map(([field, schema]) => code(schema._zod.optin === 'optional' ? `${field}?` : field))
        .join(', '),
      namesOf(saga.steps.filter(({ uses }) => uses.includes(kind))).join(', '),
    ]),
  );

/** A sentence that lists the subscriptions from which people may pull. */
export function peopleSentence(saga: Saga): string[] {
  const forPeople = Object.entries(declareTopology(saga).subscriptions)
    .filter(([, { service }]) => service === undefined)
    .map(([name]) => code(name));
  return wrapped(
    `The subscriptions for people are ${forPeople.slice(0, -1).join(', ')} and ${forPeople.at(-1)}: pulling from them takes nothing away from a service.`,
  );
}

const COLUMNS_MAX = 120;

/** A paragraph, wrapped at the width of the text around it. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= COLUMNS_MAX) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
