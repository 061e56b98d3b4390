import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Emulators } from '../../local/emulators.ts';

/** The variable that says where workers ask for what is made once for a whole run. */
const SHARED_URL = 'TEST_SHARED_URL';

let emulators: Promise<Emulators> | undefined;

/** What is made once for a whole run, each when it is first asked for. Loaded only then: one file alone mostly needs none. */
const MAKE = {
  async emulators() {
    emulators = import('../../local/emulators.ts').then(({ startEmulators }) => startEmulators(0, 0));
    const { pubsubHost, firestoreHost } = await emulators;
    return { pubsubHost, firestoreHost };
  },
  async terraform() {
    const { evaluateBoth } = await import('../terraform/deployments.ts');
    return evaluateBoth();
  },
};
type Shared = typeof MAKE;

const made = new Map<string, Promise<unknown>>();
const server = createServer(async ({ url = '' }, response) => {
  const name = url.slice(1) as keyof Shared;
  try {
    if (!made.has(name)) made.set(name, MAKE[name]());
    response.end(JSON.stringify(await made.get(name)));
  } catch (error) {
    response.writeHead(503).end((error as Error).message);
  }
});

/** @throws Error that says why it could not be made. */
export async function shared<Name extends keyof Shared>(
  name: Name,
): Promise<Awaited<ReturnType<Shared[Name]>>> {
  const url = process.env[SHARED_URL];
  if (url === undefined)
    throw new Error(`${SHARED_URL} is missing: run mocha with its configuration, .mocharc.json`);
  const answer = await fetch(`${url}/${name}`);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Awaited<ReturnType<Shared[Name]>>;
}

/** Mocha runs it once, before it starts its workers, which inherit the variable. */
export async function mochaGlobalSetup(): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[SHARED_URL] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function mochaGlobalTeardown(): Promise<void> {
  server.close();
  // If they could not start, each suite that asked has said so.
  await (await emulators?.catch(() => undefined))?.stop();
}
