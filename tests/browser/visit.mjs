// SPDX-License-Identifier: MIT
//
// A person with a browser of their own, who is on the way from Sage to us and
// back. Whatever they do, our pages may set no cookie, ask nobody else for
// anything, leave no complaint in the console and never scroll sideways.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { auditPage } from './audit.mjs';
import { connector, latestResult, link, newCode, newCustomer, sage, send, text } from './support.mjs';

const PATIENCE_MS = 15_000;

// Chromium says so about each answer with such a status, whose page is what we test; and it leaves
// the focus alone in a frame of another site.
const expectedInConsole = [
  /^Failed to load resource: the server responded with a status of 4\d\d/,
  /^Blocked autofocusing on a <div> element in a cross-origin subframe\.$/,
];

// How a page is known: the name of its title in the catalogue.
const titles = {
  link: 'link_title',
  code: 'code_title',
  accounts: 'accounts_title',
  renew: 'renew_title',
  done: 'message_done_title',
  cancelled: 'message_cancelled_title',
  codesExhausted: 'message_codes_exhausted_title',
  accountOfAnother: 'message_account_of_another_title',
  customerGone: 'message_customer_gone_title',
  expired: 'message_expired_title',
  linkUsed: 'message_session_not_usable_title',
};

// People with the same settings share a context, since Chromium takes long to make one: nothing
// may be left in it anyway.
const contexts = new Map();

async function contextWith(browser, settings) {
  const key = JSON.stringify(settings);
  if (!contexts.has(key)) contexts.set(key, await browser.newContext(settings));
  return contexts.get(key);
}

export class Visit {
  constructor(browser, name) {
    this.browser = browser;
    this.name = name;
    this.faults = [];
    this.pictures = 0;
    this.showing = 'tab';
  }

  // ---- the browser ------------------------------------------------------------

  // Scripts are off unless axe must run: our pages have none.
  async begin({ language = 'en', width = 1280, height = 800, scale = 1, audits = false, ...more } = {}) {
    this.language = language;
    this.audits = audits;
    this.look = `${language}-${width}`;
    const settings = {
      locale: language === 'fr' ? 'fr-FR' : 'en-GB',
      viewport: { width, height },
      deviceScaleFactor: scale,
      javaScriptEnabled: audits,
      ...more,
    };
    this.context = await contextWith(this.browser, settings);
    this.page = await this.context.newPage();
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on('request', (request) => this.#judgeRequest(request));
    this.page.on('response', (response) => this.#judgeResponse(response));
    this.page.on('console', (message) => this.#judgeMessage(message));
    this.page.on('pageerror', (error) => this.faults.push(`script error: ${error}`));
    this.posts = 0;
  }

  #judgeRequest(request) {
    if (request.url().startsWith(connector) && request.method() === 'POST') this.posts++;
    if (request.isNavigationRequest() || !request.frame().url().startsWith(connector)) return;
    this.faults.push(`our page asked for ${request.url()}`);
  }

  #judgeResponse(response) {
    if (response.url().startsWith(connector) && 'set-cookie' in response.headers())
      this.faults.push(`a cookie with ${response.url()}`);
  }

  #judgeMessage(message) {
    if (!['error', 'warning'].includes(message.type())) return;
    if (expectedInConsole.some((pattern) => pattern.test(message.text()))) return;
    this.faults.push(`in the console: ${message.text()}`);
  }

  // The end of a walk that went well: nothing may have happened on the way, either.
  async leave() {
    assert.deepEqual(await this.context.cookies(), [], 'no cookie is set');
    assert.deepEqual(this.faults, [], 'nothing happened behind the pages');
  }

  async close() {
    await this.page?.close();
  }

  // Where it stands, for a walk that failed.
  async describe() {
    if (!this.page) return '(it had not begun)';
    const seen = await this.view.locator('body').innerText({ timeout: 2000 }).catch(() => '');
    return `at ${this.page.url()}:\n${seen.slice(0, 1500)}\n${this.faults.join('\n')}`;
  }

