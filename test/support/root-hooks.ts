import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Emulators } from '../../local/emulators.ts';

/** The variable that says where to ask for the emulators. */
export const EMULATORS_URL = 'TEST_EMULATORS_URL';

let emulators: Promise<Emulators> | undefined;
/** Answers with the emulators' addresses. The first request starts them. */
const server = createServer(async (_request, response) => {
  try {
    // Loaded only when they are asked for: one file alone mostly needs none.
    emulators ??= import('../../local/emulators.ts').then(({ startEmulators }) => startEmulators(0, 0));
    const { pubsubHost, firestoreHost } = await emulators;
    response.end(JSON.stringify({ pubsubHost, firestoreHost }));
  } catch (error) {
    response.writeHead(503).end((error as Error).message);
  }
});

/** Mocha runs it once, before it starts its workers, which inherit the variable. */
export async function mochaGlobalSetup(): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[EMULATORS_URL] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function mochaGlobalTeardown(): Promise<void> {
  server.close();
  // If they could not start, each suite that asked has said so.
  await (await emulators?.catch(() => undefined))?.stop();
}
