"""The body of a request: read whole, within limits of size, time, and memory for all requests."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, aclosing

from starlette.datastructures import Headers
from starlette.requests import Request

from handbill.host.inflate import MAGIC, NotGzip, unpacked
from handbill.http.operations import Operation
from handbill.kit.faults import Refused, Unavailable

_MOST_BODY = 1_000_000
_MOST_BODY_OF_MANY = 8_000_000
_MOST_BODY_OF_STRANGERS = 16_384
_BODY_SECONDS = 10
PLAIN = frozenset({"", "identity"})
PACKED = frozenset({"gzip", "x-gzip", "deflate"})
"""The encodings of bodies that are read (RFC 9110, 8.4.1)."""


class Room:
    """How many bytes of bodies are held at once: a limit for all, half of it for one caller.

    **Refuses** (Unavailable, so 503) a body that finds no room; the caller may try again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_one = most // 2
        self.held = 0
        self._of: dict[str, int] = {}

    def part(self, name: str) -> "RoomShare":
        """A part for one request, released at its end."""
        return RoomShare(self, name)

    def take(self, name: str, size: int) -> None:
        held, of_one = self.held + size, self._of.get(name, 0) + size
        if size > 0 and (held > self._most or of_one > self._most_of_one):
            raise Unavailable("too many request bodies are in progress")
        self.held = held
        if of_one:
            self._of[name] = of_one
        else:
            self._of.pop(name, None)


class RoomShare(AbstractContextManager["RoomShare"]):
    """How much of the room one request holds; ``name``: whose request."""

    def __init__(self, room: Room, name: str) -> None:
        self._room = room
        self._name = name
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more."""
        self._room.take(self._name, size)
        self.size += size

    def __exit__(self, *_: object) -> None:
        self._room.take(self._name, -self.size)


async def body_of(
    request: Request, part: RoomShare, operation: Operation, threads: Executor
) -> tuple[bytes, str]:
    """Read the whole body, and unpack it in a thread: the body, and what is wrong with its packing.

    **Refuses** one too large, also once it is unpacked (413), too slow (408), or broken off
    (ClientDisconnect).
    """
    most = _MOST_BODY_OF_MANY if operation.many else _MOST_BODY
    most = _MOST_BODY_OF_STRANGERS if operation.role == "public" else most
    header = request.headers.get("content-length", "")
    length = int(header) if header.isdecimal() else None
    if length is not None and length > most:
        raise Refused(413, f"The body is larger than {most} bytes")
    try:
        async with asyncio.timeout(_BODY_SECONDS), aclosing(request.stream()) as stream:
            chunks: list[bytes] = []
            async for chunk in stream:
                if part.size + len(chunk) > most:
                    raise Refused(413, f"The body is larger than {most} bytes")
                part.grow(len(chunk))
                chunks.append(chunk)
                if part.size == length:
                    break  # complete, even without a further message
    except TimeoutError:
        message = f"The body did not arrive within {_BODY_SECONDS} seconds"
        raise Refused(408, message) from None
    body, coding = b"".join(chunks), coding_of(request.headers)
    if coding not in PACKED or not body:
        return body, ""
    if coding != "deflate" and not body.startswith(MAGIC):
        return b"", "is not gzip, as its Content-Encoding says"
    steps = unpacked((body,), deflated=coding == "deflate")
    return await _unpacked(steps, part, most, threads)


def coding_of(headers: Headers) -> str:
    """How the body is encoded, in lower case."""
    return ", ".join(headers.getlist("content-encoding")).strip().lower()


async def _unpacked(
    steps: Iterator[bytes], part: RoomShare, most: int, threads: Executor
) -> tuple[bytes, str]:
    """What could be unpacked, and why no more. A step may take long even if nothing comes of it."""
    loop, unpacked_steps, size = asyncio.get_running_loop(), [], 0
    try:
        while step := await loop.run_in_executor(threads, next, steps, b""):
            size += len(step)
            if size > most:
                raise Refused(413, f"The body is larger than {most} bytes")
            part.grow(len(step))
            unpacked_steps.append(step)
    except NotGzip as bad:
        return b"", f"{bad}"
    return b"".join(unpacked_steps), ""
