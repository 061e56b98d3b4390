import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { z } from 'zod';
import { createOperatorApi } from './operator-api.ts';

/** What is said of a server that answers like this. */
async function saidOf(answers: RequestListener, timeoutMs?: number): Promise<string> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const api = createOperatorApi(url, '', timeoutMs);
    await api.call(z.object({ status: z.string() }), 'GET', '/');
    return 'It answers';
  } catch (error) {
    return (error as Error).message.replace(url, 'It');
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("The operators' API", () => {
  it('refuses a URL and a token that it could only send wrongly, and repeats neither', () => {
    const asked = (url: string, token: string) => () => createOperatorApi(url, token);
    expect(asked('http://me:secret@127.0.0.1', '')).to.throw(/^The URL must not name a user or a password/);
    expect(asked('http://127.0.0.1', 'half\nsecret')).to.throw(/^SAGA_TOKEN has a space, a line break or/);
  });

  const TIMEOUT_MS = 100;

  it('waits no longer than it must for a server that takes a request and is silent', async () => {
    expect(await saidOf(() => {}, TIMEOUT_MS)).to.equal('It has not answered within 0.1 s');
  });

  it('nor for one that begins an answer and never ends it', async () => {
    const begin: RequestListener = (_request, response) => response.writeHead(200).write('{');
    expect(await saidOf(begin, TIMEOUT_MS)).to.equal('It has not answered within 0.1 s');
  });

  it('takes no answer that is not the one it asked for', async () => {
    for (const body of ['{}', '[]', 'null', '<html>', '']) {
      expect(await saidOf((_request, response) => response.end(body))).to.equal(
        'It does not answer as the janitor does',
      );
    }
    expect(await saidOf((_request, response) => response.end('{"status":"PAID","new":1}'))).to.equal(
      'It answers',
    );
  });

  it('repeats a refusal, and has one of its own if nothing explains it', async () => {
    const refusal: RequestListener = (_request, response) => response.writeHead(403).end('Forbidden');
    expect(await saidOf(refusal)).to.equal('The server refused: 403 Forbidden');
  });
});
