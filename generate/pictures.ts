import { serviceNames, topicsBefore } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import { CANCELED, FAILING, PAUSED, RESUMED } from '../saga/ledger/ledger.ts';
import { isWaitingStep, PEOPLE, type Saga } from '../saga/step/saga.ts';
import { servicesLeadingTo } from './services-leading-to.ts';

/** The saga in pictures, as lines of Markdown. */

const fenced = (language: string, lines: readonly string[]): string[] => [
  `\`\`\`${language}`,
  ...lines,
  '```',
];

/**
 * Which services send to which on which topic, and the ledger that all of them use. Dead letters are left out, and so are the
 * older subscriptions of a step in front of which another one was put: no order goes on by them.
 */
export function flowchart(saga: Saga): string[] {
  const { subscriptions } = declareTopology(saga);
  const isOnTheWay = (topic: string, service?: string): boolean => {
    const step = saga.steps.find(({ name }) => name === service);
    return step === undefined || [...topicsBefore(saga, step), saga.resumption?.topic].includes(topic);
  };
  const readersOf = (topic: string): string[] =>
    Object.entries(subscriptions).flatMap(([name, { topic: read, service }]) => {
      if (read !== topic || !isOnTheWay(topic, service)) return [];
      // A topic that a service reads may have a second subscription for people; here its reader is the service.
      return service ?? (name === `${topic}-sub` ? PEOPLE : []);
    });
  const arrow = (from: readonly string[], label: string, to: readonly string[]) =>
    `    ${from.join(' & ')} -- ${label} --> ${to.join(' & ')}`;
  const [intake = ''] = servicesLeadingTo(saga, saga.statuses[0]);
  const steps = saga.steps.map(({ name }) => name);
  const repeats = saga.services
    .filter((service) => steps.length > 0 && isAnnouncedBy(saga, service.publishes(saga)))
    .map(({ name }) => `    ${name} -. announces again .-> ${steps.join(' & ')}`);
  return fenced('mermaid', [
    'flowchart LR',
    '    people([people, their systems])',
    `    client([client]) -- order, cancel --> ${intake}`,
    ...saga.statuses.map((status) =>
      arrow(servicesLeadingTo(saga, status), saga.topicOf(status), readersOf(saga.topicOf(status))),
    ),
    ...repeats,
    `    ${serviceNames(saga).join(' & ')} <--> ledger[(sagas/uuid<br/>the ledger)]`,
  ]);
}

/** Whether these topics include every one that begins a step. */
const isAnnouncedBy = (saga: Saga, topics: readonly string[]): boolean =>
  saga.statuses.every((status) => topics.includes(saga.topicOf(status)));

/** Every move of a ledger, and who or what causes it. Pauses are left out: from wherever a step is next, and back there. */
export const stateDiagram = (saga: Saga): string[] =>
  fenced('mermaid', [
    'stateDiagram-v2',
    '    direction LR',
    `    [*] --> ${saga.statuses[0]}: ${servicesLeadingTo(saga, saga.statuses[0]).join(', ')}`,
    ...saga.statuses
      .filter((status) => status !== PAUSED)
      .flatMap((from) => nextOf(saga, from).map((to) => `    ${from} --> ${to}: ${causeOf(saga, from, to)}`)),
  ]);

/** An order that goes on goes where the step leads for which it waited. */
const nextOf = (saga: Saga, from: string): readonly string[] =>
  from === RESUMED
    ? [...saga.steps.filter(isWaitingStep).map(({ leadsTo }) => leadsTo), FAILING]
    : saga
        .nextOf({ status: from, history: [] })
        .filter((to) => to !== PAUSED && !isOnlyWaitedFor(saga, from, to));

/** Whether the step that follows always waits, so that the order gets there by a word only. */
function isOnlyWaitedFor(saga: Saga, from: string, to: string): boolean {
  return saga
    .stepsAfter(from)
    .some(({ leadsTo, waits, heldSince }) => leadsTo === to && waits?.as === heldSince);
}

function causeOf(saga: Saga, from: string, to: string): string {
  if (to === RESUMED) return `a word, heard by ${saga.waitingIn(from)?.waits.heardBy}`;
  if (to !== FAILING) return servicesLeadingTo(saga, to).join(', ');
  if (saga.waitingIn(from)) return 'cancel, deadline';
  return from === RESUMED || saga.stepsAfter(from).length > 0 ? 'refusal, cancel, deadline' : 'cancel';
}

/** The same as plain text, for a terminal. */
export function stateLine(saga: Saga): string[] {
  const forward = saga.statuses.filter((status) => ![RESUMED, PAUSED, FAILING, CANCELED].includes(status));
  let line = '';
  const columns = forward.flatMap((status) => {
    if (line !== '') line += ` ──${servicesLeadingTo(saga, status).join(', ')}──▶ `;
    const column = line.length + Math.floor(status.length / 2);
    line += status;
    return saga.isFinal(status) ? [] : [column];
  });
  const [first = 0, last = 0] = [columns[0], columns.at(-1)];
  const joints = Array.from({ length: last - first + 1 }, (_, index) => {
    if (index === 0) return '└';
    if (index === last - first) return '┘';
    return columns.includes(first + index) ? '┴' : '─';
  });
  const [closer] = servicesLeadingTo(saga, CANCELED);
  return fenced('', [
    line,
    ' '.repeat(first) + joints.join(''),
    `${' '.repeat(first)}${saga.isFinal(saga.success) ? `refused, canceled or too late before it is ${saga.success}` : `refused or too late before it is ${saga.success}, or canceled at any time`}:`,
    `${' '.repeat(first)}${FAILING} ──${closer}──▶ ${CANCELED}`,
  ]);
}
