import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { mishapsOf, NO_MISHAP } from '../../frontend/page/model/order-form.ts';
import { SLOTS } from '../../frontend/page/model/stream-slot.ts';
import { shopData } from '../../local/shop.ts';
import { pipeline } from '../../pipeline.ts';
import { longSuite, longTest, sampled } from '../support/thorough.ts';
import { useBrowser } from './browser.ts';
import { linkOf, placeOrder, sees, seesStatus, stage, useShop } from './shop-page.ts';

const STEPS = pipeline.steps.map(({ name }) => name);
const ENTRY = 'frontend';
/** Why the mishaps that are no failing step fail an order. The form spells them, and so does this test. */
const REASONS: Readonly<Record<string, string>> = {
  payment: 'PAYMENT_ERROR',
  shortage: 'INSUFFICIENT_INVENTORY',
  user: 'USER_NOT_FOUND',
  item: 'ITEM_NOT_FOUND',
};
/** What the form offers, before a server is asked: the pipeline has the same steps. */
const MISHAPS = mishapsOf({
  groups: [pipeline.steps.map(({ name }) => ({ name }))],
  failable: true,
} as unknown as Parameters<typeof mishapsOf>[0]).filter(({ value }) => value !== NO_MISHAP);

/** The step that refuses, and the reason in the words of the page. */
function refusalOf(mishap: string): { readonly step: string; readonly reason: string } {
  const [, failing] = /^fail:(.+)$/.exec(mishap) ?? [];
  const reason = failing ? 'STEP_FAILED' : (REASONS[mishap] ?? '');
  const step =
    failing ?? pipeline.steps.find((one) => (one.reasons as readonly string[]).includes(reason))?.name;
  if (step === undefined)
    throw new Error(`No step refuses an order with ${mishap}: add its reason to REASONS`);
  return { step, reason: reason.toLowerCase().replaceAll('_', ' ') };
}

const canceled = (page: Page) => seesStatus(page, 'canceled');

