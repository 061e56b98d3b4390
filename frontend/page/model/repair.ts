import type { AuditReport } from './verdict.ts';
import { counted } from './words.ts';

/** What a repair found in the end, what it did before that, and what it could still do. */
export interface RepairReport {
  readonly report: AuditReport;
  readonly repaired: readonly RepairResult[];
  readonly plan: {
    readonly actions: readonly RepairAction[];
    readonly forPeople: readonly { readonly sentence: string; readonly advice: string }[];
  };
}

export interface RepairAction {
  readonly sentence: string;
  readonly effect: string;
}

export interface RepairResult {
  readonly action: RepairAction;
  readonly outcome: 'done' | 'needless' | 'failed';
  readonly detail?: string;
}

/** "2 of 3 actions done, 1 failed". */
export function repairedText({ repaired }: RepairReport): string {
  const count = (wanted: RepairResult['outcome']) =>
    repaired.filter(({ outcome }) => outcome === wanted).length;
  const [needless, failed] = [count('needless'), count('failed')];
  return [
    `${counted(count('done'), 'action')} done`,
    ...(needless > 0 ? [`${needless} no longer needed`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
}
