"""Columns with sealed values: which they are, the master key of each value, and how all of them are
sealed again under another key.

A value is bound to its table, its column and the key of its row: copied elsewhere it cannot be
opened. The newest row of ``master_keys`` names the key that seals, for every process.
"""

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.kit.sealing import MARK_BYTES, NAME_BYTES, mark_of
from handbill.store.records import Tx
from handbill.store.records.tables import (
    feed_secrets,
    mail_bodies,
    master_keys,
    person_secrets,
    provider_secrets,
    publisher_secrets,
    secrets,
)


class Sealed(NamedTuple):
    """A table whose column ``value`` is sealed, and the columns that name a row of it."""

    table: sa.Table
    keys: tuple[str, ...]


COLUMNS = (
    Sealed(secrets, ("name", "kid")),
    Sealed(publisher_secrets, ("publisher_no", "name")),
    Sealed(feed_secrets, ("feed_no", "name")),
    Sealed(person_secrets, ("person_no", "name")),
    Sealed(provider_secrets, ("agency_no",)),
    Sealed(mail_bodies, ("mail_no",)),
)
_OF = {one.table.name: one for one in COLUMNS}
_IN_FORCE = (
    sa.select(master_keys.c.name).order_by(master_keys.c.no.desc()).limit(sa.literal_column("1"))
)
_SINCE = sa.select(master_keys.c.name, master_keys.c.since_at).order_by(master_keys.c.no.desc())


def in_force(tx: Tx) -> bytes | None:
    """The name of the key that seals new values; None before ``ensure``."""
    name = tx.value(_IN_FORCE)
    return None if name is None else bytes(name)


def history(tx: Tx) -> list[tuple[bytes, Instant]]:
    """Every master key that ever sealed, with its start; the newest first."""
    return [(bytes(name), int(at)) for name, at in tx.all(_SINCE)]


def ensure(tx: Tx, now: Instant) -> None:
    """Put the newest master key in force if there is none yet."""
    if in_force(tx) is None:
        put_in_force(tx, tx.masters.newest(), now)


def put_in_force(tx: Tx, name: bytes, now: Instant) -> None:
    tx.put(master_keys, name=name, since_at=now)


def seal(tx: Tx, table: sa.Table, row: dict[str, object], value: bytes) -> bytes:
    """The sealed value for column ``value`` of the table's row."""
    return tx.masters.seal(in_force(tx) or tx.masters.newest(), value, *_place(table, row))


def opened(tx: Tx, table: sa.Table, row: dict[str, object], sealed: bytes) -> bytes:
    """The opened value. **Refuses** one whose key is not here (NoMasterKey)."""
    return tx.masters.opened(bytes(sealed), *_place(table, row))


def names_used(tx: Tx) -> dict[bytes, int]:
    """The master keys that rows are sealed under, with the number of rows."""
    by_name: dict[bytes, int] = {}
    for one in COLUMNS:
        mark = _mark(one.table)
        for head, count in tx.all(sa.select(mark, sa.func.count()).group_by(mark)):
            name = bytes(head)[-NAME_BYTES:]
            by_name[name] = by_name.get(name, 0) + int(count)
    return by_name


def names_needed(tx: Tx) -> set[bytes]:
    """The master keys without which these records cannot be served."""
    name = in_force(tx)
    return set(names_used(tx)) | ({name} if name is not None else set())


def reseal(tx: Tx, most: int) -> int:
    """Seal some rows again under the key in force; returns how many. 0: all are done. A row that
    changes meanwhile is left for the next time.
    """
    name = in_force(tx)
    assert name is not None, "ensure has run"
    for one in COLUMNS:
        rows = list(_others(tx, one, name, most))
        for no, place, value in rows:
            plain = tx.masters.opened(value, *place)
            fresh = tx.masters.seal(name, plain, *place)
            tx.change(one.table, {"no": no, "value": value}, value=fresh)
        if rows:
            return len(rows)
    return 0


def _others(
    tx: Tx, one: Sealed, name: bytes, most: int
) -> Iterator[tuple[int, tuple[str, ...], bytes]]:
    columns = [one.table.c[key] for key in one.keys]
    other = sa.select(one.table.c.no, one.table.c.value, *columns).where(
        _mark(one.table) != b("mark", type_=sa.LargeBinary())
    )
    limited = other.order_by(one.table.c.no).limit(b("most", type_=sa.Integer))
    for no, value, *keys in tx.all(limited, mark=mark_of(name), most=most):
        yield no, _place(one.table, dict(zip(one.keys, keys, strict=True))), bytes(value)


def _mark(table: sa.Table) -> sa.ColumnElement[bytes]:
    first: sa.ColumnClause[int] = sa.literal_column("1")
    count: sa.ColumnClause[int] = sa.literal_column(str(MARK_BYTES))
    return sa.func.substr(table.c.value, first, count, type_=sa.LargeBinary())


def _place(table: sa.Table, row: dict[str, object]) -> tuple[str, ...]:
    return table.name, "value", *(str(row[key]) for key in _OF[table.name].keys)
