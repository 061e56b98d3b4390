import type { Locator, Page } from 'playwright-core';
import type { Data } from '../../data-init/load-data.ts';
import type { Definition } from '../../frontend/definition-route.ts';
import { shopData } from '../../local/shop.ts';
import { startLocally } from '../../local/start-locally.ts';
import { pipeline } from '../../pipeline.ts';
import type { Ports } from '../../saga/ports/ports.ts';

/** The shop on the embedded engine, in this process, for the tests of a `describe`. */
export interface OpenShop {
  readonly url: string;
  definition(): Promise<Definition>;
  get<T>(path: string): Promise<T>;
  /** @throws Error if it was refused. */
  post<T>(path: string, body?: object): Promise<T>;
}

/** Call it in a `describe`. */
export function useShop(
  data: Data = shopData(),
  variables: NodeJS.ProcessEnv = {},
): OpenShop & { ports(): Ports } {
  let started: Awaited<ReturnType<typeof startLocally>>;
  before(async () => {
    started = await startLocally(pipeline, data, {
      onEmulators: false,
      variables: { PORT: '0', ...variables },
      // Operators can pull the plug, but not the test's own process.
      crash: () => {},
      openLog: () => () => {},
      end: (error) => {
        throw error;
      },
    });
  });
  after(() => started?.close());
  return Object.assign(
    shopAt(() => started.url),
    { ports: () => started.ports },
  );
}

/** A shop that runs somewhere. */
export function shopAt(urlOf: () => string): OpenShop {
  async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
    const response = await fetch(urlOf() + path, options);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
  const shop: OpenShop = {
    get url() {
      return urlOf();
    },
    definition: () => shop.get('/saga'),
    get: (path) => ask(path),
    post: (path, body = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
  return shop;
}

/** What a person fills in; what is absent stays as the form has it. */
export interface Filled {
  readonly customer?: string;
  readonly item?: string;
  readonly quantity?: number;
  /** The words of the form. */
  readonly mishap?: string;
  readonly orchestrated?: boolean;
  readonly asksOnShortage?: boolean;
}

/** Orders in the shop's form. Resolves, with the uuid, when the order is shown. */
export async function placeOrder(page: Page, filled: Filled = {}): Promise<string> {
  const { customer, item, quantity, mishap, orchestrated, asksOnShortage } = filled;
  const form = page.getByRole('region', { name: 'Place an order' });
  if (customer !== undefined) await form.getByLabel('Customer').selectOption(customer);
  if (item !== undefined) await form.getByLabel('Item 1').selectOption(item);
  if (quantity !== undefined) await form.getByLabel(/^Quantity of/).fill(String(quantity));
  if (mishap !== undefined) await form.getByLabel('What should go wrong?').selectOption(mishap);
  if (orchestrated) await form.getByLabel(/^Orchestration/).check();
  if (asksOnShortage) await form.getByLabel('Ask me if stock is short').check();
  const [response] = await Promise.all([
    page.waitForResponse(
      (one) => one.request().method() === 'POST' && new URL(one.url()).pathname === '/order',
    ),
    form.getByRole('button', { name: 'Order', exact: true }).click(),
  ]);
  const { uuid } = (await response.json()) as { uuid: string };
  await page.getByRole('heading', { name: `Order ${uuid.slice(0, 8)}` }).waitFor();
  return uuid;
}

/** A step in the picture of an order. */
export const stage = (page: Page, name: string): Locator =>
  page
    .getByRole('list', { name: 'The steps of this order' })
    .getByRole('listitem')
    .filter({ has: page.getByText(name, { exact: true }) });

/** Waits until the picture shows a step as it says, such as "done". */
export const sees = (page: Page, name: string, state: string): Promise<void> =>
  stage(page, name)
    .getByText(new RegExp(`^${state}`))
    .first()
    .waitFor();

/** Waits until the order that is shown has a status, in words. */
export const seesStatus = (page: Page, status: string): Promise<void> =>
  page.getByText(new RegExp(`^${status} .*from its first commit to its last`)).waitFor();

/** Opens an order by itself: what a shared link does. */
export const linkOf = (shop: OpenShop, uuid: string): string => `${shop.url}/#/order/${uuid}`;
