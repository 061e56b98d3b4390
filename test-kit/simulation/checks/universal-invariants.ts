import { isDeepStrictEqual } from 'node:util';
import { REDRIVE } from '../../../saga/deliver/message.ts';
import { hasEnded } from '../../../saga/ledger/deadline.ts';
import { statusIn, type Transition, transitionsOf, transitionTo } from '../../../saga/ledger/history.ts';
import {
  CANCELED,
  DEADLINE_EXCEEDED,
  FAILING,
  isLedgerPath,
  type Ledger,
  ledgerPath,
  PAUSED,
  RECEIVED,
  RESUMED,
} from '../../../saga/ledger/ledger.ts';
import type { Hold } from '../../../saga/step/document.ts';
import { holdsOf, isAmount, recordsIn } from '../../../saga/step/holds.ts';
import type { Saga } from '../../../saga/step/saga.ts';
import type { Step } from '../../../saga/step/step.ts';
import { SILENCE } from '../../../saga/step/wait.ts';
import type { AllDocuments, Commit, Fields } from '../subject.ts';
import { LETTERS } from '../world/deeds.ts';
import type { People } from '../world/people.ts';
import type { World } from '../world/world.ts';

/**
 * What must be true of every saga, whatever has happened, as sentences about what is wrong. What an order holds is asked of
 * the saga itself, so a step that says something wrong about itself goes unnoticed here: only a check that is written
 * from the promise of that one saga can see it.
 */

const ledgersIn = (documents: AllDocuments): Ledger[] =>
  [...documents].flatMap(([path, fields]) => (isLedgerPath(path) ? [fields as Ledger] : []));

/** Every ledger goes forward only, every account is conserved, and records are there exactly while their step is done. */
export function universalFaults(
  saga: Saga,
  documents: AllDocuments,
  { changes, latestMs }: Commit,
): string[] {
  const moved = changes.flatMap(({ path, before, after }) =>
    isLedgerPath(path) ? transitionFaults(saga, path, before as Ledger | undefined, after as Ledger) : [],
  );
  const holds = ledgersIn(documents).flatMap((ledger) => holdsIn(saga, ledger));
  const forked = changes.flatMap((change) => forkFaults(saga, documents, change));
  const early = changes.flatMap((change) => earlyFaults(saga, change, latestMs));
  return [
    ...moved,
    ...forked,
    ...early,
    ...accountFaults(saga, documents, holds),
    ...recordFaults(saga, documents, holds),
  ];
}

/** A commit changes few ledgers, and all are asked for after each. */
function holdsIn(saga: Saga, ledger: Ledger): readonly Hold[] {
  let known = knownHolds.get(ledger);
  if (known === undefined) {
    known = ledger.status === CANCELED ? [] : holdsOf(saga, ledger);
    knownHolds.set(ledger, known);
  }
  return known;
}
const knownHolds = new WeakMap<Ledger, readonly Hold[]>();

/** Longer than a message can wait: 31 days in its subscription, and 31 more on the dead-letter desk. */
const REDELIVERY_DAYS_MAX = 62;

/** A ledger only grows, one status after the other and forward in time, forgets nothing, and is never erased. */
function transitionFaults(
  saga: Saga,
  path: string,
  before: Ledger | undefined,
  after: Ledger | undefined,
): string[] {
  if (after === undefined) return [`${path} was erased`];
  const { history, status, expireAt } = after;
  const moves = transitionsOf(after);
  const faults: string[] = [];
  moves.forEach((move, index) => {
    const previous = moves[index - 1];
    const way = moves.slice(0, index).map((one) => one.status);
    if (!mayFollow(saga, way, move.status))
      faults.push(`${path} went from ${previous?.status ?? 'nothing'} to ${move.status}`);
    const tookMs = move.at.getTime() - (previous ?? move).at.getTime();
    if (!(tookMs >= 0)) faults.push(`${path} went back in time`);
    if (
      ![PAUSED, FAILING, CANCELED].includes(move.status) &&
      previous?.status !== PAUSED &&
      !isSkip(saga, move, after) &&
      tookMs >= msFor(saga, way, after)
    )
      faults.push(`${path} became ${move.status} after its deadline`);
  });
  if (moves.at(-1)?.status !== status)
    faults.push(`${path} is ${status}, but became ${moves.at(-1)?.status}`);
  if (!(before?.history ?? []).every((line, index) => history[index] === line))
    faults.push(`${path} forgot a part of its history`);
  faults.push(...doerFaults(saga, path, after));
  if (expireAt && status !== CANCELED) faults.push(`${path} is ${status}, but may be deleted`);
  const staysMs = Number(expireAt) - Number(moves.at(-1)?.at);
  if (status === CANCELED && !(staysMs > REDELIVERY_DAYS_MAX * 86_400_000))
    faults.push(`${path} is ${CANCELED}, and stays for ${staysMs} ms`);
  if (before === undefined) return faults;
  const learned = saga.acts.flatMap(({ learns }) => Object.keys(learns.shape));
  for (const [step, word] of Object.entries(before.heard ?? {})) {
    if (!isDeepStrictEqual(after.heard?.[step], word))
      faults.push(`${path} has heard another word than before`);
  }
  const { forks = [] } = before;
  if (!forks.every((uuid, index) => after.forks?.[index] === uuid)) faults.push(`${path} forgot a fork`);
  // Of an order at rest, what was asked and learned may be replaced, with a line that says so.
  const isRewritten = before.rewritten !== after.rewritten;
  if (isRewritten && !(hasEnded(before) && before.history.length === history.length))
    faults.push(`${path} was rewritten as ${before.status}`);
  const replaceable = isRewritten ? [] : [...saga.orderFields, ...learned];
  for (const field of ['uuid', 'createdAt', 'deadlineSeconds', 'forkOf', ...replaceable]) {
    const [was, is] = [(before as Fields)[field], (after as Fields)[field]];
    if (was !== undefined && !isDeepStrictEqual(was, is))
      faults.push(`${path} has another ${field} than before`);
  }
  return faults;
}

