// A real server with its phones: `provost serve` in a folder of its own, a phone maker's authority made with OpenSSL,
// and phones that ask with curl. Nothing here knows how Provost is made.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const PROVOST = process.env.PROVOST_BINARY;
const START_DEADLINE_MS = 60_000;

/** What a phone of this model says it is. */
export const AGENTS = {
  vvx450: "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application",
  vvx500: "FileTransport PolycomVVX-VVX_500-UA/5.8.0.12848 Type/Application",
  spip550: "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application",
};

/** A phone maker: a root, an issuing authority, and one key for all its phones. */
class Maker {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const at = (name) => join(folder, name);
    const day = ["-days", "3650", "-sha256"];
    const authority = "basicConstraints=critical,CA:TRUE";
    const usage = "keyUsage=critical,keyCertSign,cRLSign";
    this.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("root.key"), "-out", at("root.crt"),
      "-subj", "/CN=Test Maker Root CA", "-addext", authority, "-addext", usage, ...day);
    this.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at("issuing.key"), "-out", at("issuing.csr"),
      "-subj", "/CN=Test Maker Equipment Issuing CA 1");
    writeFileSync(at("ca.ext"), `${authority}\n${usage}\n`);
    this.openssl("x509", "-req", "-in", at("issuing.csr"), "-CA", at("root.crt"), "-CAkey", at("root.key"),
      "-CAcreateserial", "-extfile", at("ca.ext"), "-out", at("issuing.crt"), ...day);
    this.openssl("genrsa", "-out", at("phone.key"), "2048");
    writeFileSync(at("leaf.ext"),
      "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth\n");
    writeFileSync(at("bundle.crt"), readFileSync(at("root.crt"), "utf8") + readFileSync(at("issuing.crt"), "utf8"));
    this.made = 0;
  }

  openssl(...words) {
    execFileSync("openssl", words, { cwd: this.folder, stdio: "pipe" });
  }

  get bundle() {
    return join(this.folder, "bundle.crt");
  }

  /** A pair whose subject is this; signed by the maker, or by itself. */
  pair(subject, { signed = true } = {}) {
    const name = `leaf-${++this.made}`;
    const at = (ending) => join(this.folder, name + ending);
    const days = ["-days", "3000", "-sha256"];
    const named = ["-utf8", "-subj", subject];
    if (!signed) {
      this.openssl("req", "-x509", "-new", "-key", "phone.key", ...named, "-out", at(".pem"), ...days);
    } else {
      this.openssl("req", "-new", "-key", "phone.key", ...named, "-out", at(".csr"));
      this.openssl("x509", "-req", "-in", at(".csr"), "-CA", "issuing.crt", "-CAkey", "issuing.key",
        "-CAcreateserial", "-extfile", "leaf.ext", "-out", at(".crt"), ...days);
      writeFileSync(at(".pem"), readFileSync(at(".crt"), "utf8") + readFileSync(join(this.folder, "issuing.crt"), "utf8"));
    }
    return { chain: at(".pem"), key: join(this.folder, "phone.key") };
  }

  /** A good factory certificate of this MAC. */
  phone(mac) {
    return this.pair(`/O=Test Maker/CN=${mac.toUpperCase()}`);
  }
}

/** A running server. */
export class Lab {
  /** Starts a server; `sections` are more lines of its configuration. */
  static async start(sections = "") {
    if (!PROVOST) throw new Error("PROVOST_BINARY names no program: run tests/browser.sh");
    const lab = new Lab();
    lab.folder = mkdtempSync(join(tmpdir(), "provost-browser."));
    lab.maker = new Maker(join(lab.folder, "maker"));
    const listen = ["phones-https", "phones-http", "console", "sntp", "sip"].map((name) => `${name} = "127.0.0.1:0"`);
    writeFileSync(join(lab.folder, "provost.toml"), `data-dir = "data"\n[listen]\n${listen.join("\n")}\n${sections}\n`);
    lab.provost("trust", "import", "--custom", lab.maker.bundle);
    const log = openSync(join(lab.folder, "log.txt"), "a");
    const ready = join(lab.folder, "ready.json");
    lab.child = spawn(PROVOST, ["serve", ...lab.configured(), "--ready-file", ready], { stdio: ["ignore", log, log] });
    const began = Date.now();
    while (!existsSync(ready)) {
      if (lab.child.exitCode !== null || Date.now() - began > START_DEADLINE_MS) {
        throw new Error(`the server did not start:\n${lab.log()}`);
      }
      await wait(10);
    }
    lab.ready = JSON.parse(readFileSync(ready, "utf8"));
    lab.console = lab.ready.console;
    lab.token = JSON.parse(lab.provost("token", "create", "--role", "owner", "--json")).token;
    return lab;
  }

