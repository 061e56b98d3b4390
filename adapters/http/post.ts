import type { Post } from '../../saga/ports/post.ts';

/** How much of an answer is read before the connection is given up, in bytes: more than any server needs to say "thank you". */
const ANSWER_BYTES_MAX = 16 * 1024;

/** Posts by `fetch`. An answer that is longer than anybody needs counts as whole once we have read enough of it. */
export const post: Post = async ({ url, headers, body, timeoutMs }) => {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await readSome(answer.body);
    return answer.status;
  } catch (error) {
    throw new Error(sentenceFor(error, timeoutMs));
  }
};

/** Reads to the end, so that the connection can be used again, or until it is too much. */
async function readSome(body: Response['body']): Promise<void> {
  let byteCount = 0;
  for await (const chunk of body ?? []) {
    byteCount += chunk.length;
    // Leaving the loop cancels the rest.
    if (byteCount > ANSWER_BYTES_MAX) return;
  }
}

/** Without the library's own words, which may quote the URL. */
function sentenceFor(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as { name?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return `No whole answer came within ${timeoutMs} ms`;
  return `No whole answer came: ${typeof cause?.code === 'string' ? cause.code : 'the connection failed'}`;
}
