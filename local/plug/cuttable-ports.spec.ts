import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import { NOW } from '../../test/support/builders.ts';
import { cuttableBus, gatedStore } from './cuttable-ports.ts';

const PATH = 'inventory/widget';
const NONE = { collection: 'nothing', where: {} };

/** One call of each method of a store, which resolves when it has answered. */
const calls: { readonly [Method in keyof Store]: (store: Store) => Promise<unknown> } = {
  read: (store) => store.read([PATH]),
  commit: (store) => store.commit([{ kind: 'remove', path: PATH }]),
  query: (store) => store.query({ ...NONE, limit: 1 }),
  due: (store) => store.due({ ...NONE, field: 'at', until: NOW, limit: 1 }),
  list: (store) => store.list('nothing', 1),
  erase: (store) => store.erase('nothing'),
  snapshot: (store) => store.snapshot(),
  watch: (store) => new Promise((tell, fail) => store.watch(PATH, tell, fail)),
  watchChanges: (store) =>
    new Promise((tell, fail) => store.watchChanges({ ...NONE, field: 'at', since: NOW }, tell, fail)),
  close: (store) => store.close(),
};
const ALWAYS = ['close'];
const isAway = new StoreError('unavailable', 'The store is cut off');
const outcomeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error) => error,
  );

/** A gate that keeps waiting whoever comes while it is shut. */
function createGate() {
  let waiting: (() => void)[] = [];
  let isOpen = true;
  return {
    pass: () => (isOpen ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    shut() {
      isOpen = false;
    },
    open() {
      isOpen = true;
      for (const goOn of waiting) goOn();
      waiting = [];
    },
  };
}
const turn = () => new Promise(setImmediate);

describe('A store behind a gate', () => {
  const methods = Object.keys(createMemoryStore()) as (keyof Store)[];

  for (const method of methods) {
    const gated = !ALWAYS.includes(method);
    it(`${gated ? 'lets no' : 'lets a'} call of ${method} through while the gate throws`, async () => {
      const store = gatedStore(createMemoryStore(), () => Promise.reject(isAway));
      expect(await outcomeOf(calls[method](store))).to.equal(gated ? isAway : 'answered');
    });

    it(`lets a call of ${method} through once the gate opens${gated ? ', and not before' : ', or before'}`, async () => {
      const gate = createGate();
      gate.shut();
      let outcome: unknown;
      const called = outcomeOf(calls[method](gatedStore(createMemoryStore(), gate.pass))).then((end) => {
        outcome = end;
      });
      await turn();
      expect(outcome).to.equal(gated ? undefined : 'answered');
      gate.open();
      await called;
      expect(outcome).to.equal('answered');
    });
  }

  it('answers nothing more of a snapshot that was taken before', async () => {
    let isCut = false;
    const store = gatedStore(createMemoryStore(), async () => {
      if (isCut) throw isAway;
    });
    const snapshot = await store.snapshot();
    isCut = true;
    expect(await outcomeOf(snapshot.read([PATH]))).to.equal(isAway);
    expect(await outcomeOf(snapshot.scan({ collection: 'nothing', limit: 1 }))).to.equal(isAway);
  });

  /** Watches a document; `said` has what it was told. */
  function watching(store: Store) {
    const said: unknown[] = [];
    const watch = store.watch(
      PATH,
      (fields) => said.push(fields),
      (error) => said.push(error),
    );
    return { said, close: watch.close };
  }

  it('tells a watch in order, afterwards, what happened while the gate was shut', async () => {
    const [inner, gate] = [createMemoryStore(), createGate()];
    const { said } = watching(gatedStore(inner, gate.pass));
    await turn();
    gate.shut();
    await inner.commit([{ kind: 'create', path: PATH, fields: { quantity: 1 } }]);
    await turn();
    await inner.commit([{ kind: 'remove', path: PATH }]);
    await turn();
    expect(said).to.deep.equal([undefined]);
    gate.open();
    await turn();
    expect(said).to.deep.equal([undefined, { quantity: 1 }, undefined]);
  });

  it('fails a watch once, with the first thing that it would have told, and then tells nothing', async () => {
    const inner = createMemoryStore();
    let isCut = false;
    const { said } = watching(
      gatedStore(inner, async () => {
        if (isCut) throw isAway;
      }),
    );
    await turn();
    isCut = true;
    for (const quantity of [1, 2]) {
      await inner.commit([{ kind: 'remove', path: PATH }]);
      await inner.commit([{ kind: 'create', path: PATH, fields: { quantity } }]);
      await turn();
    }
    isCut = false;
    await inner.commit([{ kind: 'remove', path: PATH }]);
    await turn();
    expect(said).to.deep.equal([undefined, isAway]);
  });

  it('fails a watch once, however much it would have told when the gate throws', async () => {
    const [inner, gate] = [createMemoryStore(), createGate()];
    gate.shut();
    const { said } = watching(gatedStore(inner, () => gate.pass().then(() => Promise.reject(isAway))));
    await turn();
    await inner.commit([{ kind: 'create', path: PATH, fields: {} }]);
    await turn();
    gate.open();
    await turn();
    expect(said).to.deep.equal([isAway]);
  });

  it('tells nothing to a watch that was closed while it stood still, and closes that of the store', async () => {
    const [inner, gate] = [createMemoryStore(), createGate()];
    let closedCount = 0;
    const counting: Store = {
      ...inner,
      watch(...asked) {
        const watch = inner.watch(...asked);
        return { close: () => [closedCount++, watch.close()] };
      },
    };
    gate.shut();
    const { said, close } = watching(gatedStore(counting, gate.pass));
    await turn();
    close();
    gate.open();
    await turn();
    expect([said, closedCount]).to.deep.equal([[], 1]);
  });
});

describe('A bus that can be cut off', () => {
  const topology = topologyOf(pipeline);
  const [[subscription, { topic }] = ['', { topic: '' }]] = Object.entries(topology.subscriptions);
  const message = (text: string): OutgoingMessage => ({ topic, data: Buffer.from(text), attributes: {} });

  function createCuttable() {
    const published: string[] = [];
    const inner = createMemoryBus(topology, systemClock);
    const bus = cuttableBus(inner, ({ data }) => published.push(String(data)));
    return { inner, bus, published };
  }

  it('has all methods of a bus', () => {
    const { inner, bus } = createCuttable();
    expect(Object.keys(bus)).to.have.members([...Object.keys(inner), 'cut', 'mend']);
  });

  it('takes no message while it is cut off, and records only what the broker has taken', async () => {
    const { bus, published } = createCuttable();
    bus.cut();
    const results = await bus.publish([message('one'), message('two')]);
    expect(results.map((error) => error?.message)).to.deep.equal([
      'The broker is cut off',
      'The broker is cut off',
    ]);
    bus.mend();
    const [taken, refused] = await bus.publish([message('three'), { ...message('four'), topic: 'none' }]);
    expect([taken, String(refused)]).to.deep.equal([undefined, 'Error: Topic none does not exist']);
    expect(published).to.deep.equal(['three']);
  });

  it('does not know what is missing while it is cut off', async () => {
    const { bus } = createCuttable();
    bus.cut();
    expect(String(await outcomeOf(bus.missing([], [])))).to.equal('Error: The broker is cut off');
    bus.mend();
    expect(await bus.missing([topic], ['none'])).to.deep.equal(['none']);
  });

  /** Subscribes; `next` resolves with the next message, which is acked. */
  function subscribing(bus: Bus) {
    const said: string[] = [];
    let wake = () => {};
    const open = bus.subscribe(
      subscription,
      10,
      ({ data, ack }: Delivery) => {
        ack();
        said.push(String(data));
        wake();
      },
      () => {},
    );
    return {
      said,
      close: open.close,
      next: () =>
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
    };
  }

  it('hands out nothing while it is cut off, whether subscribed before or meanwhile, and then what came', async () => {
    for (const subscribesFirst of [true, false]) {
      const { inner, bus } = createCuttable();
      if (!subscribesFirst) bus.cut();
      const { said, next } = subscribing(bus);
      if (subscribesFirst) bus.cut();
      // As others do, who reach the broker.
      await inner.publish([message('one')]);
      await turn();
      expect(said).to.deep.equal([]);
      const came = next();
      bus.mend();
      await came;
      expect(said).to.deep.equal(['one']);
      await bus.close();
    }
  });

  it('opens nothing again that was closed while it was cut off', async () => {
    const { inner, bus } = createCuttable();
    const closed = subscribing(bus);
    bus.cut();
    await closed.close(0);
    bus.mend();
    const { said, next } = subscribing(inner);
    const came = next();
    await inner.publish([message('one')]);
    await came;
    expect([said, closed.said]).to.deep.equal([['one'], []]);
    await bus.close();
  });

  it('hands out nothing more to a subscription that was closed', async () => {
    const { bus } = createCuttable();
    const closed = subscribing(bus);
    await closed.close(0);
    const { said, next } = subscribing(bus);
    const came = next();
    await bus.publish([message('one')]);
    await came;
    expect([said, closed.said]).to.deep.equal([['one'], []]);
    await bus.close();
  });
});
