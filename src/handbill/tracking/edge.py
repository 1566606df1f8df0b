"""The edge: clicks are made durable and sent on, pixels counted, feed files handed out.

It judges nothing and asks no database; it works while everything else is down.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from typing import NamedTuple, Protocol

import httptools

from handbill.core.listing_tokens import (
    Click,
    Listing,
    NotOurs,
    click_id_of,
    open_click,
    open_listing,
    packed,
)
from handbill.core.received import click_of, encode
from handbill.host.clock import Clock
from handbill.kit.instants import SECOND, Instant
from handbill.store.journal import JournalBroken, JournalFull
from handbill.tracking.addresses import Proxies, is_near
from handbill.tracking.counts import Counts, metrics
from handbill.tracking.destination import around_click, encoded, is_web
from handbill.tracking.files import feed_file
from handbill.tracking.messages import FAULTS, Answer, Later, Request, head
from handbill.tracking.pixel import GIF, conversion, report_of, script

_LOG = getLogger("handbill.edge")

_READS = frozenset((b"GET", b"HEAD"))
_MOVED = (
    b"HTTP/1.1 302 Found\r\nLocation: %b%b%b\r\nCache-Control: no-store\r\n"
    b"Referrer-Policy: strict-origin-when-cross-origin\r\nContent-Length: 0\r\n"
)
_MOST_KNOWN_LINKS = 32_768
_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
_LIVE = Answer(head(200, _PLAIN, 3), b"ok\n")


class Index(Protocol):
    """What the edge asks of the click index (store/index.py)."""

    def url_of(self, job_id: bytes) -> bytes | None: ...
    def client_of_pixel(self, pixel_id: str) -> int | None: ...
    def keys(self) -> dict[int, bytes]: ...
    def version(self) -> int: ...


class Journal(Protocol):
    """What the edge asks of the journal (store/journal.py)."""

    def append(self, record: bytes) -> asyncio.Future[None]: ...


class _Link(NamedTuple):
    """What a token leads to: the job's URL, and that URL around a click id."""

    listing: Listing
    packed: bytes
    url: bytes
    before: bytes
    after: bytes


class _UnknownJob(Exception):
    """The token is ours, but its job was never indexed or has no web address."""


