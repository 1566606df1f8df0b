"""What all connections of an edge process share: bounds, ticks, randomness, waiting, draining."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from logging import getLogger
from typing import Protocol

import msgspec

from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.http1.messages import Http1Answer, Later, Request
from handbill.http1.reading import KnownHeaders
from handbill.kit.instants import http_date_of

_LOG = getLogger("handbill.edge")

FILE_READERS = 2
GOES_ON, KEEPS, CLOSES = range(3)
_CONNECTION = (b"", b"Connection: keep-alive\r\n", b"Connection: close\r\n")
_DRAWN = 4096
_LOOKED_AT = 64

Settle = Callable[[BaseException | None], None]


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much. **Units**: seconds; connections."""

    head_s: float = 10.0
    idle_s: float = 30.0  # between requests, and for any single step of an answer
    linger_s: float = 5.0  # for a client to close after the last answer
    tick_s: float = 0.5
    most_connections: int = 8192
    most_per_address: int = 1024


class Guest(Protocol):
    """A connection as the server sees it; ``deadline`` is a tick."""

    deadline: int
    peer: str
    network: str

    def is_owed(self) -> bool: ...
    def expire(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


class Server:
    """All connections of a process: how many, for how long, and the answer to each request.

    **Refuses** connections over a bound with 503 (in all) or 429 (of one address, of IPv6 of its
    /64; a proxy's belong to many people and are not counted so). Before it refuses with 503, it
    closes one that is owed nothing: strangers who only hold connections keep nobody out.
    """

    def __init__(
        self,
        answer: Callable[[Request], Http1Answer | Later],
        clock: Clock,
        ids: Ids,
        limits: ServerLimits,
        is_proxy: Callable[[str], bool],
    ) -> None:
        self.answer = answer
        self.limits = limits
        self.is_draining = False
        self.has_answered = False  # since somebody set it to False
        self.loop = asyncio.get_running_loop()
        self.known = KnownHeaders()
        self.readers = ThreadPoolExecutor(FILE_READERS, thread_name_prefix="files")
        self.tick = 0
        self._clock = clock
        self.draw: Callable[[], bytes] = _drawn(ids).__next__
        self._is_proxy = is_proxy
        self._guests: dict[Guest, None] = {}
        self._of_address: dict[str, int] = {}
        self._empty = asyncio.Event()
        self._awaited: asyncio.Future[None] | None = None
        self._waiting: list[Settle] = []
        self._head_ticks = self._ticks(limits.head_s)
        self._idle_ticks = self._ticks(limits.idle_s)
        self._linger_ticks = self._ticks(limits.linger_s)
        self._turn()

    def _ticks(self, seconds: float) -> int:
        return max(1, round(seconds / self.limits.tick_s))

    def _turn(self) -> None:
        """One tick: deadlines are counted in ticks, so that no request needs a timer."""
        self.tick += 1
        self.head_deadline = self.tick + self._head_ticks
        self.idle_deadline = self.tick + self._idle_ticks
        self.linger_deadline = self.tick + self._linger_ticks
        date = b"Date: %b\r\n" % http_date_of(self._clock.now()).encode()
        self.ends = tuple(date + connection + b"\r\n" for connection in _CONNECTION)
        for guest in [one for one in self._guests if one.deadline <= self.tick]:
            guest.expire()
        self._timer = self.loop.call_later(self.limits.tick_s, self._turn)

    def admit(self, guest: Guest) -> int:
        """Count a connection; returns 0, or the status with which it is refused."""
        of_address = self._of_address.get(guest.network, 0)
        self._of_address[guest.network] = of_address + 1
        refusal = 503 if self.is_draining else 0
        if of_address >= self.limits.most_per_address and not self._is_proxy(guest.peer):
            refusal = 429
        elif len(self._guests) >= self.limits.most_connections and not self._make_room():
            refusal = 503
        self._guests[guest] = None
        self._empty.clear()
        return refusal

    def _make_room(self) -> bool:
        """Close a connection that is owed nothing, of those that were not looked at for longest."""
        for guest in list(islice(self._guests, _LOOKED_AT)):
            del self._guests[guest]
            if not guest.is_owed():
                guest.abort()
                return True
            self._guests[guest] = None
        return False

    def leave(self, guest: Guest) -> None:
        self._guests.pop(guest, None)
        left = self._of_address[guest.network] - 1
        if left:
            self._of_address[guest.network] = left
        else:
            del self._of_address[guest.network]
        if not self._guests:
            self._empty.set()

    def wait(self, future: asyncio.Future[None], settle: Settle) -> None:
        """Call back when the future is done. All who wait for one future are called in one go."""
        if future is self._awaited:
            self._waiting.append(settle)
        else:
            self._awaited = future
            self._waiting = [settle]
            future.add_done_callback(partial(_settle, self._waiting))

    async def drain(self, seconds: float) -> None:
        """Answer what was requested, accept nothing more, and close all within so many seconds."""
        self.is_draining = True
        for guest in list(self._guests):
            guest.drain()
        if self._guests:
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                _LOG.warning("%d connections were cut off", len(self._guests))
        self._timer.cancel()
        for guest in list(self._guests):
            guest.abort()
        self.readers.shutdown(wait=True)


def _settle(waiting: list[Settle], done: asyncio.Future[None]) -> None:
    failure = done.exception()
    for settle in waiting:
        settle(failure)
    waiting.clear()  # the server still holds the list, until another future comes


def _drawn(ids: Ids) -> Iterator[bytes]:
    """16 random bytes at a time; the operating system is asked for many at once."""
    while True:
        drawn = ids.bytes(_DRAWN)
        for at in range(0, _DRAWN, 16):
            yield drawn[at : at + 16]
