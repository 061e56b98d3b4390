import { expect } from 'chai';
import fc from 'fast-check';
import { LINES_MAX, type Order, QUANTITY_MAX } from '../../shop/order.ts';
import {
  aDelivery,
  aLedger,
  anOrder,
  LATER,
  PRICE,
  TRACE,
  UUID,
  uuidOf,
} from '../../test/support/builders.ts';
import { defined } from '../../test/support/defined.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { isName } from '../input/name.ts';
import { DEADLINE_SECONDS } from '../ledger/deadline.ts';
import { advance, fail, type Ledger, pause, receive, tombstone, unpause } from '../ledger/ledger.ts';
import { LEDGER_FIELDS } from '../ledger/read-ledger.ts';
import {
  DEAD_LETTER,
  deadLetterOf,
  derivedUuid,
  MESSAGE_BYTES_MAX,
  messageFor,
  type ParsedMessage,
  parseMessage,
  REDRIVE,
  snapshot,
} from './message.ts';

/** What a delivery says. */
const read = (delivery: Parameters<typeof parseMessage>[1], allowNameless: boolean): ParsedMessage =>
  defined(parseMessage(pipeline, delivery, allowNameless));
const shown = (ledger: Ledger) => defined(snapshot(pipeline, ledger));

const parse = (body: unknown, allowNameless = false): ParsedMessage => read(aDelivery(body), allowNameless);
const ORDER = { user: 'jack', item: 'widget', quantity: 2 };

