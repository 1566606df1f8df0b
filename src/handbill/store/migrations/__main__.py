"""For developers, until the first release: write the initial revision again from the tables."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from handbill.store.records.columns import WHERE
from handbill.store.records.tables import metadata

VERSIONS = Path(__file__).parent / "versions"
_DIALECTS = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
}


def script_of(engine: str) -> str:
    """The statements that create every table and index."""
    dialect = _DIALECTS[engine]
    creations: list[sa.schema.DDLElement] = []
    for table in metadata.sorted_tables:
        creations.append(CreateTable(table))
        for index in sorted(table.indexes, key=_name):
            index.dialect_options[engine]["where"] = index.info.get(WHERE)
            creations.append(CreateIndex(index))
    statements = [str(creation.compile(dialect=dialect)) for creation in creations]
    lines = (line.rstrip() for text in statements for line in f"{text.strip()};".splitlines())
    return "\n".join(lines) + "\n"


def _name(index: sa.Index) -> str:
    return str(index.name)


def path_of(engine: str) -> Path:
    return VERSIONS / f"initial_0001.{engine}.sql"


if __name__ == "__main__":
    for engine in _DIALECTS:
        path_of(engine).write_text(script_of(engine), encoding="utf-8")
