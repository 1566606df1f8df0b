"""How long ``ledger check`` takes over thousands of files of entries, as a judge in calm traffic
leaves them before they are merged.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.judge import Lines, judged, market, traffic
from bench.masters import new_records
from handbill.ledger.checking import check
from handbill.store.blobs import open_blobs
from handbill.store.journal_streams import JournalReading, StreamMark

LIMIT_SECONDS = 10
_CLIENTS = 4
_SEGMENTS = 7_000
_EVENTS_AT_ONCE = 60  # of all clients: enough that each has some


class FewLines(Lines):
    """A journal in which a little waits at a time."""

    def read(self, marks: dict[str, StreamMark], most: int, now: int = 0) -> JournalReading:
        return super().read(marks, min(most, _EVENTS_AT_ONCE), now)


def run() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = new_records(folder)
        with records.write() as tx:
            listings = market(tx, _CLIENTS)
        events = _SEGMENTS // _CLIENTS * _EVENTS_AT_ONCE
        judged(records, folder, FewLines(list(traffic(listings, events))))
        with records.read() as tx:
            ((segments,),) = tx.run_text("SELECT count(*) FROM segments", {})[0]
        wall, cpu = time.perf_counter(), time.process_time()
        books = check(records, open_blobs(str(folder / "blobs")), folder / "scratch")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        records.close()
    assert books.balanced, books.faults
    return [
        Figure(
            f"ledger check: {segments:,} files of entries",
            wall,
            "s",
            f"<= {LIMIT_SECONDS}",
            wall <= LIMIT_SECONDS,
            f"{events:,} events, {_CLIENTS} clients; {cpu:.2f} CPU s",
        )
    ]
