"""Segments: immutable Parquet files of entries in the blob store, listed in table ``segments``.

A segment holds entries of one client and one month. It is written and synced before the records
transaction that registers it, so that what is listed is there; what a crash leaves unlisted is
swept later. DuckDB reads the files from any process. What an entry is, its room knows: here it is
a struct that is dated, and whose fields are the columns.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from typing import Any, Final, Protocol

import msgspec
import sqlalchemy as sa
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from sqlalchemy import bindparam as b

from handbill.host.ids import Ids
from handbill.kit.instants import DAY, HOUR, Instant
from handbill.kit.zones import offsets_within
from handbill.store import holds
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import segments

FOLDER: Final = "segments"
GRACE: Final = HOUR  # a replaced file may still be read by a report that began before
ORPHAN_AGE: Final = DAY
MOST_ROWS: Final = 4_000_000  # of a compacted segment
_FEW: Final = 8  # so many segments of about one size become one
_MOST_FILES: Final = 2_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_COMPRESSION: Final = "zstd(1)"
_AMOUNT: Final = "_micros"
_values: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
_TYPES: Final[Mapping[Any, DataType]] = {
    int: DataType.int64(),
    bytes: DataType.binary(),
    str: DataType.utf8(),
}


class Dated(Protocol):
    """What a segment asks of an entry: a struct of integers, texts and bytes, with these two."""

    @property
    def at(self) -> Instant: ...

    @property
    def client_no(self) -> int: ...


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the manifest. ``no`` is 0 until it is registered. ``digest``: SHA-256 of the file;
    ``totals``: of each amount of its entries, as text, for they may pass 64 bits.
    """

    no: int = 0
    client_no: int
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


_Digest = bytes  # as a field has this name


class Replaced(Exception):
    """Another compaction has replaced these segments already."""


_t = segments.c
_LIVE = _t.replaced_at.is_(None)
_SEGMENTS = Mapper(segments, Segment)
_OF_CLIENT = _SEGMENTS.ever(_LIVE, "client_no")
_WITHIN = _SEGMENTS.ever(_LIVE, "client_no", _t.last_at >= b("first"), _t.first_at < b("end"))
_BEFORE = _SEGMENTS.ever(_LIVE, "client_no", _t.last_at < b("before"))
_CLIENTS_BEFORE = (
    sa.select(_t.client_no).where(_LIVE, _t.last_at < b("before")).distinct().order_by(_t.client_no)
)
_CLIENTS = sa.select(_t.client_no).where(_LIVE).distinct().order_by(_t.client_no)
_SPLIT = (
    sa.select(_t.client_no)
    .where(_LIVE, _t.rows < b("most"))
    .group_by(_t.client_no, _t.month)
    .having(sa.func.count() >= b("few", type_=sa.Integer))
    .distinct()
)
_OLD = sa.select(_t.no, _t.path).where(_t.replaced_at < b("before"))
_KNOWN = sa.select(_t.path).where(among(_t.path, "paths"))
_REPLACE = sa.update(segments).values(replaced_at=b("now")).where(_LIVE, among(_t.no, "nos"))
_DROP = sa.delete(segments).where(_t.no == b("gone"))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=16)
def _columns(kind: type[Dated]) -> tuple[tuple[str, DataType], ...]:
    return tuple((field.name, _TYPES[field.type]) for field in msgspec.structs.fields(kind))  # type: ignore[arg-type]


def encoded(entries: Sequence[Dated]) -> bytes:
    """The entries as one Parquet file."""
    columns = zip(*map(_values, entries), strict=True)
    kinds = _columns(type(entries[0]))
    table = Table.from_pydict({
        name: Array(values, kind) for (name, kind), values in zip(kinds, columns, strict=True)
    })  # fmt: skip
    file = BytesIO()
    write_parquet(table, file, compression=_COMPRESSION)
    return file.getvalue()


