"""Reads a feed and finds out what it changes: nothing is written but a temporary file.

What the feed says is compared with the digests of what it said before. Only new content is parsed,
mapped and kept, in a temporary file; so memory grows with the number of jobs, not with their text.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from handbill.core.feed_runs import RunFault
from handbill.core.feed_values import FieldFault
from handbill.core.feeds import FeedBody
from handbill.core.mapping import MapJob
from handbill.core.nouns import JobBody
from handbill.dialects.inbound.scanner import FeedItem, Malformed
from handbill.feeds.known_jobs import OTHER, SAME, STANDS, UNSEEN, KnownJobs
from handbill.feeds.reading import (
    FeedLocale,
    FeedPage,
    FeedReading,
    ImportFailed,
    TurnPage,
    failing,
    reading_of,
)
from handbill.feeds.rows import MOST_FAULTS
from handbill.feeds.spools import Spool
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.store.records import Tx

MOST_ITEMS = 3_000_000
MOST_PAGES = 1_000
_FAULTY = b"!"
MOST_BROKEN = 1_000


_HOW = "has a bare & or <, HTML or a character that XML forbids; it was read as intended"
_MENDED = FieldFault("", "not_xml", _HOW)


@dataclass
class Collected:
    """What a feed says, compared with what it said before."""

    known: KnownJobs
    spool: Spool
    mappings: dict[str, Any]
    """The mapping by which the items were read: the feed's own, or the one that was found."""
    total: int = 0
    duplicates: int = 0
    skipped: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason of each job that cannot be read."""
    pages: int = 1
    ended: set[int] = field(default_factory=set)
    """Places of the jobs that were not over before, and that the feed now says are over."""
    archived: set[str] = field(default_factory=set)
    """References that were met only within an archive so far."""
    fields: dict[str, None] = field(default_factory=dict)
    """Names of the client's own fields, in the order of their appearance."""
    lacks: str = ""
    """What the feed says that it has, and does not contain; empty: nothing."""
    fault_counts: dict[str, int] = field(default_factory=dict)
    faults: list[RunFault] = field(default_factory=list)

    @property
    def same(self) -> int:
        """How many live jobs are unchanged."""
        return self.known.state.count(SAME, 0, self.known.live)

    @property
    def lost(self) -> int:
        """How many live jobs that were not over the feed no longer has."""
        known = self.known
        over = sum(place < known.live and known.state[place] == UNSEEN for place in known.over)
        return known.state.count(UNSEEN, 0, known.live) - over

    @property
    def deleted(self) -> int:
        """How many jobs that were deleted here are unchanged in the feed."""
        return self.known.state.count(SAME, self.known.live)

    @property
    def gone(self) -> list[int]:
        """The jobs that the feed no longer has, including deleted ones."""
        known = self.known
        return [no for no, state in zip(known.nos, known.state, strict=True) if state == UNSEEN]

    def fault(self, job: str, line: int, found: FieldFault) -> None:
        self.fault_counts[found.reason] = self.fault_counts.get(found.reason, 0) + 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(RunFault(job, found.field, line, found.reason, found.message))


def former_of(tx: Tx, feed_no: int, now: Instant) -> KnownJobs:
    """The jobs that the feed has had so far."""
    return KnownJobs(jobs.of_feed(tx, feed_no), jobs.deleted_of_feed(tx, feed_no), now)


def collect(
    page: FeedPage,
    feed: FeedBody,
    locale: FeedLocale,
    known: KnownJobs,
    spool: Spool,
    turn: TurnPage | None = None,
) -> Collected:
    """Read the whole feed, and its further pages if they can be opened. What the feed says of the
    next page counts before what its server says.

    **Refuses** (ImportFailed) a feed that is malformed or cannot be mapped.
    """
    with failing():
        reading = reading_of(page.chunks, feed, locale, page.charset, known.by_digest)
        collected = Collected(known, spool, reading.mappings)
        while True:
            _meet_all(collected, reading)
            following = reading.notes.next or page.following
            next_page = turn(following) if turn is not None and following else None
            if next_page is None:
                if turn is not None:
                    collected.lacks = reading.notes.lacks(collected.total, collected.pages)
                return collected
            collected.pages += 1
            if collected.pages > MOST_PAGES:
                raise ImportFailed("too_large", f"The feed has more than {MOST_PAGES:,} pages.")
            page = next_page
            mapped = msgspec.structs.replace(feed, mappings=collected.mappings)
            reading = reading_of(page.chunks, mapped, locale, page.charset, known.by_digest)


