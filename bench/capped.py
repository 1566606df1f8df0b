"""From the click that fills a cap to the feed without its job, on a whole server.

By name only (``make bench NAMES=capped``; ``capped:20000``: so many other jobs in that feed).
Clients of one job each are capped in turn; the other jobs stand in the same publisher's file,
which is written anew each time.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

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
from bench.stock import fill_beside
from handbill.host.clock import SystemClock
from handbill.store.records import open_records

OTHER_JOBS, CAPPED = 50_000, 5
MOST_SECONDS = 10.0
_ROOM = {"caps": {"budget": {"cap": "Monthly", "value": 0.5}}, "delivery": "ASAP"}
"""One click."""


def run(other_jobs: int = OTHER_JOBS) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-capped-") as name, served(Path(name)) as server:
        headers = office(server, "busy")
        feed = board(server, headers)
        large = program(server, headers, "Large")
        records = open_records(f"sqlite:///{name}/records.db")
        fill_beside(records, large, other_jobs, SystemClock().now())
        records.close()
        add_job(server, headers, large, "Last")  # the server hears of them all by it
        until(lambda: feed().count(b"</job>") > other_jobs, seconds=900.0)
        took = sorted(_capped(server, headers, feed, f"Capped{n}") for n in range(CAPPED))
    worst = took[-1]
    note = f"the worst of {CAPPED}; the quickest {took[0]:.1f}; beside {other_jobs:,} jobs"
    limit = f"<= {MOST_SECONDS:g}"
    return [
        Figure("click that fills a cap to feed", worst, "s", limit, worst <= MOST_SECONDS, note)
    ]


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
