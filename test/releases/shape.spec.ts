import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { ADDITIONS } from './additions.ts';
import { narrowPipeline, widerPipeline } from './packing.ts';
import { type Subscriptions, subscriptionsOf } from './play.ts';
import { readRecording, recordedReleases } from './recordings.ts';
import {
  type Addition,
  needlessAdditions,
  type Shape,
  shapeFaults,
  shapeOf,
  subscriptionFaults,
} from './shape.ts';
import { record } from './stories.ts';

describe('What this release writes', () => {
  const newest = recordedReleases().at(-1) as string;
  let before_: Shape;
  let now: Shape;
  before(async () => {
    before_ = shapeOf(readRecording(newest));
    now = shapeOf(await record('now'));
  });

  it('has every field that the release before writes, of the same type, and no new one that is not listed', () => {
    expect(shapeFaults(newest, before_, now, ADDITIONS)).to.deep.equal([]);
  });

  for (const release of recordedReleases()) {
    it(`goes to the subscriptions that release ${release} knows: none has changed hands`, () => {
      const { subscriptions } = readRecording(release);
      expect(subscriptionFaults(release, subscriptions, subscriptionsOf(pipeline))).to.deep.equal([]);
    });
  }

  it('is what the list of additions says: nothing stands there that is not new', () => {
    expect(needlessAdditions(before_, now, ADDITIONS)).to.deep.equal([]);
  });
});

longSuite('A release with a further step', () => {
  it('needs no entry in the list of additions: what the step says of itself is enough', async () => {
    const boxes = { small: { left: 1000 }, large: { left: 1000 } };
    const wider = await record('wider', { saga: widerPipeline, furtherData: { boxes } });
    const now = shapeOf(wider);
    expect([...now.keys()]).to.include.members(['boxes/{id}', 'packing/{id}', 'data on order-packed']);
    const before = await record('before', { saga: narrowPipeline });
    expect(shapeFaults('before', shapeOf(before), now, [], widerPipeline)).to.deep.equal([]);
    expect(subscriptionFaults('before', before.subscriptions, wider.subscriptions)).to.deep.equal([]);
  });
});

longSuite('A release with a further step that waits', () => {
  it('needs no entry for what ledgers keep of that wait, but one for a further word of a step that waited before', async () => {
    const before = shapeOf(await record('before', { saga: narrowPipeline }));
    const now = await record('now');
    const ofLedgers = (faults: readonly string[]) => faults.filter((fault) => fault.includes('sagas/{id}'));
    expect(ofLedgers(shapeFaults('before', before, shapeOf(now), []))).to.deep.equal([]);
    const [path, ledger] = [...now.documents].find(([, fields]) => 'heard' in fields) as [string, object];
    const documents = new Map<string, object>([
      ...now.documents,
      [`${path}-later`, { ...ledger, heard: { inventory: { word: 'postpone' } } }],
    ]);
    const faults = shapeFaults('now', shapeOf(now), shapeOf({ ...now, documents }), []);
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(', which')))).to.deep.equal([
      'heard.inventory.word of sagas/{id} is now "postpone"',
    ]);
  });
});

