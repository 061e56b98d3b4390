import { AuditCard } from './audit-card.tsx';
import { LetterDesk } from './letter-desk.tsx';
import { OperatorsOnly } from './operators-only.tsx';
import { PausedOrders } from './paused-orders.tsx';
import { RepairCard } from './repair-card.tsx';
import { offers } from './state.ts';

/** What operators look after: messages that could not be processed, orders that stand, and the books. */
export function OperationsView() {
  return (
    <OperatorsOnly path="/dead-letters/reasons">
      <div class="tiles">
        <h1 class="wide">Operations</h1>
        <LetterDesk />
        {offers('GET /audit') && <AuditCard />}
        {offers('POST /repair') && <RepairCard />}
        {offers('POST /sagas/pause') && <PausedOrders />}
      </div>
    </OperatorsOnly>
  );
}
