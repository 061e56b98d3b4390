import { expect } from 'chai';
import { createLog, readableLine } from './log.ts';

describe('The log', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  beforeEach(() => {
    lines.length = 0;
  });

  it('writes one line of JSON in the fields that Cloud Logging reads', () => {
    const log = createLog('info', { service: 'order' }, destination);
    log('WARNING', 'order: parked', { uuid: 'u-1', attempt: 2 });
    expect(lines).to.have.length(1);
    const { time, ...entry } = JSON.parse(lines[0] ?? '');
    expect(entry).to.deep.equal({
      severity: 'WARNING',
      service: 'order',
      message: 'order: parked',
      uuid: 'u-1',
      attempt: 2,
    });
    expect(new Date(time).toISOString()).to.equal(time);
  });

  it('leaves out what is below its level', () => {
    const log = createLog('error', {}, destination);
    log('INFO', 'too quiet');
    log('CRITICAL', 'loud enough');
    expect(lines.map((line) => JSON.parse(line).severity)).to.deep.equal(['CRITICAL']);
  });

  it('is read by people as time, severity, service, sentence and fields', () => {
    const entry = {
      severity: 'INFO',
      time: '2026-01-02T03:04:05.678Z',
      service: 'order',
      message: 'order: accepted',
      uuid: 'u-1',
      attempt: 2,
    };
    expect(readableLine('order', entry)).to.equal(
      '03:04:05.678 INFO    order     accepted uuid=u-1 attempt=2',
    );
  });

  it('keeps a text from outside on its own line', () => {
    const line = readableLine('order', {
      message: 'parked',
      detail: 'has unknown fields: x\n03:04:05.678 INFO',
    });
    expect(line.split('\n')).to.have.length(1);
  });
});
