import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../model/api.ts';
import { type LoadReport, PER_SECOND_MAX, SECONDS_MAX, sendLoad } from '../model/load.ts';
import { counted } from '../model/words.ts';
import { WholeNumber } from './parts.tsx';
import { customers, stock } from './state.ts';

/** Sends many orders, so that there is something to see. One in ten payments is refused. */
export function LoadPanel() {
  const [perSecond, setPerSecond] = useState(20);
  const [seconds, setSeconds] = useState(10);
  const [report, setReport] = useState<(LoadReport & { isOver: boolean }) | undefined>(undefined);
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  const isRunning = report !== undefined && !report.isOver;
  const start = () => {
    stop.current = sendLoad(
      { perSecond, seconds },
      () => post('/order', someOrder()),
      (now, isOver) => setReport({ ...now, isOver }),
    );
  };
  return (
    <form
      class="load"
      onSubmit={(event) => {
        event.preventDefault();
        if (isRunning) stop.current();
        else start();
      }}
    >
      <label>
        Send <WholeNumber max={PER_SECOND_MAX} value={perSecond} onValue={setPerSecond} /> orders per second
      </label>
      <label>
        for <WholeNumber max={SECONDS_MAX} value={seconds} onValue={setSeconds} /> seconds
      </label>
      <button type="submit" class={isRunning ? 'danger' : 'primary'} disabled={!stock.value?.length}>
        {isRunning ? 'Stop' : 'Send'}
      </button>
      <p class="hint" role="status">
        {report === undefined ? 'One in ten payments is refused.' : sentence(report)}
      </p>
    </form>
  );
}

const sentence = ({ accepted, failed, leftOut }: LoadReport): string =>
  [
    `${counted(accepted, 'order')} accepted`,
    ...(failed > 0 ? [`${failed} not accepted`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out, because the server is at its limit`] : []),
  ].join(', ');

const pick = <T,>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];

/** Customers with less would be refused after a few orders, and the load would show nothing else. */
const CREDIT_ENOUGH = 1000;

function someOrder(): object {
  const people = customers.value ?? [];
  const solvent = people.filter(({ credit = CREDIT_ENOUGH }) => credit >= CREDIT_ENOUGH);
  const [item, user] = [pick(stock.value ?? []), pick(solvent.length > 0 ? solvent : people)];
  return {
    item: item?.item,
    quantity: 1 + Math.floor(Math.random() * 3),
    user: user?.user,
    ...(Math.random() < 0.1 && { 'payment-error': true }),
  };
}