  configured() {
    return ["--config", join(this.folder, "provost.toml")];
  }

  log() {
    return readFileSync(join(this.folder, "log.txt"), "utf8");
  }

  /** Runs a subcommand and returns what it printed. */
  provost(...words) {
    return execFileSync(PROVOST, [...words, ...this.configured()], { encoding: "utf8", stdio: "pipe" });
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A call of the API; with a token of one's own, or the owner's. */
  async ask(method, path, body, token = this.token) {
    const headers = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(`${this.console}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, text, json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null };
  }

  /** A call that must succeed. */
  async done(method, path, body) {
    const answer = await this.ask(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** A token for this role; `place` narrows it to an account or site. */
  async tokenOf(role, place = {}) {
    return (await this.done("POST", "/tokens", { role, ...place })).token;
  }

  /** A phone asks for a file; returns the status. `words` are more arguments of curl. */
  phone(pair, path, agent, ...words) {
    const url = `https://${this.ready.phones_https}${path}`;
    const proof = pair ? ["--cert", pair.chain, "--key", pair.key] : [];
    const all = ["--silent", "--show-error", "--insecure", "--path-as-is", "--user-agent", agent, ...proof, ...words];
    const printed = execFileSync("curl", [...all, "--output", "/dev/null", "--write-out", "%{http_code}", url],
      { encoding: "utf8", stdio: "pipe" });
    return Number(printed);
  }

  /** A phone starts: it asks for its master file and for what that names. */
  boot(mac, model, pair = this.maker.phone(mac)) {
    for (const file of [`/${mac}.cfg`, `/${mac}-provost.cfg`]) this.phone(pair, file, AGENTS[model] ?? model);
    return pair;
  }

  async account(name, more = {}) {
    return this.done("POST", "/accounts", { name, ...more });
  }

  async site(account, name) {
    return this.done("POST", "/sites", {
      account: account.id, name, "time-zone": "Europe/Vienna",
      "sip-servers": [{ host: "pbx.example.com", port: 5060, transport: "udp" }],
    });
  }

  async user(site, name, extension) {
    return this.done("POST", "/users", {
      site: site.id, name, extension, email: `user${extension}@example.com`,
      lines: [{ user: extension, password: `secret-${extension}` }],
    });
  }

  async device(account, model, more = {}) {
    return this.done("POST", "/devices", { account: account.id, model, ...more });
  }

  async code(device) {
    return (await this.done("POST", `/devices/${device.id}/codes`)).code;
  }

  async activate(mac, code) {
    return this.done("POST", `/phones/${mac}/activate`, { code });
  }
}

/** Something of every kind: what an administrator has after some weeks. */
export async function fill(lab) {
  const account = await lab.account("Example Company");
  const other = await lab.account("Quite Another Company");
  const site = await lab.site(account, "Vienna");
  const elsewhere = await lab.site(other, "Graz");
  const users = [];
  for (const [name, extension] of [["Ada Lovelace", "201"], ["Grace Hopper", "202"], ["Konrad Zuse", "203"], ["Hedy Lamarr", "204"]]) {
    users.push(await lab.user(site, name, extension));
  }
  await lab.user(elsewhere, "Somebody Else", "901");
  const [ada, grace, konrad] = users;
  const macs = ["0004f2a00001", "0004f2a00002", "0004f2a00003", "64167f000004"];
  const active = await lab.device(account, "vvx450", { user: ada.id, mac: macs[0] });
  const pair = lab.boot(macs[0], "vvx450");
  const upload = join(lab.folder, "app.log");
  writeFileSync(upload, "0101000000|so  |4|00|a line of a log\n");
  lab.phone(pair, `/${macs[0]}-app.log`, AGENTS.vvx450, "--upload-file", upload);
  const coded = await lab.device(account, "vvx450", { user: grace.id });
  await lab.code(coded);
  const added = await lab.device(account, "spip550");
  const barred = await lab.device(account, "vvx500", { user: konrad.id, mac: macs[1] });
  lab.boot(macs[1], "vvx500");
  await lab.done("POST", `/devices/${barred.id}/disable`);
  await lab.done("POST", "/firmware/policies", {
    account: account.id, target: "newest", "after-ring": "canary", window: "22:00-05:00", reason: "one goes first",
  });
  await lab.done("PUT", `/firmware/rings/${active.id}`, { ring: "canary" });
  // Nobody's, one that cannot prove itself, and one that shows nothing.
  lab.boot(macs[2], "spip550");
  lab.boot(macs[3], "vvx450", lab.maker.pair("/CN=64167F000004", { signed: false }));
  lab.phone(null, "/0004f2a0ffff.cfg", AGENTS.vvx500);
  return { account, other, site, elsewhere, users, active, coded, added, barred, macs, pair };
}
