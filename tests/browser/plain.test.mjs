// A browser without script: the same pages do the same.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";

describe("without script", () => {
  let lab, browser, found, page;

  before(async () => {
    lab = await Lab.start();
    found = await fill(lab);
    browser = await launch();
    page = await signedIn(browser, lab.console, lab.token, { javaScriptEnabled: false });
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it("one goes everywhere by the menu, and no button is there that could do nothing", async () => {
    const paths = [];
    for (const link of await page.locator("nav#menu a").all()) paths.push(await link.getAttribute("href"));
    for (const path of paths) {
      await page.goto(lab.console + path);
      assert.equal(await page.locator("button[data-copy]:visible, button[data-print]:visible").count(), 0, path);
    }
    assert.ok(paths.length > 5);
  });

  it("the menu of a narrow window opens", async () => {
    await page.setViewportSize({ width: 360, height: 780 });
    await page.goto(`${lab.console}/`);
    await page.locator("button.menu-button").click();
    assert.ok(await page.locator("nav#menu").isVisible());
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("one finds a phone and reads its story", async () => {
    await page.goto(`${lab.console}/devices`);
    await page.fill("input#search", found.macs[0]);
    await page.press("input#search", "Enter");
    await page.waitForURL(`**/phones/${found.macs[0]}`);
    assert.ok((await page.locator("main").innerText()).includes("201"));
  });
});
