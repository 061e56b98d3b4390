import type { z } from 'zod';

/** A fault in the input, in words for its sender: which field, and what to do about it. */
export interface InputFault {
  readonly field: string;
  readonly message: string;
}

/** How much of an unknown name we repeat. */
export const REPEATED_LENGTH_MAX = 128;

/**
 * The faults that zod found, as field and sentence. Each unknown field is a fault of its own.
 * @param error of a parse with `reportInput`: without the input, a wrong field looks like a missing one.
 */
export function inputFaults(error: z.ZodError): InputFault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: fieldAt([...issue.path, key.slice(0, REPEATED_LENGTH_MAX)]),
        message: 'is unknown',
      }));
    }
    const isMissing = ['invalid_type', 'invalid_value'].includes(issue.code) && issue.input === undefined;
    return [{ field: fieldAt(issue.path), message: isMissing ? 'is missing' : inOurWords(issue) }];
  });
}

/** The schema of an object seldom has a sentence for what is no object at all. */
const inOurWords = ({ code, message, ...issue }: z.core.$ZodIssue): string =>
  code === 'invalid_type' &&
  'expected' in issue &&
  issue.expected === 'object' &&
  message.startsWith('Invalid input')
    ? 'must be a JSON object'
    : message;

/** How much we say about what is wrong: a log line and a dead letter stay small, whatever was sent. */
const DESCRIPTION_LENGTH_MAX = 1000;

/** The faults as one line, which is cut where it becomes too long. Words of ours go on behind the field; zod's begin anew. */
export const describeFaults = (faults: readonly InputFault[]): string =>
  faults
    .map(({ field, message }) => `${field}${/^[A-Z]/.test(message) ? ':' : ''} ${message}`)
    .join('; ')
    .slice(0, DESCRIPTION_LENGTH_MAX);

/** `items[0].quantity`. @param whole the name of all of it. */
export function fieldAt([first, ...inner]: readonly PropertyKey[], whole = 'body'): string {
  const steps = inner.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return first === undefined ? whole : [String(first), ...steps].join('');
}
