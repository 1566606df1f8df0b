"""A client's report of a month, and ``ledger check``, over the files that a judge leaves of 2,000
clients, before and after these are merged; beside files with nobody else's entries.

``mixed:3000``: so many files.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.figures import Figure
from bench.judge import market
from bench.masters import new_records
from bench.report import answered
from handbill.core.entries import Entry
from handbill.core.listing_tokens import Listing
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, Instant
from handbill.ledger import work
from handbill.ledger.checking import check
from handbill.stats.questions import Level
from handbill.store import segments
from handbill.store.blobs import open_blobs
from handbill.work.queue import Task
from handbill.work.tools import Tools

CLIENTS, FILES = 2_000, 3_000
_IN_FILE = 300
_NOW: Instant = 20_600 * DAY
_MONTH: Instant = 20_575 * DAY


def _entries(listings: list[Listing], files: int) -> Iterator[list[Entry]]:
    """What a judge books at a time, of a month: clicks that cost nothing. Nothing counts them here,
    which ``ledger check`` tells; how long it takes is asked.
    """
    chance = Random(1)
    step = 20 * DAY // (files * _IN_FILE)
    for file in range(files):
        yield [
            Entry(
                id=chance.randbytes(16),
                at=_MONTH + (file * _IN_FILE + n) * step,
                kind="CLICK",
                disposition="valid",
                reason="",
                client_no=chance.choice(listings).client_no,
                campaign_no=0,
                group_no=0,
                publisher_no=1,
                job_id="",
                bid_type="CPC",
                charge_micros=0,
                spend_micros=0,
                currency="USD",
                marked_micros=0,
                agency_ppm=0,
                override_ppm=0,
                click_at=0,
                click_id=b"",
                visitor=b"",
                ip="",
                agent="",
                source="edge",
                candidate_id="",
                application_id="",
            )
            for n in range(_IN_FILE)
        ]


def _tools(folder: Path) -> tuple[Tools, list[Listing]]:
    folder.mkdir()
    records = new_records(folder)
    with records.write() as tx:
        listings = market(tx, CLIENTS)
    blobs, nothing = open_blobs(str(folder / "blobs")), None
    kept: Any = nothing
    return (
        Tools(
            records,
            blobs,
            kept,
            SetClock(_NOW),
            SeededIds(1),
            kept,
            Settings(),
            folder / "scratch",
        ),
        listings,
    )


def _booked(tools: Tools, batches: Iterable[list[Entry]]) -> None:
    month = segments.month_of(_MONTH)
    written = [
        segments.write(tools.blobs, segments.path_of(month, _NOW, tools.ids), entries)
        for entries in batches
        if entries
    ]
    with tools.records.write() as tx:
        segments.register(tx, written, _NOW)


def _reported(tools: Tools, client_no: int, *levels: Level) -> float:
    """CPU seconds from submit to file; the same question twice is answered at once."""
    return answered(tools, client_no, *levels)[1]


def _merged(tools: Tools) -> float:
    began = time.process_time()
    work.compact(tools, Task(1, "ledger.compact", segments.month_of(_MONTH), {}, 1, "bench"))
    return time.process_time() - began


def run(files: int = FILES) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as name:
        mixed, listings = _tools(Path(name) / "mixed")
        own, _ = _tools(Path(name) / "own")
        client_no = listings[0].client_no
        _booked(mixed, _entries(listings, files))
        _booked(
            own,
            (
                [one for one in some if one.client_no == client_no]
                for some in _entries(listings, files)
            ),
        )
        for tools in (mixed, own):
            _reported(tools, client_no, "CAMPAIGN")  # what only the first one takes is not told
        before = [_reported(tools, client_no, "PUBLISHER", "DATE") for tools in (mixed, own)]
        began = time.process_time()
        check(mixed.records, mixed.blobs, mixed.scratch)
        checked = time.process_time() - began
        spent = _merged(mixed)
        _merged(own)
        after = [_reported(tools, client_no, "JOBGROUP", "DATE") for tools in (mixed, own)]
        for tools in (mixed, own):
            tools.records.close()
    note = f"{files:,} files of {_IN_FILE} entries, {CLIENTS:,} clients"
    return [
        *(
            Figure(
                f"report of a month, {what}",
                took,
                "CPU s",
                f"<= {_bound(other):.2f}",
                took <= _bound(other),
                f"{note}; {other:.2f} over files of its own",
            )
            for what, took, other in (
                ("files as they are booked", before[0], before[1]),
                ("merged", after[0], after[1]),
            )
        ),
        Figure("ledger check, files as they are booked", checked, "CPU s", "", met=True, note=note),
        Figure("merging a month's files", spent, "CPU s", "", met=True, note=note),
    ]


def _bound(own: float) -> float:
    """Twice what files of its own take, and half a second."""
    return 2 * own + 0.5
