"""Outbound HTTP: a checked address (``host.places``) is dialled, and so is each redirect's.

Proxy settings of the environment, cookies and credentials from elsewhere are not used.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urljoin

import uvloop

from handbill.host.answer_headers import charset_of, codings_of, mark_of, next_of
from handbill.host.inflate import NotGzip, unpacked
from handbill.host.places import AllowedPlaces, EgressFailed, EgressRefused, Resolve
from handbill.kit.urls import NotUrl, canonical_url, place_of

if TYPE_CHECKING:  # imported when the first request goes out: few processes ever send one
    import aiohttp

__all__ = ["Egress", "EgressFailed", "EgressRefused", "FetchLimits", "Fetched", "RequestExtras"]

MOST_REDIRECTS = 3
_ASCII = bytes(range(128))
PORTS = frozenset({80, 443, 8080, 8443})
_UNREAD_CODINGS = frozenset({"compress", "x-compress", "br", "zstd"})
"""Codings that change a body; other names in the header, such as a charset, are slips."""
_MOST_LAYERS = 2  # Content-Encoding: gzip around a .gz file
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of one exchange; bytes are limited twice: as received, and as inflated. After a
    request, all headers must have come within ``connect_seconds`` and ``idle_seconds`` together.
    """

    connect_seconds: float = 10
    idle_seconds: float = 30
    total_seconds: float = 1_800
    most_bytes: int = 4 * 1024**3
    least_rate: int = 8_192  # bytes a second, once we have waited for slow_seconds in all
    slow_seconds: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtras:
    """What is sent besides the URL: Basic credentials, and the validators of a former answer."""

    user: str = ""
    password: str = field(default="", repr=False)
    agent: str = "Handbill"
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer under way. Iterate it once: chunks of the body, inflated, in bounded memory.

    ``unchanged``: the validators still match (304); there is no body then. ``charset``: as in
    ``Content-Type``, or empty. ``next``: the page that comes next by its ``Link`` (RFC 8288), or
    empty.
    """

    final_url: str
    etag: str
    last_modified: str
    unchanged: bool
    charset: str
    chunks: Iterator[bytes]
    next: str = ""

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks


class Egress:
    """Fetches and posts for threads that may wait. ``allow``: host:port, exactly as in the URL,
    that may be reached although the address is not public or the port unusual.

    **Refuses** (EgressRefused): malformed URLs, other ports, names with any address that is not
    public, more than 3 redirects, bodies beyond the bound. **Source**: safety.md 1, feed URL.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.places = AllowedPlaces(allow, resolve)
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @contextmanager
    def open(
        self, url: str, limits: FetchLimits, asked: RequestExtras | None = None
    ) -> Iterator[Fetched]:
        """Get a URL, over at most 3 redirects. **Refuses** statuses but 200, and 304 if asked."""
        exchange = _Exchange(self._started(), limits)
        try:
            yield exchange.run(self._get(exchange, url, asked or RequestExtras()))
        finally:
            exchange.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limits: FetchLimits) -> int:
        """Post a body, follow no redirect, read no answer; the status."""
        exchange = _Exchange(self._started(), limits)
        try:
            return exchange.run(self._send(exchange, "POST", url, headers, body)).status
        finally:
            exchange.close()

    def ask(
        self, url: str, body: bytes, headers: Mapping[str, str], limits: FetchLimits
    ) -> tuple[int, bytes]:
        """Post a body, follow no redirect; the status, and the whole answer within the bounds."""
        exchange = _Exchange(self._started(), limits)
        try:
            response = exchange.run(self._send(exchange, "POST", url, headers, body))
            return response.status, b"".join(_body(exchange, response))
        finally:
            exchange.close()

    def tls(self) -> ssl.SSLContext:
        """The context that verifies servers' certificates."""
        return self._tls or ssl.create_default_context()

    def close(self) -> None:
        """End the thread of the event loop, once nothing is under way."""
        with self._starting:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            if self._thread is not None:
                self._thread.join()
            self._loop = self._thread = None
        self.places.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                self._thread = threading.Thread(
                    target=_run_loop, args=(self._loop,), name="egress", daemon=True
                )
                self._thread.start()
            return self._loop

    async def _get(self, exchange: "_Exchange", url: str, asked: RequestExtras) -> Fetched:
        headers = _headers_of(asked)
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._send(exchange, "GET", url, headers)
            url = _canonical(url)
            if response.status not in _REDIRECTS:
                return _fetched(exchange, response, url)
            target = _redirected(url, response.headers)
            if place_of(target) != place_of(url):
                # Credentials and validators are only for the place they were given for.
                headers = _headers_of(RequestExtras(agent=asked.agent))
            url = target
        raise EgressRefused(f"redirects more than {MOST_REDIRECTS} times")

    async def _send(
        self,
        exchange: "_Exchange",
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> "aiohttp.ClientResponse":
        """One hop, with the full check. The former hop's connection is closed."""
        from handbill.host.sessions import request, session_to

        url = _canonical(url)
        addresses = await self._checked(url, exchange.limits)
        session = session_to(addresses, exchange.limits, self._tls)
        await exchange.turn_to(session)
        # The limit of silence does not end headers that come byte by byte.
        limits = exchange.limits
        async with asyncio.timeout(limits.connect_seconds + limits.idle_seconds):
            exchange.response = await request(session, method, url, headers, body)
        return exchange.response

    async def _checked(self, url: str, limits: FetchLimits) -> list[str]:
        """The addresses that may be dialled for the URL."""
        _, host, port = place_of(url)
        self.places.require_port(host, port, PORTS)
        async with asyncio.timeout(limits.connect_seconds):
            addresses = await asyncio.wrap_future(self.places.looked_up(host, port))
        return self.places.checked(host, port, addresses)


class _Exchange:
    """One fetch or post: its deadline, its session, and the bridge to the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: FetchLimits) -> None:
        self._loop = loop
        self._deadline = loop.time() + limits.total_seconds
        self._session: aiohttp.ClientSession | None = None
        self.response: aiohttp.ClientResponse | None = None
        self.limits = limits

    def time(self) -> float:
        return self._loop.time()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(self._bounded(work), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def turn_to(self, session: "aiohttp.ClientSession | None") -> None:
        """Close what the former hop left open."""
        if self.response is not None:
            self.response.close()
        former, self._session, self.response = self._session, session, None
        if former is not None:
            await former.close()

    def close(self) -> None:
        # Even past the deadline.
        asyncio.run_coroutine_threadsafe(self.turn_to(None), self._loop).result()

    async def _bounded(self, work: Coroutine[Any, Any, _T]) -> _T:
        import aiohttp

        try:
            async with asyncio.timeout_at(self._deadline):
                return await work
        except TimeoutError as late:
            raise EgressFailed("took too long") from late
        except socket.gaierror as unknown:
            raise EgressFailed("the host name cannot be resolved") from unknown
        except aiohttp.ClientSSLError as untrusted:
            raise EgressFailed("the TLS handshake failed") from untrusted
        except (aiohttp.ClientError, OSError) as broken:
            raise EgressFailed(f"the connection failed ({type(broken).__name__})") from broken


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _canonical(url: str) -> str:
    try:
        return canonical_url(url)
    except NotUrl as bad:
        raise EgressRefused(f"the URL {bad}") from bad


def _headers_of(asked: RequestExtras) -> dict[str, str]:
    headers = {"User-Agent": asked.agent, "Accept-Encoding": "gzip", "Accept": "*/*"}
    if ":" in asked.user:
        raise EgressRefused("a user name must not contain a colon (RFC 7617)")
    if asked.user or asked.password:
        import aiohttp

        headers["Authorization"] = aiohttp.encode_basic_auth(asked.user, asked.password, "utf-8")
    if asked.etag:
        headers["If-None-Match"] = asked.etag
    if asked.last_modified:
        headers["If-Modified-Since"] = asked.last_modified
    return headers


def _redirected(url: str, headers: Mapping[str, str]) -> str:
    location = headers.get("Location", "")
    try:
        # Bytes beyond ASCII are kept as they are, in whatever encoding they were written.
        raw = location.encode("utf-8", "surrogateescape")
        return _canonical(urljoin(url, quote(raw, safe=_ASCII)))
    except ValueError as bad:
        raise EgressRefused("redirects to an invalid URL") from bad


def _fetched(exchange: _Exchange, response: "aiohttp.ClientResponse", url: str) -> Fetched:
    asked = {"If-None-Match", "If-Modified-Since"} & response.request_info.headers.keys()
    if response.status != 200 and not (response.status == 304 and asked):
        raise EgressFailed(f"answered with status {response.status}")
    length = response.content_length
    if length is not None and length > exchange.limits.most_bytes:
        raise EgressRefused(f"the body has more than {exchange.limits.most_bytes} bytes")
    if not _UNREAD_CODINGS.isdisjoint(codings_of(response)):
        raise EgressFailed("answered in an encoding that was not requested")
    return Fetched(
        final_url=url,
        etag=mark_of(response, "ETag"),
        last_modified=mark_of(response, "Last-Modified"),
        unchanged=response.status == 304,
        charset=charset_of(response),
        chunks=iter(()) if response.status == 304 else _body(exchange, response),
        next=next_of(response),
    )


def _body(exchange: _Exchange, response: "aiohttp.ClientResponse") -> Iterator[bytes]:
    chunks = _capped(_received(exchange, response), exchange.limits.most_bytes)
    deflated = "deflate" in codings_of(response)
    for layer in range(_MOST_LAYERS):
        chunks = _unpacked(chunks, deflated=deflated and not layer)
        chunks = _capped(chunks, exchange.limits.most_bytes)
    return chunks


def _received(exchange: _Exchange, response: "aiohttp.ClientResponse") -> Iterator[bytes]:
    """Chunks as they come. **Refuses** a peer that sends too slowly (EgressFailed): only the time
    that we wait for it counts, not the time that the caller takes.
    """
    limits, waited, received = exchange.limits, 0.0, 0
    while True:
        before = exchange.time()
        chunk = exchange.run(response.content.readany())
        waited += exchange.time() - before
        if not chunk:
            return
        received += len(chunk)
        if waited > limits.slow_seconds and received < limits.least_rate * waited:
            raise EgressFailed(f"is too slow: under {limits.least_rate} bytes a second")
        yield chunk


def _unpacked(chunks: Iterator[bytes], *, deflated: bool) -> Iterator[bytes]:
    try:
        yield from unpacked(chunks, deflated=deflated)
    except NotGzip as bad:
        raise EgressFailed(f"the body {bad}") from bad


def _capped(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    room = most
    for chunk in chunks:
        room -= len(chunk)
        if room < 0:
            raise EgressRefused(f"the body has more than {most} bytes")
        yield chunk
