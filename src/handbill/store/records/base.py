"""The port: a transaction that runs statements, on either engine."""

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import Executable

from handbill.core.trail import Occasion
from handbill.kit.batches import batches
from handbill.store.records.held import Closable, HeldConnection
from handbill.store.records.spelling import Dialect

STEP = 1_000
"""The most rows that a transaction may change while others wait: some 20 ms."""
_MOST_STEPS = 100_000
Row = tuple[Any, ...]
_T = TypeVar("_T")
_C = TypeVar("_C", bound=Closable)


class MasterKeys(Protocol):
    """Master keys by name, the newest first (host/masters.py)."""

    def newest(self) -> bytes: ...
    def seal(self, name: bytes, value: bytes, *place: str) -> bytes: ...
    def opened(self, sealed: bytes, *place: str) -> bytes: ...


class among(ColumnElement[bool]):  # noqa: N801 - reads as a function in a statement
    """``column IN (a list given at run time)``, as fixed SQL text on both engines.

    The list is bound under ``name``; pass it to ``Tx`` wrapped in ``Listed``.
    """

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.name = name

    def self_group(self, against: Any = None) -> "among":  # noqa: ARG002
        # Otherwise SQLite gets "x IN (…) = 1", and scans the whole table.
        return self


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    bound = compiler.process(sa.bindparam(element.name, type_=sa.Text()), **kw)
    return f"{column} IN (SELECT value FROM json_each({bound}))"


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    bound = compiler.process(sa.bindparam(element.name, type_=sa.types.NullType()), **kw)
    return f"{column} = ANY({bound})"