/**
 * The statuses of the steps follow one another, a wait comes before its step, and an order may fail in each of them. Nothing follows a
 * canceled order, or a last step that is final.
 */
function mayFollow(saga: Saga, way: readonly string[], to: string): boolean {
  const { statuses, steps } = saga;
  const from = way.at(-1);
  // A paused order goes on where it stood, or fails. It can be paused wherever a step comes next.
  const stage = way.findLast((status) => status !== PAUSED);
  if (from === PAUSED) return to === stage || to === FAILING;
  if (to === PAUSED) return from === RESUMED || (from !== FAILING && dueAt(saga, way).length > 0);
  if (from === undefined) return to === statuses[0];
  if (to === CANCELED) return from === FAILING;
  if (from === FAILING || from === CANCELED) return false;
  if (to === FAILING) return from !== saga.success || !steps.at(-1)?.isFinal;
  if (from === RESUMED)
    return steps.some(({ waits, leadsTo }) => waits?.as === lastWait(saga, way) && leadsTo === to);
  if (steps.some(({ waits }) => waits?.as === from)) return to === RESUMED;
  return dueAt(saga, way).some(({ leadsTo, waits }) => to === leadsTo || to === waits?.as);
}

/** The steps that may be done at the end of this way: the others beside the last one, then those behind them. */
function dueAt({ groups }: Saga, way: readonly string[]): readonly Step[] {
  const from = way.at(-1);
  const place = groups.findIndex((group) => group.some(({ leadsTo }) => leadsTo === from));
  if (place < 0 && from !== RECEIVED) return [];
  const left = (groups[place] ?? []).filter(({ leadsTo }) => !way.includes(leadsTo));
  return left.length > 0 ? left : (groups[place + 1] ?? []);
}

/** The status in which the order waited last. */
const lastWait = ({ steps }: Saga, way: readonly string[]): string | undefined =>
  way.findLast((status) => steps.some(({ waits }) => waits?.as === status));

/**
 * An operator passes over a step, and is never too late. The service that compensates does it for them, and the ledger learns
 * what stands in for the step.
 */
function isSkip(saga: Saga, { status, by }: Transition, after: Ledger): boolean {
  const { standIn } = saga.steps.find(({ leadsTo }) => leadsTo === status) ?? {};
  return (
    standIn !== undefined &&
    saga.services.some(({ name, reads }) => name === by && reads(saga).includes(saga.failure.topic)) &&
    Object.entries(standIn).every(([field, value]) => isDeepStrictEqual((after as Fields)[field], value))
  );
}

/**
 * Clocks may differ, but nothing happens before its time by all of them: no order fails as too late, and no wait ends, as long as
 * even the fastest clock shows that there is time left.
 */