def _meet_all(found: Collected, reading: "FeedReading") -> None:
    """Read one page."""
    for item in reading.items:
        found.total += 1
        if item.fields is None:
            place = found.known.by_digest[item.digest]
            if _counts(found, item, found.known.refs[place], place):
                _stays(found, place)
        else:
            meet(found, item, reading.map_job)
        if found.total > MOST_ITEMS:
            raise ImportFailed("too_large", f"The feed has more than {MOST_ITEMS:,} jobs.")
    tell_repairs(found, reading)
    if len(found.broken) * 10 > found.total:
        raise Malformed(*found.broken[0])


def tell_repairs(found: Collected, reading: "FeedReading") -> None:
    """Report each byte that was not in the feed's encoding."""
    for message in reading.repaired:
        found.fault("", 0, FieldFault("", "bad_byte", message))


def _counts(found: Collected, item: FeedItem, ref: str, place: int | None) -> bool:
    """Whether an item counts: of several with one reference the last one, but nothing in an archive
    behind another, and nothing in an archive if the job is also outside.
    """
    is_again = ref in found.spool or (place is not None and found.known.state[place] != UNSEEN)
    if item.is_over:
        if not is_again:
            found.archived.add(ref)
        return not is_again
    if is_again and ref not in found.archived:
        found.duplicates += 1
        message = "occurred before in this feed; the last one is used"
        found.fault(ref, item.line, FieldFault("referencenumber", "duplicate", message))
    found.archived.discard(ref)
    return True


def _stays(found: Collected, place: int, state: int = SAME) -> None:
    """A job stays as it was before, whatever this reading has met of it so far."""
    ref = found.known.refs[place]
    if ref in found.spool:
        found.spool.drop(ref)
    found.known.state[place] = state
    found.ended.discard(place)


def meet(found: Collected, item: FeedItem, map_job: MapJob) -> None:
    """An item that is new, has changed, or has faults."""
    assert item.fields is not None
    body, posted_on, target, faults = map_job(item.fields)
    if item.broken:
        _meet_broken(found, item, "" if body is None else body.ref)
        return
    if item.is_mended:
        faults = [*faults, _MENDED]
    known = found.known
    ref = "" if body is None else body.ref
    place = known.by_ref.get(ref)
    if body is not None and not _counts(found, item, ref, place):
        return
    for fault in faults:
        found.fault(ref, item.line, fault)
    if body is None:
        found.skipped += 1
        return
    if faults and place is not None and known.faulty.get(item.digest) == place:
        _stays(found, place)
        return
    if item.is_over:
        body.end_at = known.now if body.end_at is None else min(body.end_at, known.now)
    if place is not None:
        known.state[place] = OTHER
        _meet_end(found, place, body)
    if body.additional:
        found.fields.update(dict.fromkeys(body.additional))
    digest = item.digest + _FAULTY if faults else item.digest
    found.spool.put(jobs.written(body, posted_on, digest, target))


def _meet_end(found: Collected, place: int, body: JobBody) -> None:
    """Note a job that ends with this reading. One that was over before keeps its end if the feed
    says only that it is over.
    """
    known = found.known
    found.ended.discard(place)
    if body.end_at is None or body.end_at > known.now:
        return
    if place not in known.over and place < known.live:
        found.ended.add(place)
    elif body.end_at == known.now:
        body.end_at = known.over.get(place, known.now)


def _meet_broken(found: Collected, item: FeedItem, ref: str) -> None:
    """A job that cannot be read is reported, and stays as it was. If its reference is unknown too,
    so is the job: then the whole feed is refused.
    """
    found.broken.append((item.line, item.broken))
    if not ref or len(found.broken) > MOST_BROKEN:
        raise Malformed(item.line, item.broken)
    message = f"cannot be read; the job stays as it was: {item.broken}"
    found.fault(ref, item.line, FieldFault("", "malformed", message))
    found.skipped += 1
    place = found.known.by_ref.get(ref)
    is_only_over = ref in found.archived and not item.is_over
    if place is not None and (is_only_over or found.known.state[place] == UNSEEN):
        _stays(found, place, STANDS)
