import { useEffect, useState } from 'preact/hooks';
import { get } from '../model/api.ts';
import { newestOf } from '../model/live-orders.ts';
import type { Order } from '../model/order.ts';
import { clockText, counted, durationText, numberText, shortId, spoken } from '../model/words.ts';
import { Accounts } from './accounts.tsx';
import { LoadPanel } from './load-panel.tsx';
import { Badge, Columns, Empty, Scrolls } from './parts.tsx';
import { Plots } from './plots.tsx';
import { counts, definition, isListKnown, live } from './state.ts';

/** All orders: how many are where, how fast they go, and the newest of them. */
export function OrdersView() {
  return (
    <div class="orders">
      <section class="card wide" aria-labelledby="flow-title">
        <h1 id="flow-title">All orders</h1>
        <Plots seconds={live.value.seconds} />
        <LoadPanel />
      </section>
      <section class="card" aria-labelledby="accounts-title">
        <h2 id="accounts-title">Stock and credit</h2>
        <Accounts />
      </section>
      <section class="card wide" aria-labelledby="table-title">
        <h2 id="table-title">Newest orders</h2>
        <OrderTable />
      </section>
    </div>
  );
}

interface Filter {
  readonly status: string;
  readonly user: string;
}

function OrderTable() {
  const [filter, setFilter] = useState<Filter>({ status: '', user: '' });
  const [held, setHeld] = useState<readonly Order[] | undefined>(undefined);
  const listed = useListed(filter);
  const isFiltered = filter.status !== '' || filter.user !== '';
  const current = held ?? (isFiltered ? newestOf([...listed, ...live.value.orders]) : live.value.orders);
  const shown = current.filter(
    ({ status, user }) =>
      (filter.status === '' || status === filter.status) && (filter.user === '' || user === filter.user),
  );
  return (
    <>
      <StatusChips chosen={filter.status} choose={(status) => setFilter({ ...filter, status })} />
      <div class="filters">
        <label>
          Customer{' '}
          <input
            type="search"
            value={filter.user}
            onInput={(event) => setFilter({ ...filter, user: event.currentTarget.value })}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={held !== undefined}
            onChange={(event) => setHeld(event.currentTarget.checked ? current : undefined)}
          />
          Hold the table still
        </label>
        {live.value.tally.skipped > 0 && (
          <p class="hint">
            {counted(live.value.tally.skipped, 'change')} came too fast to show; the numbers above count them
            all.
          </p>
        )}
      </div>
      {shown.length === 0 ? (
        <Empty>{emptyText(isFiltered)}</Empty>
      ) : (
        <Scrolls label="Orders as a table">
          <table>
            <Columns names={['Order', 'Placed at', 'Customer', 'Items', 'Status', 'Time']} />
            <tbody>
              {shown.map((order) => (
                <OrderRow key={order.uuid} order={order} />
              ))}
            </tbody>
          </table>
        </Scrolls>
      )}
    </>
  );
}

function emptyText(isFiltered: boolean): string {
  if (!isListKnown.value) return 'Loading…';
  return isFiltered ? 'No orders match.' : 'No orders yet. Place one in the shop, or send a load.';
}

function OrderRow({
  order: { uuid, createdAt, updatedAt, user, items = [], status, reason },
}: {
  order: Order;
}) {
  return (
    <tr>
      <td>
        <a href={`#/order/${uuid}`}>
          <code>{shortId(uuid)}</code>
        </a>
      </td>
      <td class="number">{clockText(createdAt)}</td>
      <td>{user}</td>
      <td>{items.map(({ item, quantity }) => `${numberText(quantity)} ${item}`).join(', ')}</td>
      <td>
        <Badge status={status} /> {reason && <span class="hint">{spoken(reason)}</span>}
      </td>
      <td class="number">{durationText(Date.parse(updatedAt) - Date.parse(createdAt))}</td>
    </tr>
  );
}

/** The orders of a filter, as the server lists them; those that come later are in the live list. */
function useListed({ status, user }: Filter): readonly Order[] {
  const [listed, setListed] = useState<readonly Order[]>([]);
  useEffect(() => {
    if (status === '' && user === '') return;
    let isWanted = true;
    const query = new URLSearchParams({ limit: '100', ...(status && { status }), ...(user && { user }) });
    get<{ orders: Order[] }>(`/orders?${query}`).then(
      ({ orders }) => isWanted && setListed(orders),
      () => isWanted && setListed([]),
    );
    return () => {
      isWanted = false;
    };
  }, [status, user]);
  return listed;
}

/** How many orders are in each status; a choice shows only those. */
function StatusChips({ chosen, choose }: { chosen: string; choose: (status: string) => void }) {
  const total = Object.values(counts.value).reduce((sum, count) => sum + count, 0);
  const statuses = (definition.value?.statuses ?? []).filter(
    (status) => counts.value[status] || status === chosen,
  );
  return (
    <fieldset class="chips">
      <legend class="unseen">Show orders by status</legend>
      <button type="button" aria-pressed={chosen === ''} onClick={() => choose('')}>
        all <strong>{numberText(total)}</strong>
      </button>
      {statuses.map((status) => (
        <button
          type="button"
          key={status}
          aria-pressed={chosen === status}
          onClick={() => choose(chosen === status ? '' : status)}
        >
          {spoken(status)} <strong>{numberText(counts.value[status] ?? 0)}</strong>
        </button>
      ))}
    </fieldset>
  );
}