describe('The check of what is written', () => {
  const ledger = {
    status: 'RECEIVED',
    sweepAt: new Date(0),
    history: ['2026-01-02T03:04:05.678Z RECEIVED order'],
  };
  const attributes = {
    'ce-type': 'order-saga.frontend',
    'ce-subject': '11111111-1111-4111-8111-111111111111',
  };
  const messages = [
    { id: '1', topic: 'frontend', attributes, data: Buffer.from(JSON.stringify({ uuid: 'x' })) },
  ];
  const documents = new Map<string, object>([
    ['sagas/1', ledger],
    ['sagas/2', ledger],
  ]);
  const shape = (
    other: object,
    envelope: Record<string, string> = attributes,
    body: object = { uuid: 'x' },
  ): Shape => {
    const data = Buffer.from(JSON.stringify(body));
    return shapeOf({
      documents: new Map([...documents, ['sagas/2', other]]),
      messages: [{ id: '1', topic: 'frontend', attributes: envelope, data }],
    });
  };
  const before_ = shape(ledger);
  const ADVICE = / See docs\/decisions\/0012-upgrades\.md/;
  /** What is said, without the advice that stands behind it. */
  const faultsOf = (now: Shape, additions: readonly Addition[] = []) =>
    shapeFaults('1.0.0', before_, now, additions).map((fault) => {
      expect(fault).to.match(ADVICE);
      return fault.slice(0, fault.indexOf('. '));
    });

  it('finds nothing where nothing has changed', () => {
    expect(faultsOf(shape({ ...ledger, sweepAt: new Date(1) }))).to.deep.equal([]);
  });

  const { sweepAt: _, ...unswept } = ledger;
  const changes: [what: string, now: Shape, faults: string[]][] = [
    [
      'a field that is not always there any more',
      shape(unswept),
      ['sagas/{id} does not always have sweepAt, which 1.0.0 always writes'],
    ],
    [
      'a field of another type',
      shape({ ...ledger, sweepAt: null }),
      ['sweepAt of sagas/{id} is now null, which 1.0.0 does not know'],
    ],
    [
      'a new field',
      shape({ ...ledger, tip: 1.5 }),
      ['sagas/{id} has a new tip, number, which 1.0.0 does not know'],
    ],
    [
      'a new status',
      shape({ ...ledger, status: 'PACKED' }),
      ['status of sagas/{id} is now "PACKED", which 1.0.0 does not know'],
    ],
    [
      'a line of the history that has another form',
      shape({ ...ledger, history: ['2026-01-02T03:04:05.678Z RECEIVED'] }),
      ['history[] of sagas/{id} is now moment word, which 1.0.0 does not know'],
    ],
    [
      'an attribute that has another name',
      shape(ledger, { 'ce-type': 'order-saga.frontend', 'ce-order': attributes['ce-subject'] }),
      [
        'attributes on frontend has no ce-subject any more, which 1.0.0 writes',
        'attributes on frontend has a new ce-order, {uuid}, which 1.0.0 does not know',
      ],
    ],
    [
      'a body with another type in it',
      shape(ledger, attributes, { uuid: 7 }),
      [
        'uuid of data on frontend is never text any more, as 1.0.0 writes it',
        'uuid of data on frontend is now integer, which 1.0.0 does not know',
      ],
    ],
  ];
  for (const [what, now, faults] of changes) {
    it(`finds ${what}, and says what to do`, () => {
      expect(faultsOf(now)).to.deep.equal(faults);
    });
  }

  it('lets pass what is listed, and nothing else', () => {
    const tip = { kind: 'sagas/{id}', field: 'tip', type: 'number', why: 'Nobody reads it yet' };
    expect(faultsOf(shape({ ...ledger, tip: 1.5 }), [tip])).to.deep.equal([]);
    expect(faultsOf(shape({ ...ledger, tip: 'much' }), [tip])).to.deep.equal([
      'sagas/{id} has a new tip, text, which 1.0.0 does not know',
    ]);
    expect(needlessAdditions(before_, shape(ledger), [tip])).to.deep.equal([tip]);
  });

  /** What the definition says, as a step declares it. */
  const declared: [what: string, now: Shape][] = [
    ['a status', shape({ ...ledger, status: 'PACKED' })],
    ['a reason', shape({ ...ledger, reason: 'OUT_OF_BOXES' })],
    ['a field that a step learns', shape({ ...ledger, packed: { units: 2 } })],
    ['a service', shape(ledger, { ...attributes, 'ce-source': '/order-saga/packing' })],
    ['a reason in a message', shape(ledger, attributes, { uuid: 'x', reason: 'OUT_OF_BOXES' })],
    [
      'a document of a new kind',
      shapeOf({ documents: new Map([...documents, ['boxes/small', { left: 1, bought: 2 }]]), messages }),
    ],
    [
      'a topic',
      shapeOf({
        documents,
        messages: [...messages, ...messages.map((message) => ({ ...message, topic: 'order-packed' }))],
      }),
    ],
  ];
  for (const [what, now] of declared) {
    it(`lets ${what} pass that the definition declares, and finds it where it does not`, () => {
      expect(shapeFaults('1.0.0', before_, now, [], widerPipeline)).to.deep.equal([]);
      expect(faultsOf(now)).to.have.lengthOf.at.least(1);
    });
  }

  it('finds a field that a step learns once it was another type, or something in it is new', () => {
    const learned = shape({ ...ledger, packed: { units: 2 } });
    const faultsNow = (packed: unknown) =>
      shapeFaults('1.0.0', learned, shape({ ...ledger, packed }), [], widerPipeline).length;
    expect([{ units: 3 }, { units: 'two' }, { units: 2, layers: 1 }].map(faultsNow)).to.deep.equal([0, 2, 1]);
  });

  it('finds a new field in a document of a kind that was there', () => {
    const boxOf = (box: object) => shapeOf({ documents: new Map([['boxes/small', box]]), messages: [] });
    const now = boxOf({ left: 1, bought: 2, colour: 'brown' });
    expect(shapeFaults('1.0.0', boxOf({ left: 1, bought: 2 }), now, [], widerPipeline)).to.have.lengthOf(1);
  });

  it('wants nothing in the list that the definition declares', () => {
    const packed = { kind: 'sagas/{id}', field: 'status', type: '"PACKED"', why: 'A step says so' };
    const now = shape({ ...ledger, status: 'PACKED' });
    expect(needlessAdditions(before_, now, [packed])).to.deep.equal([]);
    expect(needlessAdditions(before_, now, [packed], widerPipeline)).to.deep.equal([packed]);
  });

  it('finds a subscription that has another topic, another reader or another name, and lets new ones pass', () => {
    const before: Subscriptions = {
      'a-sub': { topic: 'a', service: 'one' },
      'b-sub': { topic: 'b', service: 'two' },
      'c-sub': { topic: 'c' },
      'd-sub': { topic: 'd', service: 'one' },
      'e-sub': { topic: 'e', service: 'two' },
    };
    const now: Subscriptions = {
      'a-sub': { topic: 'a', service: 'two' },
      'b-sub': { topic: 'a', service: 'two' },
      'c-sub': { topic: 'c', service: 'one' },
      'd-one-sub': { topic: 'd', service: 'one' },
      // What two reads has come to stand behind another step.
      'f-two-sub': { topic: 'f', service: 'two' },
    };
    expect(subscriptionFaults('1.0.0', before, before)).to.deep.equal([]);
    expect(subscriptionFaults('1.0.0', before, now)).to.deep.equal([
      'a-sub is on a for two; in 1.0.0 it is on a for one',
      'b-sub is on a for two; in 1.0.0 it is on b for two',
      'c-sub is on c for one; in 1.0.0 it is on c for nobody but people',
      'one reads d by d-one-sub; in 1.0.0 it is d-sub',
    ]);
  });
});
