"""Segments: immutable Parquet files of entries in the blob store, listed in table ``segments``.

A segment holds entries of one month, for many clients, client by client; table ``segment_clients``
says for which. It is written and synced before the records transaction that registers it, so that
every listed file exists. Files left unlisted by a crash are swept later. DuckDB reads the files
from any process (``segment_files``). What an entry means is known to its room: here it is a dated
struct whose fields are the columns.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import sqlalchemy as sa
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from sqlalchemy import bindparam as b

from handbill.host.ids import Ids
from handbill.kit.instants import DAY, HOUR, Instant
from handbill.store import holds
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import segment_clients, segments
from handbill.store.segment_days import day_of_number

FOLDER: Final = "segments"
GRACE: Final = HOUR  # a replaced file may still be read by a report that began before
ORPHAN_AGE: Final = DAY
_COMPRESSION: Final = "zstd(1)"
_AMOUNT: Final = "_micros"
_values: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
_TYPES: Final[Mapping[Any, DataType]] = {
    int: DataType.int64(),
    bytes: DataType.binary(),
    str: DataType.utf8(),
}


class SegmentEntry(Protocol):
    """What a segment needs of an entry: a struct of integers, texts and bytes, with these two."""

    @property
    def at(self) -> Instant: ...

    @property
    def client_no(self) -> int: ...


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the manifest. ``no`` is 0 until it is registered. ``digest``: SHA-256 of the file;
    ``totals``: of each amount of its entries, as text, since they may exceed 64 bits.
    """

    no: int = 0
    path: str
    month: str
    rows: int
    bytes: int
    first_at: Instant
    last_at: Instant
    digest: "_Digest"
    totals: dict[str, str]

    def __post_init__(self) -> None:
        assert self.rows > 0, "a segment has entries"
        assert self.first_at <= self.last_at, "its entries lie within its bounds"


_Digest = bytes  # since a field has this name


class ClientExtent(NamedTuple):
    """What a segment holds of one client."""

    client_no: int
    rows: int
    first_at: Instant
    last_at: Instant


class WrittenSegment(NamedTuple):
    """A segment whose file is durable, and whose entries it holds; it is not registered yet."""

    segment: Segment
    parts: list[ClientExtent]


class Replaced(Exception):
    """Another compaction has already replaced these segments, or will."""


_t, _p = segments.c, segment_clients.c
LIVE = _t.replaced_at.is_(None)
"""Listed, not replaced by another."""
SEGMENTS = Mapper(segments, Segment)
"""The rows of the manifest."""
_EVERY = SEGMENTS.ever(LIVE)
_BEFORE = SEGMENTS.ever(LIVE, _t.last_at < b("before"))
_OWN = sa.select(_p.segment_no).where(_p.client_no == b("client_no"))
_WITHIN = SEGMENTS.ever(
    LIVE, _t.no.in_(_OWN.where(_p.last_at >= b("first"), _p.first_at < b("end")))
)
_OF_CLIENTS = SEGMENTS.ever(
    LIVE, _t.no.in_(sa.select(_p.segment_no).where(among(_p.client_no, "client_nos")))
)
_PARTS = (
    sa.select(_p.segment_no, _p.client_no, _p.rows, _p.first_at, _p.last_at)
    .where(among(_p.segment_no, "nos"))
    .order_by(_p.segment_no, _p.client_no)
)
_ROWS_OF_CLIENTS = sa.select(_p.client_no, sa.func.sum(_p.rows)).group_by(_p.client_no)
_UNEVEN = sa.select(_t.path).where(
    LIVE,
    _t.rows
    != sa.func.coalesce(
        sa.select(sa.func.sum(_p.rows)).where(_p.segment_no == _t.no).scalar_subquery(),
        sa.literal_column("0"),
    ),
)
_OLD = sa.select(_t.no, _t.path).where(_t.replaced_at < b("before"))
_KNOWN = sa.select(_t.path).where(among(_t.path, "paths"))
_REPLACE = sa.update(segments).values(replaced_at=b("now")).where(LIVE, among(_t.no, "nos"))
_PART = sa.delete(segment_clients).where(among(_p.segment_no, "nos"))
_DROP = sa.delete(segments).where(_t.no == b("gone"))
_client_no = attrgetter("client_no")


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=16)
def _columns(kind: type[SegmentEntry]) -> tuple[tuple[str, DataType], ...]:
    return tuple((field.name, _TYPES[field.type]) for field in msgspec.structs.fields(kind))  # type: ignore[arg-type]


