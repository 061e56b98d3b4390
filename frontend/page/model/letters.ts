import { counted } from './words.ts';

/** A message that could not be processed, as the list of the dead-letter desk has it. */
export interface LetterOutline {
  readonly id: string;
  readonly status: LetterStatus;
  readonly reason: string;
  readonly subscription: string;
  readonly attempts: number;
  readonly topic?: string;
  readonly uuid?: string;
  readonly messageId?: string;
  readonly redriveOf?: string;
  readonly bodyBytes: number;
  readonly history: readonly string[];
  readonly createdAt: string;
}

/** The same as it came. */
export interface Letter extends LetterOutline {
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: string;
  readonly encoding: 'utf8' | 'base64';
}

/** A letter that was edited by hand and can't be right. */
export interface MalformedLetter {
  readonly id: unknown;
  readonly faults: readonly string[];
  readonly letter: object;
}

export const LETTER_STATUSES = ['parked', 'redriven', 'discarded'] as const;
export type LetterStatus = (typeof LETTER_STATUSES)[number];

export const isMalformed = (letter: LetterOutline | MalformedLetter): letter is MalformedLetter =>
  'faults' in letter;

/** The body as people read it: JSON is indented, anything else stays as it came. */
export function bodyText({ body, encoding }: Pick<Letter, 'body' | 'encoding'>): string {
  if (encoding === 'base64') return body;
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2);
  } catch {
    return body;
  }
}

/** What a redrive did with a portion of the letters. */
export interface Redriven {
  readonly sent: number;
  readonly refused: readonly Stayed[];
  readonly failed: readonly Stayed[];
}
interface Stayed {
  readonly id: string;
  readonly detail: string;
}

/** "12 letters sent. 2 can’t be sent: …; 1 could not be sent now, and stays: …" */
export function redrivenText(portions: readonly Redriven[]): string {
  const sent = portions.reduce((sum, portion) => sum + portion.sent, 0);
  const refused = portions.flatMap((portion) => portion.refused);
  const failed = portions.flatMap((portion) => portion.failed);
  return [
    `${counted(sent, 'letter')} sent.`,
    ...(refused.length > 0
      ? [`${counted(refused.length, 'letter')} can’t be sent: ${detailsOf(refused)}.`]
      : []),
    ...(failed.length > 0
      ? [`${counted(failed.length, 'letter')} could not be sent now: ${detailsOf(failed)}.`]
      : []),
  ].join(' ');
}

const DETAILS_MAX = 3;

/** The first of the different details. */
function detailsOf(stayed: readonly Stayed[]): string {
  const details = [...new Set(stayed.map(({ detail }) => detail.replace(/\.$/, '')))];
  const more = details.length - DETAILS_MAX;
  return [
    ...details.slice(0, DETAILS_MAX),
    ...(more > 0 ? [`and ${counted(more, 'other reason')}`] : []),
  ].join('; ');
}