function earlyFaults(
  saga: Saga,
  { path, before, after }: Commit['changes'][number],
  latestMs: number,
): string[] {
  if (!isLedgerPath(path) || after === undefined) return [];
  const ledger = after as Ledger;
  const moves = transitionsOf(ledger);
  const way = moves.map(({ status }) => status);
  const knownCount = (before as Ledger | undefined)?.history.length ?? 0;
  return moves.slice(knownCount).flatMap(({ status, at }, place) => {
    const index = knownCount + place;
    const faults =
      at.getTime() > latestMs ? [`${path} became ${status} when no clock showed that moment`] : [];
    const previous = moves[index - 1];
    const waited = saga.steps.find(({ waits }) => waits?.as === previous?.status);
    const hasClockSpoken =
      status === FAILING
        ? ledger.reason === DEADLINE_EXCEEDED
        : status === RESUMED && ledger.heard?.[waited?.name ?? '']?.word === SILENCE;
    if (!hasClockSpoken || previous === undefined) return faults;
    const endOfLifeMs = Number(moves[0]?.at) + 1000 * (saga.lifetimeSeconds ?? Number.POSITIVE_INFINITY);
    const endOfWaitMs = ledger.waitsUntil?.[waited?.name ?? '']?.getTime() ?? Number.POSITIVE_INFINITY;
    const endOfStageMs =
      status === RESUMED ? endOfWaitMs : previous.at.getTime() + msFor(saga, way.slice(0, index), ledger);
    return latestMs < Math.min(endOfStageMs, endOfLifeMs)
      ? [...faults, `${path} became ${status} as too late, and no clock showed that it was`]
      : faults;
  });
}

/** The steps of an orchestrated order are the orchestrator's; every other step is its own service's. An order that was paused goes back. */
function doerFaults(saga: Saga, path: string, after: Ledger): string[] {
  const orchestrators = saga.services.filter(
    ({ reads }) => saga.workflow !== undefined && reads(saga).includes(saga.workflow.topic),
  );
  const moves = transitionsOf(after);
  return moves.flatMap((move, index) => {
    const { status, by } = move;
    const act = saga.acts.find((one) => one.status === status);
    if (act === undefined || moves[index - 1]?.status === PAUSED || isSkip(saga, move, after)) return [];
    const doers = saga.isOrchestrated(after) ? orchestrators.map(({ name }) => name) : [act.step.name];
    return doers.includes(by) ? [] : [`${path} became ${status} by ${by}, not by ${doers.join(' or ')}`];
  });
}

/**
 * A fork is a copy of an order that has ended, up to where an operator has let it go on. Both name each other from its first commit
 * on, and of each such place there is one fork.
 */
function forkFaults(
  { orderFields, acts }: Saga,
  documents: AllDocuments,
  { path, before, after }: Commit['changes'][number],
): string[] {
  if (!isLedgerPath(path) || after?.forkOf === undefined || before !== undefined) return [];
  const fork = after as Ledger;
  const ledgerOf = (uuid = '') => documents.get(ledgerPath(uuid)) as Ledger | undefined;
  const origin = ledgerOf(fork.forkOf?.uuid);
  if (origin === undefined || !hasEnded(origin)) return [`${path} is the fork of no order that has ended`];
  const copied = copiedBy(fork);
  const isForkedTwice = origin.forks?.some((uuid) => {
    const other = ledgerOf(uuid);
    return uuid !== fork.uuid && other !== undefined && isDeepStrictEqual(copiedBy(other), copied);
  });
  const learned = acts.flatMap(({ learns }) => Object.keys(learns.shape));
  const other = [...orderFields, ...learned].find(
    (field) => field in fork && !isDeepStrictEqual((fork as Fields)[field], (origin as Fields)[field]),
  );
  return [
    ...(origin.forks?.includes(fork.uuid) ? [] : [`${path} is a fork that its origin does not name`]),
    ...(isDeepStrictEqual(origin.history.slice(0, copied.length), copied)
      ? []
      : [`${path} is a fork with another history`]),
    ...(other === undefined ? [] : [`${path} is a fork with another ${other}`]),
    ...(isForkedTwice ? [`${path} is the second fork from ${statusIn(copied.at(-1) ?? '')}`] : []),
  ];
}

/** The part of its history that a fork has from its origin: it began with the pause behind that. */
const copiedBy = ({ history, forkOf }: Ledger): readonly string[] =>
  history.slice(
    0,
    history.findIndex((line) => line.startsWith(`${forkOf?.at.toISOString()} ${PAUSED} `)),
  );

/** How long an order may stand at the end of this way, in milliseconds. */
function msFor(saga: Saga, way: readonly string[], after: Ledger): number {
  const status = way.at(-1) ?? '';
  const waitingIn = (one: string | undefined) => saga.steps.find(({ waits }) => waits?.as === one);
  const waiting = waitingIn(status);
  if (status === RESUMED) {
    const { waits, deadlineSeconds = after.deadlineSeconds } = waitingIn(lastWait(saga, way)) ?? {};
    return waits?.afterwards === 'show' ? Number.POSITIVE_INFINITY : 1000 * deadlineSeconds;
  }
  if (waiting === undefined) {
    const limits = dueAt(saga, way).map(({ deadlineSeconds }) => deadlineSeconds ?? after.deadlineSeconds);
    return 1000 * (limits.length > 0 ? Math.min(...limits) : after.deadlineSeconds);
  }
  const since = transitionTo(after, status)?.at.getTime() ?? 0;
  const until = after.waitsUntil?.[waiting.name]?.getTime() ?? 0;
  return waiting.waits?.afterwards === 'give up' ? until - since : Number.POSITIVE_INFINITY;
}

