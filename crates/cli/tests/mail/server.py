"""A mail server for tests: aiosmtpd (RFC 5321, not ours), told by a file how to behave.

What it takes is appended to FOLDER/received, a line of JSON each, before it answers. FOLDER/mode holds one of:
accept, refuse, grey (451 at first, taken two seconds later), die-in-data (ends in the middle of the content),
die-after-data (keeps the mail, then ends without an answer), hold-before-data, hold-after-data (answers nothing more),
refuse-sender (says no to whom the mails are from), refuse-sender-late (says it when it hears for whom they are),
slow (a short pause before each answer).
"""

import argparse
import asyncio
import json
import os
import ssl
import time

from aiosmtpd.smtp import SMTP, AuthResult, syntax

parser = argparse.ArgumentParser()
parser.add_argument("--folder", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--chain")
parser.add_argument("--key")
parser.add_argument("--user")
parser.add_argument("--password")
options = parser.parse_args()
first_seen = {}


def mode():
    with open(os.path.join(options.folder, "mode")) as file:
        return file.read().strip()


def note(name, entry):
    with open(os.path.join(options.folder, name), "a") as file:
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if mode() == "refuse-sender":
            note("asked", address)
            return "550 5.7.1 you may not send as this"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        note("asked", address)
        if mode() == "slow":
            await asyncio.sleep(0.02)
        if mode() == "refuse":
            return "550 5.1.1 nobody of that name here"
        if mode() == "refuse-sender-late":
            return "553 5.7.1 <phones@example.com>: Sender address rejected: not owned by user"
        if mode() == "grey":
            since = first_seen.setdefault(address, time.monotonic())
            if time.monotonic() - since < 2:
                return "451 4.7.1 come back in a moment"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if mode() == "slow":
            await asyncio.sleep(0.02)
        content = envelope.content.decode("utf-8", "replace")
        note("received", {"to": envelope.rcpt_tos, "from": envelope.mail_from, "content": content,
                          "tls": session.ssl is not None, "who": str(session.auth_data)})
        if mode() == "die-after-data":
            os._exit(1)
        if mode() == "hold-after-data":
            await asyncio.sleep(3600)
        if mode() == "slow":
            await asyncio.sleep(0.02)
        return "250 2.0.0 taken"


class Server(SMTP):
    @syntax("DATA")
    async def smtp_DATA(self, arg):
        if mode() == "die-in-data":
            await self.push("354 go on")
            await self._reader.read(100)
            os._exit(1)
        if mode() == "hold-before-data":
            note("held", True)
            await asyncio.sleep(3600)
        return await super().smtp_DATA(arg)


def knows(server, session, envelope, mechanism, data):
    good = (data.login.decode(), data.password.decode()) == (options.user, options.password)
    return AuthResult(success=good, auth_data=data.login.decode())


async def main():
    context = None
    if options.chain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.chain, options.key)
    extra = {"authenticator": knows, "auth_required": True} if options.user else {}
    factory = lambda: Server(Handler(), hostname="mail.example.com", tls_context=context,
                             require_starttls=context is not None, **extra)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", options.port)
    async with server:
        await server.serve_forever()


asyncio.run(main())
