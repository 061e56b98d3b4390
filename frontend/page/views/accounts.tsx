import { numberText } from '../model/words.ts';
import { Empty } from './parts.tsx';
import { customers, stock } from './state.ts';

/** Stock and credit as bars: what is free, what orders hold, and what is gone for good. */
export function Accounts() {
  if (stock.value === undefined || customers.value === undefined) return <Empty>Loading…</Empty>;
  const limited = customers.value.filter(({ credit }) => credit !== undefined);
  return (
    <ul class="accounts">
      {stock.value.map(({ item, quantity, reserved, sold }) => (
        <Bar
          key={item}
          name={item}
          parts={[
            { label: 'available', amount: quantity, look: 'free' },
            { label: 'reserved', amount: reserved, look: 'held' },
            { label: 'sold', amount: sold, look: 'gone' },
          ]}
        />
      ))}
      {limited.map(({ user, credit = 0, credit_limit = 0 }) => (
        <Bar
          key={`user ${user}`}
          name={`${user}’s credit`}
          parts={[
            { label: 'free', amount: credit, look: 'free' },
            { label: 'spent', amount: credit_limit - credit, look: 'held' },
          ]}
        />
      ))}
    </ul>
  );
}

function Bar({
  name,
  parts,
}: {
  name: string;
  parts: readonly { label: string; amount: number; look: 'free' | 'held' | 'gone' }[];
}) {
  const whole = parts.reduce((sum, { amount }) => sum + Math.max(0, amount), 0);
  let left = 0;
  return (
    <li>
      <p>
        <strong>{name}</strong>{' '}
        <span class="hint">
          {parts.map(({ label, amount }) => `${numberText(amount)} ${label}`).join(' · ')}
        </span>
      </p>
      <svg class="bar-chart" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ label, amount, look }) => {
          const width = whole === 0 ? 0 : (100 * Math.max(0, amount)) / whole;
          const x = left;
          left += width;
          return <rect key={label} class={look} x={x} width={width} height="4" />;
        })}
      </svg>
    </li>
  );
}
