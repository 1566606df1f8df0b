"""How one engine spells statements."""

from abc import ABC, abstractmethod
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.sql.expression import Executable

from handbill.store.records.columns import MOST


class Dialect(ABC):
    """The spelling of one engine. ``paramstyle`` is the driver's: named or pyformat."""

    sqlalchemy: sa.engine.Dialect
    rowlock: str
    least: str  # the function that finds the least of its arguments
    if_migrated: str  # a query that returns a row if there is a table of the revision
    clock: str  # a query of the engine's clock, in microseconds

    @abstractmethod
    def placeholder(self, name: str) -> str: ...

    @lru_cache(maxsize=4096)  # noqa: B019 - one dialect object lives as long as the process
    def text_of(self, statement: Executable) -> str:
        compiled = statement.compile(  # type: ignore[attr-defined]
            dialect=self.sqlalchemy, compile_kwargs={"render_postcompile": True}
        )
        inlined = {name: value for name, value in compiled.params.items() if value is not None}
        if inlined:
            raise TypeError(f"name every value of a statement with bindparam: {inlined}")
        return str(compiled)

    @lru_cache(maxsize=1024)  # noqa: B019
    def put_text(self, table: sa.Table, columns: tuple[str, ...]) -> str:
        text = self.insert_text(table, columns)
        return f'{text} RETURNING "no"' if "no" in table.c else text

    @lru_cache(maxsize=1024)  # noqa: B019
    def insert_text(self, table: sa.Table, columns: tuple[str, ...]) -> str:
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(self.placeholder(name) for name in columns)
        return f'INSERT INTO "{table.name}" ({names}) VALUES ({values})'

    @lru_cache(maxsize=1024)  # noqa: B019
    def upsert_text(
        self,
        table: sa.Table,
        columns: tuple[str, ...],
        keys: tuple[str, ...],
        adds: tuple[str, ...],
        *,
        keep: bool,
    ) -> str:
        text = self.insert_text(table, columns)
        target = ", ".join(f'"{key}"' for key in keys)
        if keep:
            return f"{text} ON CONFLICT ({target}) DO NOTHING"
        changes = ", ".join(
            f'"{name}" = {self._added(table, name)}'
            if name in adds
            else f'"{name}" = excluded."{name}"'
            for name in columns
            if name in (adds or columns) and name not in keys
        )
        return f"{text} ON CONFLICT ({target}) DO UPDATE SET {changes}"

    def _added(self, table: sa.Table, name: str) -> str:
        added = f'"{table.name}"."{name}" + excluded."{name}"'
        most = table.c[name].info.get(MOST)
        return f"{self.least}({added}, {most})" if most else added

    @lru_cache(maxsize=1024)  # noqa: B019
    def update_text(self, table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
        changes = ", ".join(f'"{name}" = {self.placeholder(name)}' for name in columns)
        where = " AND ".join(f'"{key}" = {self.placeholder("key_" + key)}' for key in keys)
        return f'UPDATE "{table.name}" SET {changes} WHERE {where}'
