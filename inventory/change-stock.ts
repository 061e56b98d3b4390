import { create, type Documents, update, type Write } from '../saga/commit/documents.ts';
import type { Task } from '../saga/commit/group-commit.ts';
import { schemaFaults } from '../saga/input/schema-faults.ts';
import { stock } from '../shop/stock.ts';
import { changePath, type Figures, type StockChange } from './stock-changes.ts';

/** What an operator asks for: the price and the whole of an item, as they are to be. */
export interface WantedStock {
  readonly item: string;
  readonly price_per_unit: number;
  readonly loaded: number;
  /** Why. */
  readonly note: string;
  /** The operator, if the name is known. */
  readonly person?: string | undefined;
  readonly now: Date;
  /**
   * The uuid of the request, under which its change is in the journal. If the answer of a commit is lost, the entry says
   * whether it went through, even if others have changed the item since.
   */
  readonly id: string;
}

/** What became of it: the item as it is with it, or the sentence that says why that can't be. */
export type StockChanged =
  | { readonly outcome: 'created' | 'changed' | 'unchanged'; readonly figures: Figures }
  | { readonly outcome: 'refused'; readonly detail: string };

interface Decision {
  readonly writes: readonly Write[];
  readonly result: StockChanged;
}

/**
 * Sets the price and the whole of an item. What is available moves by as much as the whole does, in the same commit, so that
 * what orders hold stays what it is, whatever they do meanwhile. An item that is not there is created. Safe to repeat: what is
 * so already is neither written nor put down in the journal.
 */
export const changeStockTask = (wanted: WantedStock): Task<StockChanged> => {
  const [inStock, line] = [stock.of(wanted.item), changePath(wanted.item, wanted.id)];
  return {
    reads: () => [inStock.path, line],
    decide(documents) {
      const done = documents.get(line);
      return done === undefined ? decideChange(wanted, documents) : { writes: [], result: resultOf(done) };
    },
  };
};

function decideChange(wanted: WantedStock, documents: Documents): Decision {
  const { item, price_per_unit, loaded, note, person, now, id } = wanted;
  const { path } = stock.of(item);
  const fields = documents.get(path);
  const parsed = fields && stock.schema.safeParse(fields);
  if (parsed?.error) return refused(`${path} is malformed: ${schemaFaults(parsed.error).join('; ')}`);
  const found = parsed?.data;
  const after = { quantity: loaded, loaded, price_per_unit };
  const change = { id, createdAt: now, ...(person !== undefined && { person }), note };
  const journaled = (one: StockChange) => create(changePath(item, id), one);
  if (found === undefined) {
    const created = { ...change, after };
    return { writes: [create(path, after), journaled(created)], result: resultOf(created) };
  }
  const before = { quantity: found.quantity, loaded: found.loaded, price_per_unit: found.price_per_unit };
  const held = before.loaded - before.quantity;
  if (loaded === before.loaded && price_per_unit === before.price_per_unit)
    return { writes: [], result: { outcome: 'unchanged', figures: before } };
  if (loaded < held) return refused(`Of ${item}, ${held} are reserved or sold: the whole can't be ${loaded}`);
  const changed = { ...change, before, after: { ...after, quantity: loaded - held } };
  return { writes: [update(path, changed.after), journaled(changed)], result: resultOf(changed) };
}

const refused = (detail: string): Decision => ({ writes: [], result: { outcome: 'refused', detail } });

const resultOf = ({ before, after }: StockChange): StockChanged => ({
  outcome: before === undefined ? 'created' : 'changed',
  figures: after,
});
