"""The master key of what is measured, and records under it."""

import os
from pathlib import Path

from handbill.host.masters import Masters
from handbill.host.settings import Settings
from handbill.store.records import Records, open_records
from handbill.store.records.opening import migrate

MASTER_KEY = "bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="
MASTERS = Masters(Settings(secrets_key=MASTER_KEY))


RECORDS = "BENCH_RECORDS_URL"
"""Names the records of what is measured, for all its processes; else they are in its folder."""


def records_of(folder: Path) -> Records:
    return open_records(os.environ.get(RECORDS) or f"sqlite:///{folder / 'records.db'}", MASTERS)


def new_records(folder: Path) -> Records:
    """Empty, migrated records, on SQLite in a folder of their own if nothing else is named."""
    records = records_of(folder)
    migrate(records)
    return records
