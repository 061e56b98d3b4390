import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { AuditReport } from './audit-report.ts';
import { executeRepair, keyOf, planRepair, type RepairPlan, type RepairResult } from './repair.ts';
import type { RepairWish } from './repair-journal.ts';
import { takeAudit } from './take-audit.ts';

/** What was found in the end, what was done before that, and what could still be done. */
export interface RepairReport {
  readonly report: AuditReport;
  readonly repaired: readonly RepairResult[];
  readonly plan: RepairPlan;
}

/** One repair may show the next: first a record, then the balance that the record left in doubt. */
const ROUNDS_MAX = 5;

/** Only looks. */
export const planOnly = (report: AuditReport): RepairReport => ({
  report,
  repaired: [],
  plan: planRepair(report),
});

/** What happens meanwhile. */
export interface Meanwhile {
  /** As `takeAudit` calls it. */
  readonly onProgress?: (checkedCount: number) => void | Promise<void>;
  readonly beforeRound?: (actionCount: number) => void;
  readonly afterRound?: (results: readonly RepairResult[]) => void;
}

/** Audits, repairs, and audits again for as long as that changes anything. @param wish for the journal. */
export async function repairInRounds(
  saga: Saga,
  ports: Ports,
  wish: RepairWish,
  { onProgress, beforeRound, afterRound }: Meanwhile,
): Promise<RepairReport> {
  const repaired: RepairResult[] = [];
  for (let round = 1; ; round++) {
    const { report, plan } = planOnly(await takeAudit(saga, ports, onProgress));
    const tried = new Set(repaired.map(({ action }) => keyOf(action)));
    const actions = plan.actions.filter((action) => !tried.has(keyOf(action)));
    if (actions.length === 0 || round === ROUNDS_MAX) {
      return { report, repaired, plan: { ...plan, actions } };
    }
    beforeRound?.(actions.length);
    const results = await executeRepair(saga, actions, ports, wish);
    afterRound?.(results);
    repaired.push(...results);
  }
}
