import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { readStreams } from './open-streams.ts';

/** A port in front of an emulator, for clients that talk gRPC. A test shuts it and opens it again: what lies behind is then away, and back. */
export interface Door {
  /** Its own host:port. */
  readonly address: string;
  open(): void;
  /** Open, but whatever passes, in either direction, is held up piece by piece for so many milliseconds. */
  slow(delayMs: number): void;
  /** Cuts every connection, and each new one at once. */
  shut(): void;
  /** Makes a client that passes through the door: Google's clients read their variable once, when they are made. */
  inFrontOf<T>(variable: 'PUBSUB_EMULATOR_HOST' | 'FIRESTORE_EMULATOR_HOST', makeClient: () => T): T;
  /** Gives the port back. */
  remove(): Promise<void>;
}

/** @param target host:port of what lies behind the door, which is shut at first. */
export async function hangDoor(target: string): Promise<Door> {
  const [host, port] = target.split(':');
  const passing = new Set<Socket>();
  let isOpen = false;
  let delayMs = 0;
  const holdUp = () =>
    new Transform({
      transform(piece, _encoding, pass) {
        if (delayMs === 0) pass(null, piece);
        else setTimeout(pass, delayMs, null, piece);
      },
    });
  const server = createServer((guest) => {
    passing.add(guest);
    guest.on('error', () => guest.destroy());
    guest.on('close', () => passing.delete(guest));
    if (!isOpen) {
      guest.destroy();
      return;
    }
    const inside = connect(Number(port), host);
    const streams = readStreams();
    guest.on('close', () => inside.end(streams.farewell()));
    inside.on('error', () => inside.destroy());
    inside.on('close', () => guest.destroy());
    guest.pipe(holdUp()).pipe(streams.passage).pipe(inside, { end: false });
    inside.pipe(holdUp()).pipe(guest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function shut(): void {
    isOpen = false;
    for (const socket of passing) socket.destroy();
  }

  return {
    address,
    open() {
      isOpen = true;
      delayMs = 0;
    },
    slow(forMs) {
      isOpen = true;
      delayMs = forMs;
    },
    shut,
    inFrontOf(variable, makeClient) {
      const before = process.env[variable];
      process.env[variable] = address;
      try {
        return makeClient();
      } finally {
        process.env[variable] = before;
      }
    },
    async remove() {
      shut();
      server.close();
      await once(server, 'close');
    },
  };
}
