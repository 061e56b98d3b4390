import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { operatorIn } from '../../saga/http/caller.ts';
import { notFound, Problem, type Route, route, unavailable } from '../../saga/http/http.ts';
import { pageParameters } from '../../saga/http/page.ts';
import { sentenceSchema } from '../../saga/input/sentence.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { readOne, StoreError } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import {
  type DeadLetter,
  deadLetterPath,
  LETTER_STATUSES,
  letterView,
  malformed,
  outlineOf,
  outlineView,
  viewOf,
  wholeLetter,
} from './letter.ts';
import { countReasons, listLetters, listWholeLetters } from './list-letters.ts';
import { discardLetter, redriveLetter } from './redrive-letters.ts';

/** The most letters that one request sends. All of them, 256 KiB each, are in memory together. */
const REDRIVEN_AT_ONCE_MAX = 100;

const reasonFault = 'must have 1 to 1024 characters';
const reason = z.string({ error: reasonFault }).min(1, reasonFault).max(1024, reasonFault).optional();
const listSchema = z.strictObject({
  status: z
    .enum(LETTER_STATUSES, { error: `must be one of ${LETTER_STATUSES.join(', ')}` })
    .default('parked'),
  reason,
  ...pageParameters,
});
const redriveSchema = z.strictObject({ reason, page: pageParameters.page });
const discardSchema = z.strictObject({ note: sentenceSchema.optional() });

/** A page of the list, and a portion of a redrive. */
export const letterList = z.object({ letters: z.array(outlineView), next_page: z.string().optional() });
const stayed = z.array(z.object({ id: z.string(), detail: z.string() }));
export const redrivenPortion = z.object({
  sent: z.int(),
  refused: stayed,
  failed: stayed,
  next_page: z.string().optional(),
});

/** The dead-letter desk, where operators decide what becomes of messages that could not be processed. */
export function deskRoutes(saga: Saga, ports: Ports): readonly Route[] {
  const { store } = ports;

  async function letterOf(id: string): Promise<DeadLetter> {
    const letter = isUuid(id) ? await readOne(store, deadLetterPath(id.toLowerCase())) : undefined;
    if (letter === undefined) throw noSuchLetter(id);
    return letter;
  }

  return [
    route({
      method: 'GET',
      path: '/dead-letters',
      summary: 'Messages that could not be processed, newest first, a page at a time',
      answer: letterList,
      audience: 'operators',
      query: listSchema,
      responses: {
        200: 'One page, without bodies; next_page leads to the next',
      },
      async handle({ query: { limit, page, ...filter } }) {
        const { letters, nextPage } = await listLetters(store, filter, limit, page);
        return { status: 200, body: { letters: letters.map(outlineOf), next_page: nextPage } };
      },
    }),
    route({
      method: 'GET',
      path: '/dead-letters/reasons',
      summary: 'How many messages are parked for which reason',
      answer: z.object({
        reasons: z.array(z.object({ reason: z.string(), count: z.int() })),
        counted: z.int(),
        complete: z.boolean(),
      }),
      audience: 'operators',
      responses: { 200: 'The counts; complete is false where only the newest letters were counted' },
      async handle() {
        return { status: 200, body: await countReasons(store) };
      },
    }),
    route({
      method: 'GET',
      path: '/dead-letters/{id}',
      summary: 'One message that could not be processed, as it came, and what became of it',
      answer: letterView,
      audience: 'operators',
      responses: { 200: 'The letter', 404: 'No such letter' },
      async handle({ params: { id = '' } }) {
        return { status: 200, body: viewOf(await letterOf(id)) };
      },
    }),
    route({
      method: 'POST',
      path: '/dead-letters/redrive',
      summary: 'Send parked messages back to their topics, a portion at a time: all, or of one reason',
      answer: redrivenPortion,
      audience: 'operators',
      query: redriveSchema,
      responses: {
        200: 'How many were sent, which can never be, and which could not be now; next_page leads to the next portion',
      },
      async handle({ query: { page, ...filter }, caller }) {
        const parked = { status: 'parked' as const, ...filter };
        const { letters, nextPage } = await listWholeLetters(store, parked, REDRIVEN_AT_ONCE_MAX, page);
        const results = await Promise.all(
          letters.map(async (letter) => ({
            id: letter.id,
            ...(await redriveLetter(saga, letter, ports, operatorIn(caller))),
          })),
        );
        const portion: z.input<typeof redrivenPortion> = { sent: 0, refused: [], failed: [] };
        for (const result of results) {
          const { id, outcome } = result;
          if (outcome === 'redriven') portion.sent++;
          else if (outcome === 'refused') portion.refused.push({ id, detail: result.why });
          else portion.failed.push({ id, detail: String(result.error) });
        }
        return { status: 200, body: { ...portion, next_page: nextPage } };
      },
    }),
    route({
      method: 'POST',
      path: '/dead-letters/{id}/redrive',
      summary: 'Send a message back to its topic',
      answer: wholeLetter,
      audience: 'operators',
      responses: {
        200: 'It was sent, now or before',
        404: 'No such letter',
        409: "It can't be sent; the detail says why",
        503: 'It could not be sent and stays parked. To repeat is safe',
      },
      async handle({ params: { id = '' }, caller }) {
        const result = await redriveLetter(saga, await letterOf(id), ports, operatorIn(caller));
        if (result.outcome === 'redriven') return { status: 200, body: viewOf(result.letter) };
        throw result.outcome === 'refused' ? conflict(result.why) : notSent(result.error);
      },
    }),
    route({
      method: 'DELETE',
      path: '/dead-letters/{id}',
      summary: 'Discard a message: the letter stays, with a note',
      answer: wholeLetter,
      audience: 'operators',
      query: discardSchema,
      responses: {
        200: 'It is discarded, now or before; the first note stays',
        404: 'No such letter',
        409: 'It was redriven already, or is malformed',
      },
      async handle({ params: { id = '' }, query, caller }) {
        const fault = malformed(await letterOf(id));
        if (fault !== undefined) throw conflict(fault);
        const letter = await discardLetter(
          id.toLowerCase(),
          query.note ?? 'No note was left',
          ports,
          operatorIn(caller),
        );
        if (letter === undefined) throw noSuchLetter(id);
        if (letter.status === 'redriven') {
          throw conflict("The letter was redriven already: what was sent can't be called back");
        }
        return { status: 200, body: viewOf(letter) };
      },
    }),
  ];
}

const noSuchLetter = (id: string): Problem => notFound(`There is no dead letter ${id.slice(0, 36)}`);
const conflict = (detail: string): Problem => new Problem(409, 'Conflict', detail);

/** The server answers for a failing store, as everywhere; any other error comes from the broker. */
function notSent(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  return unavailable('The broker did not take what was sent; it stays parked. Try again');
}
