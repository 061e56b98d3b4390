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

/** The operators' program: looks after one order or one dead letter at a time, through the routes of the janitor. */

/** A command line that can't be understood: exit code 2. Whatever fails later: 1. */
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
/** The answer of a command: data for programs, lines for people. */
interface Answer {
  readonly data: unknown;
  readonly lines: readonly string[];
  /** Whether everything was done that was asked for; if not, the exit code says so. */
  readonly isComplete?: boolean;
}
interface Command {
  readonly does: string;
  run(api: OperatorApi, id: string, values: Values): Promise<Answer>;
}

/**
 * The commands, by their usage, which is also what the arguments are checked against; what is in brackets is optional. If two
 * have the same name, the one whose usage begins with an option is meant if that option is given, the other one otherwise.
 */
const commands: Readonly<Record<string, Command>> = {
  'show UUID': {
    does: 'all that is known of an order',
    async run(api, uuid) {
      const saga = (await api.call('GET', `/sagas/${uuid}`)) as SagaAnswer | MalformedAnswer;
      return { data: saga, lines: 'faults' in saga ? malformedLines(saga) : sagaLines(saga) };
    },
  },
  'announce UUID': {
    does: 'publish again what the order calls for',
    async run(api, uuid) {
      const answer = (await api.call('POST', `/sagas/${uuid}/announce`)) as {
        status: string;
        published: string;
      };
      const { status, published } = answer;
      return { data: answer, lines: [`Order ${uuid} is ${status}: ${published} was published again`] };
    },
  },
  'cancel UUID --detail "why"': {
    does: 'cancel the order',
    async run(api, uuid, { detail }) {
      const answer = (await api.call('POST', `/sagas/${uuid}/cancel`, { detail })) as {
        status: string;
        reason: string;
        detail: string;
      };
      const cause = `${answer.reason}: ${answer.detail}`;
      return { data: answer, lines: [`Order ${uuid} is ${answer.status}: ${cause}`] };
    },
  },
  'letters [--reason R] [--status S]': {
    does: 'the newest letters of the dead-letter desk; parked ones, or of another status',
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
  'letter ID': {
    does: 'one of them, as it came',
    run: async (api, id) => answerOf((await api.call('GET', `/dead-letters/${id}`)) as LetterAnswer),
  },
  'redrive-letter ID': {
    does: 'send it back to its topic',
    async run(api, id) {
      const letter = (await api.call('POST', `/dead-letters/${id}/redrive`)) as LetterAnswer;
      return { data: letter, lines: [`Letter ${letter.id} was sent to ${letter.topic}`] };
    },
  },
  'redrive-letter --all [--reason R]': {
    does: 'send all parked letters back, or those of one reason',
    run: (api, _id, { reason }) => redriveAll(api, reason),
  },
  'discard-letter ID --note "why"': {
    does: 'keep it, but never send it',
    async run(api, id, { note }) {
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

/** In portions, from the newest letter to the oldest, so that a message which fails again and becomes a new letter is not met again. */
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

function usage(): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([form, { does }]) => `  ${form.padEnd(width)}  ${does}`);
  return `Usage: npm run saga -- COMMAND [--url ${options.url.default}] [--json]

${lines.join('\n')}

SAGA_TOKEN is sent as bearer token where it is set.`;
}

/** @throws UsageError if there is no such command, or it does not take these arguments. */
function commandOf(name: string, ids: readonly string[], given: readonly string[]): Command {
  const forms = Object.keys(commands).filter((one) => one.split(' ')[0] === name);
  const form = forms.find((one) => given.some((option) => one.startsWith(`${name} --${option}`))) ?? forms[0];
  const command = form === undefined ? undefined : commands[form];
  if (form === undefined || command === undefined) {
    throw new UsageError(name === '' ? 'No command' : `There is no command ${name}`);
  }
  const strange = given.find((option) => !form.includes(`--${option}`));
  if (strange !== undefined) {
    const other = forms.find((one) => one.includes(`--${strange}`));
    throw new UsageError(
      other ? `--${strange} goes with ${other.split(' ')[1]}` : `${name} takes no --${strange}`,
    );
  }
  const isForOne = /ID\b/.test(form);
  if (ids.length > (isForOne ? 1 : 0)) throw new UsageError(`${name} got too many arguments`);
  if (isForOne && ids[0] === undefined) throw new UsageError(`${name} of which one? Its UUID is missing`);
  if (isForOne && !isUuid(ids[0])) throw new UsageError(`${ids[0]} is not a UUID`);
  const needed = form.match(/(?<!\[)--\w+ \S+/g) ?? [];
  const missing = needed.find((option) => !given.some((one) => option.startsWith(`--${one} `)));
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  return command;
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
  const { url, json, help, ...given } = values;
  if (help) return usage().split('\n');
  const [name = '', ...ids] = positionals;
  const command = commandOf(name, ids, Object.keys(given));
  let api: OperatorApi;
  try {
    api = createOperatorApi(url, process.env.SAGA_TOKEN ?? '');
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { data, lines, isComplete = true } = await command.run(api, ids[0]?.toLowerCase() ?? '', values);
  if (!isComplete) process.exitCode = 1;
  return json ? JSON.stringify(data, null, 2).split('\n') : lines;
}

const printable = (lines: readonly string[]): string => lines.map((line) => `${harmless(line)}\n`).join('');

try {
  process.stdout.write(printable(await run(process.argv.slice(2))));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const { message } = error as Error;
  process.stderr.write(printable([...message.split('\n'), ...(isUsage ? ['', ...usage().split('\n')] : [])]));
  process.exitCode = isUsage ? 2 : 1;
}
