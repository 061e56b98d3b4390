import { CANCELED, FAILING, PAUSED, RECEIVED, RESUMED } from '../ledger/ledger.ts';
import { LEDGER_FIELDS } from '../ledger/read-ledger.ts';
import {
  announcementsOf,
  DEAD_LETTER_TOPIC,
  isWaitingStep,
  PEOPLE,
  type SagaDeclaration,
  type StepOrGroup,
  subscriptionsOf,
} from './saga.ts';
import type { Step } from './step.ts';
import { SILENCE } from './wait.ts';

/** The contradictions in a declaration, as sentences. Includes what the compiler finds, for callers in plain JavaScript. */
export function faultsOf(
  {
    order,
    entry,
    resumption,
    pause,
    workflow,
    failure,
    end,
    services,
    reasons,
    unknownReason,
    subscriptions,
  }: SagaDeclaration<object, readonly StepOrGroup[], string, string, string, string>,
  groups: readonly (readonly Step[])[],
): string[] {
  const steps = groups.flat();
  const topics = [
    entry.topic,
    ...steps.flatMap(announcementsOf).map(({ topic }) => topic),
    ...(resumption ? [resumption.topic] : []),
    ...(pause ? [pause.topic] : []),
    ...(workflow ? [workflow.topic] : []),
    ...steps.flatMap(({ waits }) => waits?.listensTo?.topic ?? []),
    failure.topic,
    end.topic,
    DEAD_LETTER_TOPIC,
  ];
  const names = [...services, ...steps].map(({ name }) => name);
  const kinds = new Set(steps.flatMap(({ uses }) => uses));
  const statuses = steps.flatMap((step) =>
    announcementsOf(step).map(({ status }) => ({ name: step.name, status })),
  );
  // Two may have the same variable, if they declare it with one schema.
  const settings = new Map(
    [...services, ...steps].flatMap((one) =>
      Object.entries(one.settings ?? {}).map(([name, schema]) => [schema, name] as const),
    ),
  );
  const twice = (what: string, names: readonly string[]) =>
    [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
      (name) => `${what} ${name} is there twice`,
    );
  const known = new Map<string, unknown>(Object.entries(order.schema.shape));
  const faults: string[] = steps.length === 0 ? ['it has no steps'] : [];
  for (const group of groups) {
    // None of them learns what another one needs: that may not be done yet.
    for (const { name, needs } of group) {
      for (const [field, schema] of Object.entries(needs)) {
        if (!known.has(field)) faults.push(`${name} needs ${field}, which no earlier step learns`);
        else if (known.get(field) !== schema) faults.push(`${name} needs another ${field} than is learned`);
      }
    }
    for (const { name, learns, waits, standIn } of group) {
      if (standIn !== undefined && !learns.safeParse(standIn).success)
        faults.push(`the stand-in of ${name} is not what it learns`);
      for (const [field, schema] of [waits?.learns.shape ?? {}, learns.shape].flatMap(Object.entries)) {
        if (known.has(field)) faults.push(`${name} learns ${field}, which is known before`);
        known.set(field, schema);
      }
    }
  }
  return [
    ...faults,
    ...[...known.keys()]
      .filter((field) => LEDGER_FIELDS.has(field))
      .map((field) => `${field} is a field of every ledger: give yours another name`),
    ...(order.failsAt === undefined || order.failsAt in order.schema.shape
      ? []
      : [`an order names the step that fails in ${order.failsAt}, which is no field of it`]),
    ...(order.modeIn === undefined || order.modeIn in order.schema.shape
      ? []
      : [`an order names its mode in ${order.modeIn}, which is no field of it`]),
    ...(order.ownedBy === undefined || order.ownedBy in order.schema.shape
      ? []
      : [`an order names its customer in ${order.ownedBy}, which is no field of it`]),
    ...twice('the service', [...names, PEOPLE]),
    ...twice('the status', [
      RECEIVED,
      ...statuses.map(({ status }) => status),
      RESUMED,
      PAUSED,
      FAILING,
      CANCELED,
    ]),
    ...twice('the topic', topics),
    ...twice(
      'the kind of document',
      [...kinds].map(({ name }) => name),
    ),
    ...twice('the setting', [...settings.values()]),
    ...[...kinds].flatMap(({ name, missing, closedBecause }) =>
      closedBecause && missing === undefined
        ? [`a ${name} can be closed, but no reason is there to refuse an order then: say \`missing\``]
        : [],
    ),
    ...(reasons.includes(unknownReason) ? [] : [`${unknownReason} is none of its reasons`]),
    ...statuses.flatMap(({ name, status }) =>
      /^[A-Z][A-Z_]*$/.test(status) ? [] : [`the status ${status} of ${name} is not in CAPITAL_LETTERS`],
    ),
    ...groups.flatMap((group, index) => groupFaults(group, groups[index + 1])),
    ...steps.flatMap((step) => waitFaults(step, names)),
    ...(resumption === undefined && steps.some(isWaitingStep)
      ? ['a step waits, but no topic announces that an order goes on: give it a resumption']
      : []),
    ...[...new Set([...names, ...topics])].flatMap((text) =>
      /^[a-z][a-z0-9-]*$/.test(text) ? [] : [`the service or topic ${text} is not in small-letters`],
    ),
    ...Object.entries(subscriptions).flatMap(([subscription, reader]) => {
      const step = steps.find(({ name }) => name === reader);
      const place = groups.findIndex((group) => step && group.includes(step));
      // A step goes on reading what came before it; whether another service reads a topic is its own affair.
      const before = [
        entry.topic,
        ...groups
          .slice(0, place)
          .flat()
          .flatMap(announcementsOf)
          .map(({ topic }) => topic),
      ];
      const heard = [step?.waits?.listensTo?.topic ?? [], resumption?.topic ?? []].flat();
      const readable = step === undefined ? topics : [...before, ...heard];
      if (![...names, PEOPLE].includes(reader))
        return [`${subscription} has the reader ${reader}, which is no service`];
      return readable.some((topic) =>
        (subscriptionsOf(topic, reader) as readonly string[]).includes(subscription),
      )
        ? []
        : [`${subscription} is no subscription by which ${reader} can read a topic`];
    }),
  ];
}

function groupFaults(group: readonly Step[], next: readonly Step[] | undefined): string[] {
  const names = group.map(({ name }) => name).join(' and ');
  if (group.length === 0) return ['an empty list stands among its steps'];
  if (group.length === 1) return [];
  return [
    // Otherwise the end of an order would have as many names as there are steps that may be the last one.
    ...(next === undefined
      ? [`nothing follows ${names}: steps beside one another need one behind them`]
      : []),
    ...group.filter(isWaitingStep).map(({ name }) => `${name} waits, so it can't run beside others`),
  ];
}

function waitFaults({ name, waits }: Step, services: readonly string[]): string[] {
  if (waits === undefined) return [];
  return [
    ...(services.includes(waits.heardBy)
      ? []
      : [`${name} is heard by ${waits.heardBy}, which is no service`]),
    ...Object.entries(waits.words).flatMap(([word, { shape }]) => [
      ...(/^[a-z][a-z-]*$/.test(word) && word !== SILENCE
        ? []
        : [`the word ${word} of ${name} can't be said`]),
      ...['word', 'uuid', 'outcome']
        .filter((taken) => taken in shape)
        .map((field) => `the word ${word} of ${name} can't carry ${field}`),
    ]),
  ];
}
