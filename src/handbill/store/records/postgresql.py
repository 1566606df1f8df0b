"""Records on PostgreSQL, by psycopg 3. Reads see one snapshot; writes lock what they decide on."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from operator import itemgetter
from traceback import clear_frames
from typing import Any, TypeVar
from zlib import crc32

import psycopg
import sqlalchemy as sa
from psycopg import IsolationLevel
from psycopg.abc import RV, Buffer, PQGen
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.expression import Executable

from handbill.host.acting import occasion
from handbill.kit.faults import Unavailable
from handbill.store.records.base import Clash, MasterKeys, Records, Row, Tx
from handbill.store.records.held import HeldConnection
from handbill.store.records.spelling import Dialect

_T = TypeVar("_T")
_STREAM_ROWS = 2_000
# Else the system waits for hours for a host that has vanished without a word. The URL has the last
# word. A server that is frozen still acknowledges: `answer_seconds` ends that wait.
CONNECT_SECONDS = 10
_PATIENCE: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# The server, too, ends what it does for a client that is gone (a statement that was given up, a
# host that has vanished) and so frees its locks. Else they stay for hours, and each statement that
# waits for them takes one of its connections. On a Unix socket the keepalives have no effect.
_LET_GO = (
    "SET client_connection_check_interval = '5s'; SET tcp_keepalives_idle = 10;"
    " SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '25s'"
)
_LEAST_VERSION = 14  # the first that knows `client_connection_check_interval`
_COPY_ROWS = 200  # below this, statements in a pipeline are as fast


@dataclass(slots=True)
class Answers:
    """How many all threads have had so far, and in how many seconds one must come. Two that come at
    once may count as one.
    """

    seconds: float
    count: int = 0


class PostgresConnection(psycopg.Connection[Row]):
    """A connection that is given up when an answer does not come in time.

    ``found_silent``: it was given up, and no other had an answer meanwhile. Else the server goes
    on, and the statement only waited for the lock of another.
    """

    answers: Answers
    found_silent = False

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        seconds = self.answers.seconds if timeout is None else timeout
        before = self.answers.count
        try:
            found = super().wait(gen, interval, seconds)
        except psycopg.errors._WaitTimeout as silent:  # noqa: SLF001 - the driver's only name of it
            # The answer may still come, and must not be taken for that of the next statement.
            self.found_silent = self.answers.count == before
            self.close()
            raise psycopg.OperationalError(f"no answer in {seconds:g} s") from silent
        self.answers.count += 1
        return found


class PostgresDialect(Dialect):
    least = "LEAST"
    rowlock = " FOR UPDATE"
    if_migrated = "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"
    clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

    def __init__(self) -> None:
        self.sqlalchemy = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]

    def placeholder(self, name: str) -> str:
        return f"%({name})s"


class PostgresTx(Tx):
    def __init__(self, connection: psycopg.Connection[Row], records: "PostgresRecords") -> None:
        self._connection = connection
        self.records = records
        self.dialect = records.dialect
        self.occasion = occasion()
        self._streams = count()

    def run_text(self, text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        cursor = self._connection.execute(text, params)
        rows = cursor.fetchall() if cursor.description else []
        return rows, cursor.rowcount

    def run_text_many(self, text: str, rows: Iterable[dict[str, Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(text, rows)

    def part(self, work: Callable[[Tx], _T]) -> _T | Exception:
        try:
            with self._connection.transaction():
                return work(self)
        except psycopg.Error as failure:
            if self._connection.closed:
                raise
            return _port_exception(failure)
        except Exception as failure:  # noqa: BLE001 - returned to the caller
            return failure

    def stream(self, statement: Executable, **params: Any) -> Iterator[Row]:
        text = self.dialect.text_of(statement)
        with self._connection.cursor(name=f"stream_{next(self._streams)}") as cursor:
            cursor.itersize = _STREAM_ROWS
            cursor.execute(text, params)
            yield from cursor

    def set_next_no(self, table: sa.Table, number: int) -> None:
        text = "SELECT setval(pg_get_serial_sequence(%(name)s, 'no'), %(number)s, false)"
        self.run_text(text, {"name": f'"{table.name}"', "number": number})

    def put_rows(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """As the port says; many rows go by COPY."""
        if len(rows) < _COPY_ROWS:
            super().put_rows(table, columns, rows)
        else:
            self._copy(table.name, tuple(columns), rows)

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
        """As the port says; many rows go by COPY into a temporary table and from there."""
        every = tuple(columns)
        if len(rows) < _COPY_ROWS or _repeats(rows, [every.index(key) for key in keys]):
            super().upsert_rows(table, columns, keys, rows, adds, keep=keep)
            return
        names = ", ".join(f'"{name}"' for name in columns)
        aside = f"incoming_{table.name}_{crc32(names.encode()):08x}"
        self._connection.execute(
            f'CREATE TEMP TABLE IF NOT EXISTS "{aside}" ON COMMIT DELETE ROWS'
            f' AS SELECT {names} FROM "{table.name}" WITH NO DATA'
        )
        self._connection.execute(f'TRUNCATE "{aside}"')
        self._copy(aside, every, rows)
        text = self.dialect.upsert_text(table, every, tuple(keys), tuple(adds), keep=keep)
        before, _, after = text.partition(" VALUES ")
        conflict = after[after.index(" ON CONFLICT") :]
        self._connection.execute(f'{before} SELECT {names} FROM "{aside}"{conflict}')

    def _copy(self, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
        ):
            for row in rows:
                copy.write_row(row)


def _repeats(rows: Sequence[Row], keys: Sequence[int]) -> bool:
    """Whether two rows have the same keys: one statement cannot change a row twice."""
    pick = itemgetter(*keys)
    return len(set(map(pick, rows))) < len(rows)


class _WholeNumber(Loader):
    """PostgreSQL returns a sum of integers as numeric; here it is an integer, as on SQLite."""

    def load(self, data: Buffer) -> Any:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdecimal() else Decimal(text)


class PostgresRecords(Records):
    dialect = PostgresDialect()  # one for all: it remembers the text of each statement
    reads_inline = False

    def __init__(self, url: str, masters: MasterKeys | None, answer_seconds: float) -> None:
        super().__init__(masters)
        self._url = url
        self.answers = Answers(answer_seconds)
        self._is_silent = False  # no answer came in time, and none has come since
        self._asking = threading.Lock()  # held by who finds out whether it answers again

    def _connection(self) -> PostgresConnection:
        if not self._is_silent:
            held: HeldConnection[PostgresConnection] | None = getattr(self._local, "held", None)
            return self._connected() if held is None or held.connection.closed else held.connection
        # Otherwise every thread, and all that wait for one, would wait in vain in turn.
        if not self._asking.acquire(blocking=False):
            raise Unavailable("the records store does not answer; it is being asked again")
        try:
            connection = self._connected()
            self._is_silent = False
        finally:
            self._asking.release()
        return connection

    def _connected(self) -> PostgresConnection:
        known = _PATIENCE | conninfo_to_dict(self._url)
        try:
            connection = PostgresConnection.connect(autocommit=True, **known)
        except psycopg.OperationalError as away:
            self._is_silent |= isinstance(away, psycopg.errors.ConnectionTimeout)
            # After a timeout the driver's frames hold the connection, in a circle: it would stay
            # open until garbage is collected.
            clear_frames(away.__traceback__)
            away.__context__ = None
            words = " ".join(str(away).split())
            raise Unavailable(
                "the records store does not answer; start it, or correct HANDBILL_RECORDS_URL: "
                f"{words}"
            ) from away
        connection.answers = self.answers
        if (version := connection.info.server_version // 10_000) < _LEAST_VERSION:
            connection.close()
            raise Unavailable(
                f"the records need PostgreSQL {_LEAST_VERSION} or newer, and this is {version}"
            )
        try:
            connection.execute(_LET_GO)
            connection.autocommit = False
        except psycopg.Error as failure:
            connection.close()
            self._is_silent |= connection.found_silent
            raise _port_exception(failure) from failure
        connection.adapters.register_loader("numeric", _WholeNumber)
        return self._hold(connection)

    @contextmanager
    def _transaction(self, isolation: IsolationLevel, *, read_only: bool) -> Iterator[Tx]:
        connection = self._connection()
        try:
            connection.isolation_level = isolation
            connection.read_only = read_only
            with connection.transaction():
                yield PostgresTx(connection, self)
        except psycopg.Error as failure:
            self._is_silent |= connection.found_silent
            raise _port_exception(failure) from failure

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._transaction(IsolationLevel.READ_COMMITTED, read_only=False) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._transaction(IsolationLevel.REPEATABLE_READ, read_only=True) as tx:
            yield tx

    @property
    def url(self) -> str:
        return self._url.replace("postgresql://", "postgresql+psycopg://", 1)


_WORLDS_DOING = (
    psycopg.OperationalError,
    psycopg.errors.ReadOnlySqlTransaction,  # a server that has become a standby
    psycopg.errors.IdleInTransactionSessionTimeout,
)


def _port_exception(failure: psycopg.Error) -> Exception:
    """The port's exception for the driver's."""
    if isinstance(failure, psycopg.errors.UniqueViolation):
        return Clash(f"a row of these keys is there: {failure.diag.constraint_name}")
    if isinstance(failure, _WORLDS_DOING):
        return Unavailable(f"the records store failed: {failure}")
    return failure
