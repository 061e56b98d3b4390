import { expect } from 'chai';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import { requestsOf } from './publish-requests.ts';

/** The emulator takes more than Google does, so what it is asked is looked at here. */
describe('A request to Pub/Sub', () => {
  const message = (topic: string, bytes = 1, attributes = {}): OutgoingMessage => ({
    topic,
    data: Buffer.alloc(bytes),
    attributes,
  });
  const shapes = (messages: readonly OutgoingMessage[]) =>
    requestsOf(messages).map(({ topic, entries }) => [topic, entries.map(([index]) => index)]);
  const countsOf = (messages: readonly OutgoingMessage[]) =>
    requestsOf(messages).map(({ entries }) => entries.length);

  it('holds the messages of one topic, each with its place', () => {
    const messages = ['a', 'b', 'a', 'b', 'c'].map((topic) => message(topic));
    expect(shapes(messages)).to.deep.equal([
      ['a', [0, 2]],
      ['b', [1, 3]],
      ['c', [4]],
    ]);
    expect(requestsOf(messages)[1]?.entries[1]?.[1]).to.equal(messages[3]);
  });

  it('holds a thousand messages at most', () => {
    expect(countsOf(Array.from({ length: 2_001 }, () => message('a')))).to.deep.equal([1000, 1000, 1]);
  });

  it('holds five megabytes of data and attributes at most, or one message', () => {
    expect(countsOf(Array.from({ length: 7 }, () => message('a', 2_500_000)))).to.deep.equal([2, 2, 2, 1]);
    const attributes = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`${index}`.padStart(256, '0'), 'x'.repeat(768)]),
    );
    expect(countsOf(Array.from({ length: 60 }, () => message('a', 1, attributes)))).to.deep.equal([48, 12]);
    expect(countsOf([message('a', 9_000_000), message('a', 9_000_000)])).to.deep.equal([1, 1]);
  });

  it('is not there for no messages', () => {
    expect(requestsOf([])).to.deep.equal([]);
  });
});