  // Where our pages are: the window, or a frame in it.
  get view() {
    return this.page.frames().find((frame) => frame.parentFrame()) ?? this.page.mainFrame();
  }

  say(name, values) {
    return text(this.language, name, values);
  }

  heading(name) {
    return this.view.getByRole('heading', { level: 1, name, exact: true });
  }

  button(name) {
    return this.view.getByRole('button', { name: this.say(name), exact: true });
  }

  // ---- pages --------------------------------------------------------------------

  // Waits for one of our pages, and looks at what all of them promise.
  async arrive(kind, named = kind) {
    const title = this.say(titles[kind]);
    await this.heading(title).waitFor();
    await this.#checkFrame(title);
    await this.#fitsWidth();
    await this.picture(named);
    if (this.audits) await auditPage(this.view, `${named}, ${this.look}`);
  }

  async #checkFrame(title) {
    if (this.page.url().startsWith(sage) && this.view === this.page.mainFrame()) return; // embedded
    const [language, documentTitle] = await this.view.evaluate(() => [
      document.documentElement.lang,
      document.title,
    ]);
    assert.equal(language, this.language, 'the language of the page');
    assert.ok(documentTitle.endsWith(title), `the page's title is "${documentTitle}"`);
  }

  // WCAG 1.4.10: nobody must scroll in two directions.
  async #fitsWidth() {
    const [width, room] = await this.view.evaluate(() => [
      document.scrollingElement.scrollWidth,
      document.scrollingElement.clientWidth,
    ]);
    assert.ok(width <= room, `the page is ${width} pixels wide, and ${room} are there`);
  }

  async arriveInSage(title) {
    await this.heading(title).waitFor();
    await this.#fitsWidth();
    await this.picture(`sage ${title}`);
    if (this.audits) await auditPage(this.view, `Sage's "${title}", ${this.look}`);
  }

  async picture(named) {
    const directory = process.env.FEEDGATE_SCREENSHOTS;
    if (!directory) return;
    mkdirSync(directory, { recursive: true });
    const name = `${this.name} ${this.look} ${++this.pictures} ${named}`.replace(/[^\w-]+/g, '-');
    await this.page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
  }

  // ---- the way -------------------------------------------------------------------

  async #press(showing, locator) {
    this.showing = showing;
    await this.page.goto(`${sage}/`);
    await this.page.locator(`input[name=show][value=${showing}]`).check();
    await locator.click();
    if (showing === 'frame') await this.page.frameLocator('iframe').locator('h1').waitFor();
    if (showing === 'body' || showing === 'form') await this.#followLink();
    await this.arrive('code');
  }

  // Sage's server has fetched that page, and said nothing of the customer's language.
  async #followLink() {
    const own = this.language;
    this.language = 'en';
    await this.arrive('link');
    await this.view.getByRole('link', { name: this.say('link_continue'), exact: true }).click();
    this.language = own;
  }

  // From Sage's product to the page that asks for the code.
  async connect(showing = 'tab') {
    this.customer ??= await newCustomer();
    await this.#press(showing, this.page.getByRole('button', { name: 'Connect a bank account' }));
  }

  // The same for an account that is linked already.
  async renew(showing = 'tab', account) {
    this.customer ??= await newCustomer();
    const id = await link(account ?? this.customer.accounts[0]);
    await this.#press(showing, this.page.locator(`[formaction="/reauthorise"][value="${id}"]`));
  }

  codeField() {
    return this.view.getByLabel(this.say('code_label'), { exact: true });
  }

  async enterCode(code) {
    await this.codeField().fill(code);
    await this.button('code_continue').click();
  }

  // Logs in to the provider's product, and types what that shows.
  async enterOwnCode() {
    await this.enterCode(await newCode(this.customer));
  }

  async enterWrongCodes(count) {
    for (let i = 1; i <= count; i++) {
      await this.enterCode(`0000-000${i}`);
      if (i < 5) await this.arriveWithError('code_wrong', 5 - i);
    }
  }

  // The code page again, with what was wrong, which is read out at once.
  async arriveWithError(name, triesLeft) {
    const summary = this.view.getByRole('alert');
    await summary.getByText(this.say(name), { exact: true }).waitFor();
    if (triesLeft)
      await summary.getByText(this.say('code_tries', { tries_left: triesLeft })).waitFor();
    await this.arrive('code', triesLeft ? 'code wrong' : 'code empty');
    const [focused, title] = await this.view.evaluate(() => [
      document.activeElement.getAttribute('role'),
      document.title,
    ]);
    assert.ok(title.startsWith(this.say('error_prefix')), `the title is "${title}"`);
    if (this.view === this.page.mainFrame())
      assert.equal(focused, 'alert', 'the error summary has the focus');
  }

  async confirm() {
    await this.button('accounts_confirm').click();
  }

  async goBackToSage() {
    await this.view.getByRole('link', { name: this.say('back'), exact: true }).click();
  }

  // Sage's picker has all the customer's accounts; the first one is connected.
  async pick() {
    await this.arriveInSage('Choose an account');
    for (const { accountName } of this.customer.accounts)
      await this.view.getByText(accountName, { exact: true }).waitFor();
    await this.view.getByRole('button', { name: 'Connect this account' }).click();
    await this.arriveInSage('Banking');
    const connected = this.page.locator('.accounts');
    await connected.getByText(this.customer.accounts[0].accountName, { exact: true }).first().waitFor();
    await this.expectResult('success');
  }

  // Sage was told this, by one single request.
  async expectResult(status, requests = 1) {
    const result = await latestResult();
    assert.equal(result.status, status, 'what Sage was told');
    assert.equal(result.requests, requests, 'requests to Sage');
  }

  // Not at once: `feedgate deliver` looks every two seconds.
  async expectResultSoon(status) {
    const until = Date.now() + PATIENCE_MS;
    while ((await latestResult()).status !== status && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await this.expectResult(status);
  }

  // Where a form was sent the browser's history has no page, since ours say no-store: the browser
  // first asks whether to send the form again, and this customer says yes.
  async pageAsksWhetherToSendAgain(movement) {
    await assert.rejects(movement, /ERR_CACHE_MISS/);
    await this.page.waitForURL('chrome-error://**');
    await this.page.evaluate(() => location.reload());
  }

  // ---- hands -----------------------------------------------------------------------

  async expectFocus(locator) {
    assert.ok(await locator.evaluate((node) => node === document.activeElement), 'it has the focus');
  }

  // By the Tab key to this element; on the way the focus is always to be seen.
  async tabTo(locator) {
    const TABS_MAX = 12;
    for (let i = 0; i < TABS_MAX; i++) {
      await this.page.keyboard.press('Tab');
      assert.ok(await this.view.evaluate(focusIsSeen), 'the focus is to be seen');
      if (await locator.evaluate((node) => node === document.activeElement)) return;
    }
    assert.fail(`no way by Tab to ${locator}`);
  }

  async middleOf(locator) {
    await locator.scrollIntoViewIfNeeded();
    const box = await locator.boundingBox();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }

  // Two clicks, the second while the browser still waits for the answer to the first: that one has
  // been carried out, and its answer is never seen.
  async pressTwice(locator) {
    const { x, y } = await this.middleOf(locator);
    let carryOut;
    const carriedOut = new Promise((resolve) => {
      carryOut = (first) =>
        resolve(
          send(first.url(), {
            method: 'POST',
            headers: first.headers(),
            body: first.postDataBuffer(),
          }),
        );
    });
    let held = false;
    await this.page.route(`${connector}/**`, (route) => {
      if (held || route.request().method() !== 'POST') return route.continue();
      held = true;
      return carryOut(route.request());
    });
    await this.page.mouse.click(x, y);
    await carriedOut;
    await this.page.mouse.click(x, y);
  }
}

// In the page: the focused element lies in the window and has an outline.
function focusIsSeen() {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  return (
    outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && bottom > 0 && top < window.innerHeight
  );
}
