import { createLog } from '../adapters/log.ts';
import { type AuditReport, reportSchema, type StuckOrder } from '../janitor/audit/audit-report.ts';
import type { RepairResult } from '../janitor/audit/repair.ts';
import { planOnly, type RepairReport, repairInRounds } from '../janitor/audit/repair-in-rounds.ts';
import type { RepairWish } from '../janitor/audit/repair-journal.ts';
import { repairReportSchema } from '../janitor/audit/repair-route.ts';
import { takeAudit } from '../janitor/audit/take-audit.ts';
import { pipeline } from '../pipeline.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { sentenceSchema } from '../saga/input/sentence.ts';
import { flag, print, readArguments, runCommand, UsageError } from './command.ts';
import { loadDotenv, readConfig } from './config.ts';
import { findStack } from './local-stack.ts';
import { openPorts } from './open-ports.ts';
import { createOperatorApi, operatorHere } from './operator-api.ts';
import { assertStoreAnswers } from './reachability.ts';

/**
 * Audits the store that the configuration names, or else that of the local stack which runs, and repairs it on request. Orders may
 * go on meanwhile. It is a composition root and no service, so it is here and not beside the audit in `janitor/`.
 *
 * The exit code is 0 if nothing is wrong and no order is stuck, 1 if something is, 2 if it could not find out. The answer goes
 * to standard output, progress to standard error.
 */

const EXIT = { clean: 0, wrong: 1, couldNotRun: 2 } as const;
const PROGRESS_EVERY_MS = 1_000;
/** An audit reads everything before it answers. */
const ANSWER_TIMEOUT_MS = 300_000;

const tell = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const options = { repair: flag, json: flag, note: { type: 'string' } } as const;
  const { repair, json, note } = readArguments({ options }).values;
  const fault = note === undefined ? undefined : sentenceSchema.safeParse(note).error?.issues[0]?.message;
  if (fault !== undefined) throw new UsageError(`--note ${fault}`);
  if (note !== undefined && !repair) throw new UsageError('--note says why: it goes with --repair');
  loadDotenv();
  const found = await examine(repair ? { person: operatorHere() || undefined, note } : undefined);
  print(...(json ? JSON.stringify(found, undefined, 2).split('\n') : linesOf(found, repair)));
  const { violationCount, stuckCount } = found.report;
  if (violationCount + stuckCount > 0) return EXIT.wrong;
  // A mistyped name leads to an empty database, which must not look like a clean one.
  return isEmpty(found.report) ? EXIT.couldNotRun : EXIT.clean;
}

/**
 * A project that is named, here or in `.env`, is meant; otherwise the stack that runs on this machine.
 * @param repair who wants a repair, and why; undefined to look only.
 */
async function examine(repair: RepairWish | undefined): Promise<RepairReport> {
  const { BACKEND, PROJECT_ID } = process.env;
  if (PROJECT_ID?.trim() && BACKEND?.trim() !== 'memory') return examineDatabase(repair);
  const stack = await findStack();
  if (stack === undefined) throw new Error(NOTHING_TO_EXAMINE);
  tell(`looking at the local stack on ${stack.url}`);
  if (stack.backend === 'memory') return examineOverHttp(stack.url, repair);
  // What is set already stays.
  for (const [name, value] of Object.entries(stack.variables)) process.env[name] ||= value;
  return examineDatabase(repair);
}

const NOTHING_TO_EXAMINE =
  'There is nothing to look at: no local stack runs (npm start or npm run start:emulators starts one), and PROJECT_ID names no project';

/** The embedded engine lives inside its stack, which looks for us. */
async function examineOverHttp(url: string, repair: RepairWish | undefined): Promise<RepairReport> {
  const api = createOperatorApi(url, process.env.SAGA_TOKEN ?? '', ANSWER_TIMEOUT_MS, repair?.person);
  if (!repair) return planOnly(reportSchema.parse(await api.call(reportSchema, 'GET', '/audit')));
  const wanted = { apply: true, note: repair.note };
  return repairReportSchema.parse(await api.call(repairReportSchema, 'POST', '/repair', wanted));
}

