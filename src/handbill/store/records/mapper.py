"""Rows to nouns and back: one row is one noun, and each attribute is the column of its name."""

from collections.abc import Hashable
from typing import Any, Generic, TypeVar, get_origin

import msgspec
import sqlalchemy as sa

from handbill.store.records.base import Row, Tx

N = TypeVar("N", bound=msgspec.Struct)
_JSON = msgspec.json.Encoder()
_LIMIT, _SKIP = (sa.bindparam(name, type_=sa.Integer) for name in ("limit", "skip"))
_FIRST = sa.literal_column("1", sa.Integer)
Condition = str | sa.ColumnElement[bool]
"""A condition of SQL; or the name of a column that must equal the value bound under it."""


class Mapper(Generic[N]):
    """The rows of a table as nouns of one kind.

    A flag is stored as 0 or 1; a struct, tuple, list or dict as JSON. ``deleted_at``, if the table
    has it and the noun does not, says which rows are live.
    """

    def __init__(self, table: sa.Table, noun: type[N]) -> None:
        fields = msgspec.structs.fields(noun)
        self._table = table
        self._noun = noun
        self._names = tuple(field.name for field in fields)
        self._all_but_number = tuple(name for name in self._names if name != "no")
        self._flags = [field.name for field in fields if field.type is bool]
        self._composed = {
            field.name: msgspec.json.Decoder(field.type)
            for field in fields
            if _is_composed(field.type)
        }
        self.columns = tuple(table.c[name] for name in self._names)
        has_mark = "deleted_at" in table.c and "deleted_at" not in self._names
        self._live = (table.c.deleted_at.is_(None),) if has_mark else ()

    def live(self, *conditions: Condition, order: Any = None) -> "Selection[N]":
        """Those that are not deleted, in the order they were added, unless told otherwise."""
        return self.ever(*conditions, *self._live, order=order)

    def ever(self, *conditions: Condition, order: Any = None) -> "Selection[N]":
        """Those of ``live``, and deleted ones too."""
        return Selection(self, self._table, self._where(conditions), order)

    def _where(self, conditions: tuple[Condition, ...]) -> list[sa.ColumnElement[bool]]:
        return [
            self._table.c[one] == sa.bindparam(one) if isinstance(one, str) else one
            for one in conditions
        ]

    def read(self, row: Row) -> N:
        """The noun of a row of ``columns``."""
        values = dict(zip(self._names, row, strict=True))
        for name in self._flags:
            values[name] = bool(values[name])
        for name, decoder in self._composed.items():
            values[name] = decoder.decode(values[name])
        return self._noun(**values)

    def values(self, noun: N, *names: str) -> dict[str, Any]:
        """The stored values of a noun, by column: of these names, or of all but its number."""
        values = {name: getattr(noun, name) for name in names or self._all_but_number}
        for name in self._flags:
            if name in values:
                values[name] = int(values[name])
        for name in self._composed:
            if name in values:
                values[name] = _JSON.encode(values[name]).decode()
        return values

    def add(self, tx: Tx, noun: N) -> int:
        """Insert a noun; the new row's number (the noun's own is ignored)."""
        return tx.put(self._table, **self.values(noun))


class KnownNouns(dict[Hashable, Any]):
    """Nouns by their tables and rows, for ``Tx.nouns``: at most so many. When there are more, all
    are forgotten.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, row: Hashable, noun: Any) -> None:
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(row, noun)


class Selection(Generic[N]):
    """A selection of a table's nouns: its statements are made once, and run with given values."""

    def __init__(
        self, mapper: Mapper[N], table: sa.Table, where: list[sa.ColumnElement[bool]], order: Any
    ) -> None:
        self._read = mapper.read
        self._table = table.name
        chosen = sa.select(*mapper.columns).where(*where)
        orders = order if isinstance(order, tuple) else (order,)
        # No order unless requested: it might be used in place of an index.
        self._one = chosen if order is None else chosen.order_by(*orders).limit(_FIRST)
        self._all = chosen.order_by(*((table.c.no,) if order is None else orders))
        self._page = self._all.limit(_LIMIT).offset(_SKIP)
        self._held = self._one.with_for_update()
        self._count = sa.select(sa.func.count()).select_from(table).where(*where)

    def first(self, tx: Tx, **values: Any) -> N | None:
        row = tx.one(self._one, **values)
        return None if row is None else self._read(row)

    def hold(self, tx: Tx, **values: Any) -> N | None:
        """The noun; its row is locked until the transaction ends."""
        row = tx.one(self._held, **values)
        return None if row is None else self._read(row)

    def all(self, tx: Tx, **values: Any) -> list[N]:
        if tx.nouns is None:
            return self.anew(tx, **values)
        return [self._known(tx.nouns, row) for row in tx.all(self._all, **values)]

    def anew(self, tx: Tx, **values: Any) -> list[N]:
        """As ``all``, and nothing is remembered: for rows that change each time they are read."""
        return [self._read(row) for row in tx.all(self._all, **values)]

    def _known(self, nouns: dict[Hashable, Any], row: Row) -> N:
        noun: N | None = nouns.get((self._table, row))
        if noun is None:
            noun = nouns[self._table, row] = self._read(row)
        return noun

    def page(self, tx: Tx, skip: int, limit: int, **values: Any) -> list[N]:
        rows = tx.all(self._page, **values, skip=skip, limit=limit)
        return [self._read(row) for row in rows]

    def count(self, tx: Tx, **values: Any) -> int:
        return int(tx.value(self._count, **values))


def _is_composed(kind: Any) -> bool:
    return get_origin(kind) in {tuple, list, dict} or (
        isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    )
