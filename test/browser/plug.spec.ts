import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { shopData } from '../../local/shop.ts';
import { type Child, runProgram } from '../support/child.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { placeOrder, sees, seesStatus, shopAt, useShop } from './shop-page.ts';

longSuite('The plug, pulled on the page', () => {
  const shop = useShop(shopData());
  const browser = useBrowser();

  it('freezes a service, whose orders stand still and then go on, and an audit finds nothing missing', async () => {
    const page = await browser.open(`${shop.url}/#/plug`);
    await page.getByLabel(/^Freeze or cut off/).fill('5');
    await page.getByRole('button', { name: 'Freeze inventory' }).click();
    await page.getByText('Inventory does nothing for 5 s').first().waitFor();
    await shop.post('/order', { user: 'jack', item: 'widget', quantity: 1 });
    await page.getByText(/^1 order held up$/).waitFor();
    await page.getByText('0 orders on the way').waitFor();
    await page
      .getByText(/accounted for/)
      .first()
      .waitFor();
    await page
      .getByRole('list', { name: 'What you pulled' })
      .getByText('Inventory does nothing for 5 s')
      .waitFor();
  });

  it('duplicates the last message, and cuts broker and store off: no order changes, and nothing is missing', async () => {
    const page = await browser.open(`${shop.url}/#/plug`, { expects: /503/ });
    const log = page.getByRole('list', { name: 'What you pulled' });
    await shop.post('/order', { user: 'jack', item: 'widget', quantity: 1 });
    await page.getByRole('button', { name: 'Duplicate the last' }).click();
    await log.getByText(/once more/).waitFor();
    await page.getByLabel(/^Freeze or cut off/).fill('2');
    for (const what of ['broker', 'store']) {
      await page.getByRole('button', { name: `Cut off the ${what}` }).click();
      await log.getByText(`The services do not reach the ${what} for 2 s`).waitFor();
      await page.getByText(/^cut off for/).waitFor();
      await page.getByText('reachable').nth(1).waitFor();
    }
    await log.getByText(/accounted for/).waitFor();
    const { counts } = await shop.get<{ counts: Record<string, number> }>('/orders/counts');
    expect(Object.keys(counts).filter((status) => counts[status])).to.deep.equal(['DELIVERING']);
  });

  it('repeats every message since the start, and no order changes', async () => {
    const before = await shop.get('/orders');
    const page = await browser.open(`${shop.url}/#/plug`);
    await page.getByRole('button', { name: 'Replay all since the start' }).click();
    const log = page.getByRole('list', { name: 'What you pulled' });
    await log.getByText(/messages once more/).waitFor();
    await log.getByText(/accounted for/).waitFor();
    expect(await shop.get('/orders')).to.deep.equal(before);
  });
});

longSuite('The process of all services, crashed on the page', () => {
  const browser = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'browser-'));
  let stack: Child;
  let url = '';
  const shop = shopAt(() => url);
  before(async function () {
    this.timeout(30_000);
    const environment = { PORT: '0', LOG_LEVEL: 'error', DATA_DIR: folder, SLOW_DOWN: 'payments=3000' };
    stack = runProgram('local/start.js', [], environment);
    url = /http:\/\/[\d.:]+/.exec(await stack.line(/The pipeline runs on/))?.[0] ?? '';
  });
  after(async () => {
    stack?.process.kill('SIGTERM');
    await stack?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  it('[anomaly 36] comes back by itself, goes on with the orders that stood, and nothing is missing', async () => {
    const page = await browser.open(shop.url, { expects: /Failed to load resource|ERR_/ });
    await placeOrder(page);
    await sees(page, 'payments', 'working');
    await page.getByRole('link', { name: 'Pull the plug' }).click();
    await page.getByRole('button', { name: 'Crash them all' }).click();
    const log = page.getByRole('list', { name: 'What you pulled' });
    await log.getByText(/The server answers again/).waitFor();
    await log.getByText(/accounted for/).waitFor();
    await page.getByRole('link', { name: 'Shop' }).click();
    await sees(page, 'delivery', 'waiting for an answer');
    await page.getByRole('button', { name: 'delivered' }).click();
    await seesStatus(page, 'delivered');
  });
});
