import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { shopData } from '../../local/shop.ts';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { useShop } from './shop-page.ts';

const [WAITS] = pipeline.steps.flatMap(({ waits, heldSince }) => (waits?.as === heldSince ? [waits.as] : []));
const spoken = (status = '') => status.toLowerCase().replaceAll('_', ' ');

/** A chip says a status, and how many orders are in it. */
const chip = (page: Page, status: string, count: number) =>
  page
    .getByRole('group', { name: 'Show orders by status' })
    .getByRole('button', { name: `${status} ${count.toLocaleString('en-GB')}`, exact: true });
const rows = (page: Page) =>
  page
    .getByRole('table')
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });

longSuite('All orders on the page', () => {
  const shop = useShop(shopData());
  const browser = useBrowser();
  const order = (fields: object = {}) =>
    shop.post<{ uuid: string }>('/order', { item: 'widget', quantity: 1, user: 'jack', ...fields });

  it('are counted by status, and move by themselves', async () => {
    await order();
    const page = await browser.open(`${shop.url}/#/orders`);
    await chip(page, spoken(WAITS), 1).waitFor();
    await Promise.all([order({ user: 'jill' }), order({ 'payment-error': true }), order({ user: 'jane' })]);
    await chip(page, spoken(WAITS), 2).waitFor();
    await chip(page, 'canceled', 2).waitFor();
    await chip(page, 'all', 4).waitFor();
    expect(await rows(page).count()).to.equal(4);
    // Two are reserved by orders on their way; the failed ones hold nothing.
    await page.getByText('9,998 available').waitFor();
  });

  it('are filtered by status and by customer', async () => {
    const page = await browser.open(`${shop.url}/#/orders`);
    await chip(page, 'all', 4).waitFor();
    await chip(page, 'canceled', 2).click();
    await page.getByRole('row', { name: /payment error/ }).waitFor();
    expect(await rows(page).count()).to.equal(2);
    await page.getByRole('searchbox', { name: 'Customer' }).fill('jane');
    await until('one order is left', 5000, async () => (await rows(page).count()) === 1);
    await page.getByRole('row', { name: /jane.*user not found/ }).waitFor();
    await page.getByRole('searchbox', { name: 'Customer' }).fill('whoever');
    await page.getByText('No orders match.').waitFor();
  });

  it('stand still when they are held, while the numbers go on', async () => {
    const page = await browser.open(`${shop.url}/#/orders`);
    await chip(page, 'all', 4).waitFor();
    await page.getByLabel('Hold the table still').check();
    await order({ user: 'joe' });
    await chip(page, 'all', 5).waitFor();
    expect(await rows(page).count()).to.equal(4);
    await page.getByLabel('Hold the table still').uncheck();
    await page.getByRole('row', { name: /joe/ }).waitFor();
  });

  it('come from a load that a button sends, and are all counted', async () => {
    const page = await browser.open(`${shop.url}/#/orders`);
    await chip(page, 'all', 5).waitFor();
    await page.getByLabel(/^Send/).fill('50');
    await page.getByLabel(/^for/).fill('1');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByRole('button', { name: 'Send' }).waitFor();
    const report = page.getByRole('status').filter({ hasText: 'accepted' });
    const [, accepted] = /^(\d+) orders? accepted/.exec((await report.textContent()) ?? '') ?? [];
    const { counts } = await shop.get<{ counts: Record<string, number> }>('/orders/counts');
    expect(Object.values(counts).reduce((sum, count) => sum + count)).to.equal(5 + Number(accepted));
    await chip(page, 'all', 5 + Number(accepted)).waitFor();
  });
});
