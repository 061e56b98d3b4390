import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { shopData } from '../../local/shop.ts';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { REBOUND, useBrowser } from './browser.ts';
import { linkOf, placeOrder, sees, seesStatus, useShop } from './shop-page.ts';

/** If it ever became HTML, it would run. Names may have no `/`, so the second kind is without. */
const SCRIPT = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';
const NAME = '<img src=x onerror="globalThis.hacked=1"><svg onload=globalThis.hacked=1>';
const LINK = 'javascript:globalThis.hacked=1';

/** Nothing ran, and nothing became an element. `useBrowser` fails the test, too, if the policy had to forbid something. */
async function isUnharmed(page: Page): Promise<void> {
  const found = await page.evaluate(
    "({ hacked: globalThis.hacked, elements: document.querySelectorAll('[onerror], [onload], img[src=x], a[href^=javascript]').length })",
  );
  expect(found).to.deep.equal({ hacked: undefined, elements: 0 });
}

const [WAITS] = pipeline.steps.flatMap(({ waits, heldSince }) => (waits?.as === heldSince ? [waits.as] : []));

longSuite('A page whose customers, goods and notes are scripts', () => {
  const shop = useShop({
    users: { ...shopData().users, [NAME]: { address: SCRIPT, credit: 1000 } },
    inventory: { ...shopData().inventory, [NAME]: { quantity: 1000, price_per_unit: 1 } },
  });
  const browser = useBrowser();

  it('shows them as text in the shop, on the order and in the lists', async () => {
    const page = await browser.open(shop.url);
    const uuid = await placeOrder(page, { customer: NAME, item: NAME });
    await page.getByText(`Ordered by ${NAME}`).waitFor();
    await sees(page, 'delivery', 'waiting for an answer');
    await isUnharmed(page);
    await page.goto(`${shop.url}/#/orders`);
    await page
      .getByRole('row', { name: uuid.slice(0, 8) })
      .getByText(NAME, { exact: true })
      .waitFor();
    await page.getByText(`${NAME}’s credit`).waitFor();
    await isUnharmed(page);
    await page.goto(linkOf(shop, uuid));
    await page.getByRole('heading', { name: uuid }).waitFor();
    await isUnharmed(page);
  });

  it('shows as text why an order was refused, and what an operator said of it', async () => {
    const { uuid } = await shop.post<{ uuid: string }>('/order', {
      user: `${NAME}?`,
      item: NAME,
      quantity: 1,
    });
    const page = await browser.open(linkOf(shop, uuid));
    await seesStatus(page, 'canceled');
    await page.getByText(`There is no user ${NAME}?`).first().waitFor();
    await isUnharmed(page);
    const other = await shop.post<{ uuid: string }>('/order', { user: 'jack', item: NAME, quantity: 1 });
    await page.goto(linkOf(shop, other.uuid));
    await page.getByText('Steer it by hand').click();
    await page.getByRole('button', { name: 'Cancel as operator…' }).click();
    await page.getByLabel(/^Why\?/).fill(SCRIPT);
    await page.getByRole('button', { name: 'Cancel as operator', exact: true }).click();
    await page.getByText(SCRIPT).first().waitFor();
    await page.getByText('Raw history').click();
    await isUnharmed(page);
  });

  it('takes scripts in every field that people may fill in', async () => {
    const page = await browser.open(`${shop.url}/#/orders`, {
      expects: /the server responded with a status of 4\d\d/,
    });
    // What lists all that there is does not wait for any of it.
    await page.getByRole('navigation').waitFor();
    const views = await page.getByRole('navigation').getByRole('link').all();
    let filledCount = 0;
    const places = await Promise.all(views.map((view) => view.getAttribute('href')));
    for (const place of places) {
      await page.goto(`${shop.url}/${place}`);
      await page.getByRole('main').getByRole('heading').first().waitFor();
      const fields = await page.getByRole('textbox').or(page.getByRole('searchbox')).all();
      for (const field of fields) {
        await field.fill(SCRIPT);
        await field.press('Enter');
        await isUnharmed(page);
        filledCount++;
      }
    }
    expect(places).to.have.length.above(1);
    expect(filledCount).to.be.above(0);
  });

  it('takes no script from its address', async () => {
    for (const place of [
      `#/order/${SCRIPT}`,
      `#${LINK}`,
      `#/${encodeURIComponent(SCRIPT)}`,
      `?x=${SCRIPT}#/orders`,
    ]) {
      const page = await browser.open(`${shop.url}/${place}`, { expects: /404/ });
      await page.getByRole('banner').waitFor();
      await isUnharmed(page);
    }
  });
});

