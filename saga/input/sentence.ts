import { z } from 'zod';

const LENGTH_MAX = 500;

/** An operator's explanation: one line, for the log, the ledger, a letter's history and the journal of the stock. */
export const sentenceSchema = z
  .string({ error: 'must be a text that says why' })
  .regex(
    /^(?=.*[^\p{Z}\p{C}])[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u,
    'must not be empty, and must have no line breaks or control characters',
  )
  .max(LENGTH_MAX, `must have at most ${LENGTH_MAX} characters`);
