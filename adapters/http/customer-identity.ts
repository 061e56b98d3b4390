import { isLoopback } from './operator-gate.ts';

/** What the token of a customer must say. */
export interface CustomerIdentity {
  /** Who issues the tokens: its URL, to the letter. */
  readonly issuer: string;
  /** Whom the tokens are for. */
  readonly audience: string;
  /** The claim that is the customer's name. */
  readonly claim: string;
}

/** Whether this is a URL from which to take keys: nobody on the way must be able to change them. */
export function isKeySource(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const isUnread = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isUnread && [username, password, search, hash].every((part) => part === '');
}
