import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, get, Refusal } from '../model/api.ts';
import type { Order } from '../model/order.ts';
import { mishapsOf, NO_MISHAP, type OrderForm, orderOf, QUANTITY_MAX } from '../model/order-form.ts';
import { pictureOf } from '../model/picture.ts';
import { numberText, shortId } from '../model/words.ts';
import { FollowedOrder } from './order-view.tsx';
import { Empty, Field, Outcome, useDeed, WholeNumber } from './parts.tsx';
import { SagaPicture } from './saga-picture.tsx';
import {
  areCustomersListed,
  customers,
  definition,
  latestOrder,
  loadCustomers,
  loadStock,
  offers,
  slowMotion,
  stock,
} from './state.ts';

/** Order something, and watch what becomes of it. */
export function ShopView() {
  return (
    <div class="shop">
      <section class="card" aria-labelledby="shop-title">
        <h1 id="shop-title">Place an order</h1>
        <Form />
      </section>
      <section class="card" aria-labelledby="latest-title">
        {latestOrder.value === undefined ? (
          <Invitation />
        ) : (
          <Latest key={latestOrder.value} uuid={latestOrder.value} />
        )}
      </section>
    </div>
  );
}

/** The saga before any order. */
function Invitation() {
  const picture = definition.value && pictureOf(definition.value, NO_ORDER);
  return (
    <>
      <h2 id="latest-title">An order’s way through the saga</h2>
      <p>
        Place an order, and watch each step take what it needs. Let something go wrong, and watch it all come
        back.
      </p>
      {picture && <SagaPicture picture={picture} />}
    </>
  );
}

const NO_ORDER: Order = { uuid: '', status: '', createdAt: '', updatedAt: '', history: [] };

function Latest({ uuid }: { uuid: string }) {
  const title = useRef<HTMLHeadingElement>(null);
  // On a small screen it is below the form.
  useEffect(() => title.current?.scrollIntoView({ block: 'nearest' }), []);
  return (
    <>
      <h2 id="latest-title" ref={title}>
        Order <a href={`#/order/${uuid}`}>{shortId(uuid)}</a>
      </h2>
      <FollowedOrder uuid={uuid} />
    </>
  );
}

