import type { z } from 'zod';
import { fieldAt } from './input-faults.ts';

/**
 * What is wrong with a stored document's fields, a sentence each, for people who mend it: with zod's own words, because only input has
 * words of ours. A few are enough to know where to look.
 */
export const schemaFaults = (error: z.ZodError): string[] =>
  error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => `${fieldAt(path, 'all')}: ${message}`);

const FAULTS_MAX = 5;
