import { Transform } from 'node:stream';
import { openRelay } from '../../local/plug/relay.ts';

/** A relay in front of an emulator that is shut at first, and can be slow. A test shuts it and opens it again: what lies behind is then away, and back. */
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
  let delayMs = 0;
  const holdUp = () =>
    new Transform({
      transform(piece, _encoding, pass) {
        if (delayMs === 0) pass(null, piece);
        else setTimeout(pass, delayMs, null, piece);
      },
    });
  const { address, open, shut, close } = await openRelay(target, holdUp);
  shut();
  return {
    address,
    open() {
      open();
      delayMs = 0;
    },
    slow(forMs) {
      open();
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
    remove: close,
  };
}
