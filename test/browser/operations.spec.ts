import { expect } from 'chai';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { useShop } from './shop-page.ts';

longSuite('Operations on the page', () => {
  const browser = useBrowser();
  const shop = useShop();
  before(async () => {
    for (const text of ['poison', '<img src=x onerror="globalThis.hacked=1">']) {
      await shop
        .ports()
        .bus.publish([{ topic: pipeline.entry.topic, data: Buffer.from(text), attributes: {} }]);
    }
    await until('the poison is parked', 10_000, async () => {
      const { letters } = await shop.get<{ letters: unknown[] }>('/dead-letters');
      return letters.length === 2;
    });
  });

  it('show the dead letters as text, and discard one with a note', async () => {
    const page = await browser.open(`${shop.url}/#/operations`);
    const letters = page.getByRole('list', { name: '2 letters' });
    await letters.waitFor();
    for (const letter of await letters.getByRole('listitem').getByRole('group').all()) await letter.click();
    const bodies = page.getByRole('textbox', { name: 'The body of the message' });
    await until('both are open', 10_000, async () => (await bodies.count()) === 2);
    expect(await page.evaluate('globalThis.hacked')).to.equal(undefined);
    await page.getByRole('button', { name: 'Discard…' }).first().click();
    await page.getByLabel(/^Why\?/).fill('a prank');
    await page.getByRole('button', { name: 'Discard', exact: true }).click();
    await page.getByText('It is discarded.').waitFor();
    await page.getByRole('button', { name: 'all parked 1' }).waitFor();
  });

  it('pause all orders of a customer with a note, and let all go on', async () => {
    const page = await browser.open(`${shop.url}/#/operations`);
    await page.getByText('No order is paused.').waitFor();
    // An order that waits for a word can't be paused, so this one stands before a step that is frozen.
    await shop.post('/plug/freeze', { service: 'payments', seconds: 60 });
    const { uuid } = await shop.post<{ uuid: string }>('/order', {
      user: 'jack',
      item: 'widget',
      quantity: 1,
    });
    await until('the order stands', 10_000, async () => {
      const { status } = await shop.get<{ status: string }>(`/order/${uuid}`);
      return status === 'RESERVED';
    });
    await page.getByRole('button', { name: 'Pause all…' }).click();
    await page.getByLabel('Of customer').selectOption('jack');
    await page.getByLabel(/^Why\?/).fill('an inquiry');
    await page.getByRole('button', { name: 'Pause all', exact: true }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: uuid.slice(0, 8) })
      .waitFor();
    await page.getByRole('button', { name: 'Resume all…' }).click();
    await page.getByLabel(/^Why\?/).fill('all is well');
    await page.getByRole('button', { name: 'Resume all', exact: true }).click();
    await page.getByText('No order is paused.').waitFor();
  });

  it('audit the books, and say what a repair would do', async () => {
    const page = await browser.open(`${shop.url}/#/operations`);
    await page.getByRole('button', { name: 'Audit now' }).click();
    await page
      .getByText(/accounted for/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'What would it do?' }).click();
    await page.getByText(/There was nothing to repair/).waitFor();
  });
});
