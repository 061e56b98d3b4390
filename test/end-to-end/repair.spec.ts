import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { stock } from '../../shop/stock.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

const OPERATOR = { 'saga-operator': 'alice' };

describe('A repair by HTTP', () => {
  let pipeline: Pipeline;
  let logged: object[] = [];
  /** An audit begins, and goes on once this is done. */
  let held: Promise<void> | undefined;
  let begins = () => {};
  const { path } = stock.of('widget');
  before(async () => {
    const opened = { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) };
    pipeline = await startPipeline(opened, ({ store }) => ({
      store: {
        ...store,
        async snapshot() {
          begins();
          await held;
          return store.snapshot();
        },
      },
      log: (_severity, message, fields) => logged.push({ message, ...fields }),
    }));
  });
  after(() => pipeline.close());
  async function spoil(): Promise<void> {
    const version = (await pipeline.store.read([path])).get(path)?.version;
    if (version === undefined) throw new Error(`There is no ${path}`);
    await pipeline.store.commit([{ kind: 'update', path, version, fields: { quantity: 7 } }]);
  }
  beforeEach(async () => {
    await spoil();
    logged = [];
  });
  const sentence = 'Correct quantity of inventory/widget by +3';
  const sentences = (actions: readonly { sentence: string }[]) => actions.map((one) => one.sentence);

  it('says what it would do, and changes nothing', async () => {
    const { status, body } = await pipeline.post('/repair', { apply: false });
    expect([status, body.report.violationCount, body.repaired]).to.deep.equal([200, 1, []]);
    expect(sentences(body.plan.actions)).to.deep.equal([sentence]);
    expect((await pipeline.remaining()).widget).to.equal(7);
    expect(logged).to.deep.equal([]);
  });

  it('does it, and the log and the journal tell who wanted it and why', async () => {
    const wanted = { apply: true, note: 'The nightly audit found it' };
    const { status, body } = await pipeline.post('/repair', wanted, OPERATOR);
    expect([status, body.report.violationCount, body.plan.actions]).to.deep.equal([200, 0, []]);
    expect(body.repaired.map((one: { outcome: string }) => one.outcome)).to.deep.equal(['done']);
    expect((await pipeline.remaining()).widget).to.equal(10);
    const by = { step: 'janitor', operator: 'alice', note: wanted.note };
    expect(logged).to.deep.equal([
      { message: 'janitor: an operator asked for a repair', ...by },
      { message: `janitor: repair done: ${sentence}`, ...by, uuid: undefined, error: undefined },
    ]);
    const { repairs } = (await pipeline.get('/repairs?limit=1')).body;
    expect(repairs).to.have.length(1);
    const { id: _, createdAt: __, ...entry } = repairs[0];
    expect(entry).to.deep.equal({
      kind: 'correct',
      path,
      correction: { field: 'quantity', by: 3 },
      person: 'alice',
      note: wanted.note,
    });
  });

  it('lists what was repaired, newest first, a page at a time', async () => {
    const notes = ['the first', 'the second'];
    for (const note of notes) {
      await spoil();
      await pipeline.post('/repair', { apply: true, note }, OPERATOR);
    }
    const first = (await pipeline.get('/repairs?limit=1')).body;
    const second = (await pipeline.get(`/repairs?limit=1&page=${first.next_page}`)).body;
    const noted = [...first.repairs, ...second.repairs].map(({ note }: { note: string }) => note);
    expect(noted).to.deep.equal(notes.toReversed());
  });

  it('is refused while another one is under way', async () => {
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      begins = resolve;
    });
    const first = pipeline.post('/repair', { apply: true });
    await begun;
    for (const apply of [true, false]) {
      expect((await pipeline.post('/repair', { apply })).status).to.equal(409);
    }
    release();
    expect((await first).status).to.equal(200);
    expect((await pipeline.remaining()).widget).to.equal(10);
    expect((await pipeline.post('/repair', { apply: false })).status).to.equal(200);
  });

  it('is not begun unless it is said whether to do it', async () => {
    for (const body of [{}, { apply: 'yes' }, { apply: true, note: '' }, { apply: true, all: true }]) {
      expect((await pipeline.post('/repair', body)).status, JSON.stringify(body)).to.equal(400);
    }
    expect((await pipeline.remaining()).widget).to.equal(7);
  });
});
