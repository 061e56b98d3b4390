import { useEffect, useRef, useState } from 'preact/hooks';
import { authorization, get, Refusal } from '../model/api.ts';
import { type Connection, follow } from '../model/event-stream.ts';
import { costOf, type Order, type Transition } from '../model/order.ts';
import { pictureOf } from '../model/picture.ts';
import { clockText, durationText, numberText } from '../model/words.ts';
import { Badge, Columns, Notice, Scrolls } from './parts.tsx';
import { SagaPicture } from './saga-picture.tsx';
import { definition, live, offers, slowMotion } from './state.ts';

/** How long each step is shown in slow motion. */
const SLOW_MS = 1200;
/** How often an order is asked for that has no stream, because too many tabs are open. */
const CROWDED_MS = 2000;

/** Follows one order; in slow motion, a transition at a time. */
export function useOrder(uuid: string) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const [connection, setConnection] = useState<Connection>('connecting');
  const [shownCount, setShownCount] = useState(0);
  const count = order?.history.length ?? 0;
  // The stream ends with the order. If that end is not final, the order may still be canceled, and the stream of all orders says so.
  const heard = live.value.orders.find((one) => one.uuid === uuid)?.history.length ?? 0;
  const [heardBeyondEnd, setHeardBeyondEnd] = useState(0);
  useEffect(() => {
    if (connection === 'ended' && heard > count) setHeardBeyondEnd(heard);
  }, [connection, heard, count]);
  useEffect(
    () =>
      follow(`/order/${uuid}/events`, {
        headers: authorization,
        page: document,
        locks: navigator.locks,
        onConnection: setConnection,
        onEvent: ({ event, data }) => {
          if (event === 'order') setOrder(JSON.parse(data) as Order);
        },
      }),
    [uuid, heardBeyondEnd],
  );
  useEffect(() => {
    if (connection !== 'crowded') return;
    let isWanted = true;
    const load = () => {
      if (document.hidden) return;
      get<Order>(`/order/${uuid}`).then(
        (asked) => isWanted && setOrder((known) => newerOf(known, asked)),
        (error) => isWanted && error instanceof Refusal && error.status === 404 && setConnection('refused'),
      );
    };
    load();
    const timer = setInterval(load, CROWDED_MS);
    return () => {
      isWanted = false;
      clearInterval(timer);
    };
  }, [connection, uuid]);
  useEffect(() => {
    if (shownCount >= count) return;
    if (!slowMotion.value || shownCount === 0) {
      setShownCount(slowMotion.value ? 1 : count);
      return;
    }
    const timer = setTimeout(() => setShownCount(shownCount + 1), SLOW_MS);
    return () => clearTimeout(timer);
  }, [count, shownCount, slowMotion.value]);
  return { order, shown: order && asOf(order, Math.max(1, shownCount)), connection };
}

/** An answer may come after an event that is newer. */
const newerOf = (known: Order | undefined, asked: Order): Order =>
  known && known.history.length > asked.history.length ? known : asked;

/** The order after so many transitions, as far as the page can tell by itself. */
function asOf(order: Order, count: number): Order {
  const last = order.history[count - 1];
  if (last === undefined || count >= order.history.length) return order;
  return { ...order, history: order.history.slice(0, count), status: last.status, updatedAt: last.at };
}

/** One order: its picture, what was asked, its past, and its raw history. */
export function OrderPanel({ order, shown }: { order: Order; shown: Order }) {
  const [past, setPast] = useState<Order | undefined>(undefined);
  if (definition.value === undefined) return null;
  const drawn = past ?? shown;
  const picture = pictureOf(definition.value, drawn);
  return (
    <>
      <p class="summary" aria-live="polite">
        <Badge status={drawn.status} />{' '}
        <span>{durationText(picture.elapsedMs)} from its first commit to its last</span>
      </p>
      <SagaPicture picture={picture} />
      <Past order={order} onPast={setPast} />
      <Invoice order={drawn} />
      <History order={drawn} />
    </>
  );
}

