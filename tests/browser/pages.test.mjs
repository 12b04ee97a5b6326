// Every page that the menu and the pages themselves lead to, as each role, in light and dark, at 360 and 1440 px: it
// answers, axe-core finds nothing, it is no wider than its window, and nothing goes against its strict policy.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge, launch, open, ROLES, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";

/** How many pages of one kind an owner looks at: phones and devices differ by how they stand. Others look at one. */
const MOST_OF_A_KIND = 2;
/** Pages under work may be left out by hand, for example `PROVOST_BROWSER_WITHOUT=/import,/mail`. */
const WITHOUT = (process.env.PROVOST_BROWSER_WITHOUT ?? "").split(",").filter(Boolean);

/** What kind of page an address leads to: ids, MACs and what is searched for do not count. */
const kind = (address) => {
  const { pathname, searchParams } = new URL(address, "http://console");
  const path = pathname.replace(/\/[a-z]+(_[a-z]+)*_[0-9a-z]{26}\b/g, "/{id}").replace(/\/[0-9a-f]{12}\b/g, "/{mac}")
    .replace(/\/models\/[^/]+/, "/models/{id}");
  return path + [...searchParams.keys()].sort().map((name) => `?${name}`).join("");
};

const isLeftOut = (path) => WITHOUT.some((one) => path === one || path.startsWith(`${one}/`) || path.startsWith(`${one}?`));

/** The pages and files that this page leads to. */
const links = (page) => page.$$eval("a[href]", (all) => all
  .filter((one) => one.getAttribute("href").startsWith("/"))
  .map((one) => ({ href: one.getAttribute("href").split("#")[0], isFile: one.hasAttribute("download") })));

const menu = (page) => page.$$eval("nav#menu a", (all) => all.map((one) => one.getAttribute("href")));

/** Goes wherever the pages lead, and says what is wrong with each. */
async function walk(page, base, { quick }) {
  const most = quick ? 1 : MOST_OF_A_KIND;
  const seen = new Map();
  const waiting = [{ href: "/", isFile: false }];
  const met = new Set(["/"]);
  const wrong = [];
  while (waiting.length) {
    const { href, isFile } = waiting.shift();
    const answer = isFile ? await page.request.get(base + href) : await page.goto(base + href);
    if (answer.status() !== 200) wrong.push(`${href}: ${answer.status()}`);
    if (!isFile) {
      wrong.push(...(await judge(page, { quick })).map((words) => `${href}: ${words}`));
      for (const link of await links(page)) {
        const of = kind(link.href);
        const count = seen.get(of) ?? 0;
        if (met.has(link.href) || count >= most || isLeftOut(link.href)) continue;
        met.add(link.href);
        seen.set(of, count + 1);
        waiting.push(link);
      }
    }
  }
  return { wrong, count: met.size };
}

// Two at a time: one page is judged by one process of the browser.
describe("every page", { concurrency: 2 }, () => {
  let lab, browser, everything;

  before(async () => {
    lab = await Lab.start();
    await fill(lab);
    browser = await launch();
    const owner = await signedIn(browser, lab.console, lab.token);
    everything = (await menu(owner)).filter((path) => !isLeftOut(path));
    await owner.context().close();
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  for (const role of ROLES) {
    it(`is good for ${role} and leads nowhere that is refused`, async () => {
      const page = await signedIn(browser, lab.console, await lab.tokenOf(role));
      const { wrong, count } = await walk(page, lab.console, { quick: role !== ROLES[0] });
      assert.deepEqual(wrong, []);
      assert.ok(count >= 8, `only ${count} pages were found`);
      await page.context().close();
    });

    it(`that is not in the menu of ${role} is refused in words`, async () => {
      const page = await signedIn(browser, lab.console, await lab.tokenOf(role));
      const own = await menu(page);
      for (const path of everything.filter((one) => !own.includes(one))) {
        const answer = await page.goto(lab.console + path);
        assert.ok([403, 404].includes(answer.status()), `${path}: ${answer.status()}`);
        assert.deepEqual(await judge(page, { quick: true }), [], path);
      }
      await page.context().close();
    });
  }

  it("that nobody signed in for is the page to sign in", async () => {
    const page = await open(browser);
    for (const path of everything) {
      await page.goto(lab.console + path);
      assert.equal(new URL(page.url()).pathname, "/sign-in", path);
    }
    for (const path of ["/sign-in", "/forgotten", "/new-password", "/nothing-here"]) {
      await page.goto(lab.console + path);
      assert.deepEqual(await judge(page), [], path);
    }
    await page.context().close();
  });
});
