import { createLog } from '../adapters/log.ts';
import type { AuditReport, StuckOrder } from '../janitor/audit/audit-report.ts';
import {
  executeRepair,
  keyOf,
  planRepair,
  type RepairPlan,
  type RepairResult,
} from '../janitor/audit/repair.ts';
import { takeAudit } from '../janitor/audit/take-audit.ts';
import { pipeline } from '../pipeline.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { flag, print, readArguments, runCommand } from './command.ts';
import { loadDotenv, readConfig } from './config.ts';
import { openPorts } from './open-ports.ts';
import { assertStoreAnswers } from './reachability.ts';

/**
 * Audits the store that the configuration names, and repairs it on request. Orders may go on meanwhile. It is a composition
 * root and no service, so it is here and not beside the audit in `janitor/`.
 *
 * The exit code is 0 if nothing is wrong and no order is stuck, 1 if something is, 2 if it could not find out. The answer goes
 * to standard output, progress to standard error.
 */

const EXIT = { clean: 0, wrong: 1, couldNotRun: 2 } as const;
/** One repair may show the next: first a record, then the balance that the record left in doubt. */
const ROUNDS_MAX = 5;
const PROGRESS_EVERY_MS = 1_000;

const tell = (line: string) => process.stderr.write(`${line}\n`);

/** What was found in the end, what was done before that, and what could still be done. */
interface Visit {
  readonly report: AuditReport;
  readonly repaired: readonly RepairResult[];
  readonly plan: RepairPlan;
}

async function main(): Promise<number> {
  const { repair, json } = readArguments({ options: { repair: flag, json: flag } }).values;
  loadDotenv();
  const config = readConfig(process.env, pipeline);
  if (config.backend === 'memory') {
    throw new Error(
      'BACKEND=memory: the embedded engine lives inside npm start and nowhere else; ask it there, by GET /audit',
    );
  }
  const ports = await openPorts(config, topologyOf(pipeline), createLog('silent', {}));
  try {
    await assertStoreAnswers(ports);
    const visit = await visitPatient(ports, repair);
    print(...(json ? JSON.stringify(visit, undefined, 2).split('\n') : linesOf(visit, repair)));
    const { violationCount, stuckCount } = visit.report;
    if (violationCount + stuckCount > 0) return EXIT.wrong;
    // A mistyped name leads to an empty database, which must not look like a clean one.
    return isEmpty(visit.report) ? EXIT.couldNotRun : EXIT.clean;
  } finally {
    await ports.bus.close();
    await ports.store.close();
  }
}

/** Audits; then repairs and audits again for as long as that changes anything. */
async function visitPatient(ports: Ports, repair: boolean): Promise<Visit> {
  const repaired: RepairResult[] = [];
  for (let round = 1; ; round++) {
    const report = await takeAudit(pipeline, ports, progress());
    const tried = new Set(repaired.map(({ action }) => keyOf(action)));
    const { actions, forPeople } = planRepair(report);
    const plan = { actions: actions.filter((action) => !tried.has(keyOf(action))), forPeople };
    if (!repair || plan.actions.length === 0 || round === ROUNDS_MAX) return { report, repaired, plan };
    tell(`repairing: ${counted(plan.actions.length, 'action')}`);
    repaired.push(...(await executeRepair(pipeline, plan.actions, ports)));
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

function linesOf({ report, repaired, plan }: Visit, repair: boolean): string[] {
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

runCommand('npm run doctor -- [--repair] [--json]', main, EXIT.couldNotRun);
