import { accountsIn } from '../../data-init/load-data.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import type { Hold } from '../../saga/step/document.ts';
import { wordTask } from '../../saga/step/hear-word.ts';
import { changeOf, holdsOf } from '../../saga/step/holds.ts';
import { takeStep } from '../../saga/step/take-step.ts';
import type { Turn } from '../../saga/step/turn.ts';
import { afterwards, aLedger, documentsOf, NOW, SETTINGS, wordOf } from './builders.ts';
import { dataFor } from './data.ts';

/** What there was before the first order: joe has a limit, so that he is charged. */
export const LOADED = dataFor(pipeline);

interface FinishedOrder {
  readonly ledger: OrderLedger;
  readonly holds: readonly Hold[];
  /** The ledger, the accounts, and all that the order holds. */
  readonly documents: ReadonlyMap<Path, object>;
}

/** Joe's order of two widgets, once it has passed every step. */
export function finishedOrder(): FinishedOrder {
  const accounts = Object.fromEntries(accountsIn(pipeline, LOADED));
  const copy = documentsOf(accounts);
  let ledger: Ledger = aLedger({ user: 'joe' });
  const settings = SETTINGS.declared;
  const enter = (who: string, turn: Turn) => {
    const change = turn.ledger && changeOf(pipeline, ledger, turn.ledger, copy);
    if (!['accepted', 'waiting'].includes(turn.outcome) || change === undefined || 'shortage' in change)
      throw new Error(`${who} refuses joe's order: ${JSON.stringify([turn, change])}`);
    afterwards(copy, change.writes);
    ledger = turn.ledger as Ledger;
  };
  for (const step of pipeline.steps) {
    enter(step.name, takeStep(pipeline, step, ledger, copy, settings, NOW));
    const waiting = pipeline.waitingIn(ledger.status);
    if (waiting === undefined) continue;
    const spoken = { uuid: ledger.uuid, word: wordOf(waiting.waits), by: step.name, settings };
    enter(step.name, wordTask(pipeline, waiting, spoken).take(ledger, copy, NOW));
  }
  const holds = holdsOf(pipeline, ledger);
  const paths = new Set([...Object.keys(accounts), ...holds.map(({ path }) => path)]);
  const documents = [...paths].map((path): [Path, object] => [path, copy.get(path) ?? {}]);
  return {
    ledger: ledger as OrderLedger,
    holds,
    documents: new Map([[ledgerPath(ledger.uuid), ledger], ...documents]),
  };
}
