import { shopData } from '../../local/shop.ts';
import { startLocally } from '../../local/start-locally.ts';
import { shopOfThree } from '../support/shop-of-three.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { placeOrder, seesStatus, shopAt } from './shop-page.ts';

longSuite('A page of a shop whose last step is not final', () => {
  const browser = useBrowser();
  let started: Awaited<ReturnType<typeof startLocally>>;
  const shop = shopAt(() => started.url);
  before(async () => {
    started = await startLocally(shopOfThree, shopData(), {
      onEmulators: false,
      end: (error) => {
        throw error;
      },
    });
  });
  after(() => started.close());

  it('cancels an order after its end, and shows it although the stream of the order has ended', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page);
    await seesStatus(page, 'paid');
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await seesStatus(page, 'canceled');
  });
});
