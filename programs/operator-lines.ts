import type { z } from 'zod';
import type { letterView, outlineView } from '../janitor/desk/letter.ts';
import type { sagaSchema } from '../janitor/one-order/saga-routes.ts';
import type { OrderLedger } from '../pipeline.ts';
import { totalOf } from '../shop/lines.ts';

/** What the janitor answers, in lines for people. Moments are as they come: ISO 8601, in UTC. */

export type SagaAnswer = z.input<ReturnType<typeof sagaSchema>>;
type OutlineAnswer = z.input<typeof outlineView>;
type LetterAnswer = z.input<typeof letterView> | OutlineAnswer;

export function sagaLines(saga: SagaAnswer): string[] {
  if ('faults' in saga) {
    return [
      `The ledger of order ${saga.uuid} is malformed (--json shows it):`,
      ...saga.faults.map((fault) => `  fault       ${fault}`),
      ...saga.letters.map(letterOutline),
    ];
  }
  const { ledger, timeline, callsFor, deadline, holds, letters } = saga;
  const { uuid, status, sweepAt, repeats } = ledger;
  // What an order of this shop is, the janitor does not know.
  const { user, items, lines, charged } = ledger as Partial<Omit<OrderLedger, 'sweepAt' | 'forkOf'>>;
  const asked = items?.map(({ item, quantity }) => `${quantity} ${item}`).join(', ');
  const price = lines === undefined || charged === undefined ? '' : `, for ${totalOf(lines)} in all`;
  return [
    `Order ${uuid} is ${status}`,
    `  ${asked === undefined ? 'what was ordered is unknown' : `${user} ordered ${asked}${price}`}`,
    ...timeline.map(({ at, status: to, by, person, note, reason, detail }) => {
      const cause = reason === undefined ? '' : `  ${reason}: ${detail ?? ''}`;
      const who = person === undefined ? by : `${by} for ${person}`;
      return `  ${at}  ${to.padEnd(10)} by ${who}${note === undefined ? '' : `: ${note}`}${cause}`;
    }),
    ...(ledger.forkOf === undefined ? [] : [`  fork of     ${ledger.forkOf.uuid}`]),
    ...(ledger.forks ?? []).map((fork) => `  has a fork  ${fork}`),
    `  calls for   ${callsFor}`,
    ...(deadline === undefined ? [] : [`  deadline    ${deadline}`]),
    ...(sweepAt === null ? [] : [`  next sweep  ${sweepAt}`]),
    ...(repeats ? [`  repeats     ${repeats} in this stage`] : []),
    ...(holds.length === 0 ? ['  holds       nothing'] : []),
    ...holds.flatMap(({ kind, path, amount, exists }) => {
      if (amount === undefined) return [`  holds       ${kind} ${path}${exists ? '' : ', which is missing'}`];
      return amount === 0 ? [] : [`  holds       ${amount} of ${kind} ${path}`];
    }),
    ...letters.map(letterOutline),
  ];
}

const letterOutline = (letter: OutlineAnswer): string =>
  `  letter      ${letter.id} ${'faults' in letter ? 'is malformed' : `${letter.status}: ${letter.reason}`}`;

export function letterLines(letter: LetterAnswer): string[] {
  if ('faults' in letter) {
    return [
      `${letter.id} is malformed (--json shows it):`,
      ...letter.faults.map((fault) => `  fault       ${fault}`),
    ];
  }
  const { id, status, reason, topic, subscription, attempts, uuid, redriveOf, history, createdAt } = letter;
  const content =
    'body' in letter
      ? [
          ...Object.entries(letter.attributes).map(([name, value]) => `${name}: ${value}`),
          `${letter.bodyBytes} bytes, as ${letter.encoding}:`,
          ...letter.body.split('\n'),
        ]
      : [];
  return [
    `${id}  ${createdAt}  ${status}: ${reason}`,
    `  from ${subscription}${topic === undefined ? '' : ` on ${topic}`}, after ${attempts} ${attempts === 1 ? 'delivery' : 'deliveries'}`,
    ...(uuid === undefined ? [] : [`  names order ${uuid}`]),
    ...(redriveOf === undefined ? [] : [`  was redriven before, as ${redriveOf}`]),
    ...[...history.slice(1), ...content].map((line) => `  ${line}`),
  ];
}
