import { crc32 } from 'node:zlib';

export interface Frame {
  readonly png: Buffer;
  /** How long it is shown. */
  readonly ms: number;
}

/**
 * Joins PNGs into an animated one, which repeats for ever; what can't animate it shows the first frame.
 * https://www.w3.org/TR/png-3/#apng-frame-based-animation
 * @throws Error if the frames differ in size or colours.
 */
export function animatedPng(frames: readonly Frame[]): Buffer {
  const [first] = frames;
  if (first === undefined) throw new Error('An animation needs a frame');
  const header = headerOf(first.png);
  let sequence = 0;
  const parts = frames.flatMap(({ png, ms }, index) => {
    if (!headerOf(png).equals(header)) throw new Error('Frames must have the same size and colours');
    const control = chunk(
      'fcTL',
      number(sequence++),
      header.subarray(0, 8),
      number(0),
      number(0),
      short(ms),
      short(1000),
      Buffer.of(0, 0),
    );
    const data = chunksOf(png).filter(({ type }) => type === 'IDAT');
    return [
      control,
      ...data.map(({ body }) =>
        index === 0 ? chunk('IDAT', body) : chunk('fdAT', number(sequence++), body),
      ),
    ];
  });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('acTL', number(frames.length), number(0)),
    ...parts,
    chunk('IEND'),
  ]);
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function* chunksIn(png: Buffer): Generator<{ readonly type: string; readonly body: Buffer }> {
  // Each is a length, a type, a body and a checksum.
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    yield { type: png.toString('latin1', at + 4, at + 8), body: png.subarray(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}
const chunksOf = (png: Buffer) => [...chunksIn(png)];

const headerOf = (png: Buffer): Buffer =>
  chunksOf(png).find(({ type }) => type === 'IHDR')?.body ?? Buffer.alloc(0);

function chunk(type: string, ...bodies: readonly Buffer[]): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), ...bodies]);
  return Buffer.concat([number(checked.length - 4), checked, number(crc32(checked))]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(Math.min(Math.round(value), 0xffff));
  return bytes;
}
