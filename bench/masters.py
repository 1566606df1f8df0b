"""The master key of what is measured, and records under it."""

from pathlib import Path

from handbill.host.masters import Masters
from handbill.host.settings import Settings
from handbill.store.records import Records, open_records
from handbill.store.records.opening import migrate

MASTER_KEY = "bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="
MASTERS = Masters(Settings(secrets_key=MASTER_KEY))


def new_records(folder: Path) -> Records:
    """Empty, migrated records on SQLite, in a folder of their own."""
    records = open_records(f"sqlite:///{folder / 'records.db'}", MASTERS)
    migrate(records)
    return records
