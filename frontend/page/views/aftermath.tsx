import { useEffect } from 'preact/hooks';
import { PAUSED } from '../model/order.ts';
import { owesAudit } from '../model/plug.ts';
import { counted, numberText } from '../model/words.ts';
import { useAudit, VerdictNotice } from './audit.tsx';
import { LoadPanel } from './load-panel.tsx';
import { Badge, Outcome } from './parts.tsx';
import { note, pulls } from './pulls.ts';
import { connection, counts, definition, landmarks, offers, standingCount } from './state.ts';
import { SweepButton } from './sweep-button.tsx';

/** Longer than the page gathers events, so that what has come to rest stays at rest. */
const QUIET_MS = 1_500;

/** What a pull does to the orders: how many stand, what a sweep moves, and what the audit says once all have come to rest. */
export function Aftermath({ isBroken }: { isBroken: boolean }) {
  const audit = useAudit(({ title }) => note('audited', title));
  const isKnown = connection.value === 'live';
  const underWay = standingCount.value - (counts.value[PAUSED] ?? 0);
  const isAtRest = isKnown && !isBroken && underWay <= 0;
  const isOwed = owesAudit(pulls.value) && offers('GET /audit');
  useEffect(() => {
    if (!isOwed || !isAtRest || audit.deed.busy) return;
    const timer = setTimeout(audit.run, QUIET_MS);
    return () => clearTimeout(timer);
  }, [isOwed, isAtRest]);
  const statuses = (definition.value?.statuses ?? []).filter(
    (status) => (counts.value[status] ?? 0) > 0 && !landmarks.value.rests.has(status),
  );
  return (
    <>
      <LoadPanel />
      <p class="figure">
        {isKnown ? (
          <>
            <strong>{numberText(underWay)}</strong> {underWay === 1 ? 'order' : 'orders'}{' '}
            {isBroken ? 'held up' : 'on the way'}
          </>
        ) : (
          SAID[connection.value]
        )}
      </p>
      {isKnown && statuses.length > 0 && (
        <ul class="counts" aria-label="Where they stand">
          {statuses.map((status) => (
            <li key={status}>
              <Badge status={status} /> {numberText(counts.value[status] ?? 0)}
            </li>
          ))}
        </ul>
      )}
      <div class="buttons">
        {offers('POST /sweep') && <SweepButton onSwept={(said) => note('swept', said)} />}
        {offers('GET /audit') && (
          <button type="button" disabled={audit.deed.busy} onClick={audit.run}>
            {audit.deed.busy ? 'Auditing…' : 'Audit now'}
          </button>
        )}
      </div>
      {isOwed && !audit.deed.busy && (
        <p class="hint">
          {isAtRest
            ? 'All has come to rest. The audit follows.'
            : `The audit follows once ${underWay > 0 ? counted(underWay, 'order has', 'orders have') : 'all has'} come to rest.`}
        </p>
      )}
      <Outcome deed={audit.deed} failed="The audit could not be made" />
      {audit.result && <VerdictNotice result={audit.result} />}
    </>
  );
}

const SAID = {
  connecting: 'Connecting…',
  crowded:
    'Too many tabs are open. Once you close or leave one, you see here how many orders are on the way.',
  live: '',
  reconnecting: 'Reconnecting; then you see again how many orders are on the way.',
  ended: 'The server has ended the stream of orders.',
  refused: 'The server does not let you see how many orders are on the way.',
} as const;
