"""From the click that fills a cap to the feed without its job, on a whole server.

By name only (``make bench NAMES=capped``; ``capped:20000``: so many other jobs in that feed).
Clients of one job each are capped in turn; the other jobs stand in the same publisher's file,
which is written anew each time.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from bench.figures import Figure
from bench.serving import (
    Server,
    add_job,
    board,
    click_id,
    link_in,
    office,
    program,
    served,
    until,
)
from bench.stock import stock
from handbill.clients.service import clients_by_number
from handbill.host.clock import SystemClock
from handbill.jobs import service as jobs
from handbill.kit.instants import moment_of
from handbill.store.records import open_records
from handbill.store.records.tables import clients

OTHER_JOBS, CAPPED = 50_000, 5
MOST_SECONDS = 10.0
_ROOM = {"caps": {"budget": {"cap": "Monthly", "value": 0.5}}, "delivery": "ASAP"}
"""One click."""
_AT_ONCE = 1_000


def run(other_jobs: int = OTHER_JOBS) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-capped-") as name, served(Path(name)) as server:
        headers = office(server, "busy")
        feed = board(server, headers)
        large = program(server, headers, "Large")
        _fill(Path(name), large, other_jobs)
        add_job(server, headers, large, "Last")  # the server hears of them all by it
        until(lambda: feed().count(b"</job>") > other_jobs, seconds=900.0)
        took = sorted(_capped(server, headers, feed, f"Capped{n}") for n in range(CAPPED))
    worst = took[-1]
    note = f"the worst of {CAPPED}; the quickest {took[0]:.1f}; beside {other_jobs:,} jobs"
    limit = f"<= {MOST_SECONDS:g}"
    return [
        Figure("click that fills a cap to feed", worst, "s", limit, worst <= MOST_SECONDS, note)
    ]


def _fill(data: Path, client_id: str, count: int) -> None:
    """Jobs of a client, put beside the running server."""
    records, now = open_records(f"sqlite:///{data}/records.db"), SystemClock().now()
    with records.read() as tx:
        no = tx.value(
            sa.select(clients.c.no).where(clients.c.id == sa.bindparam("id")), id=client_id
        )
        client = clients_by_number(tx, [no])[no]
    brought = [
        jobs.written(job, moment_of(job.posted_at or now).date().isoformat(), None)
        for job in stock(count)
    ]
    for start in range(0, count, _AT_ONCE):
        with records.write() as tx:
            jobs.apply(tx, client, None, brought[start : start + _AT_ONCE], now)
    records.close()


def _capped(server: Server, headers: dict[str, str], feed: Callable[[], bytes], name: str) -> float:
    """Seconds from the answer to a click that fills the cap until the job is out of the feed."""
    program(server, headers, name, **_ROOM)

    def job() -> bytes:
        return next((one for one in feed().split(b"</job>") if name.encode() in one), b"")

    link = link_in(until(job))
    click_id(server.edge, link)
    began = time.monotonic()
    until(lambda: name.encode() not in (told := feed()) and b"</source>" in told)
    return time.monotonic() - began
