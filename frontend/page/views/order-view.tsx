import { OrderDeeds } from './order-deeds.tsx';
import { NoOrder, OrderPanel, useOrder } from './order-panel.tsx';

/** One order by itself: the view behind a link that is shared. */
export function OrderView({ uuid }: { uuid: string }) {
  return (
    <section class="card" aria-labelledby="order-title">
      <h1 id="order-title">
        Order <code>{uuid}</code>
      </h1>
      <FollowedOrder uuid={uuid} />
    </section>
  );
}

/** An order as it moves on, and what can be done about it. */
export function FollowedOrder({ uuid }: { uuid: string }) {
  const { order, shown, connection } = useOrder(uuid);
  if (order === undefined || shown === undefined) return <NoOrder connection={connection} uuid={uuid} />;
  return (
    <>
      <OrderPanel order={order} shown={shown} />
      <OrderDeeds order={order} />
    </>
  );
}
