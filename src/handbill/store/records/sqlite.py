"""Records on SQLite: WAL, synchronous=FULL (NORMAL lost acknowledged rows in every power cut)."""

import sqlite3
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql.expression import Executable

from handbill.host.acting import occasion
from handbill.host.clock import pause
from handbill.kit.faults import Unavailable
from handbill.store.records.base import Clash, Listed, MasterKeys, Records, Row, Tx
from handbill.store.records.held import HeldConnection
from handbill.store.records.spelling import Dialect

_T = TypeVar("_T")
_C = TypeVar("_C", bound=sqlite3.Connection)
_MOST_KEPT = 2_048
_BUSY_MS = 30_000
_TURN_MS = 2
"""How often a writer checks whether it is its turn. SQLite itself checks every 100 ms, and can be
kept waiting by a writer that makes many short transactions.
"""
_GIVEN_WAY = 3 * _TURN_MS / 1_000
_WORLDS_DOING = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    )
)
_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
    # Then pages that many short transactions rewrite are written to the file once.
    "PRAGMA wal_autocheckpoint=4000",
)


class _Compiler(SQLiteCompiler):
    def limit_clause(self, select: Any, **kw: Any) -> str:
        """No OFFSET if none was requested; SQLAlchemy would bind a 0 for it."""
        if select._offset_clause is not None or select._limit_clause is None:  # noqa: SLF001
            return str(super().limit_clause(select, **kw))  # type: ignore[no-untyped-call]
        return "\n LIMIT " + str(self.process(select._limit_clause, **kw))  # noqa: SLF001


class SqliteDialect(Dialect):
    least = "MIN"
    rowlock = ""
    if_migrated = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    clock = "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"

    def __init__(self) -> None:
        self.sqlalchemy = sqlite.dialect(paramstyle="named")
        self.sqlalchemy.statement_compiler = _Compiler

    def placeholder(self, name: str) -> str:
        return f":{name}"


def _bound(some: Listed) -> str | bytes:
    ids = bool(some) and isinstance(some[0], bytes)
    return b"".join(some) if ids else msgspec.json.encode(list(some)).decode()


sqlite3.register_adapter(Listed, _bound)


