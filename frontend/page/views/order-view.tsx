import { OrderDeeds } from './order-deeds.tsx';
import { NoOrder, OrderPanel, useOrder } from './order-panel.tsx';

/** One order by itself: the view behind a link that is shared. */
export function OrderView({ uuid }: { uuid: string }) {
  const { order, shown, connection } = useOrder(uuid);
  return (
    <section class="card" aria-labelledby="order-title">
      <h1 id="order-title">
        Order <code>{uuid}</code>
      </h1>
      {order && shown ? (
        <>
          <OrderPanel order={order} shown={shown} />
          <OrderDeeds order={order} />
        </>
      ) : (
        <NoOrder connection={connection} uuid={uuid} />
      )}
    </section>
  );
}
