import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type HttpServer, httpApp, serveHttp } from './http-server.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('A web page', () => {
  let folder: string;
  let server: HttpServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'page-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>A page</title>');
    writeFileSync(join(folder, 'page.js'), 'export {};');
    const app = httpApp([], [], () => {}, { webPage: pathToFileURL(`${folder}/`) });
    server = await serveHttp(app, '127.0.0.1', 0);
  });
  after(async () => {
    await server.close(100);
    rmSync(folder, { recursive: true });
  });

  async function fetched(path: string, headers: Readonly<Record<string, string>> = {}) {
    // Not `fetch`, which would tidy up the path.
    const sent = request({ host: '127.0.0.1', port: server.port, path, headers }).end();
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  it('is what a browser gets, and everybody else gets the index', async () => {
    const page = await fetched('/', { accept: BROWSER });
    expect([page.status, page.headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8']);
    expect(page.body).to.contain('<title>A page</title>');
    for (const accept of ['*/*', 'application/json', '']) {
      const index = await fetched('/', accept ? { accept } : {});
      expect(index.headers['content-type'], accept).to.equal('application/json; charset=utf-8');
      expect(index.headers.vary).to.equal('Accept');
    }
    expect(page.headers.vary).to.equal('Accept');
  });

  it('may run its own script and ask its own server, and nothing else', async () => {
    for (const path of ['/', '/page/page.js']) {
      const { headers } = await fetched(path, { accept: BROWSER });
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy, path).to.include.members([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]);
      expect(String(headers['content-security-policy'])).not.to.match(/unsafe|https?:|\*/);
    }
  });

  it('is asked for again each time, and sent only if it has changed', async () => {
    const { headers } = await fetched('/page/page.js');
    expect(headers['cache-control']).to.equal('no-cache');
    const again = await fetched('/page/page.js', { 'if-none-match': String(headers.etag) });
    expect([again.status, again.body]).to.deep.equal([304, '']);
  });

  it('hands out no file outside its folder', async () => {
    for (const path of [
      '/page/../package.json',
      '/page/%2e%2e/package.json',
      '/page/..%2fpackage.json',
      '/page/',
    ]) {
      expect((await fetched(path)).status, path).to.be.within(400, 404);
    }
  });
});