async function examineDatabase(repair: RepairWish | undefined): Promise<RepairReport> {
  const config = readConfig({ ...process.env, BACKEND: 'gcp' }, pipeline);
  const ports = await openPorts(config, topologyOf(pipeline), createLog('silent', {}));
  try {
    await assertStoreAnswers(ports);
    const onProgress = progress();
    if (!repair) return planOnly(await takeAudit(pipeline, ports, onProgress));
    const beforeRound = (count: number) => tell(`repairing: ${counted(count, 'action')}`);
    return await repairInRounds(pipeline, ports, repair, { onProgress, beforeRound });
  } finally {
    await ports.bus.close();
    await ports.store.close();
  }
}

/** Says now and then how far the audit is; says nothing if it is quick. */
function progress(): (checkedCount: number) => void {
  let lastMs = performance.now();
  return (checkedCount) => {
    if (performance.now() - lastMs < PROGRESS_EVERY_MS) return;
    lastMs = performance.now();
    tell(`${checkedCount} documents checked`);
  };
}

function linesOf({ report, repaired, plan }: RepairReport, repair: boolean): string[] {
  const { counts, violations, violationCount, stuck, stuckCount } = report;
  const statuses = Object.entries(counts.byStatus).map(([status, count]) => `${count} ${status}`);
  return [
    ...section('Repaired', repaired.map(resultLine)),
    `Audited ${report.checkedAt.toISOString()}: ${counts.orders} orders (${statuses.join(', ') || 'none'}), ` +
      Object.entries(counts.documents)
        .map(([kind, count]) => `${count} of kind ${kind}, `)
        .join('') +
      `${counts.deadLettersParked} dead letters parked`,
    ...section(
      `Violations: ${violationCount}`,
      violations.map(({ sentence }) => sentence),
      violationCount - violations.length,
    ),
    ...section(`Stuck orders: ${stuckCount}`, stuck.flatMap(stuckLines), stuckCount - stuck.length),
    ...section(
      repair ? 'Still to be repaired' : 'npm run doctor -- --repair would',
      plan.actions.map(({ sentence, effect }) => `${sentence}: ${effect}`),
    ),
    ...section(
      'Needs a person',
      plan.forPeople.flatMap(({ sentence, advice }) => [sentence, `  ${advice}`]),
    ),
    verdict(report),
  ];
}

/** A heading and its lines; nothing if there are none. */
function section(heading: string, lines: readonly string[], unlistedCount = 0): string[] {
  if (lines.length === 0) return [];
  const more = unlistedCount > 0 ? [`  and ${unlistedCount} more`] : [];
  return [heading, ...lines.map((line) => `  ${line}`), ...more];
}

const resultLine = ({ action, outcome, detail }: RepairResult): string =>
  `${outcome}: ${action.sentence}${outcome === 'done' ? `: ${action.effect}` : ''}${detail ? ` (${detail})` : ''}`;

const stuckLines = ({ sentence, missing }: StuckOrder): string[] => [
  sentence,
  missing ? `  missing on ${missing.topic}: ${missing.data}` : '  only people can end that',
];

function verdict({ violationCount, stuckCount, counts }: AuditReport): string {
  if (isEmpty({ counts })) {
    return 'Nothing is stored there at all: are PROJECT_ID and FIRESTORE_DATABASE right?';
  }
  if (violationCount + stuckCount === 0) return 'Nothing is wrong, and no order is stuck.';
  return `${counted(violationCount, 'violation')}, ${counted(stuckCount, 'stuck order')}.`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const isEmpty = ({ counts }: Pick<AuditReport, 'counts'>): boolean =>
  counts.orders + sumOf(counts.documents) === 0;

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

runCommand('npm run doctor -- [--repair [--note TEXT]] [--json]', main, EXIT.couldNotRun);
