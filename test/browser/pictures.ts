import { mkdirSync, writeFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { shopData } from '../../local/shop.ts';
import { startLocally } from '../../local/start-locally.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { animatedPng, type Frame } from './animated-png.ts';
import { launch } from './browser.ts';
import { CHROMIUM_IS_MISSING, findChromium } from './find-chromium.ts';
import { placeOrder, sees, seesStatus } from './shop-page.ts';

/** Makes the pictures of the web page for the documents: `npm run pictures`. */

const folder = new URL('docs/pictures/', packageRoot);
/** Nobody runs out of credit in the middle of a load. */
const DATA = {
  ...shopData(),
  users: { ...shopData().users, joe: { ...shopData().users?.joe, credit: 50_000 } },
};
const VIEWPORT = { width: 1280, height: 860 };
/** The picture of an order and why it failed, without what stands below. */
const ANIMATION_HEIGHT = 350;
const FRAME_MS = 125;
/** The end of the animation stays long enough to be read. */
const LAST_MS = 5_000;

const chromium = findChromium();
if (chromium === undefined) throw new Error(CHROMIUM_IS_MISSING);
mkdirSync(folder, { recursive: true });
const shop = await startLocally(pipeline, DATA, {
  onEmulators: false,
  crash: () => {},
  openLog: () => () => {},
  end: (error) => {
    throw error;
  },
});
const browser = await launch(chromium);
try {
  await take('shop.png', {}, async (page) => {
    await placeOrder(page, { quantity: 3 });
    await page.getByRole('button', { name: 'delivered' }).click();
    await seesStatus(page, 'delivered');
  });
  await take('compensated.png', {}, compensate);
  await take('compensated-dark.png', { colorScheme: 'dark' }, compensate);
  await take('orders.png', {}, async (page) => {
    await page.getByRole('link', { name: 'Orders', exact: true }).click();
    await load(page, 30, 20);
  });
  await take('plug.png', {}, async (page) => {
    await page.getByRole('link', { name: 'Pull the plug' }).click();
    await page.getByRole('button', { name: 'Freeze inventory' }).click();
    await page.getByText('inventory does nothing').first().waitFor();
    await load(page, 30, 2);
  });
  await animate('compensated-animation.png');
} finally {
  await browser.close();
  await shop.close();
}

async function take(
  name: string,
  options: BrowserContextOptions,
  show: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await openShop({ deviceScaleFactor: 1.5, reducedMotion: 'reduce', ...options });
  await show(page);
  // What a press has lit up or scrolled to is not what the picture is about.
  await page.mouse.move(0, 0);
  await page.evaluate('scrollTo(0, 0)');
  writeFileSync(new URL(name, folder), await page.screenshot({ animations: 'disabled' }));
  await page.context().close();
}

async function openShop(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({
    viewport: VIEWPORT,
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  await page.goto(shop.url);
  await page.getByLabel('Item 1').waitFor();
  return page;
}

async function compensate(page: Page): Promise<void> {
  await placeOrder(page, { customer: 'joe', item: 'wotsit', mishap: 'The payment is refused' });
  await seesStatus(page, 'canceled');
}

async function load(page: Page, perSecond: number, seconds: number): Promise<void> {
  await page.getByLabel(/^Send/).fill(String(perSecond));
  await page.getByLabel(/^for/).fill(String(seconds));
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor({ timeout: 2000 * seconds + 20_000 });
}

/** An order in slow motion, as fast as the browser can be pictured. What does not move takes no frame. */
async function animate(name: string): Promise<void> {
  const page = await openShop({ viewport: { width: 1180, height: 960 } });
  await page.getByLabel(/^Slow motion/).check();
  await placeOrder(page, { customer: 'joe', item: 'wotsit', mishap: 'The payment is refused' });
  const clip = (await page.getByRole('region', { name: /^Order / }).boundingBox()) ?? undefined;
  if (clip === undefined) throw new Error('The order is not shown');
  let isOver = false;
  const end = Promise.all([seesStatus(page, 'canceled'), sees(page, 'inventory', 'undone')]).then(() => {
    isOver = true;
  });
  const shots: { png: Buffer; atMs: number }[] = [];
  const shoot = async () => {
    const atMs = performance.now();
    const png = await page.screenshot({ clip: { ...clip, height: ANIMATION_HEIGHT }, animations: 'allow' });
    if (!shots.at(-1)?.png.equals(png)) shots.push({ png, atMs });
    await page.waitForTimeout(FRAME_MS);
  };
  while (!isOver) await shoot();
  await end;
  // The last transitions come to their end.
  for (let rest = 0; rest < 8; rest++) await shoot();
  const frames: Frame[] = shots.map(({ png, atMs }, index) => ({
    png,
    ms: (shots[index + 1]?.atMs ?? atMs + LAST_MS) - atMs,
  }));
  const animation = animatedPng(frames);
  writeFileSync(new URL(name, folder), animation);
  process.stdout.write(`${name}: ${frames.length} frames, ${Math.round(animation.length / 1024)} KiB\n`);
  await page.context().close();
}
