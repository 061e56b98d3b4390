import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { post } from './post.ts';

describe('A post', () => {
  let server: Server;
  let url = '';
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: {
    path: string | undefined;
    method: string | undefined;
    sent: string | undefined;
    body: string;
  }[];
  beforeEach(async () => {
    requests = [];
    server = createServer(async (request, response) => {
      const { url: path, method, headers } = request;
      requests.push({ path, method, sent: headers['x-sent'] as string, body: await text(request) });
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hush`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const send = (timeoutMs = 5_000) =>
    post({ url, headers: { 'x-sent': 'here' }, body: '{"a":"ü"}', timeoutMs });
  const faultOf = (sent: Promise<number>): Promise<string> =>
    sent.then(
      (status) => `It was answered ${status}`,
      (error: Error) => error.message,
    );

  it('arrives as it was given, and tells the status', async () => {
    for (const status of [200, 204, 410, 500]) {
      answer = (_request, response) => response.writeHead(status).end();
      expect(await send()).to.equal(status);
    }
    expect(requests[0]).to.deep.equal({
      path: '/hook?key=hush',
      method: 'POST',
      sent: 'here',
      body: '{"a":"ü"}',
    });
  });

  it('follows no redirect', async () => {
    answer = (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end();
    expect(await send()).to.equal(307);
    expect(requests.map(({ path }) => path)).to.deep.equal(['/hook?key=hush']);
  });

  it('reads no more of an answer than it must', async () => {
    let closed: Promise<unknown> | undefined;
    answer = (_request, response) => {
      closed = once(response, 'close');
      const write = () => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', write);
      };
      write();
    };
    expect(await send()).to.equal(200);
    await closed;
  });

  it('ends in time where the server says nothing, or falls silent in the middle', async () => {
    answer = () => {};
    expect(await faultOf(send(100))).to.equal('No whole answer came within 100 ms');
    answer = (_request, response) => response.writeHead(200, { 'content-length': '10' }).write('half');
    expect(await faultOf(send(100))).to.equal('No whole answer came within 100 ms');
  });

  it('says that no whole answer came where the connection ends or is refused, and never where it went', async () => {
    answer = (request) => request.socket.destroy();
    expect(await faultOf(send())).to.equal('No whole answer came: UND_ERR_SOCKET');
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    };
    expect(await faultOf(send())).to.equal('No whole answer came: UND_ERR_SOCKET');
    server.close();
    server.closeAllConnections();
    expect(await faultOf(send())).to.equal('No whole answer came: ECONNREFUSED');
    url = 'https://me:hush@127.0.0.1/hook';
    expect(await faultOf(send())).to.equal('No whole answer came: the connection failed');
  });
});