def encoded(entries: Sequence[SegmentEntry]) -> bytes:
    """The entries as one Parquet file."""
    columns = zip(*map(_values, entries), strict=True)
    kinds = _columns(type(entries[0]))
    table = Table.from_pydict(
        {name: Array(values, kind) for (name, kind), values in zip(kinds, columns, strict=True)}
    )
    file = BytesIO()
    write_parquet(table, file, compression=_COMPRESSION)
    return file.getvalue()


def month_of(at: Instant) -> str:
    return _month_of_day(at // DAY)


@lru_cache(maxsize=4_096)
def _month_of_day(number: int) -> str:
    return day_of_number(number).strftime("%Y-%m")


def path_of(month: str, now: Instant, ids: Ids) -> str:
    """A fresh name. It contains its time, so that the sweep can tell a file's age."""
    return f"{FOLDER}/{month}/{now:016d}-{ids.bytes(8).hex()}.parquet"


def write(blobs: Blobs, path: str, entries: Sequence[SegmentEntry]) -> WrittenSegment:
    """Write a durable segment of entries of one month, those of each client together."""
    entries = sorted(entries, key=_client_no)
    ats = [entry.at for entry in entries]
    month = month_of(ats[0])
    assert month == month_of(min(ats)) == month_of(max(ats)), "a segment is of one month"
    raw = encoded(entries)
    blobs.put(path, raw)
    parts = [
        _part(client_no, [entry.at for entry in some])
        for client_no, some in groupby(entries, key=_client_no)
    ]
    assert sum(part.rows for part in parts) == len(ats), "every entry is somebody's"
    return WrittenSegment(
        Segment(
            path=path,
            month=month,
            rows=len(ats),
            bytes=len(raw),
            first_at=min(ats),
            last_at=max(ats),
            digest=hashlib.sha256(raw).digest(),
            totals={
                name: str(sum(getattr(entry, name) for entry in entries))
                for name, _ in _columns(type(entries[0]))
                if name.endswith(_AMOUNT)
            },
        ),
        parts,
    )


def _part(client_no: int, ats: Sequence[Instant]) -> ClientExtent:
    return ClientExtent(client_no, len(ats), min(ats), max(ats))


def merged(former: Sequence[WrittenSegment], path: str, digest: bytes, size: int) -> WrittenSegment:
    """The segment with the entries of all these, in its own file."""
    of = [written.segment for written in former]
    assert all(it.month == of[0].month for it in of), "a segment is of one month"
    every = sorted((part for written in former for part in written.parts), key=_client_no)
    parts = [
        ClientExtent(client_no, *_extent(list(of_one)))
        for client_no, of_one in groupby(every, key=_client_no)
    ]
    rows, first_at, last_at = _extent(of)
    made = Segment(
        path=path,
        month=of[0].month,
        rows=rows,
        bytes=size,
        first_at=first_at,
        last_at=last_at,
        digest=digest,
        totals={name: str(sum(int(it.totals[name]) for it in of)) for name in of[0].totals},
    )
    return WrittenSegment(made, parts)


def _extent(some: Sequence[Segment] | Sequence[ClientExtent]) -> tuple[int, Instant, Instant]:
    """The total number of rows, and their first and last instants."""
    return (
        sum(it.rows for it in some),
        min(it.first_at for it in some),
        max(it.last_at for it in some),
    )


def register(tx: Tx, written: Iterable[WrittenSegment], now: Instant) -> None:
    """List written segments: once committed, their entries are in the ledger."""
    for segment, parts in written:
        assert segment.no == 0, "a segment is listed once"
        assert sum(part.rows for part in parts) == segment.rows, "every entry is somebody's"
        no = tx.put(segments, **SEGMENTS.values(segment), created_at=now)
        tx.put_many(segment_clients, [{"segment_no": no, **part._asdict()} for part in parts])


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def segments_within(tx: Tx, client_no: int, first: Instant, end: Instant) -> list[Segment]:
    """The segments that may hold entries of the client in the half-open range."""
    return _WITHIN.all(tx, client_no=client_no, first=first, end=end)


def segments_of_any(tx: Tx, client_nos: Iterable[int]) -> list[Segment]:
    """The segments that hold entries of any of these clients, and maybe of others."""
    return _OF_CLIENTS.all(tx, client_nos=Listed(client_nos))


def every_segment(tx: Tx) -> list[Segment]:
    return _EVERY.all(tx)


def segments_before(tx: Tx, before: Instant) -> list[Segment]:
    """The segments whose entries are all older."""
    return _BEFORE.all(tx, before=before)


def with_parts(tx: Tx, some: Sequence[Segment]) -> list[WrittenSegment]:
    """These listed segments, with the clients of their entries."""
    parts: dict[int, list[ClientExtent]] = {segment.no: [] for segment in some}
    for segment_no, *part in tx.all(_PARTS, nos=Listed(parts)):
        parts[segment_no].append(ClientExtent(*part))
    return [WrittenSegment(segment, parts[segment.no]) for segment in some]


def clients_in(written: Iterable[WrittenSegment]) -> set[int]:
    """The clients whose entries these segments hold."""
    return {part.client_no for _, parts in written for part in parts}


def not_parted(tx: Tx) -> list[str]:
    """Paths of segments with entries that belong to no client: none, unless altered."""
    return [path for (path,) in tx.all(_UNEVEN)]


def rows_of_clients(tx: Tx) -> dict[int, int]:
    """The number of each client's entries."""
    return {client_no: int(rows) for client_no, rows in tx.all(_ROWS_OF_CLIENTS)}


# ── retiring ────────────────────────────────────────────────────────────────────────────────────


def retire(tx: Tx, former: Sequence[Segment], now: Instant) -> None:
    """Remove these segments from the list; the sweep deletes their files later. **Refuses**
    (Replaced) if not all of them are listed.
    """
    assert all(segment.no for segment in former), "only what is listed is retired"
    nos = [segment.no for segment in former]
    if tx.run(_REPLACE, nos=Listed(nos), now=now) != len(former):
        raise Replaced
    tx.run(_PART, nos=Listed(nos))


# ── sweeping ────────────────────────────────────────────────────────────────────────────────────


def sweep(records: Records, blobs: Blobs, now: Instant) -> int:
    """Delete files that were replaced an hour ago and files that a crash left unlisted a day ago;
    returns how many. None are deleted while a backup is made.
    """
    with records.read() as tx:
        if holds.stand(tx, now):
            return 0
        gone = tx.all(_OLD, before=now - GRACE)
    for no, path in gone:
        assert path.startswith(f"{FOLDER}/"), "only segments are swept"
        blobs.delete(path)
        with records.write() as tx:
            tx.run(_DROP, gone=no)
    orphans = _orphans(records, [p for p in blobs.paths(FOLDER) if named_at(p) < now - ORPHAN_AGE])
    for path in orphans:
        blobs.delete(path)
    return len(gone) + len(orphans)


def named_at(path: str) -> Instant:
    """When a file was named; 0 if its name does not tell."""
    head = path.rpartition("/")[2].partition("-")[0]
    return int(head) if head.isdigit() else 0


def _orphans(records: Records, paths: Sequence[str]) -> list[str]:
    orphans: list[str] = []
    for at in range(0, len(paths), 1_000):
        some = paths[at : at + 1_000]
        with records.read() as tx:
            known = {path for (path,) in tx.all(_KNOWN, paths=Listed(some))}
        orphans += [path for path in some if path not in known]
    return orphans
