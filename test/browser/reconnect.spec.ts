import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shopData } from '../../local/shop.ts';
import { startLocally } from '../../local/start-locally.ts';
import { pipeline } from '../../pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { placeOrder, sees, seesStatus, shopAt } from './shop-page.ts';

longSuite('A page whose server stops and comes back', () => {
  const browser = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'browser-'));
  let started: Awaited<ReturnType<typeof startLocally>>;
  const shop = shopAt(() => started.url);
  const start = async (port: string) => {
    started = await startLocally(pipeline, shopData(), {
      onEmulators: false,
      variables: { PORT: port },
      folder: { path: folder, fresh: false },
      end: (error) => {
        throw error;
      },
    });
  };
  before(() => start('0'));
  after(async () => {
    await started.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says so, says when it is back, and goes on with the same order', async () => {
    const page = await browser.open(shop.url, { expects: /Failed to load resource|ERR_/ });
    await placeOrder(page);
    await sees(page, 'delivery', 'waiting for an answer');
    const connection = page.getByRole('banner').getByRole('status');
    await connection.getByText('Live').waitFor();
    const { port } = new URL(shop.url);
    await started.close();
    await connection.getByText('Reconnecting…').waitFor();
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    await start(port);
    await connection.getByText('Live').waitFor();
    // Nothing is loaded anew: the order that stood goes on where it was.
    await page.getByRole('button', { name: 'delivered' }).click();
    await seesStatus(page, 'delivered');
    await page.getByRole('link', { name: 'Orders', exact: true }).click();
    await page.getByRole('button', { name: 'delivered 1', exact: true }).waitFor();
    await page.getByRole('button', { name: 'all 1', exact: true }).waitFor();
  });
});