longSuite('The page of another origin, open in the browser of an operator', () => {
  const shop = useShop();
  const browser = useBrowser();
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Elsewhere</title>');
  });
  before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  after(() => server.close());
  const elsewhere = (host: string) => `http://${host}:${(server.address() as AddressInfo).port}`;

  async function orderThatWaits(): Promise<string> {
    const { uuid } = await shop.post<{ uuid: string }>('/order', {
      user: 'jack',
      item: 'widget',
      quantity: 1,
    });
    await until('the order waits for the courier', 5_000, async () => {
      const { status } = await shop.get<{ status: string }>(`/order/${uuid}`);
      return status === WAITS;
    });
    return uuid;
  }

  /** In which ways such a page may ask without being asked back: none of them may do anything. */
  const ways = {
    'as JSON': { headers: { 'Content-Type': 'application/json' } },
    'as plain text': { headers: { 'Content-Type': 'text/plain' } },
    'without an answer': { mode: 'no-cors' },
  };
  for (const host of ['127.0.0.1', 'localhost']) {
    for (const [how, options] of Object.entries(ways)) {
      it(`can neither order nor cancel from ${host}, ${how}`, async () => {
        const uuid = await orderThatWaits();
        const before = await shop.get('/orders/counts');
        const page = await browser.open(elsewhere(host), {
          isForeign: true,
          expects: /CORS|Failed to load resource/,
        });
        const asked = [
          ['/order', { user: 'jack', item: 'widget', quantity: 1 }],
          [`/order/${uuid}/cancel`, {}],
          [`/deliveries/${uuid}/delivered`, {}],
          [`/sagas/${uuid}/cancel`, { detail: 'x' }],
          ['/plug/freeze', { service: 'order', seconds: 60 }],
          ['/sweep', {}],
        ].map(([path, body]) => [
          `${shop.url}${path}`,
          { method: 'POST', ...options, body: JSON.stringify(body) },
        ]);
        const answers = await page.evaluate<string[]>(
          `Promise.all(${JSON.stringify(asked)}.map(([url, options]) => fetch(url, options).then(() => 'heard', () => 'refused')))`,
        );
        expect(answers).to.deep.equal(asked.map(() => 'refused'));
        expect(await shop.get('/orders/counts')).to.deep.equal(before);
      });
    }
  }

  it('can neither read what there is nor put it into a frame', async () => {
    const page = await browser.open(elsewhere('localhost'), {
      isForeign: true,
      expects: /CORS|Failed to load resource|frame-ancestors|X-Frame-Options/,
    });
    const read = await page.evaluate(`fetch('${shop.url}/orders').then(() => 'read', () => 'refused')`);
    expect(read).to.equal('refused');
    await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = '${shop.url}/';
      frame.onload = resolve;
      document.body.append(frame);
    })`);
    expect(
      await page
        .frames()[1]
        ?.locator('#page')
        .count()
        .catch(() => 0),
    ).to.equal(0);
  });

  it('gets nothing by giving this machine a name of its own', async () => {
    const { port } = new URL(shop.url);
    const page = await browser.open(`http://${REBOUND}:${port}/`, { expects: /Failed to load resource/ });
    await page.getByText('This server is for people and programs on this machine').waitFor();
  });
});