class SqliteTx(Tx, AbstractContextManager["SqliteTx"]):
    """From BEGIN to COMMIT, or to ROLLBACK if the block raises. No generator makes the block: that
    takes longer than the engine does.
    """

    dialect: SqliteDialect
    begin = "BEGIN IMMEDIATE"

    def __init__(self, connection: sqlite3.Connection, records: "SqliteRecords") -> None:
        self.connection = connection
        self.records = records
        self.dialect = records.dialect
        self.occasion = occasion()

    def __enter__(self) -> Self:
        for waited_ms in range(0, _BUSY_MS, _TURN_MS):
            try:
                self.connection.execute(self.begin)
            except sqlite3.Error as failure:
                if not _is_busy(failure) or waited_ms + _TURN_MS >= _BUSY_MS:
                    raise _port_exception(failure) from failure
                pause(_TURN_MS / 1_000)
            else:
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: object
    ) -> None:
        connection = self.connection
        try:
            if failure is None:
                connection.execute("COMMIT")
        except sqlite3.Error as broken:
            failure = broken
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(failure, sqlite3.Error):
            raise _port_exception(failure) from failure

    def one(self, statement: Executable, **params: Any) -> Row | None:
        text = self.dialect.text_of(statement)
        row: Row | None = self.connection.execute(text, params).fetchone()
        return row

    def run_text(self, text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        cursor = self.connection.execute(text, params)
        return cursor.fetchall(), cursor.rowcount

    def run_text_many(self, text: str, rows: Iterable[dict[str, Any]]) -> None:
        self.connection.executemany(text, rows)

    def part(self, work: Callable[[Tx], _T]) -> _T | Exception:
        self.connection.execute("SAVEPOINT part")
        done: _T | Exception
        try:
            done = work(self)
        except Exception as failure:  # noqa: BLE001 - returned to the caller
            # After some failures SQLite has rolled everything back: then this raises, as promised.
            self.connection.execute("ROLLBACK TO part")
            done = _port_exception(failure) if isinstance(failure, sqlite3.Error) else failure
        self.connection.execute("RELEASE part")
        return done

    def set_next_no(self, table: sa.Table, number: int) -> None:
        if not table.dialect_options["sqlite"]["autoincrement"]:
            return
        given = {"name": table.name, "last": number - 1}
        text = "UPDATE sqlite_sequence SET seq = :last WHERE name = :name"
        if self.run_text(text, given)[1] == 0:
            self.run_text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)", given)

    def put_rows(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """As the port says; values are bound by position, which saves a quarter of the time."""
        if rows:
            names = ", ".join(f'"{name}"' for name in columns)
            places = ", ".join("?" * len(columns))
            text = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'
            self.connection.executemany(text, rows)

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
        """As the port says; values are bound by position, as above."""
        if rows:
            every = tuple(columns)
            text = self.dialect.upsert_text(table, every, tuple(keys), tuple(adds), keep=keep)
            named = ", ".join(map(self.dialect.placeholder, every))
            places = ", ".join("?" * len(every))
            text = text.replace(f"VALUES ({named})", f"VALUES ({places})", 1)
            self.connection.executemany(text, rows)

    def stream(self, statement: Executable, **params: Any) -> Iterator[Row]:
        text = self.dialect.text_of(statement)
        return self.connection.execute(text, params)


class _Reader(sqlite3.Connection):
    """A connection that only reads, and what it has cached of the state that it last saw."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.seen = -1
        self.memory: dict[Hashable, Any] = {}


class _Reading(SqliteTx):
    """A transaction that only reads."""

    connection: _Reader
    begin = "BEGIN"
    _memory: dict[Hashable, Any] | None = None

    def memory(self) -> dict[Hashable, Any] | None:
        """As the port says. ``data_version`` changes as soon as any other connection, of any
        process, has committed between two snapshots of this one, which itself commits nothing. In a
        transaction it is that of the snapshot that all its statements read.
        """
        if self._memory is None:
            reader = self.connection
            (version,) = reader.execute("PRAGMA data_version").fetchone()
            if version != reader.seen or len(reader.memory) > _MOST_KEPT:
                reader.seen, reader.memory = version, {}
            self._memory = reader.memory
        return self._memory


class SqliteRecords(Records):
    dialect = SqliteDialect()  # one for all: it remembers the text of each statement
    reads_inline = True

    def __init__(self, path: Path, masters: MasterKeys | None = None) -> None:
        super().__init__(masters)
        self._path = path

    def _connection(self, purpose: str, kind: type[_C], query_only: int) -> _C:
        held: HeldConnection[_C] | None = getattr(self._local, purpose, None)
        if held is not None:
            return held.connection
        try:
            connection = sqlite3.connect(
                self._path,
                isolation_level=None,
                cached_statements=512,
                check_same_thread=False,
                factory=kind,
            )
            for pragma in (*_PRAGMAS, f"PRAGMA query_only={query_only}"):
                connection.execute(pragma)
            if not query_only:
                connection.execute("PRAGMA busy_timeout=0")  # we wait for our turn ourselves
        except sqlite3.Error as failure:
            raise _port_exception(failure) from failure
        return self._hold(connection, purpose)

    def write(self) -> AbstractContextManager[Tx]:
        return SqliteTx(self._connection("writing", sqlite3.Connection, 0), self)

    def read(self) -> AbstractContextManager[Tx]:
        # A separate connection: switching query_only would prepare each statement again.
        return _Reading(self._connection("reading", _Reader, 1), self)

    def give_way(self) -> None:
        pause(_GIVEN_WAY)

    @property
    def url(self) -> str:
        return f"sqlite:///{self._path}"


def _is_busy(failure: sqlite3.Error) -> bool:
    return getattr(failure, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _port_exception(failure: sqlite3.Error) -> Exception:
    """The port's exception for the driver's."""
    code = getattr(failure, "sqlite_errorcode", 0)
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return Clash(f"a row of these keys is there: {failure}")
    if code & 0xFF in _WORLDS_DOING:
        return Unavailable(f"the records store failed: {failure}")
    return failure
