"""Rows of tables feed_files, feed_parts and departures."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import clients, feed_files, feed_parts, link_addresses

_f, _p = feed_files.c, feed_parts.c
_FORGET_FILES = sa.update(feed_files).values(digest=sa.null())
_PUBLISHERS_WITH_FILES = sa.select(_f.publisher_no).distinct().order_by(_f.publisher_no)


class File(NamedTuple):
    """A publisher's file: of one client, or of all of them (``client_no`` 0)."""

    no: int
    publisher_no: int
    client_no: int
    name: str
    job_count: int
    digest: bytes | None
    written_at: Instant | None


class Part(NamedTuple):
    """What one client adds to a publisher's files. ``crc`` and ``plain_bytes`` are of the plain
    text, so that parts can be joined in one gzip member without reading them. ``roster``: the
    digest of its listings (``listings.rosters``), empty for none. ``noting_at``: ends of this
    instant are being stored, and take effect with the next part. ``clear_at``: when blobs of former
    parts are to be deleted that are there still.
    """

    publisher_no: int
    client_no: int
    digest: bytes
    job_count: int
    plain_bytes: int
    crc: int
    roster: bytes = b""
    noting_at: Instant | None = None
    clear_at: Instant | None = None


FILE_COLUMNS = (
    _f.no,
    _f.publisher_no,
    _f.client_no,
    _f.name,
    _f.job_count,
    _f.digest,
    _f.written_at,
)
_PART = (
    _p.publisher_no,
    _p.client_no,
    _p.digest,
    _p.job_count,
    _p.plain_bytes,
    _p.crc,
    _p.roster,
    _p.noting_at,
    _p.clear_at,
)
_FILE_OF = sa.select(*FILE_COLUMNS).where(
    _f.publisher_no == b("publisher_no"), _f.client_no == b("client_no")
)
_FILES = sa.select(*FILE_COLUMNS).where(_f.publisher_no == b("publisher_no")).order_by(_f.client_no)
_HOLD_FILE = sa.select(_f.written_at).where(_f.no == b("no")).with_for_update()
_WRITTEN = sa.select(*FILE_COLUMNS).where(_f.written_at.is_not(sa.null())).order_by(_f.no)
_LAST_WRITTEN = (
    sa.select(_f.name)
    .where(_f.written_at.is_not(sa.null()))
    .order_by(_f.written_at.desc())
    .limit(b("most"))
)
_ALL_READERS = sa.select(clients.c.id).where(
    clients.c.no.in_(sa.select(_p.client_no).where(_p.job_count > sa.literal_column("0")))
)
_SHOWN = (
    sa.select(clients.c.id, _p.publisher_no)
    .select_from(feed_parts.join(clients, clients.c.no == _p.client_no))
    .where(among(clients.c.id, "ids"))
)
_ADDRESS = sa.select(link_addresses.c.address).order_by(link_addresses.c.no.desc()).limit(b("one"))
_HELD = sa.select(_f.publisher_no, _f.client_no).where(
    among(_f.publisher_no, "nos"), among(_f.client_no, "clients")
)
_PART_OF = sa.select(*_PART).where(
    _p.publisher_no == b("publisher_no"), _p.client_no == b("client_no")
)
_HOLD_PART = _PART_OF.with_for_update()
_PARTS = sa.select(*_PART).where(_p.publisher_no == b("publisher_no")).order_by(_p.client_no)
_CLIENTS_PARTS = sa.select(*_PART).where(_p.client_no == b("client_no"))
_READERS = (
    sa.select(clients.c.id)
    .select_from(feed_parts.join(clients, clients.c.no == _p.client_no))
    .where(_p.publisher_no == b("publisher_no"))
    .order_by(_p.client_no)
)


def _part(row: Row) -> Part:
    publisher_no, client_no, digest, job_count, plain_bytes, crc, roster, noting_at, clear_at = row
    return Part(
        publisher_no=publisher_no,
        client_no=client_no,
        digest=digest,
        job_count=job_count,
        plain_bytes=plain_bytes,
        crc=crc,
        roster=bytes(roster),
        noting_at=noting_at,
        clear_at=clear_at,
    )


def file_of(tx: Tx, publisher_no: int, client_no: int) -> File | None:
    row = tx.one(_FILE_OF, publisher_no=publisher_no, client_no=client_no)
    return None if row is None else File(*row)


def files_of(tx: Tx, publisher_no: int) -> list[File]:
    return [File(*row) for row in tx.all(_FILES, publisher_no=publisher_no)]


def written_files(tx: Tx) -> list[File]:
    """Every publisher's files that were ever written."""
    return [File(*row) for row in tx.all(_WRITTEN)]


