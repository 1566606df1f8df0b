"""An edge door on loopback for tests: the real protocol, journal and index, a clock that stands."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import uvloop

from handbill.core.listing_tokens import Listing, listing_token
from handbill.core.received import Received, decode
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.http1.connection import Connection
from handbill.http1.server import Server, ServerLimits
from handbill.kit.instants import instant_of_iso
from handbill.store.index import EdgeIndex
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_turns import TurnWriter
from handbill.tracking.addresses import Proxies
from handbill.tracking.edge import Edge

NOW = instant_of_iso("2026-11-23T14:00:00+00:00")
KEY = b"k" * 32
JOB = b"j" * 16
URL = b"https://careers.example.test/jobs/1?source=feed"
LISTING = Listing(
    client_no=7,
    campaign_no=11,
    group_no=13,
    publisher_no=17,
    job_id=JOB,
    bid_type="CPC",
    bid_micros=500_000,
    price_micros=400_000,
)
TOKEN = listing_token(LISTING, 1, KEY)
PIXEL = "pixel0123456789"
CLIENT_ID = "7b6a1b1e-0c1d-4c56-9a55-5f0c3e7c9b11"
FAR = 3600.0  # seconds that no test lives to see

_Result = TypeVar("_Result")


class Said(NamedTuple):
    """An answer: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def click_id(self) -> str:
        return self.location.rpartition("jClickId=")[2]


class Client:
    """One raw connection to the door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def said(self, *, has_body: bool = True) -> Said:
        """The next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in headers, f"{name} is said twice"
            headers[name.lower()] = value
        status = int(first.split(" ")[1])
        length = int(headers.get("content-length", "0")) if has_body and status != 304 else 0
        return Said(status, headers, await self.reader.readexactly(length))

    async def ended(self) -> bytes:
        """Whatever else comes until the door closes."""
        return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class Door:
    """``async with Door(folder) as door``; ``broken`` counts how often the journal broke."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: ServerLimits | None = None,
        trusted: tuple[str, ...] = (),
        sync: Callable[[int], None] = os.fdatasync,
        writer: type[JournalWriter] = TurnWriter,
    ) -> None:
        self.folder = folder
        self.clock = SetClock(NOW)
        self.broken = 0
        self._limits = limits or ServerLimits(head_s=FAR, idle_s=FAR)
        self._trusted = trusted
        self._sync = sync
        self._writer = writer
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        self.index = EdgeIndex(self.folder / "index", writable=True)
        self.index.put_keys({1: KEY})
        self.index.put_urls([(JOB, URL)])
        self.index.put_pixels([(PIXEL, 7, CLIENT_ID)])
        self.index.finish()
        self.feeds = self.folder / "feeds"
        self.feeds.mkdir(exist_ok=True)
        self.journal = self._writer(
            self.folder / "journal", "edge-0", SeededIds(2), sync=self._sync
        )
        proxies = Proxies(self._trusted)
        self.edge = Edge(
            self.journal, self.index, self.clock, proxies, self.feeds, self._note_broken
        )
        self.server = Server(self.edge.answer, self.clock, SeededIds(1), self._limits, proxies.has)
        loop = asyncio.get_running_loop()
        self._door = await loop.create_server(partial(Connection, self.server), "127.0.0.1", 0)
        self.port = self._door.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._door.close()
        for client in self._clients:
            await client.close()
        await self.server.drain(FAR)
        await self._door.wait_closed()
        self.journal.close()
        self.index.close()

    def _note_broken(self) -> None:
        self.broken += 1

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def ask(
        self, target: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Said:
        """One request on a connection of its own."""
        client = await self.client()
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        client.send(f"{method} {target} HTTP/1.1\r\nHost: edge\r\n{lines}\r\n".encode("latin-1"))
        said = await client.said(has_body=method != "HEAD")
        await client.close()
        return said

    def events(self) -> list[Received]:
        """All that is durable by now, in order."""
        entries = JournalReader(self.folder / "journal").read({}, 100_000).lines
        return [event for entry in entries for event in decode(entry.record)]


def at_the_door(
    scenario: Callable[[Door], Awaitable[_Result]], folder: Path, **options: object
) -> _Result:
    """Play a scenario at a fresh door on the loop that the edge runs on."""

    async def play() -> _Result:
        async with Door(folder, **options) as door:  # type: ignore[arg-type]
            return await scenario(door)

    return uvloop.run(play())
