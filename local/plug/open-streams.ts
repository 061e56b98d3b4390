import { Transform } from 'node:stream';

/**
 * Reads along what a gRPC client sends, so that its streams can be ended for it once it is dead. A client that dies
 * says nothing, and the Pub/Sub emulator goes on for ever to hand messages to a stream that was never ended, each of
 * them lost until its ack deadline. Google's Pub/Sub notices.
 * HTTP/2's frames: https://www.rfc-editor.org/rfc/rfc9113#name-http-frames
 */
export interface OpenStreams {
  /** What the client sends goes through here, frame by frame: a frame that was cut off goes nowhere. */
  readonly passage: Transform;
  /** What the client would have sent, had it ended all its streams. */
  farewell(): Buffer;
}

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const END_STREAM = 1;

export function readStreams(): OpenStreams {
  const open = new Set<number>();
  let unread = Buffer.alloc(0);
  let isBeginning = true;

  /** The size of the next frame, or of the preface; undefined until all of it is there. */
  function nextSize(): number | undefined {
    if (isBeginning) return unread.length < PREFACE_BYTES ? undefined : PREFACE_BYTES;
    if (unread.length < FRAME_HEADER_BYTES) return undefined;
    const size = FRAME_HEADER_BYTES + unread.readUIntBE(0, 3);
    return unread.length < size ? undefined : size;
  }

  function note(frame: Buffer): void {
    const [type, flags] = [frame.readUInt8(3), frame.readUInt8(4)];
    const stream = frame.readUInt32BE(5);
    if (type === HEADERS) open.add(stream);
    const isLast = (type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0;
    if (isLast || type === RST_STREAM) open.delete(stream);
  }

  return {
    passage: new Transform({
      transform(piece: Buffer, _encoding, pass) {
        unread = Buffer.concat([unread, piece]);
        let whole = 0;
        const all = unread;
        for (let size = nextSize(); size !== undefined; size = nextSize()) {
          if (!isBeginning) note(unread.subarray(0, size));
          isBeginning = false;
          whole += size;
          unread = unread.subarray(size);
        }
        pass(null, all.subarray(0, whole));
      },
    }),
    farewell: () =>
      Buffer.concat(
        [...open].map((stream) => {
          const frame = Buffer.alloc(FRAME_HEADER_BYTES);
          frame.writeUInt8(DATA, 3);
          frame.writeUInt8(END_STREAM, 4);
          frame.writeUInt32BE(stream, 5);
          return frame;
        }),
      ),
  };
}
