"""Records on PostgreSQL, by psycopg 3. Reads see one snapshot; writes lock what they decide on."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.expression import Executable

from handbill.kit.faults import Unavailable
from handbill.store.records.base import Dialect, Held, Listed, Records, Row, Tx

_STREAM_ROWS = 2_000


class PostgresDialect(Dialect):
    rowlock = " FOR UPDATE"

    def __init__(self) -> None:
        self.sqlalchemy = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]

    def placeholder(self, name: str) -> str:
        return f"%({name})s"

    def bind(self, params: dict[str, Any]) -> dict[str, Any]:
        for name, value in params.items():
            if isinstance(value, Listed):
                params[name] = list(value)
        return params


class PostgresTx(Tx):
    def __init__(self, connection: psycopg.Connection[Row], dialect: PostgresDialect) -> None:
        self._connection = connection
        self.dialect = dialect

    def run_text(self, text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        cursor = self._connection.execute(text, params)
        rows = cursor.fetchall() if cursor.description else []
        return rows, cursor.rowcount

    def run_text_many(self, text: str, rows: Iterable[dict[str, Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(text, rows)

    def stream(self, statement: Executable, **params: Any) -> Iterator[Row]:
        text = self.dialect.text_of(statement)
        with self._connection.cursor(name="stream") as cursor:
            cursor.itersize = _STREAM_ROWS
            cursor.execute(text, self.dialect.bind(params))
            yield from cursor


class PostgresRecords(Records):
    dialect: PostgresDialect
    reads_inline = False

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.dialect = PostgresDialect()

    def _connection(self) -> psycopg.Connection[Row]:
        held: Held[psycopg.Connection[Row]] | None = getattr(self._local, "held", None)
        if held is not None and not held.connection.closed:
            return held.connection
        try:
            return self._hold(psycopg.connect(self._url, connect_timeout=10))
        except psycopg.OperationalError as away:
            raise Unavailable(f"the records store does not answer: {away}") from away

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[Tx]:
        connection = self._connection()
        try:
            with connection.transaction():
                connection.execute(f"SET TRANSACTION {mode}")
                yield PostgresTx(connection, self.dialect)
        except psycopg.OperationalError as away:
            raise Unavailable(f"the records store failed: {away}") from away

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._transaction("ISOLATION LEVEL READ COMMITTED READ WRITE") as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY") as tx:
            yield tx

    def revision(self) -> str | None:
        with self.read() as tx:
            if tx.run_text("SELECT to_regclass('alembic_version')", {})[0] == [(None,)]:
                return None
            rows, _ = tx.run_text("SELECT version_num FROM alembic_version", {})
        return str(rows[0][0]) if rows else None

    @property
    def url(self) -> str:
        return self._url.replace("postgresql://", "postgresql+psycopg://", 1)
