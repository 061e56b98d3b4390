import { useEffect, useState } from 'preact/hooks';
import { post } from '../model/api.ts';
import { CANCELED, FAILING, type Order, PAUSED } from '../model/order.ts';
import { doInPortions, type Portion, withQuery } from '../model/portions.ts';
import { type Steered, steeredText } from '../model/steering.ts';
import { clockText, shortId, spoken } from '../model/words.ts';
import { Answer, useAsked } from './asked.tsx';
import { type Deed, Empty, Field, Outcome, useDeed, WithNote } from './parts.tsx';
import { counts, customers, definition, loadCustomers } from './state.ts';

/** Orders that an operator holds: which they are, more of them, and all of them let go. */
export function PausedOrders() {
  const deed = useDeed();
  const asked = useAsked<{ orders: Order[] } & Portion>(withQuery('/orders', { status: PAUSED }));
  const pausedCount = counts.value[PAUSED];
  useEffect(asked.again, [pausedCount]);
  const steerAll = async (how: 'pause' | 'resume', filter: Record<string, string>, note: string) => {
    try {
      return await doInPortions<Steered & Portion>(
        (page) => post(withQuery(`/sagas/${how}`, { ...filter, page }), { note }),
        (portions) => `${steeredText(portions, how === 'pause' ? 'paused' : 'resumed')}.`,
      );
    } finally {
      asked.again();
    }
  };
  return (
    <section class="card wide" aria-labelledby="paused-title">
      <h2 id="paused-title">Paused orders</h2>
      <p class="hint">A paused order stops before its next step, and its deadlines rest.</p>
      <Answer asked={asked}>
        {({ orders, next_page }) =>
          orders.length === 0 ? (
            <Empty>No order is paused.</Empty>
          ) : (
            <>
              <ul class="standing">
                {orders.map((order) => (
                  <PausedOrder key={order.uuid} order={order} />
                ))}
              </ul>
              {next_page !== undefined && <p class="hint">These are the newest; there are more.</p>}
            </>
          )
        }
      </Answer>
      <div class="buttons">
        <PauseAll deed={deed} pause={(filter, note) => steerAll('pause', filter, note)} />
        <WithNote label="Resume all" required deed={deed} ask={(note) => steerAll('resume', {}, note)} />
      </div>
      <Outcome deed={deed} />
    </section>
  );
}

function PausedOrder({ order: { uuid, user, history } }: { order: Order }) {
  const last = history.at(-1);
  const stoodAt = history.at(-2)?.status;
  return (
    <li>
      <a href={`#/order/${uuid}`}>{shortId(uuid)}</a> {user && `of ${user}`}
      {stoodAt && `, ${spoken(stoodAt)}`}
      {last && <p class="hint">Since {clockText(last.at)}</p>}
    </li>
  );
}

/** Pauses the orders of a filter. All orders at once are too many, so one of the two has to be chosen. */
function PauseAll({
  deed,
  pause,
}: {
  deed: Deed;
  pause: (filter: Record<string, string>, note: string) => Promise<string>;
}) {
  const [status, setStatus] = useState('');
  const [user, setUser] = useState('');
  useEffect(() => {
    if (customers.value === undefined) loadCustomers().catch(() => {});
  }, []);
  const saga = definition.value;
  const ends = new Set([CANCELED, FAILING, PAUSED, saga?.success]);
  return (
    <WithNote
      label="Pause all"
      required
      deed={deed}
      ask={(note) => pause({ ...(status && { status }), ...(user && { user }) }, note)}
    >
      <Field label="With status">
        {(field) => (
          <select
            {...field}
            value={status}
            required={user === ''}
            onChange={(event) => setStatus(event.currentTarget.value)}
          >
            <option value="">any</option>
            {saga?.statuses
              .filter((one) => !ends.has(one))
              .map((one) => (
                <option key={one} value={one}>
                  {spoken(one)}
                </option>
              ))}
          </select>
        )}
      </Field>
      <Field label="Of customer" hint="Choose a status, a customer or both.">
        {(field) => (
          <select {...field} value={user} onChange={(event) => setUser(event.currentTarget.value)}>
            <option value="">anybody</option>
            {customers.value?.map((one) => (
              <option key={one.user}>{one.user}</option>
            ))}
          </select>
        )}
      </Field>
    </WithNote>
  );
}
