"""Entries put beside a ledger as the judge leaves them: each segment is of one month."""

from collections.abc import Iterable
from itertools import groupby

from handbill.core.entries import Entry
from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.store import segments
from handbill.store.blobs import Blobs
from handbill.store.records import Records


def book(
    records: Records, blobs: Blobs, ids: Ids, now: Instant, entries: Iterable[Entry], rows: int
) -> None:
    """Write entries, which are in the order of time, in segments of at most so many ``rows``."""
    nth = 0

    def part(entry: Entry) -> tuple[int, str]:
        nonlocal nth
        nth += 1
        return (nth - 1) // rows, segments.month_of(entry.at)

    for (_, month), some in groupby(entries, part):
        written = segments.write(blobs, segments.path_of(month, now, ids), list(some))
        with records.write() as tx:
            segments.register(tx, [written], now)
