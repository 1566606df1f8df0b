"""The judge process: chooses engines and clock, then books what the journal holds until stopped."""

import signal
import threading
from pathlib import Path
from types import FrameType

from handbill.access.keys import secret
from handbill.host.clock import SystemClock
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.ledger.booking import Rules
from handbill.ledger.judge import Judge
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalReader
from handbill.store.records import open_records


def main(settings: Settings) -> None:
    """Judge until SIGTERM or SIGINT; the batch in hand is booked first."""
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    data = Path(settings.data)
    records = open_records(settings.records_url or f"sqlite:///{data / 'records.db'}")
    blobs = open_blobs(settings.blobs_url or str(data / "blobs"))
    with records.read() as tx:
        key = list(secret(tx, "link").values())[-1]
    rules = Rules(settings.duplicate_seconds, settings.ip_mode, key)
    journal = JournalReader(Path(settings.journal_url or data / "journal"))
    judge = Judge(records, blobs, journal, SystemClock(), SystemIds(), rules)
    try:
        judge.run(stop)
    finally:
        judge.close()
        records.close()
