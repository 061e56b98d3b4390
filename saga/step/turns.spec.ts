import { expect } from 'chai';
import { anOrder, aSaga, aSagaThatIs, LATER, NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { messageFor } from '../deliver/message.ts';
import { advance, fail, receive, sagaPath } from '../ledger/ledger.ts';
import { readOne } from '../ports/store.ts';
import { type TurnTask, takeTurns } from './turns.ts';

const turnOf = (uuid: string, take: TurnTask['take'], fields: Partial<TurnTask> = {}): TurnTask => ({
  uuid,
  reads: () => [],
  take,
  ...fields,
});

describe('Turns', () => {
  it('happen at the moment at which the batch began', async () => {
    const ports = await recordedPorts();
    const moments: Date[] = [];
    const take: TurnTask['take'] = (_saga, _documents, now) => {
      moments.push(now);
      return { outcome: 'ignored', writes: [] };
    };
    ports.store.readFaults = 1;
    await ports.clock.finish(takeTurns('order', [turnOf(UUID, take), turnOf(uuidOf(2), take)], ports));
    expect(moments).to.deep.equal([NOW, NOW]);
  });

  it('[anomaly 21] never happen before the transition that they follow, whatever the clock says', async () => {
    const ports = await recordedPorts({
      [sagaPath(UUID)]: advance(aSaga(), 'order', 'CREATED', {}, LATER),
      [sagaPath(uuidOf(2))]: aSaga({ uuid: uuidOf(2) }),
    });
    const moments: Date[] = [];
    const take: TurnTask['take'] = (_saga, _documents, now) => {
      moments.push(now);
      return { outcome: 'ignored', writes: [] };
    };
    await takeTurns(
      'inventory',
      [turnOf(UUID, take), turnOf(uuidOf(2), take), turnOf(uuidOf(3), take)],
      ports,
    );
    expect(moments).to.deep.equal([LATER, NOW, NOW]);
  });

  it('read no ledger for a uuid that was freshly drawn, and find it there all the same after a lost answer', async () => {
    const ports = await recordedPorts();
    const received = receive(UUID, anOrder(), 'frontend', NOW);
    const task = turnOf(
      UUID,
      (saga) =>
        saga
          ? { outcome: 'duplicate', writes: [], saga }
          : { outcome: 'accepted', writes: [], saga: received },
      { isNew: true },
    );
    expect(await takeTurns('frontend', [task], ports)).to.deep.equal([
      { turn: { outcome: 'accepted', writes: [], saga: received } },
    ]);
    expect(ports.store.reads).to.deep.equal([]);

    const others = await recordedPorts();
    others.store.commitFaults.push('lost answer');
    expect(await others.clock.finish(takeTurns('frontend', [task], others))).to.deep.equal([
      { turn: { outcome: 'duplicate', writes: [], saga: received } },
    ]);
    expect(others.published).to.have.length(1);
  });

  it('write only what changes in a ledger, and nothing where nothing does', async () => {
    const created = aSagaThatIs('CREATED');
    const ports = await recordedPorts({ [sagaPath(UUID)]: created });
    await takeTurns(
      'order',
      [turnOf(UUID, (saga) => ({ outcome: 'duplicate', writes: [], ...(saga && { saga }) }))],
      ports,
    );
    expect(ports.store.commits).to.deep.equal([]);

    const reserved = advance(created, 'inventory', 'RESERVED', {}, NOW);
    await takeTurns(
      'inventory',
      [
        turnOf(UUID, (saga) => ({
          outcome: 'accepted',
          writes: [],
          saga: advance(saga ?? created, 'inventory', 'RESERVED', {}, NOW),
        })),
      ],
      ports,
    );
    const fields = ports.store.commits
      .flat()
      .map((write) => (write.kind === 'update' ? Object.keys(write.fields).sort() : []));
    expect(fields).to.deep.equal([['history', 'status']]);
    expect(await readOne(ports.store, sagaPath(UUID))).to.deep.equal(reserved);
  });

  it('[anomaly 18] announce a ledger that stands where this party left it, and no other', async () => {
    const ports = await recordedPorts({
      [sagaPath(UUID)]: aSaga(),
      [sagaPath(uuidOf(2))]: aSagaThatIs('CREATED', { uuid: uuidOf(2) }),
    });
    const look: TurnTask['take'] = (saga) => ({ outcome: 'duplicate', writes: [], ...(saga && { saga }) });
    await takeTurns(
      'frontend',
      [turnOf(UUID, look), turnOf(uuidOf(2), look), turnOf(uuidOf(3), look)],
      ports,
    );
    expect(ports.published.map(({ attributes }) => attributes['ce-id'])).to.deep.equal([`${UUID}/frontend`]);
  });

  it('announce a ledger as the last turn of the batch left it', async () => {
    const ports = await recordedPorts({ [sagaPath(UUID)]: aSaga() });
    const tasks = [
      turnOf(UUID, (saga = aSaga()) => ({
        outcome: 'accepted',
        writes: [],
        saga: advance(saga, 'order', 'CREATED', {}, NOW),
      })),
      turnOf(UUID, (saga = aSaga()) => ({
        outcome: 'refused',
        writes: [],
        saga: fail(saga, 'order', 'INVALID_ORDER', 'No', NOW),
      })),
    ];
    await takeTurns('order', tasks, ports);
    expect(ports.journal).to.deep.equal(['commit', 'publish error']);
  });

  it('tell the publication that failed from the one that did not', async () => {
    const ports = await recordedPorts({ [sagaPath(UUID)]: aSaga() });
    ports.deafTopics.add('frontend');
    const look: TurnTask['take'] = (saga = aSaga({ uuid: uuidOf(2) })) => ({
      outcome: 'duplicate',
      writes: [],
      saga,
    });
    const [first] = await takeTurns('frontend', [turnOf(UUID, look)], ports);
    expect(first).to.have.nested.property('publishError.message', 'The broker is away');
    ports.deafTopics.clear();
    expect(await takeTurns('frontend', [turnOf(UUID, look)], ports)).to.deep.equal([
      { turn: { outcome: 'duplicate', writes: [], saga: aSaga() } },
    ]);
  });

  it('[anomaly 21] of a worker that wakes after its lease leave no trace: the version refuses its commit', async () => {
    const ports = await recordedPorts({ [sagaPath(UUID)]: aSaga() });
    const create: TurnTask['take'] = (saga = aSaga(), _documents, now) =>
      saga.status === 'RECEIVED'
        ? { outcome: 'accepted', writes: [], saga: advance(saga, 'order', 'CREATED', {}, now) }
        : { outcome: 'duplicate', writes: [], saga };
    // Between its decision and its commit the worker sleeps, and another one takes the redelivered message.
    ports.store.commitFaults.push(async () => {
      await takeTurns('order', [turnOf(UUID, create)], ports);
    });
    const [late] = await ports.clock.finish(takeTurns('order', [turnOf(UUID, create)], ports));
    expect(late).to.have.nested.property('turn.outcome', 'duplicate');
    expect(ports.store.commits).to.have.length(1);
    expect((await readOne(ports.store, sagaPath(UUID)))?.history).to.have.length(2);
  });

  const spoiled: [what: string, ledger: object][] = [
    ['an empty history', { ...aSaga(), history: [] }],
    ['no history', { ...aSaga(), history: undefined }],
    ['a status that nobody knows', { ...aSaga(), status: 'LOST' }],
    ['nothing in it', {}],
    ['a payment-error that is no JSON', { ...aSaga(), paymentError: 'please' }],
  ];
  for (const [what, ledger] of spoiled) {
    it(`[anomaly 23] fail alone over a ledger with ${what}: the others are committed and announced`, async () => {
      const good = aSaga({ uuid: uuidOf(2) });
      const ports = await recordedPorts({ [sagaPath(UUID)]: ledger, [sagaPath(good.uuid)]: good });
      const look: TurnTask['take'] = (saga) => ({ outcome: 'duplicate', writes: [], ...(saga && { saga }) });
      const [bad, fine] = await takeTurns('frontend', [turnOf(UUID, look), turnOf(good.uuid, look)], ports);
      expect(bad).to.have.property('error');
      expect(fine).to.deep.equal({ turn: { outcome: 'duplicate', writes: [], saga: good } });
      expect(ports.published).to.deep.equal([messageFor(good)]);
    });
  }
});
