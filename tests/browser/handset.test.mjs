// The virtual phone in a browser: its keys by mouse and by keyboard.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { launch, open } from "./lib/browser.mjs";

/** Where the page of a fresh phone is, once it is served. */
function started(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (piece) => {
      said += piece;
      const found = /the phone in a browser: (http:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    child.once("exit", () => reject(new Error(`the phone ended: ${said}`)));
  });
}

/** How long a process has worked so far, in milliseconds: other processes do not make it longer. */
function worked(pid) {
  const behindName = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  // The clock of these two ticks a hundred times a second.
  return (Number(behindName[11]) + Number(behindName[12])) * 10;
}

describe("the phone in a browser", () => {
  let child, home, atOnce, browser, page;

  before(async () => {
    const words = ["phone", "run", "--model", "vvx450", "--mac", "0004f2a00009", "--face", "127.0.0.1:0", "--no-terminal"];
    child = spawn(process.env.PROVOST_BINARY, words, { stdio: ["ignore", "pipe", "ignore"] });
    home = await started(child);
    atOnce = worked(child.pid);
    browser = await launch();
    page = await open(browser);
    await page.goto(home);
  });
  after(async () => {
    await browser?.close();
    child?.kill("SIGTERM");
  });

  const key = (name) => page.locator(`button[data-key="${name}"]`);
  const soft = (word) => page.locator("#soft button", { hasText: new RegExp(`^${word}$`) });
  const shows = (id, text) => page.waitForFunction(
    ([at, wanted]) => document.getElementById(at).textContent === wanted, [id, text], { timeout: 60_000 });

  it("is there within a fifth of a second", () => {
    assert.ok(atOnce < 200, `${atOnce} ms`);
  });

  it("every click with the mouse presses its key, wherever the focus was", async () => {
    await soft("New Call").waitFor({ timeout: 60_000 });
    for (const name of ["4", "5", "6"]) await key(name).click();
    await shows("typed", "456");
  });

  it("one key alone is pressed, however long it is down", async () => {
    await key("7").hover();
    await page.mouse.down();
    await page.waitForTimeout(1000);
    await page.mouse.up();
    await shows("typed", "4567");
    await page.keyboard.down("8");
    await page.waitForTimeout(1000);
    await page.keyboard.up("8");
    await shows("typed", "45678");
  });

  it("a sign typed with Shift leaves no key down", async () => {
    await page.locator("#phone").focus();
    await page.keyboard.down("Shift");
    await page.keyboard.down("*");
    await page.keyboard.up("Shift");
    // What real keyboards tell: the key comes up as the sign it is without Shift.
    await page.evaluate(() => document.activeElement.dispatchEvent(
      new KeyboardEvent("keyup", { key: "8", code: "Digit8", bubbles: true })));
    await shows("typed", "45678*");
    await page.waitForTimeout(1000);
    assert.equal(await page.locator("button.down").count(), 0);
    await page.keyboard.press("9");
    await shows("typed", "45678*9");
  });

  it("keys that are down together are held", async () => {
    await page.locator("#power").click();
    await page.locator("#power[aria-pressed=false]").waitFor();
    await page.locator("#power").click();
    await soft("Cancel").click();
    await soft("Setup").waitFor();
    await page.locator("#phone").focus();
    for (const digit of ["1", "3", "5"]) await page.keyboard.down(digit);
    await page.waitForTimeout(1000);
    for (const digit of ["1", "3", "5"]) await page.keyboard.up(digit);
    await shows("prompt", "Enter password");
    assert.deepEqual(page.troubles, []);
  });
});
