import { validate as isUuid } from 'uuid';
import type { z } from 'zod';
import { letterList, redrivenPortion } from '../janitor/desk/desk-routes.ts';
import { letterView, wholeLetter } from '../janitor/desk/letter.ts';
import { announcedSchema, canceledSchema, sagaSchema } from '../janitor/one-order/saga-routes.ts';
import { manySteeredSchema, steeredSchema } from '../janitor/one-order/steer-routes.ts';
import { pipeline } from '../pipeline.ts';
import { isName } from '../saga/input/name.ts';
import { erasedSchema } from '../shop/erase-customer-route.ts';
import { flag, print, readArguments, runCommand, UsageError } from './command.ts';
import { findStack } from './local-stack.ts';
import { createOperatorApi, type OperatorApi, operatorHere } from './operator-api.ts';
import { letterLines, sagaLines } from './operator-lines.ts';

/** The operators' program: looks after orders, dead letters and customers, through the routes of the services. */

const LISTED_MAX = 100;
/** Where services in containers listen, which leave no note. */
const URL_UNLESS_FOUND = 'http://127.0.0.1:8080';

const options = {
  url: { type: 'string' },
  json: flag,
  detail: { type: 'string' },
  note: { type: 'string' },
  reason: { type: 'string' },
  status: { type: 'string' },
  user: { type: 'string' },
  step: { type: 'string' },
  from: { type: 'string' },
  all: { type: 'boolean' },
} as const;

/** The values of options that go to the janitor. */
type Values = Readonly<
  Partial<Record<'detail' | 'note' | 'reason' | 'status' | 'user' | 'step' | 'from', string>>
>;
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
      const saga = await api.call(sagaSchema(pipeline), 'GET', `/sagas/${uuid}`);
      return { data: saga, lines: sagaLines(saga) };
    },
  },
  'announce UUID': {
    does: 'publish again what the order calls for',
    async run(api, uuid) {
      const order = await api.call(announcedSchema(pipeline), 'POST', `/sagas/${uuid}/announce`);
      const line = `Order ${uuid} is ${order.status}: ${order.published} was published again`;
      return { data: order, lines: [line] };
    },
  },
  'cancel UUID --detail "why"': {
    does: 'cancel the order',
    async run(api, uuid, { detail }) {
      const order = await api.call(canceledSchema(pipeline), 'POST', `/sagas/${uuid}/cancel`, { detail });
      return {
        data: order,
        lines: [`Order ${uuid} is ${order.status}: ${order.reason}: ${order.detail}`],
      };
    },
  },
  'pause UUID --note "why"': {
    does: 'stop the order before its next step',
    run: (api, uuid, { note }) => steer(api, uuid, 'pause', { note }),
  },
  'pause --all [--status S] [--user U] --note "why"': {
    does: 'stop all orders in a status, or of a customer',
    run: (api, _id, { status, user, note }) => steerMany(api, 'pause', { status, user }, note),
  },
  'resume UUID --note "why"': {
    does: 'let a paused order go on',
    run: (api, uuid, { note }) => steer(api, uuid, 'resume', { note }),
  },
  'resume --all [--user U] --note "why"': {
    does: 'let all paused orders go on, or those of a customer',
    run: (api, _id, { user, note }) => steerMany(api, 'resume', { user }, note),
  },
  'skip UUID --step S --note "why"': {
    does: 'pass over the next step, because its work is done elsewhere',
    run: (api, uuid, { step, note }) => steer(api, uuid, 'skip', { step, note }),
  },
  'fork UUID --from STATUS --note "why"': {
    does: 'make a new order from a past status of an ended one',
    run: (api, uuid, { from, note }) => steer(api, uuid, 'fork', { from, note }),
  },
  'erase-customer --user NAME': {
    does: 'erase what is personal about a customer; --url names the service of the first step',
    async run(api, _id, { user = '' }) {
      if (!isName(user)) throw new UsageError(`--user must be a name, such as jack, not "${user}"`);
      const erased = await api.call(erasedSchema, 'DELETE', `/users/${encodeURIComponent(user)}`);
      return {
        data: erased,
        lines: [`${erased.orders} orders and ${erased.letters} letters were rewritten`],
      };
    },
  },
  'letters [--reason R] [--status S]': {
    does: 'the newest letters of the dead-letter desk; parked ones, or of another status',
    async run(api, _id, { reason, status }) {
      const query = queryOf({ reason, status, limit: String(LISTED_MAX) });
      const page = await api.call(letterList, 'GET', `/dead-letters${query}`);
      const more = `These are the newest ${LISTED_MAX}; there are more`;
      const lines = page.letters.length === 0 ? ['No letters'] : page.letters.flatMap(letterLines);
      return { data: page, lines: page.next_page === undefined ? lines : [...lines, more] };
    },
  },
  'letter ID': {
    does: 'one of them, as it came',
    async run(api, id) {
      const letter = await api.call(letterView, 'GET', `/dead-letters/${id}`);
      return { data: letter, lines: letterLines(letter) };
    },
  },
  'redrive-letter ID': {
    does: 'send it back to its topic',
    async run(api, id) {
      const letter = await api.call(wholeLetter, 'POST', `/dead-letters/${id}/redrive`);
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
      const letter = await api.call(wholeLetter, 'DELETE', `/dead-letters/${id}${queryOf({ note })}`);
      return { data: letter, lines: [`Letter ${letter.id} is discarded: ${letter.history.at(-1)}`] };
    },
  },
};

