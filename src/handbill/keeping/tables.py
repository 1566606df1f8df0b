"""The records as files, one per table, in a form that both engines read and write."""

from collections.abc import Iterable, Iterator

import msgspec
import sqlalchemy as sa

from handbill.keeping.manifest import BackedUpTable
from handbill.kit.batches import batches
from handbill.store.records import Tx
from handbill.store.records.tables import NUMBERED, metadata

_ROWS = 2_000
_LENGTH = 4
_UNKEPT = {"holds"}
NUMBERS_APART = 1_000_000
EPOCH_SECONDS = 1_767_225_600  # 2026-01-01T00:00:00Z
NUMBERS_PER_SECOND = 100


def kept_tables() -> list[sa.Table]:
    """Every table that a backup holds, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in _UNKEPT]


def rows_of(tx: Tx, table: sa.Table) -> Iterator[bytes]:
    """A table's rows, batch by batch. **Shape**: 4 bytes of length, then a MessagePack array."""
    keys = list(table.primary_key.columns) or list(table.columns)
    rows = tx.stream(sa.select(*table.columns).order_by(*keys))
    for batch in batches(rows, _ROWS):
        raw = msgspec.msgpack.encode(batch)
        yield len(raw).to_bytes(_LENGTH, "big") + raw


def described(tx: Tx, table: sa.Table) -> BackedUpTable:
    """The manifest's entry of a table."""
    count = int(tx.value(sa.select(sa.func.count()).select_from(table)))
    return BackedUpTable(str(table.name), tuple(map(str, table.columns.keys())), count)


def put_rows(
    tx: Tx, table: sa.Table, columns: tuple[str, ...], chunks: Iterable[bytes]
) -> Iterator[int]:
    """Put the rows of ``rows_of`` into an empty table; yields their number, batch by batch."""
    for batch in _batches(chunks):
        tx.put_many(table, [dict(zip(columns, row, strict=True)) for row in batch])
        yield len(batch)


def _batches(chunks: Iterable[bytes]) -> Iterator[list[list[object]]]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        at = 0
        while len(waiting) - at >= _LENGTH:
            end = at + _LENGTH + int.from_bytes(waiting[at : at + _LENGTH], "big")
            if end > len(waiting):
                break
            yield msgspec.msgpack.decode(
                bytes(waiting[at + _LENGTH : end]), type=list[list[object]]
            )
            at = end
        del waiting[:at]


def are_empty(tx: Tx) -> bool:
    """Whether no table holds a row."""
    one: sa.ColumnClause[int] = sa.literal_column("1")
    return all(tx.one(sa.select(one).select_from(t).limit(one)) is None for t in kept_tables())


def move_numbers_on(tx: Tx, seconds: int) -> int:
    """Let every number that is known outside the records start beyond all that were given out since
    these rows were copied; returns the first one. ``seconds``: the time, since 1970.

    Those numbers are unknown. But an installation that creates fewer than 100 such rows a second,
    over its life, has not reached its age in hundredths of a second; and because time is used, a
    copy that is restored twice gets other numbers the second time.
    """
    base = max(0, seconds - EPOCH_SECONDS) * NUMBERS_PER_SECOND
    for table in NUMBERED:
        highest = tx.value(sa.select(sa.func.max(table.c.no)))
        base = max(base, (highest or 0) + NUMBERS_APART)
    for table in NUMBERED:
        tx.set_next_no(table, base)
    return base


def count_rows_on(tx: Tx) -> None:
    """Let the numbers of the other tables continue after their last rows."""
    for table in metadata.sorted_tables:
        if table not in NUMBERED and "no" in table.c and table.c.no.autoincrement is True:
            highest = tx.value(sa.select(sa.func.max(table.c.no)))
            tx.set_next_no(table, (highest or 0) + 1)
