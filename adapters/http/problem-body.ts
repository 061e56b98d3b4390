import { z } from 'zod';
import { invalidInput, type Problem } from '../../saga/http/http.ts';
import { pageParameters } from '../../saga/http/page.ts';
import { inputFaults } from '../../saga/input/input-faults.ts';

/** What is sent of a problem: RFC 9457, with the faults of single fields. */
export const problemBody = ({ title, status, detail, errors }: Problem) => ({
  type: 'about:blank',
  title,
  status,
  detail,
  ...(errors.length > 0 && { errors }),
});

/** The answer to a page without a length. */
const { error } = z.strictObject(pageParameters).safeParse({ limit: 0 }, { reportInput: true });

export const problemSchema = z
  .object({
    type: z.string().optional(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ examples: error ? [problemBody(invalidInput(inputFaults(error)))] : [] });
