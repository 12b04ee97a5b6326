// A mail server that takes everything and keeps it.
import { createServer } from "node:net";

export class Mailbox {
  static async open() {
    const box = new Mailbox();
    box.mails = [];
    box.server = createServer((socket) => box.#serve(socket));
    await new Promise((resolve) => box.server.listen(0, "127.0.0.1", resolve));
    box.url = `smtp://127.0.0.1:${box.server.address().port}`;
    return box;
  }

  close() {
    this.server.close();
  }

  /** The next mail to this address that is none of `seen`, within ten seconds. */
  async next(address, seen = 0) {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = this.mails.filter((mail) => mail.to.includes(address));
      if (found.length > seen) return found[seen];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no mail came for ${address}`);
  }

  #serve(socket) {
    let rest = "";
    let to = [];
    let data = null;
    const say = (words) => socket.write(`${words}\r\n`);
    socket.on("error", () => {});
    socket.setEncoding("utf8");
    say("220 mailbox.test ESMTP");
    socket.on("data", (piece) => {
      rest += piece;
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== null) {
          if (line !== ".") { data.push(line.startsWith(".") ? line.slice(1) : line); continue; }
          this.mails.push({ to, text: decoded(data.join("\r\n")) });
          [to, data] = [[], null];
          say("250 kept");
        } else if (/^EHLO/i.test(line)) say("250-mailbox.test\r\n250-8BITMIME\r\n250 SMTPUTF8");
        else if (/^RCPT TO:/i.test(line)) { to.push(line.replace(/^.*<|>.*$/g, "")); say("250 yes"); }
        else if (/^DATA/i.test(line)) { data = []; say("354 go on"); }
        else if (/^QUIT/i.test(line)) { say("221 bye"); socket.end(); }
        else say("250 yes");
      }
    });
  }
}

/** The mail with its quoted-printable and base64 parts as people read them. */
function decoded(mail) {
  const soft = mail.replace(/=\r\n/g, "");
  const words = soft.replace(/((?:=[0-9A-F]{2})+)/g, (bytes) => Buffer.from(bytes.replaceAll("=", ""), "hex").toString("utf8"));
  return words.replace(/\r\n\r\n([A-Za-z0-9+/\r\n]{60,}={0,2})\r\n/g, (_, body) => `\r\n\r\n${Buffer.from(body, "base64").toString("utf8")}\r\n`);
}
