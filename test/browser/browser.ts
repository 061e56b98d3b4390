import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { CHROMIUM_IS_MISSING, findChromium } from './find-chromium.ts';

/** A real browser for the tests of a file, started once. Each test gets a profile of its own. */
export interface TestBrowser {
  /** Opens a page in a profile that no other test sees; further ones in one test share nothing, either. */
  open(url: string, options?: OpenOptions): Promise<Page>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Complaints of the browser that this test provokes. */
  readonly expects?: RegExp;
  /** Whether it asks other hosts than that of the URL. */
  readonly isForeign?: boolean;
}

/** The browser is on the same machine, but may share two cores with a whole test run. */
const TIMEOUT_MS = 15_000;

/** A name that leads to this machine, as an attacker's DNS would make one. */
export const REBOUND = 'rebound.example';

/** Starts Chromium. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: [
      '--disable-gpu',
      '--disable-background-networking',
      `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
    ],
  });

/**
 * Call it in a `describe`. Skips its tests, with the reason, where there is no Chromium; where REQUIRE_BROWSER=1 they fail instead.
 * A test fails, too, if the browser complains: of an error that nothing caught, of what the Content-Security-Policy
 * forbids, of a request to another host, or of anything else on its console.
 */
export function useBrowser(): TestBrowser {
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];

  before(async function () {
    const path = findChromium();
    if (path === undefined) {
      const reason = `The suites in a browser are skipped:\n${CHROMIUM_IS_MISSING}`;
      if (process.env.REQUIRE_BROWSER === '1') throw new Error(reason);
      process.stdout.write(`\n*** ${reason}\n\n`);
      this.skip();
    }
    this.timeout(60_000);
    browser = await launch(path);
  });

  beforeEach(function () {
    this.currentTest?.timeout(3 * TIMEOUT_MS);
  });

  afterEach(async function () {
    const [closed, found] = [contexts, complaints];
    [contexts, complaints] = [[], []];
    if (this.currentTest?.state === 'failed') {
      for (const page of closed.flatMap((context) => context.pages())) await tell(page);
    }
    await Promise.all(closed.map((context) => context.close()));
    if (found.length > 0) throw new Error(`The browser complains:\n${found.join('\n')}`);
  });

  after(() => browser?.close());

  return {
    async open(url, { expects, isForeign = false, ...options } = {}) {
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
      contexts.push(context);
      context.setDefaultTimeout(TIMEOUT_MS);
      const complain = (complaint: string) => {
        if (!expects?.test(complaint)) complaints.push(complaint);
      };
      const { host } = new URL(url);
      context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complain(`${message.type()}: ${message.text()}`);
      });
      context.on('weberror', (error) => complain(`uncaught: ${error.error().stack}`));
      context.on('dialog', (dialog) => {
        complain(`dialog: ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
      });
      context.on('request', (request) => {
        const asked = new URL(request.url());
        if (!isForeign && asked.protocol !== 'data:' && asked.host !== host)
          complain(`asks ${request.url()}`);
      });
      await context.addInitScript(
        "addEventListener('securitypolicyviolation', (event) => console.error('forbidden by the policy: ' + event.violatedDirective + ' ' + event.blockedURI))",
      );
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
  };
}

/** What a page shows where a test failed. */
async function tell(page: Page): Promise<void> {
  const shown = await page.locator('body').ariaSnapshot({ timeout: 1000 }).catch(String);
  process.stdout.write(`\n${page.url()} shows\n${shown}\n`);
}
