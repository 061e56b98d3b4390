import { expect } from 'chai';
import { NOW } from '../../test/support/builders.ts';
import { type ParsedPush, parsePush } from './push-message.ts';

const DATA = Buffer.from('{"uuid":"x"}');
const ATTRIBUTES = { 'ce-id': 'x/frontend', 'ce-specversion': '1.0' };
const PUBLISHED = '2026-01-02T03:04:00.000Z';
const message = {
  data: DATA.toString('base64'),
  attributes: ATTRIBUTES,
  messageId: '7',
  publishTime: PUBLISHED,
};
const WRAPPED = { message, subscription: 'projects/p/subscriptions/frontend-sub', deliveryAttempt: 3 };

const parse = (
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): ParsedPush => parsePush(headers, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)), NOW);

const EXPECTED: ParsedPush = {
  message: {
    messageId: '7',
    data: DATA,
    attributes: ATTRIBUTES,
    publishTime: new Date(PUBLISHED),
    attempt: 3,
  },
};

describe('A pushed message', () => {
  it('is read from its wrapping', () => {
    expect(parse(WRAPPED)).to.deep.equal(EXPECTED);
  });

  it('is read from its wrapping with the other names of the same fields, which Pub/Sub sends, too', () => {
    const { messageId, publishTime, ...rest } = message;
    const other = { ...rest, message_id: messageId, publish_time: publishTime };
    expect(parse({ ...WRAPPED, message: other })).to.deep.equal(EXPECTED);
  });

  it('is read without its wrapping, from body and headers, and of these only what a publisher says', () => {
    const headers = {
      host: 'order.example',
      authorization: 'Bearer x',
      'x-goog-pubsub-message-id': '7',
      'x-goog-pubsub-publish-time': PUBLISHED,
      'x-goog-pubsub-delivery-attempt': '3',
      'x-goog-pubsub-subscription-name': 'projects/p/subscriptions/frontend-sub',
      ...ATTRIBUTES,
    };
    expect(parse(DATA, headers)).to.deep.equal(EXPECTED);
  });

  it('[anomaly 31] says where it was given up, without its wrapping, too', () => {
    const attributes = {
      CloudPubSubDeadLetterSourceSubscription: 'error-sub',
      CloudPubSubDeadLetterSourceDeliveryCount: '100',
      'saga-park-reason': 'It is poison',
    };
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const parsed = parse(DATA, { 'x-goog-pubsub-message-id': '7', ...headers });
    expect('message' in parsed && parsed.message.attributes).to.deep.equal(attributes);
  });

  it('is read from a CloudEvent of Eventarc, binary', () => {
    const headers = {
      'content-type': 'application/json',
      'ce-id': 'event-1',
      'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
      'ce-specversion': '1.0',
    };
    expect(parse(WRAPPED, headers)).to.deep.equal(EXPECTED);
  });

  it('is read from a CloudEvent of Eventarc, structured', () => {
    const event = {
      specversion: '1.0',
      id: 'event-1',
      type: 'google.cloud.pubsub.topic.v1.messagePublished',
      data: WRAPPED,
    };
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    expect(parse(event, headers)).to.deep.equal(EXPECTED);
  });

  it('may lack all that is not needed', () => {
    const bare = {
      messageId: '7',
      data: Buffer.alloc(0),
      attributes: {},
      publishTime: NOW,
      attempt: 1,
    };
    expect(parse({ message: { messageId: '7' } })).to.deep.equal({ message: bare });
    expect(parse(Buffer.alloc(0), { 'x-goog-pubsub-message-id': '7' })).to.deep.equal({ message: bare });
  });

  it('[anomaly 22] names what is wrong with its wrapping', () => {
    for (const [body, fault] of [
      [null, 'body must be a JSON object'],
      [{ subscription: 'x' }, 'message is missing'],
      [
        { message: { messageId: '7', attributes: { a: 1 } } },
        'message.attributes.a: Invalid input: expected string',
      ],
    ] as const) {
      expect(parse(body)).to.have.property('fault').that.contains(`The body is no pushed message: ${fault}`);
    }
  });

  const wrong: readonly (readonly [what: string, body: unknown])[] = [
    ['no JSON', Buffer.from('hello')],
    ['no UTF-8', Buffer.from('{"message":{"messageId":"7","attributes":{"a":"\u00e4"}}}', 'latin1')],
    ['nothing', Buffer.alloc(0)],
    ['null', null],
    ['a list', [WRAPPED]],
    ['an object without a message', { subscription: 'x' }],
    ['a message without an id', { message: { data: '' } }],
    ['data that is not base64', { message: { ...message, data: '%%%' } }],
    ['attributes that are no text', { message: { ...message, attributes: { a: 1 } } }],
    ['an attribute with half a surrogate pair', { message: { ...message, attributes: { a: '\ud800' } } }],
    ['an id with half a surrogate pair', { message: { messageId: '\udc00' } }],
    ['a time that is none', { message: { ...message, publishTime: 'soon' } }],
    ['an attempt that is none', { ...WRAPPED, deliveryAttempt: 0 }],
  ];
  for (const [what, body] of wrong) {
    it(`[anomaly 22] is not read from ${what}, and the fault is said`, () => {
      expect(parse(body)).to.have.property('fault').that.is.a('string').and.not.empty;
    });
  }

  it('[anomaly 22] is not read where it has more attributes than Pub/Sub takes, and none of them is looked at', () => {
    const attributes = (count: number, value: unknown) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, value]));
    const parsed = parse({ message: { messageId: '7', attributes: attributes(111, 1) } });
    expect(parsed).to.deep.equal({
      fault: 'The message has more than the 110 attributes that Pub/Sub takes',
    });
    expect(parse({ message: { messageId: '7', attributes: attributes(110, 'x') } })).to.have.property(
      'message',
    );
  });

  it('[anomaly 22] is not read where it is larger than Pub/Sub takes, so that it could not be parked', () => {
    const sized = (bytes: number) => parse(Buffer.alloc(bytes), { 'x-goog-pubsub-message-id': '7' });
    const inWrapping = (bytes: number) =>
      parse({ message: { messageId: '7', data: Buffer.alloc(bytes).toString('base64') } });
    for (const form of [sized, inWrapping]) {
      expect(form(10_000_000)).to.have.property('message');
      expect(form(10_000_001)).to.deep.equal({ fault: 'The message is larger than any that Pub/Sub takes' });
    }
  });

  it('[anomaly 22] is not read where the header of its id is empty: all such orders would be one', () => {
    const order = Buffer.from('{"user":"jack","item":"widget","quantity":1}');
    for (const headers of [
      { 'x-goog-pubsub-message-id': '' },
      { 'ce-type': 'order-saga.frontend', 'ce-id': '' },
    ]) {
      expect(parse(order, headers)).to.have.property('fault').that.is.a('string').and.not.empty;
    }
  });
});
