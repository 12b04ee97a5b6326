// Whoever would do something in somebody else's name: forms from elsewhere, sessions planted beforehand, frames, addresses that
// lead away, forms that one's role has no button for, and guessing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { enter, launch, open, ROLES, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";

const COOKIE = "provost-session";

describe("the console under attack", () => {
  let lab, browser, found, elsewhere, foreign;

  before(async () => {
    lab = await Lab.start();
    found = await fill(lab);
    browser = await launch();
    // Another site: a page of its own choice at another port of this machine.
    foreign = "";
    elsewhere = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(foreign));
    await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    await browser?.close();
    elsewhere?.close();
    await lab?.stop();
  });

  const site = (host = "localhost") => `http://${host}:${elsewhere.address().port}/`;
  const disable = () => `/devices/${found.coded.id}/disable`;
  const state = async () => (await lab.done("GET", `/devices/${found.coded.id}`)).state;
  const csrfOf = (page) => page.$eval("input[name=csrf]", (one) => one.value);
  /** Posts a form as the page's browser would, following nothing. */
  const post = (page, path, form, headers = {}) => page.request.post(lab.console + path, { form, headers, maxRedirects: 0 });

  it("changes nothing for a form without its token, with another session's, or with half of it", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    const other = await signedIn(browser, lab.console, lab.token);
    const own = await csrfOf(page);
    const was = await state();
    for (const csrf of [undefined, "", "0".repeat(64), own.slice(0, 32), `${own}0`, await csrfOf(other)]) {
      const answer = await post(page, disable(), csrf === undefined ? {} : { csrf });
      assert.equal(answer.status(), 403, String(csrf));
    }
    assert.equal(await state(), was);
    for (const one of [page, other]) await one.context().close();
  });

  it("changes nothing for a form that another site sends, with the browser's cookies or with a token it guessed", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    const was = await state();
    foreign = `<form method="post" action="${lab.console}${disable()}"><input name="csrf" value="${"0".repeat(64)}"></form><script>document.forms[0].submit()</script>`;
    for (const host of ["localhost", "127.0.0.1"]) {
      const sent = page.waitForResponse((answer) => answer.url().includes("/disable"));
      await page.goto(site(host));
      const status = (await sent).status();
      // From another host no cookie comes along, so it is somebody unknown; from this one the token is wrong.
      assert.ok([303, 403].includes(status), `${host}: ${status}`);
    }
    assert.equal(await state(), was);
    await page.context().close();
  });

  it("takes no sign-in that another site sends", async () => {
    const page = await open(browser);
    foreign = `<form method="post" action="${lab.console}/sign-in"><input name="token" value="${lab.token}"></form><script>document.forms[0].submit()</script>`;
    const sent = page.waitForResponse((answer) => answer.url().endsWith("/sign-in"));
    await page.goto(site());
    assert.equal((await sent).status(), 403);
    await page.goto(`${lab.console}/`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await page.context().close();
  });

  it("gives a session of its own at sign-in, whatever was planted before, and ends it at sign-out", async () => {
    const page = await open(browser);
    const planted = "ab".repeat(32);
    await page.context().addCookies([{ name: COOKIE, value: planted, url: lab.console }]);
    await enter(page, lab.console, lab.token);
    const cookies = await page.context().cookies();
    const own = cookies.filter((one) => one.name === COOKIE);
    assert.equal(own.length, 1);
    assert.notEqual(own[0].value, planted);
    assert.ok(own[0].httpOnly && own[0].sameSite === "Strict", JSON.stringify({ ...own[0], value: "" }));
    await page.locator("form.sign-out button").click();
    await page.waitForURL(`${lab.console}/sign-in`);
    await page.context().addCookies([{ name: COOKIE, value: own[0].value, url: lab.console }]);
    await page.goto(`${lab.console}/devices`);
    assert.equal(new URL(page.url()).pathname, "/sign-in", "the ended session opens nothing");
    await page.context().close();
  });

  it("is shown in no frame of another site, nor in one of its own", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    for (const path of ["/", "/devices", "/sign-in"]) {
      foreign = `<iframe src="${lab.console}${path}"></iframe>`;
      await page.goto(site("127.0.0.1"));
      const [frame] = page.frames().slice(1);
      assert.ok(!frame || !(await frame.content()).includes("wordmark"), path);
      const answer = await page.request.get(lab.console + path);
      assert.match(answer.headers()["content-security-policy"], /frame-ancestors 'none'/);
    }
    await page.context().close();
  });

  it("leads nobody to another site, whatever the address or a form says", async () => {
    const page = await signedIn(browser, lab.console, lab.token);
    const csrf = await csrfOf(page);
    for (const to of ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "%0d%0aLocation: https://evil.example"]) {
      const tries = [
        await page.request.get(`${lab.console}/sign-in?next=${encodeURIComponent(to)}&back=${encodeURIComponent(to)}`, { maxRedirects: 0 }),
        await page.request.get(`${lab.console}/${to}`, { maxRedirects: 0 }),
        await post(page, `/devices/${found.added.id}/disable`, { csrf, back: to, next: to }),
        await post(page, `/devices/${found.added.id}/enable`, { csrf, back: to, next: to }),
        await post(page, "/phones/activate", { csrf, back: to, mac: to, code: "1" }),
      ];
      for (const answer of tries) {
        const location = answer.headers().location ?? "/";
        assert.equal(new URL(location, lab.console).origin, new URL(lab.console).origin, `${to} led to ${location}`);
      }
    }
    await page.context().close();
  });

  it("refuses a crafted form of whoever has no button for it, and what is not theirs is not there", async () => {
    const was = await state();
    const forms = [
      [disable(), {}],
      [`/devices/${found.coded.id}/code`, {}],
      ["/devices", { model: "vvx450", account: found.account.id }],
      ["/administrators", { email: "evil@example.com", name: "Evil", role: "owner" }],
      ["/settings/tokens", { role: "owner", name: "evil" }],
      ["/settings/restore", {}],
    ];
    for (const role of ROLES.slice(2)) {
      const page = await signedIn(browser, lab.console, await lab.tokenOf(role));
      const csrf = await csrfOf(page);
      for (const [path, fields] of forms) {
        const answer = await post(page, path, { ...fields, csrf });
        assert.ok([403, 404].includes(answer.status()), `${role} ${path}: ${answer.status()}`);
      }
      await page.context().close();
    }
    const stranger = await signedIn(browser, lab.console, await lab.tokenOf("administrator", { account: found.other.id }));
    const csrf = await csrfOf(stranger);
    for (const path of [disable(), `/devices/${found.coded.id}/code`]) {
      const answer = await post(stranger, path, { csrf });
      assert.equal(answer.status(), 404, path);
    }
    assert.equal((await stranger.goto(`${lab.console}/phones/${found.macs[0]}`)).status(), 404);
    await stranger.goto(`${lab.console}/devices`);
    assert.ok(!(await stranger.content()).includes("Lovelace"));
    await stranger.context().close();
    assert.equal(await state(), was);
  });

  it("lets an administrator make nobody more than he is", async () => {
    const page = await signedIn(browser, lab.console, await lab.tokenOf("administrator"));
    const csrf = await csrfOf(page);
    const answer = await post(page, "/administrators", { csrf, email: "more@example.com", name: "More", role: "owner", place: "" });
    assert.equal(answer.status(), 422);
    assert.ok(!(await lab.ask("GET", "/administrators")).text.includes("more@example.com"));
    await page.context().close();
  });

  it("looks at no code any more of an installer who guessed", async () => {
    const code = await lab.code(found.coded);
    const page = await signedIn(browser, lab.console, await lab.tokenOf("installer"));
    const csrf = await csrfOf(page);
    // One in ten has a right check digit; the others are no codes at all and count for nothing.
    for (let tries = 0; tries < 150; tries += 1) {
      const guess = String(Math.floor(Math.random() * 1e13)).padStart(13, "0");
      await post(page, "/phones/activate", { csrf, mac: found.macs[2], code: guess });
    }
    await post(page, "/phones/activate", { csrf, mac: found.macs[2], code: code.replaceAll(" ", "") });
    const phone = await lab.done("GET", `/phones/${found.macs[2]}`);
    assert.ok(!phone.device, "the right code after so many wrong ones opened something");
    await page.context().close();
  });

  it("slows down whoever guesses tokens or passwords", async () => {
    const page = await open(browser);
    const guesses = async (fields) => {
      for (let tries = 1; tries <= 40; tries += 1) {
        const answer = await post(page, "/sign-in", fields(tries));
        if (answer.status() === 429) return tries;
      }
      return null;
    };
    const tokens = await guesses((n) => ({ token: `pvt_${String(n).padStart(48, "0")}` }));
    assert.ok(tokens !== null && tokens <= 25, `tokens: ${tokens}`);
    const passwords = await guesses((n) => ({ email: "nobody@example.com", password: `guess number ${n}` }));
    assert.ok(passwords !== null && passwords <= 25, `passwords: ${passwords}`);
    await page.context().close();
  });
});
