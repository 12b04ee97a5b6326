// Somebody without a mouse: everything is reached and done with the keys alone.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, open, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";

/** What has the keyboard, in words. */
const focused = (page) => page.evaluate(() => {
  const { activeElement: at } = document;
  return `${at.tagName.toLowerCase()} ${at.id || at.getAttribute("name") || at.textContent.trim().slice(0, 40)}`;
});

describe("by keyboard alone", () => {
  let lab, browser, found;

  before(async () => {
    lab = await Lab.start();
    found = await fill(lab);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it("one signs in", async () => {
    const page = await open(browser);
    await page.goto(`${lab.console}/sign-in`);
    for (let tries = 0; tries < 20; tries += 1) {
      await page.keyboard.press("Tab");
      if ((await focused(page)).startsWith("summary")) await page.keyboard.press("Enter");
      if ((await focused(page)) === "input token") break;
    }
    await page.keyboard.type(lab.token);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${lab.console}/`);
    await page.context().close();
  });

  it("the first key leads past the menu to the content, and what has the keyboard is seen", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    await page.goto(`${lab.console}/devices`);
    await page.keyboard.press("Tab");
    const skip = page.locator("a.skip");
    assert.ok(await skip.evaluate((one) => one === document.activeElement && one.getBoundingClientRect().left >= 0));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement.closest("main") !== null), await focused(page));
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none");
    await page.context().close();
  });

  it("the menu of a narrow window opens, leads somewhere, and closes", async () => {
    const page = await signedIn(browser, lab.console, lab.token, { viewport: { width: 360, height: 780 } });
    const menu = page.locator("nav#menu");
    assert.equal(await menu.isVisible(), false);
    for (let tries = 0; tries < 5 && !(await focused(page)).startsWith("button Menu"); tries += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await menu.isVisible(), true);
    await page.keyboard.press("Escape");
    assert.equal(await menu.isVisible(), false);
    await page.keyboard.press("Enter");
    for (let tries = 0; tries < 6 && (await focused(page)) !== "a Devices"; tries += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${lab.console}/devices`);
    await page.context().close();
  });

  it("every control of a page is reached, each once, and none keeps the keyboard", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    // What changes meanwhile would be others than those that were counted.
    await page.route("**/live/**", (route) => route.abort());
    for (const path of ["/devices", `/phones/${found.macs[0]}`, "/administrators", "/account"]) {
      await page.goto(lab.console + path);
      const all = await page.$$eval("a[href], button, input, select, textarea, summary, [tabindex='0']", (found) => found
        .filter((one) => one.type !== "hidden" && !one.disabled && one.checkVisibility({ visibilityProperty: true }))
        .map((one, at) => { one.dataset.at = at; return at; }));
      const reached = new Set();
      // A little more than there are, for scrolling areas that take the keyboard too.
      for (let tries = 0; tries < all.length + 15; tries += 1) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(() => document.activeElement?.dataset?.at);
        if (at !== undefined) reached.add(Number(at));
      }
      const missed = await page.evaluate((numbers) => numbers.map((at) => document.querySelector(`[data-at="${at}"]`).outerHTML.slice(0, 120)),
        all.filter((at) => !reached.has(at)));
      assert.deepEqual(missed, [], path);
    }
    await page.context().close();
  });
});
