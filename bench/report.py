"""How long a report over ten million events takes, from submit to file."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.booked import book
from bench.figures import Figure
from bench.judge import market
from bench.masters import new_records
from handbill.clients.service import clients_by_number
from handbill.core.entries import Entry
from handbill.core.listing_tokens import Listing
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, Instant
from handbill.stats import service
from handbill.stats.questions import Filters, Level, Question
from handbill.stats.work import report
from handbill.store.blobs import Blobs, open_blobs
from handbill.store.records import Records
from handbill.work.queue import Task
from handbill.work.tools import Tools

LIMIT_SECONDS = 2.0
_EVENTS = 10_000_000
_ROWS = 1_000_000  # of a segment
_DAYS = 60
_NOW: Instant = 20_600 * DAY
_JOBS = 20_000
_KINDS = (
    [("CLICK", "valid", "")] * 70
    + [("CLICK", "bot", "agent_list")] * 6
    + [("CLICK", "duplicate", "")] * 6
    + [("CLICK", "over_cap", "group_budget_monthly")] * 4
    + [("APPLY_START", "counted", "")] * 9
    + [("APPLY", "counted", "")] * 5
)


def _entries(listings: list[Listing], segment: int) -> Iterator[Entry]:
    """One segment's entries; a thousand random ones, repeated at other times and jobs."""
    random = Random(segment)
    start = _NOW - _DAYS * DAY
    step = _DAYS * DAY // _EVENTS
    patterns = []
    for _ in range(1_000):
        listing = random.choice(listings)
        kind, disposition, reason = random.choice(_KINDS)
        paid = disposition == "valid"
        patterns.append((listing, kind, disposition, reason, paid))
    for n in range(_ROWS):
        listing, kind, disposition, reason, paid = patterns[n % 1_000]
        at = start + (segment * _ROWS + n) * step
        number = (n * 7_919 + segment) % _JOBS
        yield Entry(
            id=(segment * _ROWS + n).to_bytes(16, "big"),
            at=at,
            kind=kind,
            disposition=disposition,
            reason=reason,
            client_no=listing.client_no,
            campaign_no=listing.campaign_no,
            group_no=listing.group_no,
            publisher_no=listing.publisher_no,
            job_id=f"{number:032x}",
            bid_type="CPC",
            charge_micros=400_000 * paid,
            spend_micros=500_000 * paid,
            currency="USD",
            marked_micros=550_000 * paid,
            agency_ppm=100_000 * paid,
            override_ppm=0,
            click_at=at,
            click_id=b"",
            visitor=b"",
            ip="198.51.100.0",
            agent="",
            source="edge",
            candidate_id="",
            application_id="",
        )


def filled(records: Records, blobs: Blobs, ids: SeededIds) -> int:
    """A client with ten million entries; its number."""
    with records.write() as tx:
        listings = market(tx, 1)
    client_no = listings[0].client_no
    for segment in range(_EVENTS // _ROWS):
        book(records, blobs, ids, _NOW, _entries(listings, segment), _ROWS)
    return client_no


def answered(tools: Tools, client_no: int, *levels: Level) -> tuple[float, float, int]:
    """Wall and CPU seconds from submit to file, and the rows of the report."""
    question = Question(Filters("2026-01-01", "2030-01-01"), levels)
    wall, cpu = time.perf_counter(), time.process_time()
    with tools.records.read() as tx:
        client = clients_by_number(tx, [client_no])[client_no]
    with tools.records.write() as tx:
        report_id = service.submit(tx, client, question, tools.ids, _NOW).id
    report(tools, Task(1, "stats.report", report_id, {}, 1, "bench"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with tools.records.read() as tx:
        made = service.report_of(tx, client_no, report_id, _NOW)
    assert made.state == "SUCCESS", made
    return wall, cpu, sum(part.rows for part in made.parts)


def run() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = new_records(folder)
        ids = SeededIds(1)
        blobs = open_blobs(str(folder / "blobs"))
        client_no = filled(records, blobs, ids)
        nothing: Any = None
        tools = Tools(
            records, blobs, nothing, SetClock(_NOW), ids, nothing, Settings(), folder / "scratch"
        )
        figures = []
        levels: tuple[Level, ...]
        for levels, limit in (
            (("JOBGROUP", "PUBLISHER", "DATE"), LIMIT_SECONDS),
            (("JOB", "JOBGROUP", "CAMPAIGN"), None),
        ):
            wall, cpu, rows = answered(tools, client_no, *levels)
            figures.append(
                Figure(
                    f"report: {_EVENTS:,} events by {', '.join(levels).lower()}",
                    wall,
                    "s",
                    f"<= {limit:g}" if limit else "",
                    limit is None or wall <= limit,
                    f"{rows:,} rows; {cpu:.2f} CPU s, submit to file",
                )
            )
        records.close()
    return figures
