"""Judged entries: immutable Parquet segments in the blob store, listed in table ``segments``.

A segment holds entries of one client and one month. It is written and synced before the records
transaction that registers it, so that what is listed is there; what a crash leaves unlisted is
swept later. DuckDB reads the files from any process.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from io import BytesIO
from itertools import pairwise
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from sqlalchemy import bindparam as b

from handbill.host.ids import Ids
from handbill.kit.instants import DAY, HOUR, Instant, moment_of
from handbill.kit.zones import offsets_within
from handbill.store import holds
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import segments

FOLDER: Final = "events"
GRACE: Final = HOUR  # a replaced file may still be read by a report that began before
ORPHAN_AGE: Final = DAY
MOST_ROWS: Final = 4_000_000  # of a compacted segment
_FEW: Final = 8  # so many segments of about one size become one
_MOST_FILES: Final = 2_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_COMPRESSION: Final = "zstd(1)"


class Entry(NamedTuple):
    """One line of the ledger. The fields are the columns of a segment, in this order.

    ``at`` is receipt, which dates the entry. Numbers are 0 and texts empty where nothing applies.
    ``marked_micros`` is the spend with the two markups that stand beside it.
    """

    id: bytes
    at: Instant
    kind: str
    disposition: str
    reason: str
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: str
    bid_type: str
    charge_micros: int
    spend_micros: int
    currency: str
    marked_micros: int
    agency_ppm: int
    override_ppm: int
    click_at: Instant
    click_id: bytes
    visitor: bytes
    ip: str
    agent: str
    source: str
    candidate_id: str
    application_id: str
    country: str = ""
    city: str = ""


_TYPES: Final[Mapping[Any, DataType]] = {
    int: DataType.int64(),
    bytes: DataType.binary(),
    str: DataType.utf8(),
}
_COLUMNS: Final = tuple((name, _TYPES[kind]) for name, kind in Entry.__annotations__.items())


_Digest = bytes  # as a field of the next one has this name


class Segment(NamedTuple):
    """A row of the manifest. ``no`` is 0 until it is registered. ``digest``: SHA-256 of the file;
    the amounts are the totals of its entries.
    """

    no: int
    client_no: int
    path: str
    month: str
    rows: int
    bytes: int
    first_at: Instant
    last_at: Instant
    digest: _Digest
    charge_micros: int
    spend_micros: int
    marked_micros: int


def _segment(row: Sequence[Any]) -> Segment:
    return Segment(*row[:9], *map(int, row[9:]))  # totals are kept as text


class Replaced(Exception):
    """Another compaction has replaced these segments already."""


_t = segments.c
_ROW = tuple(_t[name] for name in Segment._fields)
_LIVE = _t.replaced_at.is_(None)
_WITHIN = (
    sa.select(*_ROW)
    .where(_LIVE, _t.client_no == b("client_no"), _t.last_at >= b("first"), _t.first_at < b("end"))
    .order_by(_t.no)
)
_ALL = sa.select(*_ROW).where(_LIVE, _t.client_no == b("client_no")).order_by(_t.no)
_BEFORE = (
    sa.select(*_ROW)
    .where(_LIVE, _t.client_no == b("client_no"), _t.last_at < b("before"))
    .order_by(_t.no)
)
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


def encoded(entries: Sequence[Entry]) -> bytes:
    """The entries as one Parquet file."""
    columns = zip(*entries, strict=True)
    table = Table.from_pydict({
        name: Array(values, kind) for (name, kind), values in zip(_COLUMNS, columns, strict=True)
    })  # fmt: skip
    file = BytesIO()
    write_parquet(table, file, compression=_COMPRESSION)
    return file.getvalue()


def month_of(at: Instant) -> str:
    return moment_of(at).strftime("%Y-%m")


def path_of(client_no: int, month: str, now: Instant, ids: Ids) -> str:
    """A fresh name. It carries when it was given, so that the sweep can tell a file's age."""
    return f"{FOLDER}/{client_no}/{month}/{now:016d}-{ids.bytes(8).hex()}.parquet"


def write(blobs: Blobs, path: str, entries: Sequence[Entry]) -> Segment:
    """Make a segment of one client's entries of one month durable; it is not registered yet."""
    raw = encoded(entries)
    blobs.put(path, raw)
    ats = [entry.at for entry in entries]
    client_no = entries[0].client_no
    return Segment(
        0, client_no, path, month_of(ats[0]), len(ats), len(raw), min(ats), max(ats),
        hashlib.sha256(raw).digest(), sum(entry.charge_micros for entry in entries),
        sum(entry.spend_micros for entry in entries), sum(entry.marked_micros for entry in entries),
    )  # fmt: skip


def register(tx: Tx, written: Sequence[Segment], now: Instant) -> None:
    """List written segments: from the commit on their entries are in the ledger."""
    rows = [segment._asdict() | {"created_at": now} for segment in written]
    for row in rows:
        del row["no"]
        row |= {name: str(row[name]) for name in ("charge_micros", "spend_micros", "marked_micros")}
    tx.put_many(segments, rows)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def segments_within(tx: Tx, client_no: int, first: Instant, end: Instant) -> list[Segment]:
    """The client's segments that may hold entries of the half-open range."""
    return [_segment(row) for row in tx.all(_WITHIN, client_no=client_no, first=first, end=end)]


def segments_of(tx: Tx, client_no: int) -> list[Segment]:
    return [_segment(row) for row in tx.all(_ALL, client_no=client_no)]


def clients_with_entries(tx: Tx) -> list[int]:
    return [client_no for (client_no,) in tx.all(_CLIENTS)]


def clients_before(tx: Tx, before: Instant) -> list[int]:
    """Clients with segments whose entries are all older."""
    return [client_no for (client_no,) in tx.all(_CLIENTS_BEFORE, before=before)]


def segments_before(tx: Tx, client_no: int, before: Instant) -> list[Segment]:
    return [_segment(row) for row in tx.all(_BEFORE, client_no=client_no, before=before)]


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
    retire(tx, former, now)
    register(tx, [made], now)


def retire(tx: Tx, former: Sequence[Segment], now: Instant) -> None:
    """List these segments no more; the sweep deletes their files later. **Refuses** (Replaced) when
    not all of them are listed.
    """
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
