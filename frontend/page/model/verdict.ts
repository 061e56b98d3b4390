import { counted } from './words.ts';

/** What this page reads of an audit. */
export interface AuditReport {
  readonly checkedAt: string;
  readonly counts: { readonly orders: number };
  readonly violations: readonly { readonly sentence: string }[];
  readonly violationCount: number;
  readonly stuck: readonly StuckOrder[];
  readonly stuckCount: number;
}

export interface StuckOrder {
  readonly uuid: string;
  readonly status: string;
  readonly since: string;
  readonly repeats: number;
  readonly sentence: string;
}

/** What the shop has in all; a pipeline without a shop has none of it. */
export interface ShopTotals {
  readonly items?: readonly { readonly quantity: number; readonly reserved: number; readonly sold: number }[];
  readonly users?: readonly { readonly credit_limit?: number }[];
}

/** The result of an audit for people. */
export interface Verdict {
  /** `plain`: nothing is wrong, but not all is well. */
  readonly kind: 'good' | 'plain' | 'bad';
  readonly title: string;
  /** What is wrong, or as much of it as can be read. */
  readonly lines: readonly string[];
}

const LINES_MAX = 10;

export function verdictOf(report: AuditReport, totals: ShopTotals): Verdict {
  const { violations, violationCount, stuckCount } = report;
  if (violationCount > 0) {
    return {
      kind: 'bad',
      title: `The books don’t add up: ${counted(violationCount, 'fault')}`,
      lines: firstOf(violations, violationCount),
    };
  }
  if (stuckCount > 0) {
    const stand = stuckCount === 1 ? 'stands' : 'stand';
    return {
      kind: 'plain',
      title: `${accountedFor(report, totals)}, but ${counted(stuckCount, 'order')} ${stand} still`,
      lines: [],
    };
  }
  return { kind: 'good', title: accountedFor(report, totals), lines: [] };
}

/** "12,408 units and 3 credits accounted for". */
function accountedFor({ counts }: AuditReport, { items, users }: ShopTotals): string {
  const units = items?.reduce((sum, { quantity, reserved, sold }) => sum + quantity + reserved + sold, 0);
  const credits = users?.filter(({ credit_limit }) => credit_limit !== undefined).length;
  const accounts = [
    ...(units === undefined ? [] : [counted(units, 'unit')]),
    ...(credits === undefined ? [] : [counted(credits, 'credit')]),
  ];
  return `${accounts.length === 0 ? counted(counts.orders, 'order') : accounts.join(' and ')} accounted for`;
}

function firstOf(entries: readonly { readonly sentence: string }[], count: number): readonly string[] {
  const lines = [...new Set(entries.slice(0, LINES_MAX).map(({ sentence }) => sentence))];
  return count > LINES_MAX ? [...lines, `… and ${counted(count - LINES_MAX, 'more', 'more')}`] : lines;
}
