import { expect } from 'chai';
import { allServices } from '../../programs/services.ts';
import { SETTINGS } from '../support/builders.ts';
import { ADDITIONS } from './additions.ts';
import type { Recording } from './recording.ts';
import { readRecording, recordedReleases } from './recordings.ts';
import { type Addition, needlessAdditions, type Shape, shapeFaults, shapeOf } from './shape.ts';
import { record } from './stories.ts';

describe('What this release writes', () => {
  const newest = recordedReleases().at(-1) as string;
  let before_: Shape;
  let now: Shape;
  before(async () => {
    before_ = shapeOf(readRecording(newest));
    now = shapeOf(await record('now', (ports) => allServices(ports, SETTINGS)));
  });

  it('has every field that the release before writes, of the same type, and no new one that is not listed', () => {
    expect(shapeFaults(newest, before_, now, ADDITIONS)).to.deep.equal([]);
  });

  it('is what the list of additions says: nothing stands there that is not new', () => {
    expect(needlessAdditions(before_, now, ADDITIONS)).to.deep.equal([]);
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
  const shape = (
    saga: object,
    envelope: Record<string, string> = attributes,
    body: object = { uuid: 'x' },
  ): Shape => {
    const messages = [
      { id: '1', topic: 'frontend', attributes: envelope, data: Buffer.from(JSON.stringify(body)) },
    ];
    const documents = new Map([
      ['sagas/1', ledger],
      ['sagas/2', saga],
    ]);
    return shapeOf({ documents, messages } satisfies Pick<Recording, 'documents' | 'messages'>);
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

  it('finds what changed between 0.1.0 and 0.2.0, the one exception that was made', () => {
    const [old, now] = ['0.1.0', '0.2.0'].map((release) => shapeOf(readRecording(release)));
    const faults = shapeFaults('0.1.0', old as Shape, now as Shape, []);
    expect(faults.map((fault) => fault.slice(0, fault.indexOf('. ')))).to.deep.equal([
      'sagas/{id} has no steps any more, which 0.1.0 writes',
      'sagas/{id} has no steps[] any more, which 0.1.0 writes',
      'sagas/{id} does not always have expireAt, which 0.1.0 always writes',
    ]);
  });
});
