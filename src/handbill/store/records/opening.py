"""Choose the engine by the URL, and bring the tables up to date."""

from pathlib import Path

from handbill.store.migrations import INITIAL, NEWEST, number_of
from handbill.store.records.base import Masters, Records
from handbill.store.records.postgresql import PostgresRecords
from handbill.store.records.sqlite import SqliteRecords


class NotOurs(Exception):
    """These records cannot be worked with, now or later. The message says whose they are."""


def open_records(url: str, masters: Masters | None = None) -> Records:
    """Open ``sqlite:///path`` or ``postgresql://…``; without master keys, its secrets cannot be
    read. **Refuses** any other scheme (ValueError).
    """
    if url.startswith("sqlite:///"):
        return SqliteRecords(Path(url.removeprefix("sqlite:///")), masters)
    if url.startswith("postgresql://"):
        return PostgresRecords(url, masters)
    raise ValueError("HANDBILL_RECORDS_URL must start with sqlite:/// or postgresql://")


def migrate(records: Records) -> None:
    """Bring the tables to the newest revision; quick when they are, safe from many processes.

    **Refuses** records of a newer release, and of a development version whose tables were other
    ones (NotOurs): there is no way from those to these.
    """
    found = records.revision()
    if found == NEWEST:
        return
    if found is not None and number_of(found) > number_of(NEWEST):
        raise NotOurs("were written by a newer release of Handbill")
    if found is not None and number_of(found) == number_of(INITIAL) and found != INITIAL:
        raise NotOurs("were made by an earlier development version of Handbill")
    from handbill.store.migrations.running import upgrade

    upgrade(records.url)
