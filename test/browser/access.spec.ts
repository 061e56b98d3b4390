import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { longSuite } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { placeOrder, sees, seesStatus, useShop } from './shop-page.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** What axe finds wrong with a page as it is now. */
async function faultsOf(page: Page): Promise<string[]> {
  // It comes in past the page's policy, as a debugger's console does.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    "axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

longSuite('The page', () => {
  const shop = useShop();
  const browser = useBrowser();

  /** Every view, in the state in which most is to be seen. */
  const views: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    'the shop before the first order': async (page) => {
      await page.getByLabel('Item 1').waitFor();
    },
    'the shop with an order that waits': async (page) => {
      await placeOrder(page);
      await sees(page, 'delivery', 'waiting for an answer');
      await page.getByText('Raw history').click();
      await page.getByText('Steer it by hand').click();
    },
    'an order that was compensated': async (page) => {
      await placeOrder(page, { mishap: 'The payment is refused' });
      await seesStatus(page, 'canceled');
      await page
        .getByRole('heading', { name: /^Order/ })
        .getByRole('link')
        .click();
      await page.getByText('Raw history').click();
    },
    'all orders': async (page) => {
      await placeOrder(page);
      await page.getByRole('link', { name: 'Orders', exact: true }).click();
      await page.getByRole('row').nth(1).waitFor();
    },
    operations: async (page) => {
      await page.getByRole('link', { name: 'Operations' }).click();
      await page.getByRole('main').waitFor();
    },
    'the plug': async (page) => {
      await page.getByRole('link', { name: 'Pull the plug' }).click();
      await page.getByRole('main').waitFor();
    },
  };

  for (const [view, show] of Object.entries(views)) {
    it(`is accessible, light and dark, and fits a phone: ${view}`, async () => {
      const page = await browser.open(shop.url, { reducedMotion: 'reduce' });
      await show(page);
      expect(await faultsOf(page), 'light').to.deep.equal([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize({ width: 390, height: 844 });
      // Plots follow the width as soon as the browser says so.
      await page.waitForFunction('document.documentElement.scrollWidth === 390');
      expect(await faultsOf(page), 'dark, on a phone').to.deep.equal([]);
    });
  }

  it('is worked by keyboard alone: a person orders, looks at the order, and cancels it', async () => {
    const page = await browser.open(shop.url);
    await page.getByLabel('Item 1').waitFor();
    const focused = () =>
      page.evaluate<string>(
        "(document.activeElement?.labels?.[0] ?? document.activeElement)?.textContent?.trim() ?? ''",
      );
    const tabTo = async (what: string) => {
      for (let steps = 0; steps < 40; steps++) {
        await page.keyboard.press('Tab');
        if ((await focused()) === what) return;
      }
      throw new Error(`40 tabs do not lead to “${what}”`);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).to.equal('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo('Customer');
    await page.keyboard.type('joe');
    await tabTo('Order');
    await page.keyboard.press('Enter');
    await page.getByText('Ordered by joe').waitFor();
    const title = (await page.getByRole('heading', { name: /^Order / }).textContent()) ?? '';
    await tabTo(title.replace(/^Order /, '').trim());
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/order\//);
    await sees(page, 'delivery', 'waiting for an answer');
    await tabTo('Cancel the order');
    await page.keyboard.press('Space');
    await seesStatus(page, 'canceled');
  });

  it('shows where the keyboard is', async () => {
    const page = await browser.open(shop.url);
    await page.getByLabel('Item 1').waitFor();
    for (let step = 0; step < 10; step++) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate<string>(
        "(({ outlineStyle, outlineWidth }) => outlineStyle + ' ' + outlineWidth)(getComputedStyle(document.activeElement))",
      );
      expect(outline, `after ${step + 1} tabs`).to.match(/^(solid|auto) [1-9]/);
    }
  });

  it('moves nothing for people who asked for reduced motion', async () => {
    const page = await browser.open(shop.url, { reducedMotion: 'reduce' });
    await placeOrder(page, { mishap: 'The payment is refused' });
    await seesStatus(page, 'canceled');
    const moving = await page.evaluate<number>(
      'document.getAnimations().filter(({ effect }) => effect.getComputedTiming().duration > 1).length',
    );
    expect(moving).to.equal(0);
    const lasting = await page.evaluate<number>(
      "[...document.querySelectorAll('*')].filter((element) => { const { transitionDuration, animationDuration, animationName } = getComputedStyle(element); return parseFloat(transitionDuration) > 0.01 || (animationName !== 'none' && parseFloat(animationDuration) > 0.01); }).length",
    );
    expect(lasting).to.equal(0);
  });
});
