import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { ask, Refusal, sentencesOf, setToken } from './api.ts';

describe('What the page asks for', () => {
  const servers = new Set<Server>();
  afterEach(() => {
    setToken('');
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    servers.clear();
  });

  async function asked(answer: (request: IncomingMessage, response: ServerResponse) => void, body?: object) {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.add(server);
    const { port } = server.address() as AddressInfo;
    return ask('POST', `http://127.0.0.1:${port}/order`, body).catch((error: unknown) => error);
  }

  it('carries the token of whoever has entered one, and JSON', async () => {
    setToken(' abc ');
    const seen = await asked(
      ({ headers }, response) =>
        response.end(JSON.stringify([headers.authorization, headers['content-type']])),
      {},
    );
    expect(seen).to.deep.equal(['Bearer abc', 'application/json']);
  });

  it('is refused in the words of the server, field by field', async () => {
    const errors = [{ field: 'user', message: 'is missing' }];
    const refusal = await asked((_, response) =>
      response.writeHead(400).end(JSON.stringify({ detail: 'Wrong', errors })),
    );
    expect([(refusal as Refusal).status, sentencesOf(refusal)]).to.deep.equal([400, ['user is missing']]);
    const bare = await asked((_, response) => response.writeHead(502).end('<html>'));
    expect(sentencesOf(bare)).to.deep.equal(['The server answered 502']);
  });

  it('has no answer if the server is gone, or stops in the middle of one', async () => {
    const gone = await asked(({ socket }) => socket.destroy());
    const broken = await asked((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"uuid":', () => response.destroy());
    });
    for (const refusal of [gone, broken]) expect((refusal as Refusal).status).to.equal(0);
    expect(gone).to.be.instanceOf(Refusal);
  });
});
