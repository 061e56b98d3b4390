import { expect } from 'chai';
import { systemClock } from '../../adapters/system-clock.ts';
import { createRecorder } from './recorder.ts';

const message = (text: string, attributes: Record<string, string> = { 'ce-id': text }) => ({
  topic: 'frontend',
  data: Buffer.from(text),
  attributes,
});

describe('The record of what was published', () => {
  it('has each message once, and drops the oldest where there is no room, which it counts', () => {
    const recorder = createRecorder(systemClock, 2);
    for (const text of ['one', 'two', 'one', 'three']) recorder.record(message(text));
    expect(recorder.messages()).to.deep.equal([message('two'), message('three')]);
    expect(recorder.droppedCount()).to.equal(1);
  });

  it('is bounded in bytes, too', () => {
    const recorder = createRecorder(systemClock, 100, 30);
    for (const text of ['one', 'two', 'six', 'ten']) recorder.record(message(text));
    expect(recorder.messages()).to.deep.equal([message('six'), message('ten')]);
  });

  it('gives a message that is not ours the id along that it had first, so that it stays one order', () => {
    const recorder = createRecorder(systemClock);
    recorder.record(message('{}', {}), '7');
    recorder.record(message('ours'), '8');
    expect(recorder.messages()).to.deep.equal([message('{}', { 'saga-message-id': '7' }), message('ours')]);
  });
});
