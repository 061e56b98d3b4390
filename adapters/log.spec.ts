import { expect } from 'chai';
import { createLog, createReadableLog, type LogLevel, readableLines } from './log.ts';

const readable = readableLines(['order', 'inventory']);

describe('The log', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  beforeEach(() => {
    lines.length = 0;
  });

  it('writes one line of JSON in the fields that Cloud Logging reads', () => {
    const log = createLog('info', { service: 'order' }, { destination });
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

  for (const [flags, sampled] of [
    ['01', true],
    ['00', false],
  ] as const) {
    it(`says in the fields of Cloud Logging where in a trace a line belongs, flags ${flags}`, () => {
      const log = createLog('info', {}, { projectId: 'demo-saga', destination });
      log('INFO', 'order: accepted', { traceparent: `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-${flags}` });
      const { time: _, ...entry } = JSON.parse(lines[0] ?? '');
      expect(entry).to.deep.equal({
        severity: 'INFO',
        message: 'order: accepted',
        'logging.googleapis.com/trace': `projects/demo-saga/traces/${'a1'.repeat(16)}`,
        'logging.googleapis.com/spanId': 'b2'.repeat(8),
        'logging.googleapis.com/trace_sampled': sampled,
      });
      expect(readable('order', entry)).to.equal(' INFO    order     accepted');
    });
  }

  it('leaves out what is below its level', () => {
    const log = createLog('error', {}, { destination });
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
    expect(readable('order', entry)).to.equal('03:04:05.678 INFO    order     accepted uuid=u-1 attempt=2');
  });

  it('never shows a token, wherever it stands, in either form', () => {
    const token = 'a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3';
    const webhook = Buffer.alloc(32, 251).toString('base64');
    const jwt = ['{"alg":"RS256"}', '{"email":"x@y"}', 'signed']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    const fields = {
      error: `Error: 401 at {"authorization":"Bearer ${token}"}`,
      headers: { Authorization: `bearer ${jwt}`, cookie: jwt },
      signedWith: `whsec_${webhook}`,
    };
    createLog('info', {}, { destination })('ERROR', `It failed with Bearer ${token}`, fields);
    const shown = [...lines, readable('order', { message: `It failed with ${jwt}`, ...fields })].join('');
    expect(shown).to.contain('Bearer [redacted]').and.to.contain('"cookie":"[redacted]"');
    for (const secret of [token, webhook, ...jwt.split('.')]) expect(shown).not.to.contain(secret);
  });

  it('names who speaks in a column as wide as the longest name', () => {
    const column = (names: string[]) => readableLines(names)('order', { message: 'accepted' });
    expect([column(['order']), column(['order', 'warehouse-two'])]).to.deep.equal([
      ' INFO    order accepted',
      ' INFO    order         accepted',
    ]);
  });

  it('shows what is not JSON as it is', () => {
    expect(['    at order.ts:1', '7', 'null'].map((line) => readable('order', line))).to.deep.equal([
      'order         at order.ts:1',
      'order     7',
      'order     null',
    ]);
  });

  it('keeps a text from outside on its own line', () => {
    const line = readable('order', {
      message: 'parked',
      detail: 'x is unknown\n03:04:05.678 INFO',
    });
    expect(line.split('\n')).to.have.length(1);
  });
});

describe('The log for somebody who watches', () => {
  const SEVERITIES = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

  it('is written from its level on', () => {
    const written = (level: LogLevel) => {
      const lines: string[] = [];
      const log = createReadableLog(level, 'pipeline', [], (line) => lines.push(line));
      for (const severity of SEVERITIES) log(severity, 'a line');
      return lines.map((line) => SEVERITIES.find((severity) => line.includes(severity)));
    };
    expect([written('debug').length, written('warn'), written('silent')]).to.deep.equal([
      5,
      ['WARNING', 'ERROR', 'CRITICAL'],
      [],
    ]);
  });

  it('says who speaks, as readable lines do', () => {
    const lines: string[] = [];
    const log = createReadableLog('info', 'pipeline', ['inventory'], (line) => lines.push(line.slice(13)));
    log('INFO', 'order: accepted', { step: 'order', uuid: 'u-1' });
    log('INFO', 'it runs');
    expect(lines).to.deep.equal(['INFO    order     accepted uuid=u-1', 'INFO    pipeline  it runs']);
  });
});
