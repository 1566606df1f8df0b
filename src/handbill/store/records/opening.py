"""Choose the engine by the URL, and bring the tables up to date."""

from pathlib import Path

import sqlalchemy as sa

from handbill.store.records.base import Records
from handbill.store.records.postgresql import PostgresRecords
from handbill.store.records.sqlite import SqliteRecords
from handbill.store.records.tables import metadata


def open_records(url: str) -> Records:
    """Open ``sqlite:///path`` or ``postgresql://…``. **Refuses** any other scheme (ValueError)."""
    if url.startswith("sqlite:///"):
        return SqliteRecords(Path(url.removeprefix("sqlite:///")))
    if url.startswith("postgresql://"):
        return PostgresRecords(url)
    raise ValueError("HANDBILL_RECORDS_URL must start with sqlite:/// or postgresql://")


def migrate(records: Records) -> None:
    """Bring the tables to the newest revision. Safe to call at every start."""
    engine = sa.create_engine(records.url)
    metadata.create_all(engine)
    engine.dispose()
