"""The body of a request: whole, within its limit, its time and the room that there is for all."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from handbill.http.asgi import Headers, Receive
from handbill.kit.faults import Refused, Unavailable

_MOST_BODY = 1_000_000
_MOST_BODY_OF_MANY = 8_000_000
_BODY_SECONDS = 10


class Broken(Exception):
    """The body ended before its end."""


class Room:
    """How many bytes of bodies are held at once: in all, and at most half of them of one caller.

    **Refuses** (Unavailable, so 503) what finds no room: it may come again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_one = most // 2
        self.held = 0
        self._of: Counter[str] = Counter()

    @contextmanager
    def part(self, name: str) -> Iterator["Part"]:
        """A part for one request, given back at its end."""
        part = Part(self, name)
        try:
            yield part
        finally:
            self.take(name, -part.size)

    def take(self, name: str, size: int) -> None:
        held, of_one = self.held + size, self._of[name] + size
        if size > 0 and (held > self._most or of_one > self._most_of_one):
            raise Unavailable("too many bodies are under way")
        self.held = held
        if of_one:
            self._of[name] = of_one
        else:
            del self._of[name]


class Part:
    """What one request holds of the room; ``name``: whose it is."""

    def __init__(self, room: Room, name: str) -> None:
        self._room = room
        self._name = name
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more."""
        self._room.take(self._name, size)
        self.size += size


async def body_of(receive: Receive, headers: Headers, part: Part, *, many: bool) -> bytes:
    """The whole body. **Refuses** a larger one (413), a slow one (408), one that ends (Broken)."""
    most = _MOST_BODY_OF_MANY if many else _MOST_BODY
    told = headers.get("content-length")
    length = int(told) if told.isdecimal() else None
    if length is not None and length > most:
        raise Refused(413, f"The body is larger than {most} bytes")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _whole(receive, length, most, part)
    except TimeoutError:
        message = f"The body did not arrive within {_BODY_SECONDS} seconds"
        raise Refused(408, message) from None


async def _whole(receive: Receive, length: int | None, most: int, part: Part) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Broken
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise Refused(413, f"The body is larger than {most} bytes")
        part.grow(len(chunk))
        chunks.append(chunk)
        # What has the length that was told needs no further word that it is whole.
        if size == length or not message.get("more_body", False):
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
