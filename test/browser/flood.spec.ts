import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setInterval } from 'node:timers/promises';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { until } from '../../local/until.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { useShop } from './shop-page.ts';

const [PER_SECOND, TICK_MS] = [5_000, 20];
const AT_LEAST_MS = 2_000;
/** The page gathers for a quarter of a second; plots, stock and credit change at most once a second. */
const CHANGES_PER_SECOND_MAX = 12;

/** Counts how often the page is changed, from now on. */
const WATCH = `
  globalThis.changes = 0;
  globalThis.beganMs = performance.now();
  new MutationObserver(() => { globalThis.changes++; }).observe(document.body, { subtree: true, childList: true, characterData: true });
`;
const WATCHED = 'globalThis.changes / ((performance.now() - globalThis.beganMs) / 1000)';

longSuite('A page that thousands of events a second flood', () => {
  const shop = useShop();
  const browser = useBrowser();

  it('[anomaly 45] changes some times a second, counts every order, and answers clicks meanwhile', async () => {
    const flood = await startFlood(shop.url);
    try {
      const page = await browser.open(`${flood.url}/#/orders`);
      await page.getByRole('heading', { name: 'All orders' }).waitFor();
      await flood.begin();
      await page
        .getByRole('row', { name: /delivered/ })
        .first()
        .waitFor();
      await page.evaluate(WATCH);
      await flood.sends((PER_SECOND * AT_LEAST_MS) / 1000);
      await page.waitForFunction('globalThis.changes > 0');
      expect(await page.evaluate<number>(WATCHED)).to.be.at.most(CHANGES_PER_SECOND_MAX);
      // People go elsewhere and come back, and are heard while events go on.
      await page.getByRole('link', { name: 'Shop' }).click();
      await page.getByRole('heading', { name: 'Place an order' }).waitFor();
      await page.getByRole('link', { name: 'Orders', exact: true }).click();
      await page.getByLabel('Hold the table still').check();
      const sent = await flood.end();
      await page
        .getByRole('button', { name: `delivered ${sent.toLocaleString('en-GB')}`, exact: true })
        .waitFor();
    } finally {
      await flood.close();
    }
  });
});

/** The shop, but with a stream of its own that is as fast as nothing real is: each event is an order that was delivered. */
async function startFlood(behind: string) {
  let watcher: ServerResponse | undefined;
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith('/events')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': flood\n\n');
      watcher = response;
      return;
    }
    const { accept = '' } = request.headers;
    const answer = await fetch(`${behind}${request.url}`, { headers: { accept } });
    const headers = Object.fromEntries(
      ['content-type', 'content-security-policy'].flatMap((name) => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  let [sent, isEnding, flooding] = [0, false, Promise.resolve()];
  async function flood(): Promise<void> {
    const beganMs = performance.now();
    for await (const _ of setInterval(TICK_MS)) {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * PER_SECOND);
      let text = '';
      for (; sent < due; sent++) text += eventOf('order', orderThatIsOver());
      const entered = { RECEIVED: sent, DELIVERED: sent };
      watcher?.write(text + eventOf('tally', { entered, left: { RECEIVED: sent }, skipped: 0 }));
      if (isEnding) return;
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async begin() {
      await until('the page follows all orders', 10_000, () => watcher !== undefined);
      flooding = flood();
    },
    /** Resolves when so many more orders have been sent. */
    sends: (count: number) => {
      const before = sent;
      return until('the flood goes on', 20_000, () => sent - before >= count);
    },
    /** Resolves with the number of orders. */
    async end() {
      isEnding = true;
      await flooding;
      return sent;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const eventOf = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

function orderThatIsOver(): object {
  const at = new Date().toISOString();
  const history = [
    { at, status: 'RECEIVED', by: 'frontend' },
    { at, status: 'DELIVERED', by: 'delivery' },
  ];
  const items = [{ item: 'widget', quantity: 1 }];
  return { uuid: uuidv4(), user: 'jack', items, status: 'DELIVERED', createdAt: at, updatedAt: at, history };
}
