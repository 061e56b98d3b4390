import { z } from 'zod';
import { commitOne } from '../saga/commit/group-commit.ts';
import { answerInTime } from '../saga/http/answer-in-time.ts';
import { moment } from '../saga/http/answers.ts';
import { operatorIn } from '../saga/http/caller.ts';
import { invalidInput, notFound, Problem, type Route, route } from '../saga/http/http.ts';
import { pageParameters, readPage } from '../saga/http/page.ts';
import { inputFaults } from '../saga/input/input-faults.ts';
import { isName, nameSchema } from '../saga/input/name.ts';
import { sentenceSchema } from '../saga/input/sentence.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { readOne } from '../saga/ports/store.ts';
import { money, units } from '../shop/lines.ts';
import { stock } from '../shop/stock.ts';
import { changeStockTask, type StockChanged, type WantedStock } from './change-stock.ts';
import { figuresSchema, journalOf, type StockChange } from './stock-changes.ts';

const namedSchema = z.object({ item: nameSchema });
const wantedSchema = z.strictObject(
  { price_per_unit: money, loaded: units, note: sentenceSchema },
  { error: 'must be an object' },
);
/** An entry of the journal, as operators see it. */
const changeView = z.object({
  id: z.uuid(),
  createdAt: moment,
  person: z.string().exactOptional(),
  note: z.string(),
  before: figuresSchema.exactOptional(),
  after: figuresSchema,
});

/** Operators set the price and the whole of an item, and look at what they and others have changed. */
export const stockChangeRoutes = (ports: Ports): readonly Route[] => [
  route({
    method: 'PUT',
    path: '/inventory/{item}',
    summary: 'Set the price and the whole of an item, or bring in a new one, while orders go on',
    audience: 'operators',
    body: wantedSchema,
    answer: figuresSchema.extend({ item: nameSchema }),
    responses: {
      200: 'The item is so, now or before; what orders hold of it has not changed',
      201: 'The item is new',
      400: 'A field is wrong; errors says which',
      409: 'Orders hold more than that, or the item is malformed; the detail says which',
      503: 'Whether it was done is not known; repeating it is safe',
    },
    async handle({ params: { item = '' }, body, caller }) {
      const named = namedSchema.safeParse({ item });
      if (named.error) throw invalidInput(inputFaults(named.error));
      const person = operatorIn(caller);
      const wanted = { ...body, item, person, now: ports.clock.now(), id: ports.newUuid() };
      const changed = await answerInTime(change(ports, wanted), `/inventory/${item}/changes`, ports.clock);
      if (changed.outcome === 'refused') throw new Problem(409, 'Conflict', changed.detail);
      return { status: changed.outcome === 'created' ? 201 : 200, body: { item, ...changed.figures } };
    },
  }),
  route({
    method: 'GET',
    path: '/inventory/{item}/changes',
    summary: 'What operators changed of an item, newest first, a page at a time',
    audience: 'operators',
    query: z.strictObject(pageParameters),
    answer: z.object({ changes: z.array(changeView), next_page: z.string().optional() }),
    responses: { 200: 'One page; next_page leads to the next', 404: 'No such item' },
    async handle({ params: { item = '' }, query: { limit, page } }) {
      const { store } = ports;
      if (!isName(item) || !(await readOne(store, stock.of(item).path)))
        throw notFound(`There is no item ${item}`);
      const listing = { collection: journalOf(item), where: {} };
      const { documents: changes, nextPage } = await readPage<StockChange>(store, listing, limit, page);
      return { status: 200, body: { changes, ...(nextPage && { next_page: nextPage }) } };
    },
  }),
];

/** Commits a change, and says so in the log. */
async function change(ports: Ports, wanted: WantedStock): Promise<StockChanged> {
  const changed = await commitOne(ports.store, ports, changeStockTask(wanted));
  const { item, person, note } = wanted;
  const message = `inventory: ${item} was ${changed.outcome}`;
  ports.log('INFO', message, { step: 'inventory', item, operator: person, note });
  return changed;
}