/** Drawn anew for each order, and kept until the server has said what became of it: asking again must not order twice. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

function Form() {
  const deed = useDeed();
  const loading = useDeed();
  const key = useRef<string | undefined>(undefined);
  const [form, setForm] = useState<OrderForm>({
    user: '',
    lines: [{ item: '', quantity: 2 }],
    mishap: NO_MISHAP,
    orchestrated: false,
    asksOnShortage: false,
  });
  const change = (part: Partial<OrderForm>) => {
    key.current = undefined;
    setForm({ ...form, ...part });
  };
  useEffect(() => {
    loading.run(async () => {
      await Promise.all([loadStock(), loadCustomers()]);
    });
  }, []);
  const [saga, items = [], people = []] = [definition.value, stock.value, customers.value];
  if (saga === undefined) return null;
  if (loading.faults.length > 0) return <Outcome deed={loading} failed="The shop could not be loaded" />;
  if (stock.value?.length === 0 || (customers.value?.length === 0 && areCustomersListed.value)) {
    return <Empty>The shop has no customers or no stock. Load them with “npm run data-init”.</Empty>;
  }
  /** What is chosen, or the first there is. */
  const filled: OrderForm = {
    ...form,
    user: form.user || (people[0]?.user ?? ''),
    lines: form.lines.map(({ item, quantity }) => ({ item: item || (items[0]?.item ?? ''), quantity })),
  };
  const free = items.filter(({ item }) => !filled.lines.some((line) => line.item === item));

  const place = async () => {
    key.current ??= newKey();
    try {
      const { uuid } = await ask<{ uuid: string }>('POST', '/order', orderOf(filled), {
        'Idempotency-Key': key.current,
      });
      latestOrder.value = uuid;
      key.current = undefined;
    } catch (error) {
      // Refused for good: the next try is another order.
      if (error instanceof Refusal && error.status >= 400 && error.status < 500) key.current = undefined;
      throw error;
    }
  };

  return (
    <form
      class="order-form"
      onSubmit={(event) => {
        event.preventDefault();
        deed.run(place);
      }}
    >
      <Field label="Customer" hint={<Credit user={filled.user} />}>
        {(field) =>
          areCustomersListed.value ? (
            <select
              {...field}
              value={filled.user}
              onChange={(event) => change({ user: event.currentTarget.value })}
            >
              {people.map(({ user }) => (
                <option key={user}>{user}</option>
              ))}
            </select>
          ) : (
            <input
              {...field}
              required
              value={form.user}
              onInput={(event) => change({ user: event.currentTarget.value })}
            />
          )
        }
      </Field>
      <fieldset class="lines">
        <legend>Items</legend>
        {filled.lines.map((line, index) => (
          <div class="line" key={line.item}>
            <select
              aria-label={`Item ${index + 1}`}
              value={line.item}
              onChange={(event) =>
                change({ lines: form.lines.with(index, { ...line, item: event.currentTarget.value }) })
              }
            >
              {items
                .filter(({ item }) => item === line.item || free.some((one) => one.item === item))
                .map(({ item }) => (
                  <option key={item} value={item}>
                    {item}
                  </option>
                ))}
            </select>
            <WholeNumber
              aria-label={`Quantity of ${line.item}`}
              max={QUANTITY_MAX}
              value={line.quantity}
              onValue={(quantity) => change({ lines: form.lines.with(index, { ...line, quantity }) })}
            />
            <p class="hint">{numberText(items.find(({ item }) => item === line.item)?.quantity ?? 0)} left</p>
            {form.lines.length > 1 && (
              <button
                type="button"
                class="quiet"
                aria-label={`Take out ${line.item}`}
                onClick={() => change({ lines: form.lines.toSpliced(index, 1) })}
              >
                ✕
              </button>
            )}
          </div>
        ))}
        {free[0] && (
          <button
            type="button"
            class="quiet"
            onClick={() => change({ lines: [...filled.lines, { item: free[0]?.item ?? '', quantity: 1 }] })}
          >
            + Another item
          </button>
        )}
      </fieldset>
      <Price form={filled} />
      <Field label="What should go wrong?">
        {(field) => (
          <select
            {...field}
            value={form.mishap}
            onChange={(event) => change({ mishap: event.currentTarget.value })}
          >
            {mishapsOf(saga).map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {saga.orchestrated && (
        <fieldset class="choice">
          <legend>Who leads?</legend>
          <label>
            <input
              type="radio"
              name="mode"
              checked={!form.orchestrated}
              onChange={() => change({ orchestrated: false })}
            />
            Choreography: each step hears the one before
          </label>
          <label>
            <input
              type="radio"
              name="mode"
              checked={form.orchestrated}
              onChange={() => change({ orchestrated: true })}
            />
            Orchestration: one coordinator does them all
          </label>
        </fieldset>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={form.asksOnShortage}
          onChange={(event) => change({ asksOnShortage: event.currentTarget.checked })}
        />
        Ask me if stock is short
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={slowMotion.value}
          onChange={(event) => {
            slowMotion.value = event.currentTarget.checked;
          }}
        />
        Slow motion: show each step for a second
      </label>
      <button type="submit" class="primary" disabled={deed.busy || loading.busy}>
        Order
      </button>
      <Outcome deed={deed} failed="The order was not accepted" />
    </form>
  );
}

function Credit({ user }: { user: string }) {
  const customer = customers.value?.find((one) => one.user === user);
  if (customer?.credit === undefined) return <>No limit</>;
  return <>Can spend {numberText(customer.credit)}</>;
}

/** What the order would cost now: the steps decide at their own time. */
function Price({ form: { lines, user } }: { form: OrderForm }) {
  const [delivery, setDelivery] = useState<number | undefined>(undefined);
  useEffect(() => {
    if (!user || !offers('GET /deliveries/estimate')) return;
    let isWanted = true;
    get<{ delivery_cost: number }>(`/deliveries/estimate?user=${encodeURIComponent(user)}`).then(
      ({ delivery_cost }) => isWanted && setDelivery(delivery_cost),
      () => isWanted && setDelivery(undefined),
    );
    return () => {
      isWanted = false;
    };
  }, [user]);
  const goods = lines.reduce((sum, { item, quantity }) => {
    const price = stock.value?.find((one) => one.item === item)?.price_per_unit ?? 0;
    return sum + price * quantity;
  }, 0);
  return (
    <p class="price">
      <span>
        Goods {numberText(goods)}
        {delivery !== undefined && ` + delivery ${numberText(delivery)}`}
      </span>
      <strong>{numberText(goods + (delivery ?? 0))}</strong>
    </p>
  );
}