describe('An order on the page', () => {
  const shop = useShop({
    ...shopData(),
    inventory: {
      ...shopData().inventory,
      xylophone: { quantity: 5, price_per_unit: 7 },
      zither: { quantity: 5, price_per_unit: 7 },
    },
  });
  const browser = useBrowser();
  const stockOf = (item: string) =>
    shop.get<{ quantity: number; reserved: number; sold: number }>(`/inventory/${item}`);

  it('lights up step by step, waits for the courier, and is delivered by their word', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { customer: 'jack', item: 'widget', quantity: 3 });
    for (const name of [ENTRY, ...STEPS.slice(0, -1)]) await sees(page, name, 'done');
    await sees(page, 'delivery', 'waiting for an answer');
    await stage(page, 'inventory').getByText('item widget −3').waitFor();
    await page.getByRole('row', { name: 'widget 3 × 10 30' }).waitFor();
    await page.getByRole('button', { name: 'delivered' }).click();
    await sees(page, 'delivery', 'done');
    await seesStatus(page, 'delivered');
    await page.getByText('The order has heard “delivered”.').waitFor();
  });

  for (const { value, label } of MISHAPS.slice(0, sampled(MISHAPS.length, 2))) {
    it(`goes back through the steps that were done when it is to go wrong like this: ${label}`, async () => {
      const { step, reason } = refusalOf(value);
      const before = await stockOf('widget');
      const page = await browser.open(shop.url);
      await placeOrder(page, { customer: 'joe', mishap: label });
      await canceled(page);
      const refusedAt = STEPS.indexOf(step);
      const done = [ENTRY, ...STEPS.slice(0, refusedAt)];
      await sees(page, step, 'refused');
      for (const name of done) await sees(page, name, 'undone');
      for (const name of STEPS.slice(refusedAt + 1)) await sees(page, name, 'not begun');
      await stage(page, step).getByText(reason, { exact: true }).waitFor();
      const wayBack = page.getByText(/gave everything back in one commit/);
      expect(await wayBack.textContent()).to.match(new RegExp(`: ${done.toReversed().join(' ← ')}$`));
      for (const name of done.slice(1)) {
        await stage(page, name).getByRole('list', { name: 'Given back' }).waitFor();
      }
      expect(await stockOf('widget')).to.deep.equal(before);
    });
  }

  longTest('is canceled by a press, and everything that it held goes back', async () => {
    const before = await stockOf('wotsit');
    const page = await browser.open(shop.url);
    await placeOrder(page, { item: 'wotsit' });
    await sees(page, 'delivery', 'waiting for an answer');
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await canceled(page);
    for (const name of STEPS) await sees(page, name, 'undone');
    await page.getByText('canceled by customer').waitFor();
    expect(await stockOf('wotsit')).to.deep.equal(before);
  });

  longTest('goes back when the courier says that it was not taken', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page);
    await page.getByRole('button', { name: 'canceled', exact: true }).click();
    await canceled(page);
    await page.getByText('delivery canceled', { exact: true }).first().waitFor();
  });

  longTest('of which only a part is there asks, and an approval takes that part', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { item: 'xylophone', quantity: 9, asksOnShortage: true });
    await seesStatus(page, 'waiting');
    await sees(page, 'inventory', 'waiting for an answer');
    await page.getByRole('button', { name: 'approve' }).click();
    await sees(page, 'inventory', 'done');
    await page.getByRole('row', { name: 'xylophone 5 × 7 35' }).waitFor();
    expect(await stockOf('xylophone')).to.include({ quantity: 0 });
  });

  longTest('of which only a part is there asks, and can be made smaller', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { item: 'zither', quantity: 9, asksOnShortage: true });
    await page.getByRole('button', { name: 'amend' }).click();
    await page.getByRole('spinbutton', { name: 'zither', exact: true }).fill('2');
    await page.getByRole('button', { name: 'amend', exact: true }).click();
    await sees(page, 'inventory', 'done');
    await page.getByRole('row', { name: 'zither 2 × 7 14' }).waitFor();
    expect(await stockOf('zither')).to.include({ quantity: 3 });
  });

  longTest('takes the same way when one coordinator leads it', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { orchestrated: true });
    await page.getByRole('button', { name: 'delivered' }).click();
    for (const name of [ENTRY, ...STEPS]) await sees(page, name, 'done');
    await page.getByText('Raw history').click();
    await page.getByRole('cell', { name: 'orchestrator' }).first().waitFor();
  });

  longTest('that one coordinator leads shows where it was refused, too', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { orchestrated: true, mishap: 'The payment is refused' });
    await sees(page, 'payments', 'refused');
    await canceled(page);
    await sees(page, 'inventory', 'undone');
  });

  longTest('can be looked at as it stood at each moment of its past', async () => {
    const page = await browser.open(shop.url);
    await placeOrder(page, { mishap: 'The payment is refused' });
    await canceled(page);
    const past = page.getByRole('slider');
    await past.focus();
    await page.keyboard.press('Home');
    await page.getByText(/^As it stood at /).waitFor();
    await sees(page, 'payments', 'not begun');
    await page.keyboard.press('End');
    await canceled(page);
    await sees(page, 'inventory', 'undone');
  });

  longTest('is steered from any of many tabs, though a browser has six connections', async () => {
    const last = await browser.open(`${shop.url}/saga`);
    const others = await Promise.all(
      SLOTS.map(async () => {
        const page = await last.context().newPage();
        await page.goto(shop.url);
        await page.getByRole('banner').getByText('Live').waitFor();
        return page;
      }),
    );
    await last.goto(shop.url);
    await placeOrder(last);
    await sees(last, 'delivery', 'waiting for an answer');
    await last.getByRole('banner').getByText('Too many tabs are open').waitFor();
    await last.getByRole('button', { name: 'Cancel the order' }).click();
    await last.getByText('The order is being canceled.').waitFor();
    await Promise.all(others.map((page) => page.close()));
    await last.getByRole('banner').getByText('Live').waitFor();
    await canceled(last);
  });

  longTest('is seen by whoever has its link, and by two browsers at once', async () => {
    const page = await browser.open(shop.url);
    const uuid = await placeOrder(page);
    await page.getByRole('button', { name: 'Copy the link' }).waitFor();
    await page
      .getByRole('heading', { name: /^Order/ })
      .getByRole('link')
      .click();
    await page.waitForURL(`**/#/order/${uuid}`);
    const other = await browser.open(page.url());
    await other.getByRole('heading', { name: uuid }).waitFor();
    await sees(other, 'delivery', 'waiting for an answer');
    await page.getByRole('button', { name: 'delivered' }).click();
    await Promise.all([page, other].map((one) => seesStatus(one, 'delivered')));
    // Nothing leaves that end.
    for (const one of [page, other])
      expect(await one.getByRole('button', { name: 'Cancel the order' }).count()).to.equal(0);
  });

  longTest('of which there is none is not shown', async () => {
    const page = await browser.open(linkOf(shop, '00000000-0000-4000-8000-000000000000'), { expects: /404/ });
    await page.getByRole('alert').getByText('There is no order').waitFor();
  });

  longTest('that is accepted in slow motion is shown a step at a time', async () => {
    const page = await browser.open(shop.url);
    await page.clock.install();
    await page.getByLabel(/^Slow motion/).check();
    const uuid = await placeOrder(page, { mishap: 'The payment is refused' });
    await seesStatus(page, 'received');
    await sees(page, 'inventory', 'not begun');
    const { history } = await settled(uuid);
    const spoken = (status: string) => status.toLowerCase().replaceAll('_', ' ');
    for (const { status } of history.slice(1)) {
      await page.clock.runFor(1_200);
      await seesStatus(page, spoken(status));
    }
  });

  /** An order that has come to its end. */
  async function settled(uuid: string): Promise<{ history: { status: string }[] }> {
    const response = await fetch(`${shop.url}/order/${uuid}/events`);
    await response.text();
    return shop.get(`/order/${uuid}`);
  }
});