async function steer(api: OperatorApi, uuid: string, act: string, body: object): Promise<Answer> {
  const order = await api.call(steeredSchema(pipeline), 'POST', `/sagas/${uuid}/${act}`, body);
  return { data: order, lines: [`Order ${order.uuid} is ${order.status}`] };
}

/** In portions, from the newest order to the oldest. */
async function steerMany(
  api: OperatorApi,
  act: 'pause' | 'resume',
  filter: Readonly<Record<string, string | undefined>>,
  note: string | undefined,
): Promise<Answer> {
  const all = { steered: 0, untouched: 0, failed: 0 };
  let page: string | undefined;
  do {
    const path = `/sagas/${act}${queryOf({ ...filter, page })}`;
    const portion = await api.call(manySteeredSchema, 'POST', path, { note });
    all.steered += portion.steered;
    all.untouched += portion.untouched;
    all.failed += portion.failed;
    page = portion.next_page;
  } while (page !== undefined);
  const steered = `${all.steered} ${all.steered === 1 ? 'order was' : 'orders were'} ${act}d`;
  const rest = all.untouched === 0 ? '' : `; ${all.untouched} stay as they are`;
  const failed = all.failed === 0 ? [] : [`Of ${all.failed} it is not known: try again`];
  return { data: all, isComplete: all.failed === 0, lines: [`${steered}${rest}`, ...failed] };
}

/** In portions, from the newest letter to the oldest, so that a message which fails again and becomes a new letter is not met again. */
async function redriveAll(api: OperatorApi, reason: string | undefined): Promise<Answer> {
  const all = { sent: 0, refused: [], failed: [] } as Omit<z.input<typeof redrivenPortion>, 'next_page'>;
  let page: string | undefined;
  do {
    const portion = await api.call(
      redrivenPortion,
      'POST',
      `/dead-letters/redrive${queryOf({ reason, page })}`,
    );
    all.sent += portion.sent;
    all.refused.push(...portion.refused);
    all.failed.push(...portion.failed);
    page = portion.next_page;
  } while (page !== undefined);
  const { sent, refused, failed } = all;
  return {
    data: all,
    isComplete: failed.length + refused.length === 0,
    lines: [
      `${sent} ${sent === 1 ? 'letter was' : 'letters were'} sent back`,
      ...refused.map(({ id, detail }) => `Letter ${id} stays: ${detail}`),
      ...failed.map(({ id, detail }) => `Letter ${id} was not sent, try again: ${detail}`),
    ],
  };
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((one): one is [string, string] => one[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([form, { does }]) => `  ${form.padEnd(width)}  ${does}`);
  return `npm run saga -- COMMAND [--url URL] [--json]

${lines.join('\n')}

Without --url it talks to the local stack that runs, or else to ${URL_UNLESS_FOUND}.
SAGA_TOKEN, if it is set, is sent in the Authorization header. Histories and the log record what you change under the name in
SAGA_OPERATOR, by default that of your account on this machine, unless the platform says who you are.`;
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

async function main(): Promise<number> {
  const { values, positionals } = readArguments({ options, allowPositionals: true });
  const { url, json, ...given } = values;
  const [name = '', ...ids] = positionals;
  const command = commandOf(name, ids, Object.keys(given));
  let api: OperatorApi;
  const target = url ?? (await findStack())?.url ?? URL_UNLESS_FOUND;
  try {
    api = createOperatorApi(target, process.env.SAGA_TOKEN ?? '', undefined, operatorHere());
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { data, lines, isComplete = true } = await command.run(api, ids[0]?.toLowerCase() ?? '', values);
  print(...(json ? JSON.stringify(data, null, 2).split('\n') : lines));
  return isComplete ? 0 : 1;
}

runCommand(usage(), main);
