import type { z } from 'zod';

/** A fault in the input, in words for its sender: which field, and what to do about it. */
export interface InputFault {
  readonly field: string;
  readonly message: string;
}

/** How much of an unknown field's name we repeat. */
const REPEATED_LENGTH_MAX = 128;

/** What is wrong with an object as a whole: its type, or unknown fields. */
export function faultOfObject(wrongType: string) {
  return (issue: { code?: string | undefined; keys?: unknown }) =>
    issue.code === 'unrecognized_keys'
      ? `has unknown fields: ${(issue.keys as string[]).map((key) => key.slice(0, REPEATED_LENGTH_MAX)).join(', ')}`
      : wrongType;
}

/**
 * The faults that zod found, as field and sentence.
 * @param error of a parse with `reportInput`: without the input, a wrong field looks like a missing one.
 * @param whole what to call the input as a whole.
 */
export function inputFaults(error: z.ZodError, whole = 'body'): InputFault[] {
  return error.issues.map((issue) => ({
    field:
      issue.path.reduce<string>(
        (field, key) =>
          typeof key === 'number' ? `${field}[${key}]` : field ? `${field}.${String(key)}` : String(key),
        '',
      ) || whole,
    message: issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : issue.message,
  }));
}