def files_held(
    tx: Tx, publisher_nos: Iterable[int], client_nos: Iterable[int]
) -> set[tuple[int, int]]:
    """Which of these publishers have a file of which of these clients."""
    rows = tx.all(_HELD, nos=Listed(publisher_nos), clients=Listed(client_nos))
    return {(publisher_no, client_no) for publisher_no, client_no in rows}


def add_file(tx: Tx, publisher_no: int, client_no: int, name: str, now: Instant) -> None:
    """Add a file, unless it exists."""
    row: dict[str, Any] = {
        "publisher_no": publisher_no,
        "client_no": client_no,
        "name": name,
        "since_at": now,
        "job_count": 0,
        "digest": None,
        "written_at": None,
    }
    tx.upsert_many(feed_files, ["publisher_no", "client_no"], [row], keep=True)


def set_file(tx: Tx, file: File, job_count: int, digest: bytes, now: Instant) -> bool:
    """Note what was written; False if somebody else has written the file since it was read."""
    held = tx.one(_HOLD_FILE, no=file.no)
    if held is None or held[0] != file.written_at:
        return False
    tx.change(feed_files, {"no": file.no}, job_count=job_count, digest=digest, written_at=now)
    return True


def forget_file(tx: Tx, no: int) -> None:
    """Make a file count as never written."""
    tx.change(feed_files, {"no": no}, digest=None)


def forget_same(tx: Tx, file: File) -> bool:
    """``forget_file``, unless somebody has begun to write it since it was read."""
    as_read = {"no": file.no, "digest": file.digest, "written_at": file.written_at}
    return tx.change(feed_files, as_read, digest=None) == 1


def forget_files(tx: Tx) -> list[int]:
    """Make every file count as never written; returns the publishers concerned."""
    tx.run(_FORGET_FILES)
    return [publisher_no for (publisher_no,) in tx.all(_PUBLISHERS_WITH_FILES)]


def part_of(tx: Tx, publisher_no: int, client_no: int) -> Part | None:
    row = tx.one(_PART_OF, publisher_no=publisher_no, client_no=client_no)
    return None if row is None else _part(row)


def hold_part(tx: Tx, publisher_no: int, client_no: int) -> Part | None:
    """``part_of``, which nobody else replaces until the transaction ends."""
    row = tx.one(_HOLD_PART, publisher_no=publisher_no, client_no=client_no)
    return None if row is None else _part(row)


def parts_of(tx: Tx, publisher_no: int) -> list[Part]:
    return [_part(row) for row in tx.all(_PARTS, publisher_no=publisher_no)]


def parts_of_client(tx: Tx, client_no: int) -> dict[int, Part]:
    """By publisher number."""
    parts = map(_part, tx.all(_CLIENTS_PARTS, client_no=client_no))
    return {part.publisher_no: part for part in parts}


def put_parts(tx: Tx, parts: Sequence[Part], now: Instant) -> None:
    rows = [part._asdict() | {"written_at": now} for part in parts]
    tx.upsert_many(feed_parts, ["publisher_no", "client_no"], rows)


def set_cleared(tx: Tx, part: Part) -> None:
    """Note that no blobs of former parts are there any more."""
    where = {"publisher_no": part.publisher_no, "client_no": part.client_no}
    tx.change(feed_parts, where | {"clear_at": part.clear_at}, clear_at=None)


def clients_with_part(tx: Tx, publisher_no: int) -> list[str]:
    """Ids of the clients that place the publisher, or once did."""
    return [id_ for (id_,) in tx.all(_READERS, publisher_no=publisher_no)]


def clients_in_files(tx: Tx) -> list[str]:
    """Ids of the clients with jobs in any file."""
    return [id_ for (id_,) in tx.all(_ALL_READERS)]


def publishers_shown(tx: Tx, client_ids: Iterable[str]) -> dict[str, set[int]]:
    """For each of these clients, the publishers whose files show its jobs."""
    by_client: dict[str, set[int]] = {}
    for client_id, publisher_no in tx.all(_SHOWN, ids=Listed(client_ids)):
        by_client.setdefault(client_id, set()).add(publisher_no)
    return by_client


def last_written(tx: Tx, most: int) -> list[str]:
    """The names of the files that were written last."""
    return [name for (name,) in tx.all(_LAST_WRITTEN, most=most)]


def link_address(tx: Tx) -> str | None:
    """The address that links are written with; None before the first."""
    address: str | None = tx.value(_ADDRESS, one=1)
    return address


def put_link_address(tx: Tx, address: str, now: Instant) -> None:
    tx.put(link_addresses, address=address, since_at=now)
