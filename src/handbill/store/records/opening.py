"""Choose the engine by the URL, and bring the tables up to date."""

from pathlib import Path

from handbill.kit.faults import Unavailable
from handbill.store.migrations import NEWEST
from handbill.store.records.base import Records
from handbill.store.records.postgresql import PostgresRecords
from handbill.store.records.sqlite import SqliteRecords


def open_records(url: str) -> Records:
    """Open ``sqlite:///path`` or ``postgresql://…``. **Refuses** any other scheme (ValueError)."""
    if url.startswith("sqlite:///"):
        return SqliteRecords(Path(url.removeprefix("sqlite:///")))
    if url.startswith("postgresql://"):
        return PostgresRecords(url)
    raise ValueError("HANDBILL_RECORDS_URL must start with sqlite:/// or postgresql://")


def migrate(records: Records) -> None:
    """Bring the tables to the newest revision; quick when they are, safe from many processes.

    **Refuses** records of a newer release (Unavailable).
    """
    found = records.revision()
    if found == NEWEST:
        return
    if found is not None and found > NEWEST:
        raise Unavailable(f"a newer release has written these records (revision {found})")
    from handbill.store.migrations.running import upgrade

    upgrade(records.url)
