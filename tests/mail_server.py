"""An SMTP server on loopback, which answers as it is told to: takes, refuses, hangs, drops."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

HANG, DROP = "hang", "drop"


@dataclass
class Mailbox:
    """``taken``: recipient and bytes of each mail that was taken. ``answers``: by stage, what to do
    next instead of taking: a status, HANG or DROP; one after the other. ``said``: every line of the
    clients, outside DATA, with whether it came over TLS.
    """

    port: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, list[int | str]] = field(default_factory=dict)
    said: list[tuple[str, bool]] = field(default_factory=list)
    login: tuple[str, str] | None = None
    offers_tls: bool = True

    def letters(self) -> list[EmailMessage]:
        """The mails that were taken, as receivers read them."""
        read = [message_from_bytes(raw, policy=policy.default) for _, raw in self.taken]
        assert all(isinstance(one, EmailMessage) for one in read)
        return read

    def next(self, stage: str, usual: int) -> int | str:
        some = self.answers.get(stage)
        return some.pop(0) if some else usual


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> Iterator[Mailbox]:
    """Serve until the block ends. ``tls``: STARTTLS is offered; ``at_once``: TLS from the start."""
    box = Mailbox()
    loop = asyncio.new_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(_Dropped, OSError, asyncio.CancelledError):
                await _Talk(box, reader, writer, tls, secret=at_once).run()
        finally:
            tasks.discard(task)
            writer.close()

    server = loop.run_until_complete(
        asyncio.start_server(met, "127.0.0.1", 0, ssl=tls if at_once else None)
    )
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        some = list(tasks)
        for task in some:
            task.cancel()
        await asyncio.gather(*some, return_exceptions=True)

    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class _Dropped(Exception):
    pass


class _Talk:
    def __init__(
        self,
        box: Mailbox,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tls: ssl.SSLContext | None,
        *,
        secret: bool,
    ) -> None:
        self.box, self.reader, self.writer, self.tls = box, reader, writer, tls
        self.secret = secret
        self.recipient = ""

    async def run(self) -> None:
        await self.reply("greeting", 220)
        while line := await self.reader.readline():
            text = line.decode().strip()
            self.box.said.append((text, self.secret))
            word = text.split(" ")[0].upper()
            if word == "QUIT":
                return
            await self.do(word, text)

    async def do(self, word: str, text: str) -> None:
        if word in {"EHLO", "HELO"}:
            can_hide = self.tls and self.box.offers_tls and not self.secret
            more = ["here", *(["STARTTLS"] if can_hide else []), "AUTH PLAIN"]
            self.send("".join(f"250-{one}\r\n" for one in more) + "250 OK")
        elif word == "STARTTLS":
            self.send("220 go on")
            await self.writer.drain()
            await self.writer.start_tls(self.tls)  # type: ignore[arg-type]
            self.secret = True
        elif word == "AUTH":
            _, user, password = base64.b64decode(text.split(" ")[2]).decode().split("\0")
            await self.reply("auth", 235 if self.box.login == (user, password) else 535)
        elif word == "MAIL":
            await self.reply("mail", 250)
        elif word == "RCPT":
            self.recipient = text.partition("<")[2].partition(">")[0]
            await self.reply("rcpt", 250)
        elif word == "DATA":
            step = self.box.next("data", 354)
            await self.do_step(step)
            if step == 354:
                await self.body()
        else:
            self.send("250 OK")

    async def body(self) -> None:
        if self.box.answers.get("mid") == [DROP]:
            self.box.answers.pop("mid")
            await self.reader.readline()
            raise _Dropped
        lines = []
        while (line := await self.reader.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        step = self.box.next("end", 250)
        if step in {250, "taken, then drop"}:
            self.box.taken.append((self.recipient, b"".join(lines)))
        await self.do_step("taken, then drop" if step == "taken, then drop" else step)

    async def reply(self, stage: str, usual: int) -> None:
        await self.do_step(self.box.next(stage, usual))

    async def do_step(self, step: int | str) -> None:
        if step == HANG:
            await asyncio.Event().wait()
        if isinstance(step, str):
            raise _Dropped
        self.send(f"{step} so be it")

    def send(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())
