import { type PricedLine, totalOf } from '../shop/lines.ts';

/** What the janitor answers, in lines for people. Moments are as they come: ISO 8601, in UTC. */

export interface LetterAnswer {
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  readonly topic?: string;
  readonly subscription: string;
  readonly attempts: number;
  readonly uuid?: string;
  readonly redriveOf?: string;
  readonly createdAt: string;
  readonly history: readonly string[];
  readonly bodyBytes: number;
  /** Of a letter on its own. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly encoding?: string;
}

export interface SagaAnswer {
  readonly ledger: {
    readonly uuid: string;
    readonly status: string;
    readonly user?: string;
    readonly items?: readonly { readonly item: string; readonly quantity: number }[];
    readonly lines?: readonly PricedLine[];
    readonly charged?: number;
    readonly sweepAt: string | null;
    readonly repeats?: number;
  };
  readonly timeline: readonly {
    readonly at: string;
    readonly status: string;
    readonly by: string;
    readonly reason?: string;
    readonly detail?: string;
  }[];
  readonly callsFor: string;
  readonly deadline?: string;
  readonly holds: readonly {
    readonly kind: string;
    readonly path: string;
    readonly amount?: number;
    readonly exists?: boolean;
  }[];
  readonly letters: readonly LetterAnswer[];
}

/** What it answers if the ledger can't be believed. */
export interface MalformedAnswer {
  readonly uuid: string;
  readonly faults: readonly string[];
  readonly letters: readonly LetterAnswer[];
}

export function malformedLines({ uuid, faults, letters }: MalformedAnswer): string[] {
  return [
    `The ledger of order ${uuid} is malformed (--json shows it):`,
    ...faults.map((fault) => `  fault       ${fault}`),
    ...letters.map(letterOutline),
  ];
}

export function sagaLines({ ledger, timeline, callsFor, deadline, holds, letters }: SagaAnswer): string[] {
  const { uuid, status, user, items, lines, charged, sweepAt, repeats } = ledger;
  const asked = items?.map(({ item, quantity }) => `${quantity} ${item}`).join(', ');
  const price = lines === undefined || charged === undefined ? '' : `, for ${totalOf(lines)} in all`;
  return [
    `Order ${uuid} is ${status}`,
    `  ${asked === undefined ? 'nobody knows what was ordered' : `${user} ordered ${asked}${price}`}`,
    ...timeline.map(({ at, status: to, by, reason, detail }) => {
      const cause = reason === undefined ? '' : `  ${reason}: ${detail ?? ''}`;
      return `  ${at}  ${to.padEnd(10)} by ${by}${cause}`;
    }),
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

const letterOutline = ({ id, status, reason }: LetterAnswer): string =>
  `  letter      ${id} ${status}: ${reason}`;

export function letterLines(letter: LetterAnswer): string[] {
  const { id, status, reason, topic, subscription, attempts, uuid, redriveOf, history, createdAt } = letter;
  const { attributes = {}, body, encoding, bodyBytes } = letter;
  return [
    `${id}  ${createdAt}  ${status}: ${reason}`,
    `  from ${subscription}${topic === undefined ? '' : ` on ${topic}`}, after ${attempts} ${attempts === 1 ? 'delivery' : 'deliveries'}`,
    ...(uuid === undefined ? [] : [`  names order ${uuid}`]),
    ...(redriveOf === undefined ? [] : [`  was redriven before, as ${redriveOf}`]),
    ...history.slice(1).map((line) => `  ${line}`),
    ...Object.entries(attributes).map(([name, value]) => `  ${name}: ${value}`),
    ...(body === undefined
      ? []
      : [`  ${bodyBytes} bytes, as ${encoding}:`, ...body.split('\n').map((line) => `  ${line}`)]),
  ];
}

/** Messages may come from anybody, so this makes visible what would steer a terminal or begin a new line. */
export const harmless = (line: string): string =>
  line.replaceAll(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