def sweep_of(table: sa.Table, at: sa.Column[Any], *of: sa.ColumnElement[bool]) -> sa.Delete:
    """Deletes rows ``before`` an instant, if all ``of`` holds: the oldest, ``most`` at a time."""
    oldest = (
        sa.select(table.c.no)
        .where(at < sa.bindparam("before"), *of)
        .order_by(at)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
    return sa.delete(table).where(table.c.no.in_(oldest))


class among_ids(among):  # noqa: N801
    """``among`` for a column of ids of 16 bytes; the list must not be empty."""

    inherit_cache = False


@compiles(among_ids, "sqlite")
def _among_ids_sqlite(element: among_ids, compiler: Any, **kw: Any) -> str:
    # JSON cannot carry bytes: the ids are joined, and split again in SQL.
    column = compiler.process(element.column, **kw)
    bound = compiler.process(sa.bindparam(element.name, type_=sa.LargeBinary()), **kw)
    return (
        f"{column} IN (WITH RECURSIVE place(at) AS (SELECT 1 UNION ALL SELECT at + 16 FROM place "
        f"WHERE at + 16 < length({bound})) SELECT substr({bound}, at, 16) FROM place)"
    )


class Listed(list[Any]):
    """A list bound to an ``among`` (integers or text) or an ``among_ids`` (16 bytes each)."""


class Clash(Exception):
    """A row with the same keys exists already; nothing was kept."""


class Tx(ABC):
    """One transaction. It commits when the ``with`` block ends, and rolls back if that raises.

    ``occasion``: who acts in it. A transaction for several pieces of work sets it before each.
    ``nouns``: those that its owner has read before, by their rows: an equal row is the same noun,
    which nobody may change. None: each is read again.
    """

    dialect: Dialect
    records: "Records"
    occasion: Occasion
    nouns: dict[Hashable, Any] | None = None

    @property
    def masters(self) -> MasterKeys:
        """The keys that seal secrets. **Refuses** records opened without them (TypeError)."""
        if self.records.masters is None:
            raise TypeError("these records were opened without master keys")
        return self.records.masters

    @abstractmethod
    def run_text(self, text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        """Run SQL text; the rows, and the number of changed rows."""

    @abstractmethod
    def run_text_many(self, text: str, rows: Iterable[dict[str, Any]]) -> None: ...

    @abstractmethod
    def part(self, work: "Callable[[Tx], _T]") -> "_T | Exception":
        """The result of the work, or the exception that it raised. In that case nothing of the work
        is kept, and the transaction goes on. Raises only if the whole transaction is lost.
        """

    def now(self) -> int:
        """The instant by the engine's own clock, which all hosts share: for leases, which must not
        depend on the host's clock. For business time, use ``host.clock``.
        """
        return int(self.run_text(self.dialect.clock, {})[0][0][0])

    def memory(self) -> dict[Hashable, Any] | None:
        """A cache of values that follow from what this transaction sees, for later ones that see
        exactly the same. None if the engine cannot tell. Nobody may change a value.
        """
        return None

    def kept(self, name: Hashable, find: Callable[[], _T | None]) -> _T | None:
        """The result of ``find``, from memory if it is there."""
        memory = self.memory()
        if memory is None:
            return find()
        result: _T | None = memory.get(name)
        if result is None and (result := find()) is not None:
            memory[name] = result
        return result

    @abstractmethod
    def set_next_no(self, table: sa.Table, number: int) -> None:
        """Give this number to the table's next row; an engine that numbers rows by the last
        existing one goes on doing so.
        """

    @abstractmethod
    def stream(self, statement: Executable, **params: Any) -> Iterator[Row]:
        """Rows one by one, in bounded memory."""

    def all(self, statement: Executable, **params: Any) -> list[Row]:
        return self.run_text(self.dialect.text_of(statement), params)[0]

    def one(self, statement: Executable, **params: Any) -> Row | None:
        """The first row or None."""
        rows = self.all(statement, **params)
        return rows[0] if rows else None

    def value(self, statement: Executable, **params: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.one(statement, **params)
        return row[0] if row else None

    def run(self, statement: Executable, **params: Any) -> int:
        """Run a change; the number of changed rows."""
        return self.run_text(self.dialect.text_of(statement), params)[1]

    def put(self, table: sa.Table, **values: Any) -> int:
        """Insert a row; its ``no`` (0 if the table has none)."""
        text = self.dialect.put_text(table, tuple(values))
        rows, _ = self.run_text(text, values)
        return int(rows[0][0]) if rows else 0

    def put_many(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows that all have the keys of the first one."""
        if rows:
            columns = tuple(rows[0])
            self.put_rows(table, columns, [tuple(map(row.__getitem__, columns)) for row in rows])

    def put_rows(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """The same for rows given as tuples of these columns."""
        if rows:
            named = [dict(zip(columns, row, strict=True)) for row in rows]
            self.run_text_many(self.dialect.insert_text(table, tuple(columns)), named)

    def upsert_many(
        self,
        table: sa.Table,
        keys: Sequence[str],
        rows: Sequence[dict[str, Any]],
        adds: Sequence[str] = (),
        *,
        keep: bool = False,
    ) -> None:
        """Insert rows; if the keys exist already, replace the other columns.

        ``adds``: only add these columns to the existing values. ``keep``: leave the existing row.
        """
        if rows:
            names = tuple(rows[0])
            pick = map(itemgetter(*names), rows)
            self.upsert_rows(table, names, keys, list(pick), adds, keep=keep)

    def upsert_rows(
        self,
        table: sa.Table,
        columns: Sequence[str],
        keys: Sequence[str],
        rows: Sequence[Row],
        adds: Sequence[str] = (),
        *,
        keep: bool = False,
    ) -> None:
        """The same for rows as tuples of these columns, of which there are two or more."""
        if rows:
            every = tuple(columns)
            text = self.dialect.upsert_text(table, every, tuple(keys), tuple(adds), keep=keep)
            self.run_text_many(text, [dict(zip(every, row, strict=True)) for row in rows])

    def change(self, table: sa.Table, where: dict[str, Any], **values: Any) -> int:
        """Update the rows whose columns equal ``where``; the number of rows."""
        text = self.dialect.update_text(table, tuple(values), tuple(where))
        params = values | {f"key_{name}": value for name, value in where.items()}
        return self.run_text(text, params)[1]

    def lock_row(self, table: sa.Table, no: int) -> bool:
        """Lock a row until the end of the transaction; False if it does not exist.

        SQLite has one writer, so there it is only looked up.
        """
        text = f'SELECT 1 FROM "{table.name}" WHERE no = {self.dialect.placeholder("no")}'
        return bool(self.run_text(text + self.dialect.rowlock, {"no": no})[0])


class Records(ABC):
    """An open store of records. Safe to share between threads: each has its own connection.

    ``reads_inline``: reads are short and local, so that an event loop may do them itself.
    ``masters``: the keys that seal its secrets.
    """

    dialect: Dialect
    reads_inline: bool

    def __init__(self, masters: MasterKeys | None) -> None:
        self.masters = masters
        self._local = threading.local()
        self._opening = threading.Lock()
        self._opened: weakref.WeakSet[HeldConnection[Any]] = weakref.WeakSet()

    @abstractmethod
    def write(self) -> AbstractContextManager[Tx]:
        """A transaction that may write. Never nest one in another.

        **Refuses** a second row with the same keys (Clash); an engine that is away, or that aborted
        the transaction in favour of another (Unavailable: try again). Then nothing is kept; only
        if the engine is lost while it commits, all may be: who tries again looks first.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only reads, from one moment's state, and cannot change anything."""

    def give_way(self) -> None:  # noqa: B027 - most engines need nothing
        """Let other transactions in, between two of many short ones."""

    def in_steps(self, deed: Callable[[Tx, int], int], step: int = STEP) -> int:
        """Run a deed on many rows, so many per transaction, until it finds no more; the total
        number. Other writers get their turn between two steps.
        """
        count = 0
        for _ in range(_MOST_STEPS):
            with self.write() as tx:
                done = deed(tx, step)
            count += done
            if not done:
                break
            self.give_way()
        return count

    def in_parts(
        self, some: Iterable[_T], deed: Callable[[Tx, list[_T]], object], step: int = STEP
    ) -> None:
        """Run a deed on given items, so many per transaction. Other writers get their turn after
        each.
        """
        for part in batches(some, step):
            with self.write() as tx:
                deed(tx, part)
            self.give_way()

    def close(self) -> None:
        """Close every thread's connection. Call it when no thread is working."""
        with self._opening:
            for held in self._opened:
                held.connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _hold(self, connection: _C, purpose: str = "held") -> _C:
        """Keep a connection for this thread, until the thread or this store ends."""
        held = HeldConnection(connection)
        setattr(self._local, purpose, held)
        with self._opening:
            self._opened.add(held)
        return connection

    def revision(self) -> str | None:
        """The revision of the tables, or None where there are none."""
        with self.read() as tx:
            if not tx.run_text(self.dialect.if_migrated, {})[0]:
                return None
            rows, _ = tx.run_text("SELECT version_num FROM alembic_version", {})
        return str(rows[0][0]) if rows else None

    @property
    @abstractmethod
    def url(self) -> str:
        """The SQLAlchemy URL, for migrations."""
