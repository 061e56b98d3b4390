import { parseArgs } from 'node:util';
import { validate as isUuid } from 'uuid';
import { createOperatorApi, type OperatorApi } from './operator-api.ts';
import {
  harmless,
  type LetterAnswer,
  letterLines,
  type MalformedAnswer,
  malformedLines,
  type SagaAnswer,
  sagaLines,
} from './operator-lines.ts';

/** The operators' program: one order or one dead letter at a time, over the routes of the janitor. */

const USAGE = `Usage: npm run saga -- COMMAND [--url http://127.0.0.1:8080] [--json]

  show UUID                              all that is known of an order
  redrive UUID                           publish again what the order calls for
  cancel UUID --detail "why"             cancel the order
  letters [--reason R] [--status S]      the newest letters of the dead-letter desk; parked ones, or of another status
  letter ID                              one of them, as it came
  redrive-letter ID                      send it back to its topic
  redrive-letter --all [--reason R]      send all parked letters back, or those of one reason
  discard-letter ID --note "why"         keep it, but never send it

SAGA_TOKEN is sent as bearer token where it is set.`;

/** What was asked for can't be understood: exit code 2; whatever fails later: 1. */
class UsageError extends Error {}

const LISTED_MAX = 100;

const options = {
  url: { type: 'string', default: 'http://127.0.0.1:8080' },
  json: { type: 'boolean', default: false },
  detail: { type: 'string' },
  note: { type: 'string' },
  reason: { type: 'string' },
  status: { type: 'string' },
  all: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof readArguments>['values'];
/** What a command answers: data for programs, lines for people. */
interface Answer {
  readonly data: unknown;
  readonly lines: readonly string[];
  /** Whether all was done that was asked for; where it was not, the exit code says so. */
  readonly isComplete?: boolean;
}
interface Command {
  readonly takesId: boolean;
  readonly takes: readonly (keyof Values)[];
  run(api: OperatorApi, id: string, values: Values): Promise<Answer>;
}

const commands: Readonly<Record<string, Command>> = {
  show: {
    takesId: true,
    takes: [],
    async run(api, uuid) {
      const saga = (await api.call('GET', `/sagas/${uuid}`)) as SagaAnswer | MalformedAnswer;
      return { data: saga, lines: 'faults' in saga ? malformedLines(saga) : sagaLines(saga) };
    },
  },
  redrive: {
    takesId: true,
    takes: [],
    async run(api, uuid) {
      const answer = (await api.call('POST', `/sagas/${uuid}/redrive`)) as {
        status: string;
        published: string;
      };
      const { status, published } = answer;
      return { data: answer, lines: [`Order ${uuid} is ${status}: ${published} was published again`] };
    },
  },
  cancel: {
    takesId: true,
    takes: ['detail'],
    async run(api, uuid, { detail = needed('--detail') }) {
      const answer = (await api.call('POST', `/sagas/${uuid}/cancel`, { detail })) as {
        status: string;
        reason: string;
        detail: string;
      };
      const cause = `${answer.reason}: ${answer.detail}`;
      return { data: answer, lines: [`Order ${uuid} is ${answer.status}: ${cause}`] };
    },
  },
  letters: {
    takesId: false,
    takes: ['reason', 'status'],
    async run(api, _id, { reason, status }) {
      const query = queryOf({ reason, status, limit: String(LISTED_MAX) });
      const answer = (await api.call('GET', `/dead-letters${query}`)) as {
        letters: LetterAnswer[];
        next_page?: string;
      };
      const { letters, next_page: more } = answer;
      return {
        data: answer,
        lines: [
          ...letters.flatMap(letterLines),
          ...(letters.length === 0 ? ['No letters'] : []),
          ...(more === undefined ? [] : [`These are the newest ${LISTED_MAX}; there are more`]),
        ],
      };
    },
  },
  letter: {
    takesId: true,
    takes: [],
    run: async (api, id) => answerOf((await api.call('GET', `/dead-letters/${id}`)) as LetterAnswer),
  },
  'redrive-letter': {
    takesId: true,
    takes: ['all', 'reason'],
    async run(api, id, { all, reason }) {
      if (all) return redriveAll(api, reason);
      if (reason !== undefined) throw new UsageError('--reason goes with --all');
      const letter = (await api.call('POST', `/dead-letters/${id}/redrive`)) as LetterAnswer;
      return { data: letter, lines: [`Letter ${letter.id} was sent to ${letter.topic}`] };
    },
  },
  'discard-letter': {
    takesId: true,
    takes: ['note'],
    async run(api, id, { note = needed('--note') }) {
      const letter = (await api.call('DELETE', `/dead-letters/${id}${queryOf({ note })}`)) as LetterAnswer;
      return { data: letter, lines: [`Letter ${letter.id} is discarded: ${letter.history.at(-1)}`] };
    },
  },
};

/** A letter that was not sent, and why. */
interface Stayed {
  readonly id: string;
  readonly detail: string;
}

/** Portion by portion, from the newest letter to the oldest: what fails again and becomes a letter is not met again. */
async function redriveAll(api: OperatorApi, reason: string | undefined): Promise<Answer> {
  let sent = 0;
  const refused: Stayed[] = [];
  const failed: Stayed[] = [];
  let page: string | undefined;
  do {
    const portion = (await api.call('POST', `/dead-letters/redrive${queryOf({ reason, page })}`)) as {
      sent: number;
      refused: Stayed[];
      failed: Stayed[];
      next_page?: string;
    };
    sent += portion.sent;
    refused.push(...portion.refused);
    failed.push(...portion.failed);
    page = portion.next_page;
  } while (page !== undefined);
  return {
    data: { sent, refused, failed },
    isComplete: failed.length + refused.length === 0,
    lines: [
      `${sent} ${sent === 1 ? 'letter was' : 'letters were'} sent back`,
      ...refused.map(({ id, detail }) => `Letter ${id} stays: ${detail}`),
      ...failed.map(({ id, detail }) => `Letter ${id} was not sent, try again: ${detail}`),
    ],
  };
}

const answerOf = (letter: LetterAnswer): Answer => ({ data: letter, lines: letterLines(letter) });

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((one): one is [string, string] => one[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

function needed(option: string): never {
  throw new UsageError(`${option} "why" is missing`);
}

function readArguments(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function run(args: string[]): Promise<readonly string[]> {
  const { values, positionals } = readArguments(args);
  if (values.help) return USAGE.split('\n');
  const [name = '', id = '', ...surplus] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(name === '' ? 'No command' : `There is no command ${name}`);
  const taken = new Set<string>([...command.takes, 'url', 'json']);
  const strange = Object.keys(values).find((option) => !taken.has(option));
  if (strange !== undefined) throw new UsageError(`${name} takes no --${strange}`);
  const isForOne = command.takesId && !values.all;
  if (surplus.length > 0 || (!isForOne && id !== '')) throw new UsageError(`${name} got too many arguments`);
  if (isForOne && !isUuid(id)) {
    throw new UsageError(id === '' ? `${name} of which one? Its UUID is missing` : `${id} is not a UUID`);
  }
  let api: OperatorApi;
  try {
    api = createOperatorApi(values.url, process.env.SAGA_TOKEN ?? '');
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { data, lines, isComplete = true } = await command.run(api, id.toLowerCase(), values);
  if (!isComplete) process.exitCode = 1;
  return values.json ? JSON.stringify(data, null, 2).split('\n') : lines;
}

const printable = (lines: readonly string[]): string => lines.map((line) => `${harmless(line)}\n`).join('');

try {
  process.stdout.write(printable(await run(process.argv.slice(2))));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const { message } = error as Error;
  process.stderr.write(printable([...message.split('\n'), ...(isUsage ? ['', ...USAGE.split('\n')] : [])]));
  process.exitCode = isUsage ? 2 : 1;
}
