import { backends, type Pipeline, startPipeline } from '../support/pipeline.ts';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { placeOrder, sees, seesStatus } from './shop-page.ts';

const emulated = backends.find(({ name }) => /emulators/.test(name));

longSuite("The page on Google's emulators", () => {
  const browser = useBrowser();
  let pipeline: Pipeline;
  before(async function () {
    if (emulated === undefined) throw new Error('There are no emulators among the backends');
    pipeline = await startPipeline(
      await emulated.open(this),
      undefined,
      undefined,
      undefined,
      {},
      { isSilent: true },
    );
  });
  after(() => pipeline?.close());

  it('shows an order on its way, and that it was delivered', async () => {
    const page = await browser.open(pipeline.url);
    await placeOrder(page);
    await sees(page, 'delivery', 'waiting for an answer');
    await page.getByRole('button', { name: 'delivered' }).click();
    await seesStatus(page, 'delivered');
  });

  it('shows how a refused payment goes back', async () => {
    const page = await browser.open(pipeline.url);
    await placeOrder(page, { mishap: 'The payment is refused' });
    await seesStatus(page, 'canceled');
    await sees(page, 'payments', 'refused');
    await sees(page, 'inventory', 'undone');
  });
});
