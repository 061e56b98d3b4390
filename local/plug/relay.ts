import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { readStreams } from './open-streams.ts';

/**
 * A port in front of an emulator, for clients that talk gRPC. What lies behind it can be cut off, and when a client dies, its streams
 * are ended for it: the Pub/Sub emulator would go on feeding them (docs/decisions/0007-retry-on-the-emulator.md).
 */
export interface Relay {
  /** Its own host:port. */
  readonly address: string;
  /** Cuts every connection, and each new one at once. */
  shut(): void;
  open(): void;
  /** Gives the port back. */
  close(): Promise<void>;
}

/**
 * @param target host:port of what lies behind it.
 * @param through what the bytes pass on their way, a new one for each direction of each connection.
 */
export async function openRelay(
  target: string,
  through: () => Duplex = () => new PassThrough(),
): Promise<Relay> {
  const [host, port] = target.split(':');
  const passing = new Set<Socket>();
  let isOpen = true;
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
    guest.pipe(through()).pipe(streams.passage).pipe(inside, { end: false });
    inside.pipe(through()).pipe(guest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function shut(): void {
    isOpen = false;
    for (const socket of passing) socket.destroy();
  }

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut,
    open() {
      isOpen = true;
    },
    async close() {
      shut();
      server.close();
      await once(server, 'close');
    },
  };
}
