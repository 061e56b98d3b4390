import { expect } from 'chai';
import { readStreams } from './open-streams.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, RST_STREAM] = [0, 1, 3];
const END_STREAM = 1;

const frame = (type: number, stream: number, flags = 0, payload = ''): Buffer => {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, Buffer.from(payload)]);
};

/** What goes through when these bytes come in pieces of a given size, and what is said when the client is gone. */
function read(bytes: Buffer, pieceBytes: number): { passed: Buffer; farewell: Buffer } {
  const { passage, farewell } = readStreams();
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    passage.write(bytes.subarray(from, from + pieceBytes));
  }
  return { passed: (passage.read() as Buffer | null) ?? Buffer.alloc(0), farewell: farewell() };
}

describe('The streams of a client that is gone', () => {
  const whole = Buffer.concat([
    PREFACE,
    frame(HEADERS, 1, 0, 'a call that goes on'),
    frame(DATA, 1, 0, 'with a message'),
    frame(HEADERS, 3, 0, 'a call'),
    frame(DATA, 3, END_STREAM, 'that is complete'),
    frame(HEADERS, 5, END_STREAM, 'another one'),
    frame(HEADERS, 7, 0, 'a call'),
    frame(RST_STREAM, 7, 0, 'off!'),
    frame(HEADERS, 9, 0, 'a second call that goes on'),
  ]);

  for (const pieceBytes of [1, 10, 100_000]) {
    it(`are ended for it, those that it had left open, also where its bytes come by ${pieceBytes}`, () => {
      const { passed, farewell } = read(whole, pieceBytes);
      expect(passed).to.deep.equal(whole);
      expect(farewell).to.deep.equal(Buffer.concat([frame(DATA, 1, END_STREAM), frame(DATA, 9, END_STREAM)]));
    });
  }

  it('never follow a frame that was cut off: it does not go through', () => {
    const cut = Buffer.concat([whole, frame(DATA, 9, 0, 'to be continued').subarray(0, 15)]);
    expect(read(cut, 7).passed).to.deep.equal(whole);
  });
});
