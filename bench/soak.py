"""Half an hour of a whole server with the demo's market: does everything recur in time?

By name only (``make bench NAMES=soak``): it takes as long as it says.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure
from handbill.kit.instants import SECOND, Instant
from handbill.store.records import Records, open_records
from handbill.work.depths import dead_tasks
from handbill.work.schedule import standings
from handbill.worker import schedule

MINUTES = 30
MOST_LATE = 5.0
"""So much later than its interval an entry may run. **Units**: seconds."""
_LOOK_SECONDS = 0.5
_START_SECONDS = 120


def run(minutes: float = MINUTES) -> list[Figure]:
    """Each entry's worst lateness, and what was given up meanwhile."""
    with TemporaryDirectory(prefix="handbill-soak-") as folder:
        words = ("demo", "--stay", "--data", folder, "--api-port", "0", "--edge-port", "0")
        server = subprocess.Popen(
            [sys.executable, "-m", "handbill", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _watched(server, Path(folder) / "records.db", minutes * 60)
        finally:
            server.terminate()
            server.wait()


def _watched(server: "subprocess.Popen[bytes]", path: Path, seconds: float) -> list[Figure]:
    _wait(lambda: path.exists() and _is_ready(path))
    records = open_records(f"sqlite:///{path}")
    ran: dict[str, list[Instant]] = {name: [] for name, _, _ in schedule()}
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            assert server.poll() is None, "the server has ended"
            _look(records, ran)
            time.sleep(_LOOK_SECONDS)
        with records.read() as tx:
            dead = len(dead_tasks(tx))
    finally:
        records.close()
    figures = [_figure(name, every, ran[name], seconds) for name, every, _ in schedule()]
    return [*figures, Figure("dead tasks after the soak", dead, "tasks", "= 0", dead == 0)]


def _is_ready(path: Path) -> bool:
    """Whether the tables are there and each entry has run once."""
    records = open_records(f"sqlite:///{path}")
    try:
        if records.revision() is None:
            return False
        with records.read() as tx:
            return all(one.ran_at is not None for one in standings(tx, schedule(), 0))
    finally:
        records.close()


def _wait(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"the server is not ready after {_START_SECONDS} seconds")
        time.sleep(_LOOK_SECONDS)


def _look(records: Records, ran: dict[str, list[Instant]]) -> None:
    with records.read() as tx:
        for one in standings(tx, schedule(), 0):
            if one.ran_at is not None and one.ran_at not in ran[one.name][-1:]:
                ran[one.name].append(one.ran_at)


def _figure(name: str, every: int, ran: list[Instant], seconds: float) -> Figure:
    """How late the latest run was; missed too when there were fewer runs than there is time for."""
    gaps = [later - former for former, later in pairwise(ran)]
    late = max((gap / SECOND - every for gap in gaps), default=0.0)
    least = int(seconds / (every + MOST_LATE))
    return Figure(
        f"soak: {name} late by",
        late,
        "s",
        f"<= {MOST_LATE:.0f}",
        late <= MOST_LATE and len(gaps) >= least,
        f"every {every} s; {len(gaps)} runs after the first in {seconds / 60:.0f} minutes",
    )
