import { useState } from 'preact/hooks';
import type { Definition } from '../../definition-route.ts';
import { post } from '../model/api.ts';
import { CANCELED, FAILING, type Line, type Order, PAUSED } from '../model/order.ts';
import { pictureOf } from '../model/picture.ts';
import { spoken } from '../model/words.ts';
import { Field, Outcome, useDeed, WholeNumber, WithNote } from './parts.tsx';
import { definition, offers } from './state.ts';

/** What a customer, a courier or an operator can do about an order now. */
export function OrderDeeds({ order }: { order: Order }) {
  const deed = useDeed();
  const saga = definition.value;
  if (saga === undefined) return null;
  const waiting = saga.groups.flat().find(({ waits }) => waits?.status === order.status)?.waits;
  const isOver = saga.final.includes(order.status) || order.status === FAILING;
  const cancel = () => post(`/order/${order.uuid}/cancel`).then(() => 'The order is being canceled.');
  return (
    <section class="deeds" aria-label="What can be done">
      {waiting && (
        <>
          <p class="hint">
            {waiting.says}. {waiting.operators ? 'Operators can say how it ended:' : 'You can say:'}
          </p>
          <div class="buttons">
            {waiting.words.map((word) => (
              <Word key={word.word} word={word} path={waiting.path} order={order} deed={deed} />
            ))}
          </div>
        </>
      )}
      <div class="buttons">
        {!isOver && (
          <button type="button" class="danger" disabled={deed.busy} onClick={() => deed.run(cancel)}>
            Cancel the order
          </button>
        )}
        <ShareLink uuid={order.uuid} />
      </div>
      <Outcome deed={deed} />
      {offers('POST /sagas/{uuid}/pause') && <ByHand order={order} saga={saga} />}
    </section>
  );
}

type WordView = NonNullable<Definition['groups'][number][number]['waits']>['words'][number];

/** A word for an order that waits. One that carries lines asks for them. */
function Word({
  word: { word, carries },
  path,
  order,
  deed,
}: {
  word: WordView;
  path: string;
  order: Order;
  deed: ReturnType<typeof useDeed>;
}) {
  const [lines, setLines] = useState<readonly Line[] | undefined>(undefined);
  const say = (body?: object) =>
    deed.run(async () => {
      await post(`/${path.replace('{uuid}', order.uuid)}/${word}`, body);
      setLines(undefined);
      return `The order has heard “${spoken(word)}”.`;
    });
  if (carries.length === 0) {
    return (
      <button type="button" disabled={deed.busy} onClick={() => say()}>
        {spoken(word)}
      </button>
    );
  }
  if (!carries.includes('items')) return null;
  if (lines === undefined) {
    return (
      <button type="button" disabled={deed.busy} onClick={() => setLines(order.items ?? [])}>
        {spoken(word)}…
      </button>
    );
  }
  return (
    <form
      class="amend"
      onSubmit={(event) => {
        event.preventDefault();
        say({
          items: lines
            .filter(({ quantity }) => quantity > 0)
            .map(({ item, quantity }) => ({ item, quantity })),
        });
      }}
    >
      {lines.map(({ item, quantity }, index) => (
        <label key={item}>
          {item}
          <WholeNumber
            min={0}
            value={quantity}
            onValue={(changed) => setLines(lines.with(index, { item, quantity: changed }))}
          />
        </label>
      ))}
      <button type="submit" class="primary" disabled={deed.busy}>
        {spoken(word)}
      </button>
      <button type="button" onClick={() => setLines(undefined)}>
        Not now
      </button>
    </form>
  );
}

function ShareLink({ uuid }: { uuid: string }) {
  const link = `${location.origin}/#/order/${uuid}`;
  const [said, setSaid] = useState<'Copy the link' | 'Copied' | undefined>('Copy the link');
  // Browsers let a page copy only where it came by HTTPS, or from this machine.
  const copy = () =>
    (navigator.clipboard?.writeText(link) ?? Promise.reject(new Error('No clipboard'))).then(
      () => setSaid('Copied'),
      () => setSaid(undefined),
    );
  if (said === undefined) return <code>{link}</code>;
  return (
    <button type="button" onClick={copy}>
      {said}
    </button>
  );
}

const DONE: Readonly<Record<string, string>> = {
  pause: 'Paused.',
  resume: 'Resumed.',
  skip: 'Skipped.',
  fork: 'Forked.',
  cancel: 'The order is being canceled.',
};

/** What operators can do about one order. Each is recorded with its note. */
function ByHand({ order, saga }: { order: Order; saga: Definition }) {
  const deed = useDeed();
  const steer = (how: string, body: (note: string) => object) => async (note: string) => {
    const answer = await post<{ uuid: string }>(`/sagas/${order.uuid}/${how}`, body(note));
    if (answer.uuid !== order.uuid) location.hash = `#/order/${answer.uuid}`;
    return DONE[how] ?? how;
  };
  const noted = (note: string) => (note ? { note } : {});
  const [from, setFrom] = useState('');
  const due = pictureOf(saga, order)
    .groups.flat()
    .find(({ state }) => state === 'active' || state === 'paused');
  const skippable = saga.groups.flat().find(({ name, skippable }) => skippable && name === due?.name)?.name;
  /** The statuses from which it can begin again. */
  const origins = [...new Set(order.history.map(({ status }) => status))].filter((status) =>
    saga.forkable.includes(status),
  );
  const hasEnded = order.status === CANCELED || order.status === saga.success;
  const isStanding = !hasEnded && order.status !== FAILING;
  return (
    <details class="by-hand">
      <summary>Steer it by hand</summary>
      <p class="hint">For operators. What you do is recorded in the order’s history.</p>
      <div class="buttons">
        {isStanding && saga.pausable && order.status !== PAUSED && (
          <WithNote label="Pause" required deed={deed} ask={steer('pause', noted)} />
        )}
        {order.status === PAUSED && (
          <WithNote label="Resume" required deed={deed} ask={steer('resume', noted)} />
        )}
        {isStanding && skippable && (
          <WithNote
            label={`Skip ${skippable}`}
            required
            deed={deed}
            ask={steer('skip', (note) => ({ step: skippable, ...noted(note) }))}
          />
        )}
        {hasEnded && origins.length > 0 && (
          <WithNote
            label="Fork"
            required
            deed={deed}
            ask={steer('fork', (note) => ({ from: from || origins[0], ...noted(note) }))}
          >
            <Field label="Begin again at" hint="A new order, with this one’s past up to there.">
              {(field) => (
                <select {...field} value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
                  {origins.map((status) => (
                    <option key={status} value={status}>
                      {spoken(status)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </WithNote>
        )}
        {!hasEnded && (
          <button
            type="button"
            disabled={deed.busy}
            onClick={() =>
              deed.run(async () => {
                await post(`/sagas/${order.uuid}/announce`);
                return 'Announced again.';
              })
            }
          >
            Announce again
          </button>
        )}
        {isStanding && (
          <WithNote
            label="Cancel as operator"
            danger
            required
            deed={deed}
            ask={steer('cancel', (detail) => ({ detail }))}
          />
        )}
      </div>
      <Outcome deed={deed} />
    </details>
  );
}