longSuite('An order that operators steer from the page', () => {
  const shop = useShop();
  /** Nobody charges for so long: a moment in which to stop an order, however slow the machine is. */
  const freezePayments = (seconds: number) => shop.post('/plug/freeze', { service: 'payments', seconds });
  const browser = useBrowser();
  /** What operators have said of an order. Customers don't see it. */
  async function notesOf(uuid: string): Promise<unknown[]> {
    const { timeline } = await shop.get<{ timeline: { note?: string }[] }>(`/sagas/${uuid}`);
    return timeline.map(({ note }) => note);
  }
  const byHand = async (page: Page, label: string, note: string) => {
    const steer = page.getByRole('group').filter({ hasText: 'Steer it by hand' });
    await steer.getByRole('button', { name: `${label}…` }).click();
    await steer.getByLabel(/^Why\?/).fill(note);
    await steer.getByRole('button', { name: label, exact: true }).click();
  };

  it('is paused before its next step, and resumed', async () => {
    await freezePayments(60);
    const page = await browser.open(shop.url);
    const uuid = await placeOrder(page);
    await sees(page, 'payments', 'working');
    await page.getByText('Steer it by hand').click();
    await byHand(page, 'Pause', 'looks odd');
    await seesStatus(page, 'paused');
    await byHand(page, 'Resume', 'it was fine');
    await freezePayments(1);
    await sees(page, 'delivery', 'waiting for an answer');
    expect(await notesOf(uuid)).to.include.members(['looks odd', 'it was fine']);
  });

  it('is led past a step whose work is done elsewhere', async () => {
    const skippable = (await shop.definition()).groups.flat().find((step) => step.skippable)?.name ?? '';
    await shop.post('/plug/freeze', { service: skippable, seconds: 60 });
    const page = await browser.open(shop.url);
    const uuid = await placeOrder(page);
    await sees(page, skippable, 'working');
    await page.getByText('Steer it by hand').click();
    await byHand(page, `Skip ${skippable}`, 'paid in cash');
    await sees(page, skippable, 'skipped');
    expect(await notesOf(uuid)).to.include('paid in cash');
    await shop.post('/plug/freeze', { service: skippable, seconds: 1 });
    await sees(page, 'delivery', 'waiting for an answer');
  });

  it('is forked after its end, and the page goes on with the new order', async () => {
    const page = await browser.open(shop.url);
    const uuid = await placeOrder(page, { mishap: 'The step “delivery” fails' });
    await canceled(page);
    await page.getByText('Steer it by hand').click();
    await byHand(page, 'Fork', 'once more');
    await page.waitForURL(new RegExp(`#/order/(?!${uuid})`));
    const [, forked = ''] = /order\/(.+)$/.exec(page.url()) ?? [];
    await page.getByRole('heading', { name: forked }).waitFor();
    await seesStatus(page, 'canceled');
    expect(await notesOf(forked)).to.include('once more');
  });

  it('is canceled by an operator, who says why', async () => {
    await freezePayments(60);
    const page = await browser.open(shop.url);
    await placeOrder(page);
    await sees(page, 'payments', 'working');
    await page.getByText('Steer it by hand').click();
    await byHand(page, 'Cancel as operator', 'fraud');
    await canceled(page);
    await page.getByText('canceled by operator').first().waitFor();
    await page.getByText(/fraud/).first().waitFor();
  });
});
