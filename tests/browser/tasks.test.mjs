// What administrators come for, done by hand as the articles of seeds/000 and seeds/002 tell it: as whoever may, and
// refused in words to whoever may not.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, signedIn } from "./lib/browser.mjs";
import { fill, Lab } from "./lib/lab.mjs";
import { Mailbox } from "./lib/mailbox.mjs";

const CODE = /\b\d{4} \d{4} \d{5}\b/;
const WHO_MAY = ["owner", "administrator"];
const WHO_MAY_NOT = ["support", "installer", "read-only"];

describe("the tasks of an administrator", () => {
  let lab, browser, found, mailbox;
  let extension = 500;

  before(async () => {
    mailbox = await Mailbox.open();
    lab = await Lab.start(`[mail]\nsmtp-url = "${mailbox.url}"\nfrom = "Phones <phones@example.com>"\n[console]\npublic-url = "https://console.example.com"`);
    found = await fill(lab);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
    mailbox?.close();
  });

  const as = async (role) => signedIn(browser, lab.console, await lab.tokenOf(role));
  const somebody = async (name) => lab.user(found.site, name, String(extension += 1));
  const main = (page) => page.locator("main").innerText();
  const end = async (page) => {
    assert.deepEqual(page.troubles.splice(0), []);
    await page.context().close();
  };
  /** Presses what is called so within the page, a link or a button. */
  const press = (page, name) => page.locator("main").getByRole("button", { name }).or(page.locator("main").getByRole("link", { name })).first().click();
  /** Opens the device of this user from the device report. */
  const device = async (page, person) => {
    await page.goto(`${lab.console}/devices`);
    await page.getByLabel("MAC, extension or name begins with").fill(person.extension);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.locator("table a[href^='/devices/device_']").first().click();
  };

  for (const role of WHO_MAY) {
    it(`${role}: Add Device Model for a user, find its activation code, and see it used`, async () => {
      const person = await somebody("Mary Jackson");
      const page = await as(role);
      await page.getByRole("link", { name: "Devices", exact: true }).click();
      await press(page, "Add Device Model");
      await press(page, "Add a VVX 450");
      await page.getByLabel("Name or extension begins with").fill("Mary");
      await page.getByRole("button", { name: "Find users" }).click();
      await page.getByRole("radio", { name: new RegExp(`ext. ${person.extension}`) }).check();
      await page.getByRole("button", { name: "Add device" }).click();
      await device(page, person);
      const issue = page.getByRole("button", { name: "Issue code" });
      if (await issue.count()) await issue.click();
      const [code] = (await main(page)).match(CODE) ?? [];
      assert.ok(code, await main(page));

      const mac = role === "owner" ? "0004f2a10001" : "0004f2a10002";
      const pair = lab.boot(mac, "vvx450");
      await page.goto(`${lab.console}/`);
      await page.getByLabel("MAC address of the phone").fill(mac);
      await page.getByLabel("Activation code", { exact: true }).fill(code);
      await page.getByRole("button", { name: "Activate the phone" }).click();
      lab.boot(mac, "vvx450", pair);
      await device(page, person);
      assert.match(await main(page), /activated/i);
      assert.doesNotMatch(await main(page), CODE);
      await end(page);
    });

    it(`${role}: View Device Report has the columns that are looked for, and its CSV no secret`, async () => {
      const page = await as(role);
      await page.goto(`${lab.console}/devices`);
      const heads = (await page.locator("thead th").allInnerTexts()).map((head) => head.trim().toLowerCase());
      for (const column of ["Device", "MAC Address", "Device Admin Password", "Extension Number", "Status", "Activation Code", "Site", "User"]) {
        assert.ok(heads.includes(column.toLowerCase()), `${column} in ${heads}`);
      }
      const href = await page.getByRole("link", { name: "CSV", exact: true }).getAttribute("href");
      const file = await page.request.get(new URL(href, page.url()).href);
      assert.equal(file.status(), 200);
      assert.match(await file.text(), /Ada Lovelace/);
      assert.doesNotMatch(await file.text(), CODE);
      await end(page);
    });

    it(`${role}: find the admin password of a phone, with a reason that the audit log keeps`, async () => {
      const page = await as(role);
      await device(page, found.users[0]);
      await press(page, "Show");
      await page.getByLabel("Reason").fill(`locked out, says ${role}`);
      await page.getByRole("button", { name: "Show them" }).click();
      assert.match(await page.locator(".code").first().innerText(), /^\d{8}$/);
      await page.goto(`${lab.console}/audit`);
      assert.ok((await main(page)).includes(`locked out, says ${role}`));
      await end(page);
    });

    it(`${role}: send the welcome mail to one user and again, with the code and the steps of the model`, async () => {
      const person = await somebody("Dorothy Vaughan");
      await lab.device(found.account, "vvx450", { user: person.id });
      const page = await as(role);
      await page.goto(`${lab.console}/users/${person.id}`);
      await page.getByRole("button", { name: "Send Welcome Email" }).click();
      const mail = await mailbox.next(person.email);
      assert.match(mail.text, CODE);
      assert.ok(mail.text.includes(person.extension) && mail.text.includes("VVX 450"), mail.text);
      await page.goto(`${lab.console}/users/${person.id}`);
      await page.getByRole("button", { name: /Send Welcome Email again|Send it again/ }).click();
      assert.match((await mailbox.next(person.email, 1)).text, CODE);
      await end(page);
    });

    it(`${role}: send the welcome mail to many`, async () => {
      const people = [await somebody("Katherine Johnson"), await somebody("Katherine Goble")];
      for (const person of people) await lab.device(found.account, "vvx450", { user: person.id });
      const page = await as(role);
      await page.goto(`${lab.console}/users?q=Katherine`);
      for (const person of people) await page.getByRole("checkbox", { name: new RegExp(`, ${person.extension}$`) }).check();
      await page.getByRole("button", { name: "Send Welcome Email" }).click();
      for (const person of people) assert.match((await mailbox.next(person.email)).text, CODE);
      await end(page);
    });

    it(`${role}: assign a device from stock, swap its phone, release and restore it`, async () => {
      const person = await somebody("Annie Easley");
      const stock = await lab.device(found.account, "vvx450");
      const page = await as(role);
      await page.goto(`${lab.console}/devices/${stock.id}`);
      await press(page, "Choose a user");
      await page.getByLabel("Name or extension begins with").fill(person.extension);
      await page.getByRole("button", { name: "Find", exact: true }).click();
      await page.getByRole("radio").first().check();
      await page.getByRole("button", { name: "Assign it" }).click();
      const state = async () => (await lab.done("GET", `/devices/${stock.id}`)).state;
      assert.equal(await state(), "assigned");

      const [first, second] = role === "owner" ? ["0004f2a20001", "0004f2a20002"] : ["0004f2a20003", "0004f2a20004"];
      lab.boot(first, "vvx450");
      await lab.activate(first, await lab.code(stock));
      await page.goto(`${lab.console}/devices/${stock.id}`);
      await page.getByText("Swap a dead phone").click();
      await page.getByLabel(/MAC address of the new phone/).fill(second);
      await page.getByRole("button", { name: "Swap the phone" }).click();
      lab.boot(second, "vvx450");
      assert.equal((await lab.done("GET", `/devices/${stock.id}`)).mac, second);

      await page.goto(`${lab.console}/devices/${stock.id}`);
      await page.getByText("Release", { exact: true }).click();
      await page.getByRole("button", { name: "Release it" }).click();
      assert.equal(await state(), "released");
      await page.goto(`${lab.console}/devices/${stock.id}`);
      await page.getByRole("button", { name: "Restore it" }).click();
      assert.notEqual(await state(), "released");
      await end(page);
    });
  }

  for (const role of [...WHO_MAY, ...WHO_MAY_NOT]) {
    it(`${role}: point a phone here, with the keys of its model`, async () => {
      const page = await as(role);
      await page.getByRole("link", { name: "Point a phone here" }).click();
      await page.getByLabel("Model").selectOption({ label: "VVX 450" });
      await page.getByRole("button", { name: "Show its steps" }).click();
      const words = await main(page);
      for (const told of ["Server Type", "HTTPS", "Server Address", lab.ready.phones_https, "SNTP", "Boot Server", "option 160", "option 161", "option 66", "1 3 5", "Provisioning Server"]) {
        assert.ok(words.includes(told), told);
      }
      const paper = await page.pdf({ format: "A4" });
      const sheets = paper.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
      assert.equal(sheets, 1, "it fits on one sheet");
      await end(page);
    });

    it(`${role}: the box finds a phone, a person and what nobody is called`, async () => {
      const page = await as(role);
      for (const [typed, shown] of [[found.macs[0], /Ada Lovelace|201/], ["grace", /Grace Hopper/], ["zebra", /Nothing is called so/]]) {
        await page.fill("input#search", typed);
        await page.press("input#search", "Enter");
        await page.waitForLoadState();
        assert.match(await main(page), shown);
        assert.ok(!page.url().includes("zebra") && !page.url().includes("grace"), page.url());
      }
      await end(page);
    });
  }

  for (const role of WHO_MAY_NOT) {
    it(`${role}: has no button for what is not theirs, sees no code, and is refused in words`, async () => {
      const page = await as(role);
      for (const path of ["/devices", `/devices/${found.coded.id}`, `/devices/${found.active.id}`, "/users", `/users/${found.users[0].id}`]) {
        await page.goto(lab.console + path);
        assert.doesNotMatch(await main(page), CODE, path);
        const names = await page.locator("main").locator("button, a.button").allInnerTexts();
        const wrong = names.filter((name) => /^(Add Device Model|Issue code|New code|Send Welcome|Release$|Disable|Quarantine|Remove|Save)/.test(name));
        assert.deepEqual(wrong, [], path);
      }
      for (const path of [`/devices/${found.active.id}/passwords`, "/devices/add", "/users/add"]) {
        const answer = await page.goto(lab.console + path);
        assert.ok([403, 404].includes(answer.status()), `${path}: ${answer.status()}`);
        assert.match(await page.locator("body").innerText(), /may|nothing here/i, path);
      }
      await end(page);
    });
  }
});