/** What is left of an account and what orders hold of it is its whole, and nothing falls below zero. */
function accountFaults({ accounts }: Saga, documents: AllDocuments, holds: readonly Hold[]): string[] {
  const held = new Map<string, number>();
  for (const hold of holds) {
    if (!isAmount(hold)) continue;
    const key = `${hold.account.balance} ${hold.path}`;
    held.set(key, (held.get(key) ?? 0) + hold.amount);
  }
  return [...documents].flatMap(([path, fields]) =>
    accounts.flatMap(({ name, balance, whole, namesIn }) => {
      if (namesIn(path) === undefined || (!(balance in fields) && !(whole && whole in fields))) return [];
      // What orders were given, they hold less than nothing of.
      const all = whole === undefined ? 0 : fields[whole];
      const [left, taken] = [fields[balance], held.get(`${balance} ${path}`) ?? 0];
      if (Number.isInteger(left) && left >= 0 && left + taken === all) return [];
      return [
        `the ${name} ${path} has ${balance} ${left}, and orders hold ${taken} of ${whole ?? 'all'} ${all}`,
      ];
    }),
  );
}

/** A record exists exactly while an order holds it, and says what its order says. */
function recordFaults({ records }: Saga, documents: AllDocuments, holds: readonly Hold[]): string[] {
  const wanted = new Map(recordsIn(holds).map(({ path, fields }) => [path, fields] as const));
  const found = [...documents.keys()].filter((path) =>
    records.some(({ namesIn }) => namesIn(path) !== undefined),
  );
  return [...new Set([...wanted.keys(), ...found])].flatMap((path) => {
    const [calledFor, is] = [wanted.get(path), documents.get(path)];
    return isDeepStrictEqual(calledFor, is)
      ? []
      : [`the record ${path} is ${textOf(is)}, but the ledgers call for ${textOf(calledFor)}`];
  });
}

const textOf = (fields: object | undefined): string => (fields ? JSON.stringify(fields) : 'nothing');

/**
 * Every order has come to one of its two ends, which was announced and is the only one that was. A canceled order holds
 * nothing after every commit, so it holds nothing here.
 */
export function universalFaultsAtRest(
  { success, entry, end, topicOf }: Saga,
  world: World,
  people: People,
): string[] {
  const { documents, published, plan } = world;
  const announced = new Set(published.map(({ topic, attributes }) => `${attributes['ce-subject']}/${topic}`));
  const sentBack = new Set(published.map(({ attributes }) => attributes[REDRIVE.letter]));
  // After a crash, the message that is taken away may be the one from which the end would have been announced.
  const isStolen = plan.faults.some(({ kind }) => kind === 'stolen');
  return [
    ...people.accepted
      .filter(({ uuid }) => !documents.has(ledgerPath(uuid)))
      .map(({ uuid }) => `order ${uuid} was accepted on ${entry.topic}, but there is no ledger`),
    ...[...documents].flatMap(([path, { status }]) =>
      path.startsWith(LETTERS) && status === 'redriven' && !sentBack.has(path.slice(LETTERS.length))
        ? [`${path} is redriven, but was never sent`]
        : [],
    ),
    ...ledgersIn(documents).flatMap(({ uuid, status, history }) => {
      if (status !== success && status !== CANCELED) return [`order ${uuid} rests as ${status}`];
      const [own, other] = [topicOf(status), status === success ? end.topic : topicOf(success)];
      const wasSuccess = history.some((line) => statusIn(line) === success);
      return [
        ...(announced.has(`${uuid}/${own}`) || isStolen
          ? []
          : [`order ${uuid} is ${status}, and ${own} was never published`]),
        ...(announced.has(`${uuid}/${other}`) && !(status === CANCELED && wasSuccess)
          ? [`order ${uuid} is ${status}, but ${other} was published`]
          : []),
      ];
    }),
    ...[...people.canceled].flatMap((uuid) => {
      const status = documents.get(ledgerPath(uuid))?.status;
      return status === CANCELED ? [] : [`the cancellation of ${uuid} was accepted, but it is ${status}`];
    }),
  ];
}
