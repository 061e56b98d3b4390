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

  it('never shows a token, wherever it stands, in either form', () => {
    const token = 'a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3';
    const jwt = ['{"alg":"RS256"}', '{"email":"x@y"}', 'signed']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    const fields = {
      error: `Error: 401 at {"authorization":"Bearer ${token}"}`,
      headers: { Authorization: `bearer ${jwt}`, cookie: jwt },
    };
    createLog('info', {}, destination)('ERROR', `It failed with Bearer ${token}`, fields);
    const shown = [...lines, readableLine('order', { message: `It failed with ${jwt}`, ...fields })].join('');
    expect(shown).to.contain('Bearer [redacted]').and.to.contain('"cookie":"[redacted]"');
    for (const secret of [token, ...jwt.split('.')]) expect(shown).not.to.contain(secret);
  });

  it('keeps a text from outside on its own line', () => {
    const line = readableLine('order', {
      message: 'parked',
      detail: 'has unknown fields: x\n03:04:05.678 INFO',
    });
    expect(line.split('\n')).to.have.length(1);
  });
});