describe('A message that arrives', () => {
  it('names a ledger and describes its order', () => {
    expect(parse({ uuid: UUID, ...ORDER })).to.deep.equal({ message: { uuid: UUID, order: anOrder() } });
  });

  it('names the same ledger in capitals', () => {
    const uuid = 'ABCDEF01-1111-4111-8111-11111111111A';
    expect(parse({ uuid, ...ORDER })).to.deep.equal({
      message: { uuid: 'abcdef01-1111-4111-8111-11111111111a', order: anOrder() },
    });
  });

  it('needs a uuid and nothing else; what is wrong with its order is kept', () => {
    expect(parse({ uuid: UUID })).to.deep.equal({
      message: {
        uuid: UUID,
        orderFault: 'user is missing; items is missing: give item and quantity, or items',
      },
    });
  });

  it('[anomaly 22] is no order where it asks a step to fail that there is not', () => {
    expect(parse({ uuid: UUID, ...ORDER, fail: 'inventory' })).to.deep.equal({
      message: { uuid: UUID, order: anOrder({ fail: 'inventory' }) },
    });
    expect(parse({ uuid: UUID, ...ORDER, fail: 'stock' })).to.deep.equal({
      message: {
        uuid: UUID,
        orderFault: `fail must be one of ${pipeline.steps.map(({ name }) => name).join(', ')}`,
      },
    });
  });

  it('tells a bounded amount of what is wrong with its order', () => {
    const items = Array.from({ length: LINES_MAX }, () => ({ ['x'.repeat(4000)]: 1 }));
    const parsed = parse({ uuid: UUID, user: 'jack', items });
    expect('message' in parsed && parsed.message.orderFault?.length).to.equal(1000);
  });

  it('tells why the order failed, in our words only', () => {
    expect(parse({ uuid: UUID, ...ORDER, reason: 'PAYMENT_ERROR' })).to.deep.equal({
      message: { uuid: UUID, order: anOrder(), reason: 'PAYMENT_ERROR' },
    });
    for (const reason of ['BECAUSE', '', null, 3, ['PAYMENT_ERROR'], 'toString']) {
      expect(parse({ uuid: UUID, ...ORDER, reason })).to.deep.equal({
        message: { uuid: UUID, order: anOrder() },
      });
    }
  });

  it('says a word, with whatever it carries, where its outcome is a text', () => {
    expect(parse({ uuid: UUID, ...ORDER, outcome: 'lost', note: 'a dog' })).to.deep.equal({
      message: { uuid: UUID, order: anOrder(), word: { ...ORDER, note: 'a dog', word: 'lost' } },
    });
    for (const outcome of [null, 3, ['lost'], { word: 'lost' }]) {
      expect(parse({ uuid: UUID, ...ORDER, outcome })).to.deep.equal({
        message: { uuid: UUID, order: anOrder() },
      });
    }
  });

  for (const [what, bytes] of [
    ['text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['half of it', Buffer.from('{"uuid":')],
  ] as const) {
    it(`[anomaly 22] is not JSON: ${what}`, () => {
      expect(parse(bytes)).to.deep.equal({ fault: 'The message is not JSON' });
    });
  }

  it('[anomaly 22] is not UTF-8, and so would name something else than was meant', () => {
    const body = Buffer.from(JSON.stringify({ ...anOrder(), user: 'jo\u00e4' }), 'latin1');
    expect(parse(body)).to.deep.equal({ fault: 'The message is not UTF-8' });
  });

  for (const body of [null, 3, 'text', true, [], [{ uuid: UUID }]]) {
    it(`[anomaly 22] is not an object: ${JSON.stringify(body)}`, () => {
      expect(parse(body, true)).to.deep.equal({ fault: 'The message is not a JSON object' });
    });
  }

  it('[anomaly 22] has no uuid', () => {
    expect(parse(ORDER)).to.deep.equal({ fault: 'The message has no uuid' });
  });

  for (const uuid of [null, 3, '', 'x', `${UUID}0`, `${UUID}/x`, `../${UUID}`, [UUID], { uuid: UUID }]) {
    it(`[anomaly 22] has a uuid that is none: ${JSON.stringify(uuid)}`, () => {
      const fault = { fault: 'The uuid of the message is not a UUID' };
      expect(parse({ uuid, ...ORDER })).to.deep.equal(fault);
      expect(parse({ uuid, ...ORDER }, true)).to.deep.equal(fault);
    });
  }

  it('[anomaly 22] is too large', () => {
    const sized = (bytes: number) => {
      const body = JSON.stringify({ uuid: UUID, ...ORDER, padding: '' });
      return Buffer.from(body.replace('"padding":"', `"padding":"${'x'.repeat(bytes - body.length)}`));
    };
    expect(parse(sized(MESSAGE_BYTES_MAX))).to.deep.equal({ message: { uuid: UUID, order: anOrder() } });
    expect(parse(sized(MESSAGE_BYTES_MAX + 1))).to.deep.equal({
      fault: 'The message has more than 262144 bytes',
    });
  });

  it('belongs to the trace that its attribute names, if that can be understood', () => {
    const traceIn = (traceparent: string) => {
      const arrived = {
        data: Buffer.from(JSON.stringify({ uuid: UUID })),
        attributes: { traceparent },
        messageId: '1',
      };
      const parsed = read(arrived, false);
      return 'message' in parsed ? parsed.message.trace : parsed;
    };
    expect(traceIn(TRACE)).to.equal(TRACE);
    const wrong = [
      TRACE.toUpperCase(),
      TRACE.replace(/^00/, '01'),
      `${TRACE}-more`,
      ` ${TRACE}`,
      TRACE.replace('a1'.repeat(16), '0'.repeat(32)),
      TRACE.replace('b2'.repeat(8), '0'.repeat(16)),
      '',
    ];
    for (const text of wrong) expect(traceIn(text), text).to.equal(undefined);
  });

  it('[anomaly 22] speaks a version of CloudEvents that we do not', () => {
    const version = (specversion: string) =>
      read(aDelivery({ uuid: UUID, ...ORDER }, { attributes: { 'ce-specversion': specversion } }), true);
    expect(version('1.0')).to.deep.equal({ message: { uuid: UUID, order: anOrder() } });
    expect(version('2.0')).to.deep.equal({ fault: 'CloudEvents version 2.0 is not supported, only 1.0' });
    expect(version('9'.repeat(1000))).to.deep.equal({
      fault: `CloudEvents version ${'9'.repeat(20)} is not supported, only 1.0`,
    });
  });
});

describe('An order that is published without a uuid', () => {
  const nameless = (messageId: string) => read(aDelivery(ORDER, { messageId }), true);

  it('[anomaly 1] is the same order at every delivery of the message', () => {
    const uuid = derivedUuid('message-id', '4711');
    expect(nameless('4711')).to.deep.equal({ message: { uuid, order: anOrder() } });
    expect(nameless('4711')).to.deep.equal(nameless('4711'));
  });

  it('[anomaly 31] is the same order when it is redriven, under another id', () => {
    const redriven = aDelivery(ORDER, { messageId: '4712', attributes: { [REDRIVE.messageId]: '4711' } });
    expect(read(redriven, true)).to.deep.equal(nameless('4711'));
  });

  it('[anomaly 39] is never another order than the one that its body names', () => {
    const forged = { messageId: '4712', attributes: { [REDRIVE.messageId]: '4711' } };
    expect(read(aDelivery({ uuid: UUID, ...ORDER }, forged), true)).to.deep.equal({
      message: { uuid: UUID, order: anOrder() },
    });
  });

  it('is another order in another message', () => {
    expect(nameless('4712')).not.to.deep.equal(nameless('4711'));
  });
});

describe('A derived uuid', () => {
  it('stays what it has always been', () => {
    expect(derivedUuid('message-id', '4711')).to.equal('ba32c8e8-4f8d-50da-9f02-9f3f752beb63');
  });

  it('[anomaly 22] belongs also to a key that is no well-formed Unicode', () => {
    expect(derivedUuid('message-id', '\ud800')).to.equal(derivedUuid('message-id', '\ufffd'));
  });

  it('differs between ids of different origin', () => {
    const kinds = ['idempotency-key', 'message-id', 'dead-letter'] as const;
    expect(new Set(kinds.map((kind) => derivedUuid(kind, '4711'))).size).to.equal(kinds.length);
  });
});

describe('The snapshot of an order', () => {
  const items = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];

  it('has the names that customers know', () => {
    expect(shown(aLedgerThatIs('PAID'))).to.deep.equal({
      uuid: UUID,
      user: 'jack',
      item: 'widget',
      quantity: 2,
      items,
      status: 'PAID',
      total_invoice: 10,
      delivery_cost: 0,
    });
  });

  it('has no short form where there are several lines', () => {
    const lines = [
      { item: 'widget', quantity: 2 },
      { item: 'gadget', quantity: 1 },
    ];
    expect(shown(aLedger({ items: lines }))).to.deep.equal({
      uuid: UUID,
      user: 'jack',
      items: lines,
      status: 'RECEIVED',
    });
  });

  it('says why it failed, and gives a wish for failure back as it came', () => {
    expect(shown(aLedgerThatIs('FAILING', { paymentError: 'null' }))).to.deep.equal({
      uuid: UUID,
      user: 'jack',
      item: 'widget',
      quantity: 2,
      items,
      'payment-error': null,
      status: 'FAILING',
      reason: 'PAYMENT_ERROR',
      detail: 'The payment was refused',
    });
  });

  it('[anomaly 7] is without an order where that never came', () => {
    const detail = 'It failed before anybody knew it';
    const failure = { by: 'janitor', reason: 'PAYMENT_ERROR', detail, now: LATER };
    const overtaken = tombstone(pipeline, UUID, failure, DEADLINE_SECONDS);
    expect(shown(overtaken)).to.deep.equal({
      uuid: UUID,
      items: [],
      status: 'CANCELED',
      reason: 'PAYMENT_ERROR',
      detail,
    });
  });

  it("keeps what is none of the customer's business to itself", () => {
    const told = ['uuid', 'status', 'reason', 'detail'];
    const inner = [...LEDGER_FIELDS].filter((field) => !told.includes(field));
    const kept = {
      charged: 10,
      repeats: 1,
      trace: TRACE,
      waitsUntil: { step: LATER },
      heard: { step: { word: 'yes' } },
      forkOf: { uuid: uuidOf(2), at: LATER },
      forks: [uuidOf(3)],
      rewritten: '2026-01-02T03:05:00.000Z CANCELED order alice',
    };
    const ledger = aLedgerThatIs('CANCELED', kept);
    expect(ledger).to.include.all.keys(inner.filter((field) => !['at', 'word'].includes(field)));
    expect(shown(ledger)).not.to.have.any.keys('charged', 'lines', ...inner);
  });
});

describe('The message that a ledger calls for', () => {
  it('is a CloudEvent in binary mode', () => {
    const learned = { lines: [{ item: 'widget', quantity: 2, price_per_unit: PRICE }] };
    const ledger = advance(pipeline, aLedgerThatIs('CREATED'), {
      step: 'inventory',
      by: 'inventory',
      learned,
      now: LATER,
    });
    const { data, ...envelope } = messageFor(pipeline, deepFreeze(ledger));
    expect(envelope).to.deep.equal({
      topic: 'inventory-updated',
      attributes: {
        'ce-specversion': '1.0',
        'ce-id': `${UUID}/inventory-updated`,
        'ce-type': 'order-saga.inventory-updated',
        'ce-source': '/order-saga/inventory',
        'ce-subject': UUID,
        'ce-time': '2026-01-02T03:05:00.000Z',
        'content-type': 'application/json',
      },
    });
    expect(JSON.parse(data.toString())).to.deep.equal(shown(ledger));
  });

  it('[anomaly 2] is the same fact under the same id when it is repeated', () => {
    const ledger = aLedgerThatIs('FAILING');
    expect(messageFor(pipeline, ledger)).to.deep.equal(messageFor(pipeline, ledger));
  });

  it('[anomaly 2] has an id of its own each time that an order is paused', () => {
    const once = aLedgerThatIs('PAUSED');
    const goneOn = unpause(pipeline, once, { by: 'janitor', now: LATER });
    const twice = pause(pipeline, goneOn, { by: 'janitor', now: LATER });
    expect(
      [once, goneOn, twice].map((ledger) => messageFor(pipeline, ledger).attributes['ce-id']),
    ).to.deep.equal(['order-paused', 'inventory-updated', 'order-paused/2'].map((id) => `${UUID}/${id}`));
  });

  it('[anomaly 2] of an orchestrated order has an id of its own at each step, and says where the order stands', () => {
    const statuses = ['RECEIVED', 'CREATED', 'RESERVED', 'PAID'] as const;
    const said = statuses.map((status) => {
      const ledger = aLedgerThatIs(status, { mode: 'orchestration' });
      const { topic, data, attributes } = messageFor(pipeline, ledger);
      expect(JSON.parse(data.toString())).to.deep.equal(shown(ledger));
      return [topic, attributes['ce-id']];
    });
    expect(said).to.deep.equal([
      ['workflow', `${UUID}/workflow/1`],
      ['workflow', `${UUID}/workflow/2`],
      ['workflow', `${UUID}/workflow/3`],
      // Nothing is left to do.
      ['payment-created', `${UUID}/payment-created`],
    ]);
  });

  it('says on an earlier topic what it said there then, as the same fact', () => {
    expect(messageFor(pipeline, aLedgerThatIs('CANCELED'), 'order-created')).to.deep.equal(
      messageFor(pipeline, aLedgerThatIs('CREATED')),
    );
  });

  it('bears the trace of its order, at every status and every repetition', () => {
    for (const status of pipeline.statuses) {
      const ledger = aLedgerThatIs(status);
      const message = messageFor(pipeline, ledger);
      expect(messageFor(pipeline, { ...ledger, trace: TRACE })).to.deep.equal({
        ...message,
        attributes: { ...message.attributes, traceparent: TRACE },
      });
    }
  });

  it('is understood by whoever receives it, whatever was ordered', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isName);
    const line = fc.record({ item: name, quantity: fc.integer({ min: 1, max: QUANTITY_MAX }) });
    const lines = fc.uniqueArray(line, { minLength: 1, maxLength: 5, selector: ({ item }) => item });
    const orders: fc.Arbitrary<Order> = fc
      .record({ user: name, items: lines }, { noNullPrototype: true })
      .chain((order) =>
        fc
          .record(
            {
              paymentError: fc.json().map((json) => JSON.stringify(JSON.parse(json))),
              fail: fc.constantFrom(...pipeline.steps.map(({ name }) => name)),
            },
            { requiredKeys: [], noNullPrototype: true },
          )
          .map((wishes) => ({ ...order, ...wishes })),
      );
    fc.assert(
      fc.property(fc.uuid(), orders, (uuid, order) => {
        const received = receive(pipeline, uuid, deepFreeze(order), 'frontend', LATER, DEADLINE_SECONDS);
        expect(receivedFrom(received)).to.deep.equal({ message: { uuid, order } });
        const failing = fail(pipeline, received, {
          by: 'order',
          reason: 'USER_NOT_FOUND',
          detail: 'Nobody',
          now: LATER,
        });
        expect(receivedFrom(failing)).to.deep.equal({ message: { uuid, order, reason: 'USER_NOT_FOUND' } });
      }),
    );
  });

  it('is understood even if it is as large as an order can make it', () => {
    const items = Array.from({ length: LINES_MAX }, (_, index) => ({
      item: `${'😀'.repeat(126)}${String(index).padStart(2, '0')}`,
      quantity: QUANTITY_MAX,
    }));
    const order = { user: '😀'.repeat(128), items, paymentError: JSON.stringify('語'.repeat(65_534)) };
    const ledger = aLedgerThatIs('FAILING', order);
    expect(receivedFrom(ledger)).to.deep.equal({ message: { uuid: UUID, order, reason: 'PAYMENT_ERROR' } });
  });

  function receivedFrom(ledger: Ledger): ParsedMessage {
    const { data, attributes } = messageFor(pipeline, ledger);
    return read(aDelivery(data, { attributes }), false);
  }
});

