// What others write - people, phones, strangers, certificates, files - is shown as it is and never becomes a part of a page.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { launch, signedIn } from "./lib/browser.mjs";
import { AGENTS, Lab } from "./lib/lab.mjs";

/** Each says where it got in, should it run. Markup, an attribute's end, a right-to-left override. */
const hostile = (where) => `"'><script>window.hacked='${where}'</script><img src=x onerror=hacked=1>\u202e`;
const short = (where) => `<b onclick=1>${where}"'&`;
const MAC = "0004f2a0beef";

describe("hostile text", () => {
  let lab, browser, page, ids;

  /** Opens a page and is sure that nothing of what others wrote has become a part of it. */
  const look = async (path) => {
    const answer = await page.goto(path.startsWith("http") ? path : lab.console + path);
    assert.ok(answer.status() < 500, `${path}: ${answer.status()}`);
    await page.waitForTimeout(30);
    const found = await page.evaluate(() => ({
      hacked: globalThis.hacked ?? null,
      strange: [...document.querySelectorAll("script:not([src^='/assets/']), img:not([src^='/']), b[onclick], iframe, [onerror]")].map((one) => one.outerHTML.slice(0, 200)),
    }));
    assert.deepEqual({ path, ...found }, { path, hacked: null, strange: [] });
    assert.deepEqual(page.troubles.splice(0), [], path);
    return (await page.locator("main").textContent());
  };

  before(async () => {
    lab = await Lab.start();
    const account = await lab.account(hostile("account"));
    const site = await lab.site(account, hostile("site"));
    const user = await lab.user(site, hostile("user"), "201");
    const device = await lab.device(account, "vvx450", { user: user.id, mac: MAC });
    ids = { account, site, user, device };
    const pair = lab.boot(MAC, "vvx450");
    const upload = join(lab.folder, "hostile.log");
    writeFileSync(upload, `0101000000|so  |4|00|${hostile("log")}\n`);
    for (const ending of ["app.log", "boot.log", "phone.cfg", "directory.xml"]) {
      lab.phone(pair, `/${MAC}-${ending}`, AGENTS.vvx450, "--upload-file", upload);
    }
    // Headers and addresses of phones and of strangers.
    lab.phone(pair, `/${MAC}.cfg`, hostile("proven agent"));
    lab.phone(null, `/${MAC}-${encodeURIComponent(hostile("path"))}.cfg`, hostile("agent"), "--header", `Host: ${short("host")}`);
    lab.phone(null, "/0004f2a0dead.cfg", `FileTransport PolycomVVX-${hostile("model")}-UA/6.4.7.4560 Type/Application`);
    // Certificates: signed by the maker for another name, and self-signed.
    for (const subject of [`/O=${short("maker").replaceAll("/", "")}/CN=${short("name").replaceAll("/", "")}`, "/CN=<script>window.hacked=1<\\/script>"]) {
      lab.phone(lab.maker.pair(subject), "/0004f2a0cafe.cfg", AGENTS.vvx450);
      lab.phone(lab.maker.pair(subject, { signed: false }), "/0004f2a0cafe.cfg", AGENTS.vvx450);
    }
    // A phone that says who it is over SIP.
    await sip(lab.ready.sip, MAC);
    await lab.done("POST", "/administrators", { email: "x@example.com", name: hostile("administrator"), role: "read-only" });
    await lab.ask("POST", "/tokens", { role: "read-only", name: short("token") });
    await lab.ask("PUT", "/mail/templates/welcome/en", { subject: hostile("subject"), body: hostile("body") });
    await lab.ask("PUT", `/accounts/${account.id}/mail-templates/welcome/en`, { subject: hostile("subject"), body: hostile("body") });
    browser = await launch();
    page = await signedIn(browser, lab.console, lab.token);
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it("of people, phones, strangers, certificates and files runs on no page", async () => {
    const paths = await page.$$eval("nav#menu a", (all) => all.map((one) => one.getAttribute("href")));
    const met = new Set(paths);
    // And where these lead: phones, devices, users, sites, administrators.
    for (const path of [...paths, `/phones/${MAC}`, "/phones/0004f2a0cafe", "/phones/0004f2a0dead"]) {
      met.add(path);
      await look(path);
      const links = await page.$$eval("main a[href^='/']", (all) => all.filter((one) => !one.hasAttribute("download")).map((one) => one.getAttribute("href").split("#")[0]));
      links.slice(0, 30).forEach((one) => met.add(one));
    }
    for (const path of met) await look(path);
  });

  it("is shown as it was written", async () => {
    assert.ok((await look(`/phones/${MAC}`)).includes("<script>window.hacked='user'</script>"));
    assert.ok((await look("/devices")).includes("<script>window.hacked='user'</script>"));
    // What strangers say came here too: were it cut off on its way, nothing would have been tried.
    const strangers = await look("/strangers");
    assert.ok(strangers.includes("<script>window.hacked='path'</script>"), strangers);
    assert.ok(strangers.includes("<b onclick=1>name"), strangers);
  });

  it("typed into the search box, a filter or an address runs nowhere", async () => {
    const typed = encodeURIComponent(hostile("typed"));
    for (const path of ["/search?q=", "/models?q=", "/point?model=", "/doctor?says=", "/doctor?says=busy&phone=", "/audit?after=",
      "/devices?search=", "/devices?q=", "/users?q=", "/sites?q=", "/alarms?after=", "/phones/", "/devices/", "/models/", "/new-password/", "/"]) {
      await look(path + typed);
    }
    await page.goto(`${lab.console}/`);
    await page.fill("input#search", hostile("search").slice(0, 100));
    await page.press("input#search", "Enter");
    await page.waitForLoadState();
    assert.equal(await page.evaluate(() => globalThis.hacked ?? null), null);
    assert.deepEqual(page.troubles.splice(0), []);
  });

  it("in the cells of an import runs nowhere, and no spreadsheet computes what goes out", async () => {
    const cells = [hostile("cell"), "=HYPERLINK(1)"].map((text) => `"${text.replaceAll('"', '""')}"`).join(",");
    await fetch(`${lab.console}/api/v1/imports`, {
      method: "POST",
      headers: { authorization: `Bearer ${lab.token}`, "content-type": "text/csv" },
      body: `site,user,extension,model\n${cells},202,vvx450\n`,
    });
    await look("/import");
    const report = await lab.ask("GET", "/reports/devices?format=csv");
    assert.ok(!/(^|,)"?[=+@-]/m.test(report.text.split("\n").slice(1).join("\n")), report.text);
  });

  /** REGISTER and INVITE with markup in every header that a phone fills. */
  function sip(address, mac) {
    const [host, port] = address.split(":");
    const socket = createSocket("udp4");
    const words = (method) => [
      `${method} sip:${host} SIP/2.0`, "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1", `From: "${short("from")}" <sip:${mac}@${host}>;tag=1`,
      `To: <sip:${mac}@${host}>`, `Call-ID: ${method}@hostile`, `CSeq: 1 ${method}`, `User-Agent: ${short("sip agent")}`,
      "Contact: <sip:x@127.0.0.1:9>", "Max-Forwards: 70", "Content-Length: 0", "", "",
    ].join("\r\n");
    return new Promise((resolve) => {
      for (const method of ["REGISTER", "INVITE"]) socket.send(words(method), Number(port), host);
      setTimeout(() => { socket.close(); resolve(); }, 200);
    });
  }
});
