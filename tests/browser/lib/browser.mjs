// Debian's Chromium, somebody at it, and what judges a page: axe-core, the console's own errors, the width.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WORDS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const ROLES = ["owner", "administrator", "support", "installer", "read-only"];
export const WIDTHS = [1440, 360];

export const launch = () => chromium.launch({ executablePath: process.env.PROVOST_CHROMIUM ?? "/usr/bin/chromium", args: WORDS });

/** A browser window that remembers what went wrong in it, and every dialog that opened: none should. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.troubles = [];
  page.on("console", (said) => {
    // A page that answers 404 or 409 on purpose is told by its status, not here.
    const isStatus = said.text().startsWith("Failed to load resource: the server responded with a status of");
    if (["error", "warning"].includes(said.type()) && !isStatus) page.troubles.push(`${said.type()}: ${said.text()}`);
  });
  page.on("pageerror", (error) => page.troubles.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => {
    page.troubles.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  return page;
}

/** Signs in with a token. */
export async function enter(page, base, token) {
  await page.goto(`${base}/sign-in`);
  const folded = page.locator("details:not([open]):has(input[name=token]) > summary");
  if (await folded.count()) await folded.click();
  await page.fill("input[name=token]", token);
  await page.locator("form:has(input[name=token]) button[type=submit]").click();
  await page.waitForURL(`${base}/`);
}

/** A window of somebody with this token. */
export async function signedIn(browser, base, token, options = {}) {
  const page = await open(browser, options);
  await enter(page, base, token);
  return page;
}

/** What axe-core finds on the page, in words; `rules` are its names, or all of them. */
export async function axe(page, rules) {
  await page.evaluate(AXE);
  const found = await page.evaluate(
    (only) => globalThis.axe.run(only ? { runOnly: { type: "rule", values: only } } : {}).then(({ violations }) => violations.map(
      (one) => `${one.id}: ${one.help} at ${one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.any.map((why) => why.message).join("; ")})`).join(", ")}`)),
    rules);
  return found;
}

/** By how many pixels the page is wider than its window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/**
 * The page in both widths and both color schemes: what is wrong with it, each with where. `quick` asks axe-core twice
 * instead of four times, for who sees less of the same page.
 */
export async function judge(page, { quick = false } = {}) {
  const wrong = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const schemes = quick ? [width === WIDTHS[0] ? "light" : "dark"] : ["light", "dark"];
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      // In the dark only colors differ.
      const found = await axe(page, colorScheme === "dark" ? ["color-contrast"] : undefined);
      wrong.push(...found.map((words) => `${width} ${colorScheme}: ${words}`));
    }
    const over = await overflow(page);
    if (over > 0) wrong.push(`${width}: wider than the window by ${over} px`);
  }
  wrong.push(...page.troubles.splice(0));
  return wrong;
}