describe('A dead letter', () => {
  const letter = (attributes: Record<string, string>, reason: string) =>
    deadLetterOf(
      aDelivery(Buffer.from('hello'), { subscription: 'frontend-sub', attributes, attempt: 3 }),
      reason,
    );
  const ours = {
    [DEAD_LETTER.reason]: 'The message is not JSON',
    [DEAD_LETTER.subscription]: 'frontend-sub',
    [DEAD_LETTER.messageId]: 'message-1',
    [DEAD_LETTER.attempts]: '3',
  };

  it('is the message as it came, with its reason and where it came from', () => {
    expect(letter({ 'ce-id': 'x' }, 'The message is not JSON')).to.deep.equal({
      topic: 'dead-letter',
      data: Buffer.from('hello'),
      attributes: { 'ce-id': 'x', ...ours },
    });
  });

  it('[anomaly 39] believes nothing that the message says about that', () => {
    const forged = Object.fromEntries(Object.keys(ours).map((name) => [name, 'forged']));
    expect(letter(forged, 'The message is not JSON').attributes).to.deep.equal(ours);
  });

  it('stays within what Pub/Sub takes: 100 attributes, 1,024 bytes in each', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`name-${index}`, 'x']));
    const { attributes } = letter(many, '語'.repeat(1000));
    expect(Object.keys(attributes)).to.have.length(94);
    expect(Buffer.byteLength(attributes[DEAD_LETTER.reason] ?? '')).to.be.within(900, 1024);
  });
});
