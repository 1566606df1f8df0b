"""The edge: makes clicks durable and redirects them, counts pixels, and hands out feed files.

It judges nothing and asks no database; it works while everything else is down.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from typing import Protocol

import msgspec

from handbill.core import health
from handbill.core.health import CheckResult
from handbill.core.judging import HEAD, PREFETCH, TEST
from handbill.core.listing_tokens import (
    JOB,
    SealedClick,
    click_signer,
    is_test,
    listing_opener,
    meant,
    open_click,
)
from handbill.core.received import Received, click_of_packed, encode, job_id_of
from handbill.core.spelled_tokens import ForeignToken, key_named
from handbill.host.clock import Clock
from handbill.http1.messages import FAULTS, JSON, Http1Answer, Later, Request, head
from handbill.http1.reading import path_of
from handbill.kit.instants import SECOND, Instant
from handbill.store.index import IndexDamaged, IndexFailed
from handbill.store.journal import JournalBroken, JournalFull
from handbill.tracking.addresses import Proxies, is_near
from handbill.tracking.counts import Counts, Telling, metrics
from handbill.tracking.destination import web_address, with_click
from handbill.tracking.fetches import Fetches
from handbill.tracking.files import Feeds
from handbill.tracking.pixel import GIF, NOT_COUNTED, PixelReport, conversion, report_of, script

_LOG = getLogger("handbill.edge")

_READS = frozenset((b"GET", b"HEAD"))
_MOVED = (
    b"HTTP/1.1 302 Found\r\nLocation: %b\r\nCache-Control: no-store\r\n"
    b"Referrer-Policy: strict-origin-when-cross-origin\r\nContent-Length: 0\r\n"
)
_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
_WAIT = b"Retry-After: 5\r\n" + JSON
_LIVE = Http1Answer(head(200, _PLAIN, 3), b"ok\n")
_ROBOTS_TEXT = b"User-agent: *\nDisallow: /c/\nDisallow: /px.gif\n"
_ROBOTS = Http1Answer(head(200, _PLAIN, len(_ROBOTS_TEXT)), _ROBOTS_TEXT)
"""Search engines need not follow clicks; feeds are for machines."""


class Index(Protocol):
    """What the edge needs of the click index (store/index.py)."""

    def url_of(self, job_id: bytes) -> bytes | None: ...
    def client_of_pixel(self, pixel_id: str) -> tuple[int, str] | None: ...
    def keys(self) -> dict[int, bytes]: ...
    def is_whole(self) -> bool: ...
    def renew(self) -> bool: ...
    def replace(self) -> None: ...


class EdgeJournal(Protocol):
    """What the edge needs of the journal (store/journal.py)."""

    def append(self, record: bytes) -> asyncio.Future[None]: ...


class Edge:
    """Answers requests; whatever it confirms is in the journal before.

    **Refuses**: unknown paths, tokens that are not ours and unknown jobs 404; other verbs than GET
    and HEAD 405; 503 when the journal is full or broken, or the index is unreadable or still being
    filled and does not have what is needed yet; nothing is counted then. ``is_ready`` is false from
    the first failure of the journal on. ``checks``: what else must be there for it to be ready; no
    database, which it does not need.
    """

    def __init__(
        self,
        journal: EdgeJournal,
        index: Index,
        clock: Clock,
        proxies: Proxies,
        feeds: Path,
        on_broken: Callable[[], object],
        checks: Callable[[], list[CheckResult]] = list,
    ) -> None:
        self.counts = Counts()
        self.telling = Telling(self.counts)
        self.is_ready = True
        self.is_misled = False
        self._on_broken = on_broken
        self._checks = checks
        self._journal = journal
        self._index = index
        self._clock = clock
        self._proxies = proxies
        self._feeds = Feeds(feeds, self._handed)
        self._fetches = Fetches()
        self._keys: dict[int, bytes] = {}
        self._keys_read_at: Instant = 0
        self._read_keys(clock.now())

    def answer(self, request: Request) -> Http1Answer | Later:
        """Answer any request."""
        target = request.target
        if not target.startswith(b"/"):
            target = path_of(target)
        elif target.startswith(b"//"):
            # Somebody has put a slash behind our address, which had none, and one before the path.
            target = b"/" + target.lstrip(b"/")
        try:
            if target.startswith(b"/c/"):
                return self._click(request, target[3:].partition(b"?")[0].lstrip(b"/"))
            path, _, query = target.partition(b"?")
            return self._page(request, path, query)
        except JournalFull:
            self.counts.journal_failures += 1
            return FAULTS[503]
        except JournalBroken as failure:
            return self._broken(failure)
        except IndexFailed as failure:
            return self._misled(failure)

    def _page(self, request: Request, path: bytes, query: bytes) -> Http1Answer | Later:
        is_feed = path.startswith(b"/f/")
        if not is_feed and path not in _PAGES:
            return FAULTS[404]
        if request.method not in _READS:
            return FAULTS[405]
        if is_feed:
            self.counts.feed_requests += 1
            return self._feeds.answer(path[3:], request, self._address(request))
        if path == b"/px.gif":
            return self._pixel(request, query)
        if path == b"/px.js":
            return script(request)
        if path == b"/livez":
            return _LIVE
        if path == b"/robots.txt":
            return _ROBOTS
        if path == b"/readyz":
            return self._ready()
        # Business figures are not public.
        if not is_near(self._address(request)):
            return FAULTS[404]
        self.telling.tell()
        return metrics()

    def _ready(self) -> Http1Answer:
        """Whether this edge can do its work; 503 with what is missing, and what to do about it."""
        checks = [health.journal(not self.is_ready)]
        try:
            checks += self._checks()
        except IndexFailed as failure:
            self._misled(failure)
        if self.is_misled:
            checks.append(health.damaged_index())
        is_ready = all(check.ok for check in checks)
        body = msgspec.json.encode(health.report(checks))
        return Http1Answer(
            head(200, JSON, len(body)) if is_ready else head(503, _WAIT, len(body)), body
        )

    # Clicks

    def _click(self, request: Request, token: bytes) -> Http1Answer | Later:
        is_get = request.method == b"GET"
        if not is_get and request.method != b"HEAD":
            return FAULTS[405]
        try:
            packed = self._open(token)
        except ForeignToken:
            opened = self._opened_as_meant(token)
            if opened is not None:
                packed = opened
            elif not self._index.is_whole():
                return FAULTS[503]
            else:
                self.counts.bad_tokens += 1
                return FAULTS[404]
        stored = self._index.url_of(packed[JOB])
        url = None if stored is None else web_address(stored)
        if url is None:
            if not self._index.is_whole():
                return FAULTS[503]
            self.counts.unknown_jobs += 1
            return FAULTS[404]
        headers = request.headers
        at = self._clock.now()
        ip = request.peer if headers.forwarded is None else self._address(request)
        if headers.is_ahead or not is_get:
            # Nobody waits for it, and it has no click id: no conversion can follow from it.
            ahead = PREFETCH if is_get else HEAD
            self.counts.uncounted += 1
            self._told(click_of_packed(packed, request.id, at, ip, headers.agent, ahead))
            return Http1Answer(_MOVED % url)
        kind = TEST if is_test(packed) else ""
        event = click_of_packed(packed, request.id, at, ip, headers.agent, kind)
        kept = self._journal.append(encode([event]))
        self.counts.clicks += 1
        click_id = self._sign(packed, request.id, at)
        return Later(kept, Http1Answer(_MOVED % with_click(url, click_id)), self._broken)

    def _opened_as_meant(self, token: bytes) -> bytes | None:
        """Open a text that is no token as written, or is one under a key that is new to us."""
        for text in (token, *meant(token)):
            if text != token or self._has_new_key(text):
                with suppress(ForeignToken):
                    return self._open(text)
        return None

    def _click_of(self, text: str) -> SealedClick | None:
        """The click that a page names; None if it is not ours."""
        try:
            return open_click(text, self._keys)
        except ForeignToken:
            if self._has_new_key(text.encode("ascii", "replace")):
                return self._click_of(text)
            return None

    def _has_new_key(self, text: bytes) -> bool:
        """Read the keys again if the text names an unknown one, at most once a second; always
        while there are none, as an index has none until it is filled.
        """
        kid = key_named(text)
        now = self._clock.now()
        is_late = not self._keys or now - self._keys_read_at >= SECOND
        if kid is None or kid in self._keys or not is_late:
            return False
        self._read_keys(now)
        return kid in self._keys

    def renew_index(self) -> None:
        """Change to a new index once it is complete; called now and then."""
        if self._index.renew():
            self.is_misled = False
            self.refresh_keys()

    def refresh_keys(self) -> None:
        """Drop keys that were retired; called now and then."""
        self._read_keys(self._clock.now())

    def _read_keys(self, now: Instant) -> None:
        self._keys = self._index.keys()
        newest = max(self._keys, default=0)
        self._open = listing_opener(self._keys)
        self._sign = click_signer(newest, self._keys.get(newest, b""))
        self._keys_read_at = now

    # Pixels

    def _pixel(self, request: Request, query: bytes) -> Http1Answer | Later:
        """Always an image; a wider one if the report cannot be counted, which px.js notices."""
        if request.method == b"HEAD" or request.headers.is_ahead:
            return GIF
        report = report_of(query, request.headers.cookie)
        client = None if report is None else self._index.client_of_pixel(report.pixel_id)
        click = self._click_of(report.click_id) if report and report.click_id else None
        is_bad = report is None or client is None or (report.click_id and click is None)
        if is_bad and report is not None and not self._index.is_whole():
            return FAULTS[503]
        if report is None or client is None or is_bad:
            self.counts.bad_pixels += 1
            return NOT_COUNTED
        client_no, client_id = client
        event = conversion(
            report, client_no, click, self._clock.now(), self._job(client_id, report)
        )
        kept = self._journal.append(encode([event]))
        self.counts.pixels += 1
        return Later(kept, GIF, self._broken)

    def _job(self, client_id: str, report: PixelReport) -> bytes:
        """The job that a report names; none if it was never advertised: anybody may report."""
        if not report.job_reference:
            return b""
        job = job_id_of(client_id, report.job_reference)
        return job if self._index.url_of(job) is not None else b""

    # Feeds

    def _handed(self, name: bytes, version: Instant, status: int, request: Request) -> None:
        """Report a fetch. Nobody waits for it: the reader has its answer, and the next fetch makes
        up for a lost one.
        """
        fetch = self._fetches.told(name, version, status, request, self._clock.now())
        if fetch is not None and self._told(fetch):
            self.counts.feed_fetches += 1

    # Common to all

    def _told(self, event: Received) -> bool:
        """Pass on what nobody waits for; whether the journal has accepted it."""
        try:
            kept = self._journal.append(encode([event]))
        except JournalFull:
            self.counts.journal_failures += 1
        except JournalBroken as failure:
            self._broken(failure)
        else:
            kept.add_done_callback(self._kept)
            return True
        return False

    def _kept(self, kept: asyncio.Future[None]) -> None:
        failure = kept.exception()
        if failure is not None:
            self._broken(failure)

    def _broken(self, failure: BaseException) -> Http1Answer:
        """The answer for an event that could not be stored: nothing was counted, come again."""
        self.counts.journal_failures += 1
        if self.is_ready:
            self.is_ready = False
            _LOG.error("the journal is broken", exc_info=failure)
            self._on_broken()
        return FAULTS[503]

    def _misled(self, failure: BaseException) -> Http1Answer:
        """The answer when the index is damaged. A new index takes its place, which a worker fills;
        until it is complete, whatever can be read of this one is answered as usual.
        """
        if not self.is_misled:
            self.is_misled = True
            _LOG.error("the index is damaged, and is being rebuilt", exc_info=failure)
            if isinstance(failure, IndexDamaged):
                self._index.replace()
        return FAULTS[503]

    def _address(self, request: Request) -> str:
        forwarded = request.headers.forwarded
        if forwarded is None:
            return request.peer
        return self._proxies.client_of(request.peer, forwarded)


_PAGES = frozenset((b"/px.gif", b"/px.js", b"/livez", b"/readyz", b"/robots.txt", b"/metrics"))
