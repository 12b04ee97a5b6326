// What comes over the wire for the first page after one signed in, by a browser that has nothing of it yet.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, open, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";

const MOST_BYTES = 60_000;

describe("the weight of the first page", () => {
  let lab, browser;

  before(async () => {
    lab = await Lab.start();
    await fill(lab);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it(`is under ${MOST_BYTES / 1000} kB with headers, style sheet and script`, async (test) => {
    const before = await signedIn(browser, lab.console, lab.token);
    const page = await open(browser, { storageState: await before.context().storageState() });
    const wire = await page.context().newCDPSession(page);
    await wire.send("Network.enable");
    const files = new Map();
    wire.on("Network.responseReceived", ({ requestId, response }) => files.set(requestId, { path: new URL(response.url).pathname, bytes: 0 }));
    wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      if (files.has(requestId)) files.get(requestId).bytes = encodedDataLength;
    });
    // Without waiting for silence: the stream of what changes never ends.
    await page.goto(`${lab.console}/`, { waitUntil: "load" });
    await page.waitForTimeout(500);
    const asked = [...files.values()].filter(({ path }) => !path.startsWith("/live/"));
    const sum = asked.reduce((all, { bytes }) => all + bytes, 0);
    test.diagnostic(`${sum} bytes: ${asked.map(({ path, bytes }) => `${path} ${bytes}`).join(", ")}`);
    assert.ok(asked.some(({ path }) => path.endsWith("console.css")), "the style sheet was asked for");
    assert.ok(sum < MOST_BYTES, `${sum} bytes`);
    await page.context().close();
  });
});
