"""A request once it is read, and an answer before it is written."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

_REASONS = {
    200: b"OK",
    302: b"Found",
    304: b"Not Modified",
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}
_SOME_ID = "0" * 32
JSON = (
    b"Cache-Control: no-store\r\n"
    b"Content-Type: application/json; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
)


class BodyStream(Protocol):
    """A body that is read piece by piece, off the event loop."""

    def read(self) -> bytes:
        """The next piece, never empty before all ``left`` bytes were returned."""
        ...

    def sent(self) -> None:
        """All of it was passed to the network. Not called if the connection ended before."""
        ...

    def close(self) -> None: ...

    @property
    def left(self) -> int: ...


class Headers(msgspec.Struct, frozen=True):
    """The headers of a request that are used here. ``is_ahead``: it is a prefetch or prerender."""

    agent: str
    is_ahead: bool
    says_connection: bool
    forwarded: bytes | None
    cookie: bytes
    if_none_match: bytes | None
    if_modified_since: bytes | None


class Request(msgspec.Struct, gc=False):
    """**Shape**: ``id`` 16 fresh random bytes."""

    id: bytes
    method: bytes
    target: bytes
    headers: Headers
    peer: str


class BodyWithId(msgspec.Struct, frozen=True, gc=False):
    """A body that contains the id of its request, which is known only when it is written."""

    before: bytes
    after: bytes

    def of(self, request_id: bytes) -> bytes:
        """The body. **Shape**: the id as 32 hex digits."""
        return self.before + request_id + self.after


class Http1Answer(msgspec.Struct, gc=False):
    """``head`` is the status line and headers with Content-Length, each line ended."""

    head: bytes
    body: bytes | BodyWithId | BodyStream = b""


class Later(msgspec.Struct, gc=False):
    """An answer that waits for a future; if that fails, ``failed`` makes another one."""

    future: asyncio.Future[None]
    answer: Http1Answer
    failed: Callable[[BaseException], Http1Answer]


def head(status: int, headers: bytes, length: int) -> bytes:
    """The status line and headers; ``headers`` are whole lines."""
    reason = _REASONS[status]
    return b"HTTP/1.1 %d %b\r\n%bContent-Length: %d\r\n" % (status, reason, headers, length)


def fault(status: int, extra: bytes = b"") -> Http1Answer:
    """An answer that says what is wrong, in the contract's words; only the id varies."""
    message = _REASONS[status].decode().capitalize()
    body = msgspec.json.encode({"message": message, "requestId": _SOME_ID})
    headers = extra + JSON
    before, _, after = body.partition(_SOME_ID.encode())
    return Http1Answer(head(status, headers, len(body)), BodyWithId(before, after))


_RETRY = b"Retry-After: 1\r\n"
_ALLOW = b"Allow: GET, HEAD\r\n"
FAULTS = {status: fault(status) for status in (400, 404, 408, 413, 431, 500)} | {
    405: fault(405, _ALLOW),
    429: fault(429, _RETRY),
    503: fault(503, _RETRY),
}
