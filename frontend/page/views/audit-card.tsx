import { useAudit, VerdictNotice } from './audit.tsx';
import { Outcome } from './parts.tsx';
import { offers } from './state.ts';
import { SweepButton } from './sweep-button.tsx';

/** Whether the books are right, and which orders are stuck. */
export function AuditCard() {
  const audit = useAudit();
  return (
    <section class="card" aria-labelledby="audit-title">
      <h2 id="audit-title">Audit</h2>
      <p class="hint">
        Proves from all ledgers that stock, money and records are right, and finds orders that are stuck. It
        reads everything, so it runs only when you ask.
      </p>
      <div class="buttons">
        <button type="button" class="primary" disabled={audit.deed.busy} onClick={() => audit.run()}>
          {audit.deed.busy ? 'Auditing…' : 'Audit now'}
        </button>
        {offers('POST /sweep') && <SweepButton />}
      </div>
      <Outcome deed={audit.deed} failed="The audit could not be made" />
      {audit.result && <VerdictNotice result={audit.result} />}
    </section>
  );
}
