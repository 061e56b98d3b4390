import type { Definition } from '../../definition-route.ts';

/** What the shop's form says, and the order that it makes. */
export interface OrderForm {
  readonly user: string;
  readonly lines: readonly { readonly item: string; readonly quantity: number }[];
  readonly mishap: Mishap;
  readonly orchestrated: boolean;
  readonly asksOnShortage: boolean;
}

/** What is to go wrong: nothing, or a mishap by name, or `fail:` and a step. */
export type Mishap = string;

export const NO_MISHAP: Mishap = 'none';

/** The mishaps that an order can ask for. */
export function mishapsOf({ groups, failable }: Definition): readonly { value: Mishap; label: string }[] {
  return [
    { value: NO_MISHAP, label: 'Nothing' },
    { value: 'payment', label: 'The payment is refused' },
    { value: 'shortage', label: 'More is ordered than there is' },
    { value: 'user', label: 'The customer is unknown' },
    { value: 'item', label: 'The item is unknown' },
    ...(failable
      ? groups.flat().map(({ name }) => ({ value: `fail:${name}`, label: `The step “${name}” fails` }))
      : []),
  ];
}

/** The largest quantity of a line. */
export const QUANTITY_MAX = 1_000_000_000;

/** The body for `POST /order`. */
export function orderOf({ user, lines, mishap, orchestrated, asksOnShortage }: OrderForm): object {
  const items = lines.map((line, index) => {
    if (index > 0) return line;
    if (mishap === 'shortage') return { ...line, quantity: QUANTITY_MAX };
    return mishap === 'item' ? { ...line, item: 'unicorn' } : line;
  });
  const [, step] = /^fail:(.*)$/.exec(mishap) ?? [];
  return {
    user: mishap === 'user' ? 'somebody-unknown' : user,
    items,
    ...(mishap === 'payment' && { 'payment-error': true }),
    ...(step !== undefined && { fail: step }),
    ...(orchestrated && { mode: 'orchestration' }),
    ...(asksOnShortage && { on_shortage: 'ask' }),
  };
}
