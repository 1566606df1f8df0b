"""A dry run: the beginning of a feed, read by the import's own code. Nothing is stored.

It waits for others' servers, so it takes few bytes and few seconds; the lane of its operation
limits how many run at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import Any

import msgspec

from handbill.core.feeds import FeedBody
from handbill.core.nouns import Client, Job, JobBody, JobSettings
from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8
from handbill.dialects.inbound.known import FeedBeginning, look
from handbill.dialects.inbound.scanner import FeedItem
from handbill.feeds.collecting import Collected, meet, tell_repairs
from handbill.feeds.known_jobs import KnownJobs
from handbill.feeds.reading import (
    SAMPLE_BYTES,
    FeedLocale,
    ImportFailed,
    failing,
    proposed,
    reading_of,
)
from handbill.feeds.spools import Spool
from handbill.host.egress import Egress, EgressFailed, EgressRefused, FetchLimits, RequestExtras
from handbill.jobs import service as jobs
from handbill.jobs.service import WrittenJob
from handbill.kit.instants import Instant

MOST_ITEMS = 500
MOST_BYTES = 5_000_000
MOST_JOBS = 3
_SECONDS = 10
_MOST_NODES = 200

END, ITEMS, BYTES, FETCH = "END", "ITEMS", "BYTES", "FETCH"


@dataclass(slots=True)
class Body:
    """What was read of a feed. ``stopped``: at its END, after enough BYTES, or because the FETCH
    broke off; then ``message`` says why.
    """

    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    charset: str = ""
    stopped: str = END
    message: str = ""


@dataclass(slots=True)
class FirstRunPreview:
    """What a first run would find. ``failure``: why it would fail; the rest until then."""

    body: Body
    found: Collected
    proposal: dict[str, Any]
    nodes: list[str]
    stopped: str
    failure: ImportFailed | None
    valid: int
    jobs: list[Job]


def preview(
    egress: Egress,
    at: tuple[Client, FeedLocale],
    now: Instant,
    feed: FeedBody,
    asked: RequestExtras,
    most_bytes: int,
) -> FirstRunPreview:
    """Fetch a feed, requested as ``asked``, and read its beginning. ``most_bytes``: the limit of a
    whole feed.
    """
    return _read(_fetched(egress, feed.url, asked, most_bytes), at, now, feed)


def _fetched(egress: Egress, url: str, asked: RequestExtras, most_bytes: int) -> Body:
    """The beginning of the feed's body; if the fetch breaks off, what was received until then."""
    limits = FetchLimits(_SECONDS / 2, _SECONDS / 2, _SECONDS, most_bytes)
    body = Body()
    try:
        with egress.open(url, limits, asked) as chunks:
            body.charset = chunks.charset
            for chunk in chunks:
                body.chunks.append(chunk)
                body.size += len(chunk)
                if body.size >= MOST_BYTES:
                    body.stopped = BYTES
                    break
    except (EgressRefused, EgressFailed) as failed:
        body.stopped, body.message = FETCH, f"The feed cannot be fetched: {failed}."
    return body


def _read(
    body: Body, at: tuple[Client, FeedLocale], now: Instant, feed: FeedBody
) -> FirstRunPreview:
    client, locale = at
    seen = _looked_at(body)
    nodes = [] if seen is None else list(seen.nodes)
    collected = Collected(KnownJobs(()), Spool(BytesIO()), feed.mappings)
    failure: ImportFailed | None = None
    try:
        for item in _met(body, feed, locale, collected):
            nodes = nodes or list(item.fields or ())
        _check_any(body, collected)
    except ImportFailed as failed:
        failure = failed
    kept = list(collected.spool)
    return FirstRunPreview(
        body,
        collected,
        {} if seen is None else proposed(seen),
        nodes[:_MOST_NODES],
        ITEMS if collected.total == MOST_ITEMS else body.stopped,
        failure,
        sum(one.valid for one in kept),
        [_job(one, client, now) for one in kept[:MOST_JOBS]],
    )


def _met(body: Body, feed: FeedBody, locale: FeedLocale, found: Collected) -> Iterator[FeedItem]:
    """The first items, each with its job or its faults."""
    if body.stopped == FETCH and not body.chunks:
        raise ImportFailed("fetch", body.message)
    try:
        with failing():
            reading = reading_of(iter(body.chunks), feed, locale, body.charset)
            found.mappings = reading.mappings
            for item in islice(reading.items, MOST_ITEMS):
                found.total += 1
                meet(found, item, reading.map_job)
                yield item
            tell_repairs(found, reading)
            if body.stopped == END and found.total < MOST_ITEMS and not reading.notes.next:
                found.lacks = reading.notes.lacks(found.total, 1)
    except ImportFailed as failed:
        # Where we stopped reading ourselves, an item that is cut off is no fault of the feed.
        if failed.reason != "malformed" or body.stopped == END:
            raise


def _check_any(body: Body, found: Collected) -> None:
    if found.total:
        return
    if body.stopped == FETCH:
        raise ImportFailed("fetch", body.message)
    if body.stopped == BYTES:
        raise ImportFailed("too_large", f"No job ends within the first {MOST_BYTES:,} bytes.")
    raise ImportFailed("empty", "The feed has no jobs.")


def _looked_at(body: Body) -> FeedBeginning | None:
    """The structure of the beginning: where the jobs are, and the names of their nodes."""
    try:
        return look(b"".join(_beginning(as_utf8(iter(body.chunks), body.charset))))
    except UnknownEncoding:
        return None


def _beginning(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        yield chunk
        size += len(chunk)
        if size >= SAMPLE_BYTES:
            return


def _job(one: WrittenJob, client: Client, now: Instant) -> Job:
    """The job as it would be read from the records, had it been written."""
    body = msgspec.msgpack.decode(one.body, type=JobBody)
    body.settings = JobSettings(publishers=one.publishers) if one.publishers else None
    return Job(
        no=0,
        id=jobs.job_id(client.id, body.ref),
        client_no=client.no,
        feed_no=0,
        status="A",
        valid=bool(one.valid),
        body=body,
        created_at=now,
        updated_at=now,
    )
