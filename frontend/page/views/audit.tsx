import { useState } from 'preact/hooks';
import { get } from '../model/api.ts';
import { type AuditReport, type Verdict, verdictOf } from '../model/verdict.ts';
import { clockText, counted, durationText, shortId } from '../model/words.ts';
import { Badge, Notice, useDeed } from './parts.tsx';
import { customers, loadCustomers, loadStock, offers, stock } from './state.ts';

/** An audit's report, and what it means. */
export interface AuditResult {
  readonly report: AuditReport;
  readonly verdict: Verdict;
}

/** Asks for an audit. @param onVerdict is told of each. */
export function useAudit(onVerdict: (verdict: Verdict) => void = () => {}) {
  const deed = useDeed();
  const [result, setResult] = useState<AuditResult | undefined>(undefined);
  const run = () =>
    deed.run(async () => {
      const [report] = await Promise.all([
        get<AuditReport>('/audit'),
        offers('GET /inventory') && loadStock(),
        offers('GET /users') && loadCustomers(),
      ]);
      const verdict = verdictOf(report, {
        ...(stock.value && { items: stock.value }),
        ...(customers.value && { users: customers.value }),
      });
      setResult({ report, verdict });
      onVerdict(verdict);
    });
  return { deed, result, run };
}

export function VerdictNotice({ result: { report, verdict } }: { result: AuditResult }) {
  return (
    <>
      <Notice kind={verdict.kind} title={verdict.title} lines={verdict.lines} />
      <p class="hint">
        {counted(report.counts.orders, 'order')} checked at {clockText(report.checkedAt)}.
      </p>
      {report.stuck.length > 0 && <StuckOrders report={report} />}
    </>
  );
}

const SHOWN_MAX = 20;

function StuckOrders({ report: { stuck, stuckCount, checkedAt } }: { report: AuditReport }) {
  return (
    <>
      <h3>Orders that stand still</h3>
      <ul class="standing">
        {stuck.slice(0, SHOWN_MAX).map(({ uuid, status, since, repeats, sentence }) => (
          <li key={uuid}>
            <a href={`#/order/${uuid}`}>{shortId(uuid)}</a> <Badge status={status} />
            <p class="hint">
              {sentence}. For {durationText(Date.parse(checkedAt) - Date.parse(since))}, announced again{' '}
              {counted(repeats, 'time')}.
            </p>
          </li>
        ))}
      </ul>
      {stuckCount > SHOWN_MAX && <p class="hint">… and {counted(stuckCount - SHOWN_MAX, 'more', 'more')}.</p>}
    </>
  );
}
