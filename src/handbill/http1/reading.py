"""Reads requests, strictly: whatever is too long, ambiguous or not HTTP/1 ends the connection.

Browsers send the same headers again and again. A block of headers of a plain GET is recognised by
its bytes from then on, and only the request line before it is parsed.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httptools

from handbill.http1.messages import Headers, Request

MOST_HEAD = 16 * 1024
MOST_TARGET = 8 * 1024
MOST_BODY = 1024
MOST_HEADERS = 100
MOST_AGENT = 512

_PURPOSES = (b"purpose", b"sec-purpose", b"x-purpose", b"x-moz")
_AHEAD = (b"prefetch", b"prerender", b"preview")
_KEPT = frozenset(
    (
        b"host",
        b"user-agent",
        b"x-forwarded-for",
        b"connection",
        b"cookie",
        b"if-none-match",
        b"if-modified-since",
        *_PURPOSES,
    )
)
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_GET, _HTTP11 = b"GET /", b" HTTP/1.1"
_ASCII = bytes(range(128))
_VISIBLE = bytes(range(0x21, 0x7F))
_MOST_KNOWN = 4096
_MOST_KNOWN_BLOCK = 2048


class StopReading(Exception):
    """The rest of this connection is not read; ``status`` says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class KnownHeaders:
    """Blocks of headers of plain GETs: HTTP/1.1, keep-alive, without a body."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, Headers] = {}
        self.of = self._blocks.get

    def learn(self, block: bytes, headers: Headers) -> None:
        """Store a block. When there is no room, all are deleted: the usual ones soon return."""
        if len(block) <= _MOST_KNOWN_BLOCK:
            if len(self._blocks) >= _MOST_KNOWN:
                self._blocks.clear()
            self._blocks[block] = headers


class RequestReader:
    """The parser's callbacks. ``take`` gets each request, and whether it is to be the last.

    ``is_between`` requests: nothing of the next one has arrived yet.
    """

    __slots__ = (
        "_fed",
        "_headers",
        "_headers_seen",
        "_in_line",
        "_known",
        "_last_end",
        "_last_headers",
        "_of_known",
        "_parser",
        "_piece",
        "_room",
        "_target",
        "draw",
        "is_between",
        "peer",
        "take",
    )

    def __init__(
        self,
        take: Callable[[Request, bool], None],
        draw: Callable[[], bytes],
        known: KnownHeaders,
    ) -> None:
        self.take = take
        self.draw = draw
        self.peer = ""
        self.is_between = True
        self._known = known
        self._of_known = known.of
        self._last_end = b"\0"  # which ends no request
        self._last_headers: Headers | None = None
        self._piece = b""
        self._parser: Any = httptools.HttpRequestParser(self)
        self._fed = 0
        self._in_line = True  # what comes next belongs to a request's first line
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._headers_seen = 0
        self._room = MOST_HEAD

    def known(self, piece: bytes) -> Request | None:
        """A whole GET with known headers, if the piece is exactly that.

        A connection is mostly one browser's, so its last headers are tried first.
        """
        if piece.endswith(self._last_end):
            target, headers = piece[4 : -len(self._last_end)], self._last_headers
        else:
            line, _, block = piece.partition(b"\r\n")
            target, headers = line[4:-9], self._of_known(block)
            if headers is None or line[-9:] != _HTTP11:
                return None
            self._last_end, self._last_headers = b"%b\r\n%b" % (_HTTP11, block), headers
        if headers is None or piece[:5] != _GET or not self.is_between:
            return None
        if len(target) > MOST_TARGET or target.translate(None, _VISIBLE):
            return None
        return Request(self.draw(), b"GET", target, headers, self.peer)

    def feed(self, piece: bytes) -> None:
        """Read on. **Refuses** (Stop) what breaks a bound or the protocol."""
        self._piece = piece if self.is_between else b""
        is_plain = piece.isascii() and piece.endswith(b"\r\n\r\n")
        try:
            for part in (piece,) if is_plain else piece.splitlines(keepends=True):
                self._fed += len(part)
                self.is_between = False
                self._parser.feed_data(_in_ascii(part) if self._in_line else part)
                goes_on = self._in_line and not part.endswith(b"\n")
                self._in_line = self.is_between or goes_on
        except httptools.HttpParserUpgrade:
            return  # its request was taken as the last one
        except httptools.HttpParserError as bad:
            raise bad.__context__ or StopReading(400) from None
        # The parser reports whole headers only; this counts what a half one has cost.
        if self._fed > MOST_HEAD + MOST_BODY:
            raise StopReading(431)

    def let_go(self) -> None:
        """Break the cycle of parser, reader and connection, to need no garbage collection."""
        self._parser = None
        self.take = _taken_by_nobody

    def on_url(self, piece: bytes) -> None:
        self.is_between = False
        self._room -= len(piece)
        self._target += piece
        if len(self._target) > MOST_TARGET:
            raise StopReading(431)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._room -= len(name) + len(value) + 4
        self._headers_seen += 1
        if self._room < 0 or self._headers_seen > MOST_HEADERS:
            raise StopReading(431)
        name = name.lower()
        if name in _KEPT:
            headers = self._headers
            if name in headers:
                if name == b"host":
                    raise StopReading(400)
                value = headers[name] + b", " + value
            headers[name] = value
        elif name in _FRAMING and (name == b"transfer-encoding" or _length(value) > MOST_BODY):
            # A chunked body is refused whole: then no trailer can pass for a header.
            raise StopReading(413 if self._parser.get_method() in {b"GET", b"HEAD"} else 405)

    def on_message_complete(self) -> None:
        parser, headers = self._parser, self._headers
        if b"host" not in headers and parser.get_http_version() != "1.0":
            raise StopReading(400)
        parsed = _headers_of(headers)
        request = Request(self.draw(), parser.get_method(), self._target, parsed, self.peer)
        # We support no protocol that anybody could ask to upgrade to.
        is_last = not parser.should_keep_alive() or parser.should_upgrade()
        if not is_last:
            self._learn(parsed)
        self._begin()
        self._fed = 0
        self.is_between = True
        self.take(request, is_last)

    def _learn(self, headers: Headers) -> None:
        """Remember the headers, if the piece is exactly this request, and a plain one."""
        line, _, block = self._piece.partition(b"\r\n")
        if block.find(b"\r\n\r\n") == len(block) - 4 and line == b"GET " + self._target + _HTTP11:
            self._known.learn(block, headers)


def _in_ascii(part: bytes) -> bytes:
    """The part of a request's first line with other bytes than ASCII percent-encoded: old browsers,
    and programs that pass links on, send those of a query as they are.
    """
    return part if part.isascii() else quote(part, safe=_ASCII).encode()


def _taken_by_nobody(request: Request, is_last: bool) -> None:
    """The connection is gone."""


def _headers_of(raw: dict[bytes, bytes]) -> Headers:
    purposes = [raw[name].lower() for name in _PURPOSES if name in raw]
    return Headers(
        raw.get(b"user-agent", b"")[:MOST_AGENT].decode("utf-8", "replace"),
        any(word in purpose for purpose in purposes for word in _AHEAD),
        b"connection" in raw,
        raw.get(b"x-forwarded-for"),
        raw.get(b"cookie", b""),
        raw.get(b"if-none-match"),
        raw.get(b"if-modified-since"),
    )


def _length(value: bytes) -> int:
    """The value of Content-Length; the parser refuses one that is no number."""
    return int(value) if value.isdigit() and len(value) < 20 else 0


def path_of(target: bytes) -> bytes:
    """The path and query of an absolute target (RFC 9112, 3.2.2); empty if it has none."""
    try:
        parsed = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return b""
    query = b"" if parsed.query is None else b"?" + parsed.query
    return (parsed.path or b"") + query