class Edge:
    """Answers requests; whatever it counts is in the journal before it says so.

    **Refuses**: unknown paths, tokens that are not ours and unknown jobs 404; other verbs than GET
    and HEAD 405; 500 when the journal is broken and 503 when it is full, with nothing counted.
    ``is_ready`` is false from the first failure of the journal on.
    """

    def __init__(
        self,
        journal: Journal,
        index: Index,
        clock: Clock,
        proxies: Proxies,
        feeds: Path,
        on_broken: Callable[[], object],
    ) -> None:
        self.counts = Counts()
        self.is_ready = True
        self._on_broken = on_broken
        self._journal = journal
        self._index = index
        self._clock = clock
        self._proxies = proxies
        self._feeds = feeds
        self._keys: dict[int, bytes] = {}
        self._version = -1
        self._looked_at: Instant = 0
        # A few links get most of the clicks.
        self._link_of = lru_cache(_MOST_KNOWN_LINKS)(self._link)
        self._look_again(clock.now())

    def answer(self, request: Request) -> Answer | Later:
        """The one entrance."""
        target = request.target
        if not target.startswith(b"/"):
            target = _path_of(target)
        try:
            if target.startswith(b"/c/"):
                return self._click(request, target[3:].partition(b"?")[0])
            path, _, query = target.partition(b"?")
            return self._page(request, path, query)
        except JournalFull:
            self.counts.journal_failures += 1
            return FAULTS[503]
        except JournalBroken as failure:
            return self._broken(failure)

    def _page(self, request: Request, path: bytes, query: bytes) -> Answer | Later:
        is_feed = path.startswith(b"/f/")
        if not is_feed and path not in _PAGES:
            return FAULTS[404]
        if request.method not in _READS:
            return FAULTS[405]
        if is_feed:
            self.counts.feed_requests += 1
            return feed_file(self._feeds, path[3:], request)
        if path == b"/px.gif":
            return self._pixel(request, query)
        if path == b"/px.js":
            return script(request)
        if path == b"/livez":
            return _LIVE
        if path == b"/readyz":
            return _LIVE if self.is_ready else FAULTS[503]
        # Figures of the business are not for the street.
        if not is_near(self._address(request)):
            return FAULTS[404]
        return metrics(self.counts)

    # Clicks

    def _click(self, request: Request, token: bytes) -> Answer | Later:
        is_get = request.method == b"GET"
        if not is_get and request.method != b"HEAD":
            return FAULTS[405]
        at = self._clock.now()
        if at - self._looked_at >= SECOND:
            self._look_again(at)
        try:
            link = self._link_of(token)
        except NotOurs:
            self.counts.bad_tokens += 1
            return FAULTS[404]
        except _UnknownJob:
            self.counts.unknown_jobs += 1
            return FAULTS[404]
        headers = request.headers
        if headers.is_ahead or not is_get:
            self.counts.uncounted += 1
            return Answer(_MOVED % (link.url, b"", b""))
        ip = request.peer if headers.forwarded is None else self._address(request)
        event = click_of(request.id, at, link.listing, ip, headers.agent)
        kept = self._journal.append(encode([event]))
        self.counts.clicks += 1
        said = click_id_of(link.packed, request.id, at, self._kid, self._key)
        return Later(kept, Answer(_MOVED % (link.before, said, link.after)), self._broken)

    def _link(self, token: bytes) -> _Link:
        """What a token leads to. **Refuses** one that is not ours, or whose job is not known."""
        listing = open_listing(token, self._keys)
        url = self._index.url_of(listing.job_id)
        if url is None or not is_web(url):
            raise _UnknownJob
        url = encoded(url)
        return _Link(listing, packed(listing), url, *around_click(url))

    def _look_again(self, now: Instant) -> None:
        """See, once a second at most, whether keys or URLs have changed, and forget old ones."""
        self._looked_at = now
        version = self._index.version()
        if version == self._version:
            return
        self._version = version
        self._keys = self._index.keys()
        self._kid = max(self._keys, default=0)
        self._key = self._keys.get(self._kid, b"")
        self._link_of.cache_clear()

    # Pixels

    def _pixel(self, request: Request, query: bytes) -> Answer | Later:
        """Always the picture, whether or not there was anything to count."""
        if request.method == b"HEAD" or request.headers.is_ahead:
            return GIF
        at = self._clock.now()
        if at - self._looked_at >= SECOND:
            self._look_again(at)
        report = report_of(query, request.headers.cookie)
        client_no = None if report is None else self._index.client_of_pixel(report.pixel_id)
        click = self._click_of(report.click_id) if report and report.click_id else None
        if report is None or client_no is None or (report.click_id and click is None):
            self.counts.bad_pixels += 1
            return GIF
        event = conversion(report, client_no, click, at)
        kept = self._journal.append(encode([event]))
        self.counts.pixels += 1
        return Later(kept, GIF, self._broken)

    def _click_of(self, text: str) -> Click | None:
        """The click a page speaks of; None if it is not ours."""
        try:
            return open_click(text, self._keys)
        except NotOurs:
            return None

    # Common to both

    def _broken(self, failure: BaseException) -> Answer:
        """What is said of an event that could not be kept: nothing was counted, come again."""
        self.counts.journal_failures += 1
        if self.is_ready:
            self.is_ready = False
            _LOG.error("the journal is broken", exc_info=failure)
            self._on_broken()
        return FAULTS[500]

    def _address(self, request: Request) -> str:
        forwarded = request.headers.forwarded
        if forwarded is None:
            return request.peer
        return self._proxies.client_of(request.peer, forwarded)


_PAGES = frozenset((b"/px.gif", b"/px.js", b"/livez", b"/readyz", b"/metrics"))


def _path_of(target: bytes) -> bytes:
    """The path and query of an absolute target (RFC 9112, 3.2.2); empty if it has none."""
    try:
        parsed = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return b""
    query = b"" if parsed.query is None else b"?" + parsed.query
    return (parsed.path or b"") + query
