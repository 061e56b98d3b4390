import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sentencesOf } from '../model/api.ts';
import { shortId } from '../model/words.ts';
import { OperationsView } from './operations-view.tsx';
import { OrderView } from './order-view.tsx';
import { OrdersView } from './orders-view.tsx';
import { Notice } from './parts.tsx';
import { PlugView } from './plug-view.tsx';
import { ShopView } from './shop-view.tsx';
import { at, connection, definition, followOrders, loadPage, offers, place } from './state.ts';
import { TokenForm } from './token-form.tsx';

/** How long to wait for a server that does not answer yet. */
const RETRY_MS = 2_000;

/** The whole page: a bar at the top, and the view for the place in the address. */
export function App() {
  const [fault, setFault] = useState<string[] | undefined>(undefined);
  /** Grows with each token, because a stream is refused or let in when it begins. */
  const [visit, setVisit] = useState(0);
  useEffect(followPlace, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = () => {
      loadPage().catch((error: unknown) => {
        setFault(sentencesOf(error));
        timer = setTimeout(load, RETRY_MS);
      });
    };
    load();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => followOrders(document, navigator.locks), [visit]);
  const name = definition.value?.name;
  useEffect(() => {
    if (name) document.title = titleOf(name);
  }, [name, place.value]);
  if (definition.value === undefined) {
    return (
      <main class="lonely">
        {fault ? (
          <Notice kind="bad" title="The page can't be shown" lines={fault} />
        ) : (
          <p role="status">Loading…</p>
        )}
      </main>
    );
  }
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href="#/">
          <img src="/page/icon.svg" alt="" width="24" height="24" />
          {definition.value.name}
        </a>
        <nav aria-label="Views">
          <Link to="/">Shop</Link>
          <Link to="/orders">Orders</Link>
          {offers('GET /dead-letters') && <Link to="/operations">Operations</Link>}
          {offers('GET /plug') && <Link to="/plug">Pull the plug</Link>}
        </nav>
        <ConnectionPill />
      </header>
      <main id="content" tabIndex={-1}>
        {connection.value === 'refused' ? (
          <section class="card" aria-labelledby="who-title">
            <h1 id="who-title">Who are you?</h1>
            <p>The server shows orders only to their customers and to operators.</p>
            <TokenForm label="Your token" onToken={() => setVisit(visit + 1)} />
          </section>
        ) : (
          <View />
        )}
      </main>
    </>
  );
}

function View() {
  if (at('/order')) {
    const uuid = place.value.slice('/order/'.length);
    return <OrderView key={uuid} uuid={uuid} />;
  }
  if (at('/orders')) return <OrdersView />;
  if (at('/operations')) return <OperationsView />;
  if (at('/plug')) return <PlugView />;
  return <ShopView />;
}

function Link({ to, children }: { to: string; children: ComponentChildren }) {
  const isHere = to === '/' ? place.value === '/' || at('/order') : at(to);
  return (
    <a href={`#${to}`} {...(isHere && { 'aria-current': 'page' })}>
      {children}
    </a>
  );
}

const CONNECTIONS = {
  connecting: 'Connecting…',
  crowded: 'Too many tabs are open',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  ended: 'Ended',
  refused: 'Not allowed',
} as const;

function ConnectionPill() {
  return (
    <p class={`pill ${connection.value}`} role="status">
      {CONNECTIONS[connection.value]}
    </p>
  );
}

/** Keeps `place` in step with the address; a new view is read from its beginning. */
function followPlace(): () => void {
  const read = () => {
    place.value = /^#(\/[\w/-]*)/.exec(location.hash)?.[1] ?? '/';
  };
  const move = () => {
    read();
    scrollTo(0, 0);
    document.getElementById('content')?.focus({ preventScroll: true });
  };
  read();
  addEventListener('hashchange', move);
  return () => removeEventListener('hashchange', move);
}

/** The title of the window: where one is, and in what. */
function titleOf(saga: string): string {
  const [, view = '', uuid = ''] = place.value.split('/');
  const words: Record<string, string> = {
    order: `Order ${shortId(uuid)}`,
    orders: 'Orders',
    operations: 'Operations',
    plug: 'Pull the plug',
  };
  return `${words[view] ?? 'Shop'} · ${saga}`;
}
