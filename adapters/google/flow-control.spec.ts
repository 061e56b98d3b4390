import { expect } from 'chai';
import { OUTSTANDING_MAX, QUEUE_BYTES_MAX } from '../../saga/deliver/inbox.ts';
import { flowControlOf, OUTSTANDING_BYTES_MAX, STREAM_COUNT } from './flow-control.ts';

describe('What a process asks of a subscription at once', () => {
  it('is for all streams together as many messages and bytes as an inbox wants and keeps', () => {
    const { maxMessages, maxBytes } = flowControlOf(OUTSTANDING_MAX);
    expect(STREAM_COUNT * maxMessages).to.equal(OUTSTANDING_MAX);
    expect(STREAM_COUNT * maxBytes).to.equal(OUTSTANDING_BYTES_MAX);
    expect(OUTSTANDING_BYTES_MAX).to.equal(QUEUE_BYTES_MAX);
  });

  it('is at least one message for each stream', () => {
    expect(flowControlOf(1).maxMessages).to.equal(1);
  });
});
