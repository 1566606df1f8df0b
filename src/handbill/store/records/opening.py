"""Choose the engine by the URL, and update the tables."""

from pathlib import Path

from handbill.store.migrations import INITIAL, NEWEST, number_of
from handbill.store.records.base import MasterKeys, Records
from handbill.store.records.sqlite import SqliteRecords

ANSWER_SECONDS = 20.0
"""How long somebody who waits for us waits for one answer of PostgreSQL."""
PATIENT_SECONDS = 600.0
"""How long all others wait: what is asked of a frozen server is done once it goes on."""


class ForeignRecords(Exception):
    """These records cannot be used, now or later. The message says whose they are."""


def open_records(
    url: str, masters: MasterKeys | None = None, answer_seconds: float = PATIENT_SECONDS
) -> Records:
    """Open ``sqlite:///path`` or ``postgresql://…``; without master keys, its secrets cannot be
    read. A server that does not answer a statement for ``answer_seconds`` is Unavailable.

    **Refuses** any other scheme (ValueError).
    """
    if url.startswith("sqlite:///"):
        return SqliteRecords(Path(url.removeprefix("sqlite:///")), masters)
    if url.startswith("postgresql://"):
        # Its driver takes longer to import than many commands take to run.
        from handbill.store.records.postgresql import PostgresRecords

        return PostgresRecords(url, masters, answer_seconds)
    raise ValueError("HANDBILL_RECORDS_URL must start with sqlite:/// or postgresql://")


def migrate(records: Records) -> None:
    """Bring the tables to the newest revision; quick if they are, and safe from many processes.

    **Refuses** records of a newer release, and of a development version with different tables
    (NotOurs): these cannot be upgraded.
    """
    revision = records.revision()
    if revision == NEWEST:
        return
    require_ours(revision)
    from handbill.store.migrations.running import upgrade

    upgrade(records.url)


def require_ours(revision: str | None) -> None:
    """**Refuses** (NotOurs) records of a revision that cannot be upgraded to the newest."""
    if revision in {None, NEWEST}:
        return
    assert revision is not None
    if number_of(revision) > number_of(NEWEST):
        raise ForeignRecords("were written by a newer release of Handbill")
    if number_of(revision) == number_of(INITIAL) and revision != INITIAL:
        raise ForeignRecords("were made by an earlier development version of Handbill")
