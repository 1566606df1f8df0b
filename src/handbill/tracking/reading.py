"""Reads requests, strictly: whatever is too long, ambiguous or not HTTP/1 ends the connection."""

from collections.abc import Callable
from typing import Any

import httptools

from handbill.tracking.messages import Request

MOST_HEAD = 16 * 1024
MOST_TARGET = 8 * 1024
MOST_BODY = 1024
MOST_HEADERS = 100

_KEPT = frozenset((
    b"host", b"user-agent", b"x-forwarded-for", b"connection", b"cookie", b"purpose",
    b"sec-purpose", b"x-purpose", b"x-moz", b"if-none-match", b"if-modified-since",
))  # fmt: skip
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


class Stop(Exception):
    """The rest of this connection is not read; ``status`` says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class RequestReader:
    """The parser's callbacks. ``take`` is given each request, and whether it is to be the last.

    ``is_between`` requests: nothing of the next one has come yet.
    """

    __slots__ = (
        "_fed", "_headers", "_headers_seen", "_parser", "_room", "_target", "draw", "is_between",
        "peer", "take",
    )  # fmt: skip

    def __init__(self, take: Callable[[Request, bool], None], draw: Callable[[], bytes]) -> None:
        self.take = take
        self.draw = draw
        self.peer = ""
        self.is_between = True
        self._parser: Any = httptools.HttpRequestParser(self)
        self._fed = 0
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._headers_seen = 0
        self._room = MOST_HEAD

    def feed(self, piece: bytes) -> None:
        """Read on. **Refuses** (Stop) what breaks a bound or the protocol."""
        self._fed += len(piece)
        self.is_between = False
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return  # its request was taken as the last one
        except httptools.HttpParserError as bad:
            raise bad.__context__ or Stop(400) from None
        # The parser tells of whole headers only; this counts what a half one has cost.
        if self._fed > MOST_HEAD + MOST_BODY:
            raise Stop(431)

    def let_go(self) -> None:
        """Break the circle of parser and callbacks, which would wait for the collector."""
        self._parser = None

    def on_url(self, piece: bytes) -> None:
        self.is_between = False
        self._room -= len(piece)
        self._target += piece
        if len(self._target) > MOST_TARGET:
            raise Stop(431)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._room -= len(name) + len(value) + 4
        self._headers_seen += 1
        if self._room < 0 or self._headers_seen > MOST_HEADERS:
            raise Stop(431)
        name = name.lower()
        if name in _KEPT:
            headers = self._headers
            if name in headers:
                if name == b"host":
                    raise Stop(400)
                value = headers[name] + b", " + value
            headers[name] = value
        elif name in _FRAMING and (name == b"transfer-encoding" or _length(value) > MOST_BODY):
            # A chunked body is refused whole: then no trailer can pass for a header.
            raise Stop(413 if self._parser.get_method() in {b"GET", b"HEAD"} else 405)

    def on_message_complete(self) -> None:
        parser, headers = self._parser, self._headers
        if b"host" not in headers and parser.get_http_version() != "1.0":
            raise Stop(400)
        request = Request(self.draw(), parser.get_method(), self._target, headers, self.peer)
        is_last = not parser.should_keep_alive()
        if b"connection" in headers and parser.should_upgrade():
            is_last = True  # we speak nothing else
        self._begin()
        self._fed = 0
        self.is_between = True
        self.take(request, is_last)


def _length(value: bytes) -> int:
    """The value of Content-Length; one that is no number is the parser's to refuse."""
    return int(value) if value.isdigit() and len(value) < 20 else 0
