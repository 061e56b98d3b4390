import { z } from 'zod';

/** Names that people give, and that become ids of documents. */

const NAME_LENGTH_MAX = 128;
const SUSPICIOUS = /[/\p{Cc}\p{Cs}]|^\.|^__/u;
/** What people see: no space, no mark without width or of direction, and no filler. */
const VISIBLE = /[^\p{Z}\p{C}\p{DI}\u2800]/u;

/**
 * Refuses what Firestore reserves or would take for another path.
 * https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
 */
function nameFault(name: string): string | undefined {
  // Names are checked whenever a ledger is read, and nearly all of them are right.
  const isUsual = name.length > 0 && name.length <= NAME_LENGTH_MAX && !SUSPICIOUS.test(name);
  if (isUsual && VISIBLE.test(name)) return undefined;
  const length = [...name].length;
  if (length < 1 || length > NAME_LENGTH_MAX) return `must have 1 to ${NAME_LENGTH_MAX} characters`;
  if (name.includes('/')) return 'must not contain "/"';
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters';
  if (/\p{Cs}/u.test(name)) return 'must be well-formed Unicode (it has half of a surrogate pair)';
  if (!VISIBLE.test(name)) return 'must have a character that can be seen';
  if (name === '.' || name === '..' || /^__.*__$/su.test(name)) return 'is a reserved name';
  return undefined;
}

/** Whether a text can be a name, and so the id of a document. */
export const isName = (text: string): boolean => nameFault(text) === undefined;

/** A name, such as that of an item or a user. */
export const nameSchema = z
  .string({ error: 'must be text' })
  .meta({ minLength: 1, maxLength: NAME_LENGTH_MAX, pattern: '^[^/]+$' })
  .check((context) => {
    const fault = nameFault(context.value);
    if (fault) context.issues.push({ code: 'custom', message: fault, input: context.value });
  });
