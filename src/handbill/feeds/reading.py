"""Begins to read a feed: decodes it, finds its mapping, and scans it for items."""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from handbill.core.feed_mappings import KEYS, PLACE, nodes_of, unmapped
from handbill.core.feeds import FeedBody
from handbill.core.mapping import MapJob, compile_mapping
from handbill.core.nouns import Client
from handbill.dialects.inbound.dates import read_instant
from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8
from handbill.dialects.inbound.frame import PageNotes
from handbill.dialects.inbound.head import currency_of, no_page, with_head
from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.known import FeedBeginning, discover, fault_of, look
from handbill.dialects.inbound.scanner import FeedItem, Malformed, scan
from handbill.kit.instants import Instant
from handbill.kit.zones import zone_of
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.store.records import Tx

READING = b"13"
"""The version of the code that reads jobs: a new number has every job read anew."""
SAMPLE_BYTES = 1024 * 1024
_SOURCE_KEY, _JOB_KEY = (
    next(key for key, name in KEYS.items() if name == wanted) for wanted in ("source", "job")
)
_PACK = msgspec.msgpack.Encoder(order="deterministic")


class ImportFailed(Exception):
    """The run fails and the former jobs stay. ``reason`` in one word, the message for people."""

    def __init__(self, reason: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.line = line


def settings_digest(body: FeedBody, zone: str, head_currency: str = "") -> bytes:
    """A digest of what decides how items are read: if it changes, every item is read anew."""
    read_by = (
        body.mappings,
        body.url_params_to_strip,
        body.value_overrides,
        body.value_defaults,
        body.mandatory_fields,
        zone,
        *([head_currency] if head_currency else ()),
    )
    return hashlib.blake2b(_PACK.encode(read_by), digest_size=16, key=READING).digest()


class FeedLocale(NamedTuple):
    """Zone and currency of a feed's dates and amounts. ``rated``: currencies with a rate today.
    ``now``: when it is read. ``publishers``: ids of the agency's.
    """

    zone: str
    currency: str
    rated: Container[str] | None = None
    now: Instant = 0
    publishers: Container[str] | None = None


def locale_of(tx: Tx, client: Client, now: Instant) -> FeedLocale:
    today = rates.exchange_of(tx, client, now)
    ids = {one.id for one in publishers.publishers_of(tx, client.agency_no)}
    return FeedLocale(client.zone, today.currency, today, now, ids)


class FeedPage(NamedTuple):
    """A page of a feed. ``charset`` and ``following``, the next page: as its server says."""

    chunks: Iterable[bytes]
    charset: str = ""
    following: str = ""


TurnPage = Callable[[str], FeedPage | None]
"""Opens the page that a feed names as its next; None: it names itself, as some last pages do."""


@contextmanager
def failing() -> Iterator[None]:
    """Turn malformed content into a failed run (ImportFailed)."""
    try:
        yield
    except Malformed as bad:
        raise ImportFailed("malformed", f"The feed is malformed: {bad.message}.", bad.line) from bad
    except UnknownEncoding as bad:
        raise ImportFailed("malformed", f"The feed is malformed: {bad}.") from bad


class FeedReading(NamedTuple):
    """A feed being read: its items, what makes a job of one, and the mapping for that."""

    items: Iterator[FeedItem]
    map_job: MapJob
    mappings: dict[str, Any]
    repaired: list[str]
    """Bytes so far that were not in the feed's encoding."""
    notes: PageNotes
    """What the page says of the whole feed, once it is read."""


def reading_of(
    chunks: Iterable[bytes],
    feed: FeedBody,
    locale: FeedLocale,
    charset: str = "",
    known: Container[bytes] = (),
) -> FeedReading:
    """Begin to read a feed, within ``failing``; items of known digests are not parsed."""
    repaired: list[str] = []
    notes = PageNotes()
    stream, mappings = _with_mappings(no_page(as_utf8(chunks, charset, repaired)), feed)
    read_by = msgspec.structs.replace(feed, mappings=mappings)
    nodes = nodes_of(mappings)
    stream, head = with_head(stream, nodes["job"])
    head_currency = currency_of(head) if nodes.get("cpc") else ""
    place_nodes = {nodes[name] for name in PLACE if name in nodes}
    reader = ItemReader({nodes.get("description", "")}, place_nodes)
    items = scan(
        stream,
        nodes["job"],
        reader,
        collection=nodes["source"],
        known=known,
        salt=settings_digest(read_by, locale.zone, head_currency),
        notes=notes,
        passes_broken=True,
    )
    zone = zone_of(locale.zone)
    asked = (locale.currency, read_instant, locale.rated, locale.now, head_currency)
    map_job = compile_mapping(read_by, zone, *asked, locale.publishers)
    return FeedReading(items, map_job, mappings, repaired, notes)


def _with_mappings(
    stream: Iterator[bytes], feed: FeedBody
) -> tuple[Iterable[bytes], dict[str, Any]]:
    """The stream from its start, and the mapping: the feed's own, or the one proposed for it."""
    if nodes_of(feed.mappings):
        lacking = unmapped(feed)
        if lacking:
            raise ImportFailed("unmapped", "No node is mapped to " + ", ".join(lacking) + ".")
        return stream, feed.mappings
    head = b""
    for chunk in stream:
        head += chunk
        if len(head) >= SAMPLE_BYTES:
            break
    seen = look(head)
    if seen is None:
        fault = fault_of(head)
        if fault is not None:
            raise Malformed(*fault)
        raise ImportFailed("unmapped", "The format of the feed is not known: set schemaMappings.")
    mapping = proposed(seen)
    given = {key: value for key, value in feed.mappings.items() if value}
    return chain([head], stream), mapping | given


def proposed(seen: FeedBeginning) -> dict[str, Any]:
    """The mapping that the beginning of a feed suggests."""
    return {_SOURCE_KEY: seen.collection, _JOB_KEY: seen.item} | discover(seen.nodes)