def month_of(at: Instant) -> str:
    return _month_of_day(at // DAY)


@lru_cache(maxsize=4_096)
def _month_of_day(number: int) -> str:
    return day_of_number(number).strftime("%Y-%m")


def path_of(client_no: int, month: str, now: Instant, ids: Ids) -> str:
    """A fresh name. It carries when it was given, so that the sweep can tell a file's age."""
    return f"{FOLDER}/{client_no}/{month}/{now:016d}-{ids.bytes(8).hex()}.parquet"


def write(blobs: Blobs, path: str, entries: Sequence[Dated]) -> Segment:
    """Make a segment of one client's entries of one month durable; it is not registered yet."""
    first = entries[0]
    ats = [entry.at for entry in entries]
    month = month_of(first.at)
    assert month == month_of(min(ats)) == month_of(max(ats)), "a segment is of one month"
    assert all(one.client_no == first.client_no for one in entries), "a segment is one client's"
    raw = encoded(entries)
    blobs.put(path, raw)
    return Segment(
        client_no=first.client_no, path=path, month=month, rows=len(ats), bytes=len(raw),
        first_at=min(ats), last_at=max(ats), digest=hashlib.sha256(raw).digest(),
        totals={
            name: str(sum(getattr(entry, name) for entry in entries))
            for name, _ in _columns(type(first))
            if name.endswith(_AMOUNT)
        },
    )  # fmt: skip


def merged(former: Sequence[Segment], path: str, digest: bytes, size: int) -> Segment:
    """What holds the entries of all these, in a file of its own; it is not registered yet."""
    one = former[0]
    assert all(it.client_no == one.client_no for it in former), "a segment is one client's"
    assert all(it.month == one.month for it in former), "a segment is of one month"
    return Segment(
        client_no=one.client_no, path=path, month=one.month,
        rows=sum(it.rows for it in former), bytes=size,
        first_at=min(it.first_at for it in former), last_at=max(it.last_at for it in former),
        digest=digest,
        totals={name: str(sum(int(it.totals[name]) for it in former)) for name in one.totals},
    )  # fmt: skip


def register(tx: Tx, written: Sequence[Segment], now: Instant) -> None:
    """List written segments: from the commit on their entries are in the ledger."""
    assert all(segment.no == 0 for segment in written), "a segment is listed once"
    tx.put_many(segments, [_SEGMENTS.values(segment) | {"created_at": now} for segment in written])


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def segments_within(tx: Tx, client_no: int, first: Instant, end: Instant) -> list[Segment]:
    """The client's segments that may hold entries of the half-open range."""
    return _WITHIN.all(tx, client_no=client_no, first=first, end=end)


def segments_of(tx: Tx, client_no: int) -> list[Segment]:
    return _OF_CLIENT.all(tx, client_no=client_no)


def clients_with_entries(tx: Tx) -> list[int]:
    return [client_no for (client_no,) in tx.all(_CLIENTS)]


def clients_before(tx: Tx, before: Instant) -> list[int]:
    """Clients with segments whose entries are all older."""
    return [client_no for (client_no,) in tx.all(_CLIENTS_BEFORE, before=before)]


def segments_before(tx: Tx, client_no: int, before: Instant) -> list[Segment]:
    return _BEFORE.all(tx, client_no=client_no, before=before)


def day_text(first: Instant, end: Instant, zone: tzinfo) -> str:
    """SQL for the calendar day of ``"at"`` in a zone, as days since 1970-01-01.

    Whole numbers throughout, so that days of 23 and 25 hours are right to the microsecond; holds
    for instants of the half-open range.
    """
    spans = offsets_within(first, end, zone)
    offset = str(spans[-1][1]) if spans else "0"
    if len(spans) > 1:
        cases = " ".join(
            f'WHEN "at" < {until} THEN {micros}' for (_, micros), (until, _) in pairwise(spans)
        )
        offset = f"CASE {cases} ELSE {offset} END"
    return f'("at" + {offset}) // {DAY}'


def day_of_number(number: int) -> date:
    return date.fromordinal(_EPOCH_DAY + number)


# ── compacting ──────────────────────────────────────────────────────────────────────────────────


def clients_to_compact(tx: Tx) -> list[int]:
    """Clients with many small segments in some month."""
    return [client_no for (client_no,) in tx.all(_SPLIT, most=MOST_ROWS, few=_FEW)]


def chosen(live: Sequence[Segment]) -> list[Segment]:
    """Which segments to make one: of one month, eight or more of about the same size.

    Sizes are powers of eight, so that an entry is written again only a few times in its life.
    """
    tiers: dict[tuple[str, int], list[Segment]] = {}
    for segment in live:
        if segment.rows < MOST_ROWS:
            tiers.setdefault((segment.month, segment.rows.bit_length() // 3), []).append(segment)
    for _, alike in sorted(tiers.items()):
        if len(alike) >= _FEW:
            return _bounded(alike)
    return []


def _bounded(alike: Sequence[Segment]) -> list[Segment]:
    rows = 0
    taken: list[Segment] = []
    for segment in alike[:_MOST_FILES]:
        rows += segment.rows
        if rows > MOST_ROWS and len(taken) > 1:
            break
        taken.append(segment)
    return taken


def replace(tx: Tx, former: Sequence[Segment], made: Segment, now: Instant) -> None:
    """List the new segment instead of the former ones. **Refuses** (Replaced) when not all of
    them are listed any more.
    """
    assert sum(segment.rows for segment in former) == made.rows, "no entry is lost or made"
    retire(tx, former, now)
    register(tx, [made], now)


def retire(tx: Tx, former: Sequence[Segment], now: Instant) -> None:
    """List these segments no more; the sweep deletes their files later. **Refuses** (Replaced) when
    not all of them are listed.
    """
    assert all(segment.no for segment in former), "only what is listed is retired"
    nos = Listed(segment.no for segment in former)
    if tx.run(_REPLACE, nos=nos, now=now) != len(former):
        raise Replaced


# ── sweeping ────────────────────────────────────────────────────────────────────────────────────


def sweep(records: Records, blobs: Blobs, now: Instant) -> int:
    """Delete files that were replaced an hour ago and files that a crash left unlisted a day ago;
    how many. None while a backup is made.
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
    orphans = _orphans(records, [p for p in blobs.paths(FOLDER) if _named_at(p) < now - ORPHAN_AGE])
    for path in orphans:
        blobs.delete(path)
    return len(gone) + len(orphans)


def _named_at(path: str) -> Instant:
    head = path.rpartition("/")[2].partition("-")[0]
    return int(head) if head.isdigit() else 0


def _orphans(records: Records, paths: Sequence[str]) -> list[str]:
    found: list[str] = []
    for at in range(0, len(paths), 1_000):
        some = paths[at : at + 1_000]
        with records.read() as tx:
            known = {path for (path,) in tx.all(_KNOWN, paths=Listed(some))}
        found += [path for path in some if path not in known]
    return found
