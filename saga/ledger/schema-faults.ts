import type { z } from 'zod';

/** What is wrong with a document's fields, a sentence each. A few are enough to know where to look. */
export const schemaFaults = (error: z.ZodError): string[] =>
  error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`);

const FAULTS_MAX = 5;
