import { update } from '../../saga/commit/documents.ts';
import { commitOne, type Task } from '../../saga/commit/group-commit.ts';
import { DEAD_LETTER, parseMessage, REDRIVE } from '../../saga/deliver/message.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import {
  type DeadLetter,
  deadLetterPath,
  LETTER_DAYS,
  type LetterStatus,
  letterLine,
  malformed,
} from './letter.ts';

/** The result of redriving one letter. */
export type Redriven =
  /** It was sent and marked as sent, now or before. */
  | { readonly outcome: 'redriven'; readonly letter: DeadLetter }
  /** It can't be sent, now or ever, and stays as it is. */
  | { readonly outcome: 'refused'; readonly why: string }
  /** The broker did not take it, or it could not be marked. It is safe to try again. */
  | { readonly outcome: 'failed'; readonly error: unknown };

/**
 * Sends a letter back to the topic that it came from, then marks it as redriven. If anything breaks in between, the letter is
 * still parked and can be sent again. A message that was sent twice is a duplicate, which the ledger absorbs; so two operators
 * may do this at once.
 * @param operator who wants it, for its history and the log.
 * @returns the result. Never rejects.
 */
export async function redriveLetter(
  saga: Saga,
  letter: DeadLetter,
  ports: Ports,
  operator?: string,
): Promise<Redriven> {
  const fault = malformed(letter);
  if (letter.status === 'redriven' && fault === undefined) return { outcome: 'redriven', letter };
  const message = fault ?? messageOf(saga, letter, ports.clock.now());
  const result: Redriven =
    typeof message === 'string'
      ? { outcome: 'refused', why: message }
      : await send(letter, message, ports, operator).catch((error) => ({ outcome: 'failed', error }));
  report(letter, result, ports, operator);
  return result;
}

async function send(
  letter: DeadLetter,
  message: OutgoingMessage,
  ports: Ports,
  operator: string | undefined,
): Promise<Redriven> {
  const [error] = await ports.bus.publish([message]);
  if (error !== undefined) return { outcome: 'failed', error };
  const line = letterLine(ports.clock.now(), 'redriven', undefined, operator);
  const mark = (one: DeadLetter) => (one.status === 'redriven' ? one : moved(one, 'redriven', line));
  // If it expired at this very moment, it was sent all the same.
  return { outcome: 'redriven', letter: (await changeLetter(letter.id, mark, ports)) ?? mark(letter) };
}

/**
 * Gives a letter up: it stays, with a note that says why. Safe to repeat.
 * @returns the letter afterwards, undefined if there is none. A redriven letter stays redriven, because what was sent can't
 * be called back.
 * @throws StoreError
 */
export async function discardLetter(
  id: string,
  note: string,
  ports: Ports,
  operator?: string,
): Promise<DeadLetter | undefined> {
  const line = letterLine(ports.clock.now(), 'discarded', note, operator);
  const discard = (letter: DeadLetter) =>
    letter.status === 'parked' ? moved(letter, 'discarded', line) : letter;
  const letter = await changeLetter(id, discard, ports);
  // If another request was faster, it has said so.
  if (letter?.history.at(-1) === line) {
    ports.observe?.({ kind: 'letter', status: 'discarded' });
    ports.log('INFO', 'janitor: a dead letter was discarded', {
      step: 'janitor',
      deadLetter: id,
      detail: note,
      operator,
    });
  }
  return letter;
}

/** Changes a letter as it is found, or leaves it as it is. @returns the letter afterwards, if there is one. */
async function changeLetter(
  id: string,
  change: (letter: DeadLetter) => DeadLetter,
  { store, clock, random }: Ports,
): Promise<DeadLetter | undefined> {
  const path = deadLetterPath(id);
  const task: Task<DeadLetter | undefined> = {
    reads: () => [path],
    decide(documents) {
      const before = documents.get(path);
      if (before === undefined) return { writes: [], result: undefined };
      const after = change(before);
      const { status, history } = after;
      return { writes: after === before ? [] : [update(path, { status, history })], result: after };
    },
  };
  return commitOne(store, { clock, random }, task);
}

const moved = (letter: DeadLetter, status: LetterStatus, line: string): DeadLetter => ({
  ...letter,
  status,
  history: [...letter.history, line],
});

/** Pub/Sub takes at most 100 attributes; two of them are ours. */
const ORIGINAL_ATTRIBUTES_MAX = 98;
const addedByDesk = new Set<string>([...Object.values(DEAD_LETTER), ...Object.values(REDRIVE)]);
const isOriginal = (name: string) =>
  !addedByDesk.has(name) && !name.startsWith('CloudPubSubDeadLetterSource');

/** The message of a letter, or a sentence that says why it can't be sent again. */
function messageOf(saga: Saga, letter: DeadLetter, now: Date): OutgoingMessage | string {
  const { id, status, topic, subscription, uuid, messageId, body, encoding, bodyBytes } = letter;
  if (status === 'discarded') return 'The letter was discarded; its history says why';
  if (letter.expireAt <= now) {
    return `The letter is more than ${LETTER_DAYS} days old: the ledger that would recognize its order may be gone`;
  }
  if (topic === undefined) {
    const instead =
      uuid === undefined ? '' : `; POST /sagas/${uuid}/announce sends what the order itself calls for`;
    return `The topic of the subscription ${subscription.slice(0, 255)} is unknown${instead}`;
  }
  const data = Buffer.from(body, encoding);
  if (data.length !== bodyBytes) {
    return `The message has ${bodyBytes} bytes, of which only the first ${data.length} were kept`;
  }
  const attributes = Object.fromEntries(letter.attributes.map(({ name, value }) => [name, value]));
  if (messageId === undefined && 'fault' in parseMessage(saga, { data, attributes, messageId: id }, false)) {
    return 'The message names no order and its first id is not known: sent again, it could become a second order';
  }
  const originals = Object.entries(attributes).filter(([name]) => isOriginal(name));
  return {
    topic,
    data,
    // Ours come first: if the message fails again and has too many attributes, the last ones are dropped.
    attributes: {
      [REDRIVE.letter]: id,
      ...(messageId !== undefined && { [REDRIVE.messageId]: messageId }),
      ...Object.fromEntries(originals.slice(0, ORIGINAL_ATTRIBUTES_MAX)),
    },
  };
}

function report(
  { id, topic, uuid }: DeadLetter,
  result: Redriven,
  { log, observe }: Ports,
  operator: string | undefined,
): void {
  const fields = { step: 'janitor', deadLetter: id, topic, uuid, operator };
  if (result.outcome === 'redriven') {
    observe?.({ kind: 'letter', status: 'redriven' });
    log('INFO', 'janitor: a dead letter was redriven', fields);
  } else if (result.outcome === 'refused') {
    log('WARNING', "janitor: a dead letter can't be redriven", { ...fields, detail: result.why });
  } else {
    const error = String(result.error);
    log('ERROR', 'janitor: a dead letter was not redriven, to be repeated', { ...fields, error });
  }
}