/** Goes through the moments of the order's past: the server says how it stood. */
function Past({ order, onPast }: { order: Order; onPast: (past: Order | undefined) => void }) {
  const moments = order.history.map(({ at }) => at);
  const [index, setIndex] = useState(moments.length - 1);
  const wanted = useRef(0);
  const isNow = index >= moments.length - 1;
  useEffect(() => {
    // An answer that is under way is no longer wanted.
    wanted.current++;
    setIndex(moments.length - 1);
    onPast(undefined);
  }, [moments.length]);
  const choose = (chosen: number) => {
    setIndex(chosen);
    const turn = ++wanted.current;
    if (chosen >= moments.length - 1) return onPast(undefined);
    get<Order>(`/order/${order.uuid}?at=${encodeURIComponent(moments[chosen] ?? '')}`).then(
      (past) => {
        if (turn === wanted.current) onPast(past);
      },
      () => onPast(undefined),
    );
  };
  if (moments.length < 2) return null;
  return (
    <div class="past">
      <label for="past">{isNow ? 'Now' : `As it stood at ${clockText(moments[index] ?? '', true)}`}</label>
      <input
        id="past"
        type="range"
        min={0}
        max={moments.length - 1}
        value={index}
        aria-valuetext={isNow ? 'now' : clockText(moments[index] ?? '', true)}
        onInput={(event) => choose(Number(event.currentTarget.value))}
      />
    </div>
  );
}

function Invoice({ order: { items = [], total_invoice, delivery_cost, user } }: { order: Order }) {
  if (items.length === 0) return null;
  return (
    <table class="invoice">
      <caption>Ordered by {user}</caption>
      <tbody>
        {items.map((line) => (
          <tr key={line.item}>
            <th scope="row">{line.item}</th>
            <td>
              {numberText(line.quantity)}
              {line.price_per_unit !== undefined && ` × ${numberText(line.price_per_unit)}`}
            </td>
            <td>{costOf(line) === undefined ? '' : numberText(costOf(line) ?? 0)}</td>
          </tr>
        ))}
        {delivery_cost !== undefined && (
          <tr>
            <th scope="row">Delivery</th>
            <td />
            <td>{numberText(delivery_cost)}</td>
          </tr>
        )}
        {total_invoice !== undefined && (
          <tr class="total">
            <th scope="row">Total</th>
            <td />
            <td>{numberText(total_invoice + (delivery_cost ?? 0))}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** Operators are also told who acted, and what they noted. */
function useTimeline({ uuid, history }: Order, isWanted: boolean): readonly Transition[] {
  const [timeline, setTimeline] = useState<readonly Transition[]>([]);
  useEffect(() => {
    if (!isWanted || !offers('GET /sagas/{uuid}')) return;
    get<{ timeline: Transition[] }>(`/sagas/${uuid}`).then(
      (saga) => setTimeline(saga.timeline),
      // Whoever is no operator sees what the order says.
      () => setTimeline([]),
    );
  }, [uuid, history.length, isWanted]);
  return timeline.length === history.length ? timeline : history;
}

function History({ order }: { order: Order }) {
  const [isOpen, setOpen] = useState(false);
  const timeline = useTimeline(order, isOpen);
  return (
    <details class="history" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Raw history</summary>
      <Scrolls label="The history as a table">
        <table>
          <Columns names={['At', 'Status', 'By', 'Note']} />
          <tbody>
            {timeline.map(({ at, status, by, person, note, reason, detail }) => (
              <tr key={`${at} ${status}`}>
                <td class="number">{clockText(at, true)}</td>
                <td>{status}</td>
                <td>{person ? `${by} (${person})` : by}</td>
                <td>{[reason, detail, note].filter(Boolean).join(': ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
      <a href={`/order/${order.uuid}`} target="_blank" rel="noreferrer">
        The same as JSON
      </a>
    </details>
  );
}

/** What stands in the place of an order that can't be shown. */
export function NoOrder({ connection, uuid }: { connection: Connection; uuid: string }) {
  if (connection === 'refused') {
    return <Notice kind="bad" title={`There is no order ${uuid} here, or you may not see it.`} />;
  }
  return (
    <p class="empty" role="status">
      {connection === 'reconnecting' ? 'The server does not answer. Trying again…' : 'Loading the order…'}
    </p>
  );
}
