"""Figures of several processes, told as one."""

import subprocess
import sys
from pathlib import Path

_COUNTS = """
import sys
from pathlib import Path
from handbill.host import figures
figures.share(Path(sys.argv[1]), sys.argv[2])
figures.TASKS.labels("kind", "done").inc(int(sys.argv[3]))
figures.counter("handbill_edge_clicks", "Clicks").inc(1)
figures.QUEUE.labels("kind", "dead").set(int(sys.argv[3]))
figures.REQUEST_SECONDS.labels("read").observe(0.01)
print(figures.text().decode())
"""
_TASKS = 'handbill_tasks_total{kind="kind",outcome="done"}'


def counted(folder: Path, name: str, by: int) -> dict[str, float]:
    """What a process tells that counts so much and ends."""
    told = subprocess.run(
        [sys.executable, "-c", _COUNTS, str(folder), name, str(by)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line.rpartition(" ") for line in told.stdout.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in lines if name}


def test_all_processes_are_told_as_one_and_a_restart_takes_nothing_back(tmp_path: Path) -> None:
    assert counted(tmp_path, "edge-0", 5)[_TASKS] == 5
    told = counted(tmp_path, "edge-1", 7)
    assert (told[_TASKS], told["handbill_edge_clicks_total"]) == (12, 2)
    again = counted(tmp_path, "edge-0", 1)
    assert (again[_TASKS], again["handbill_edge_clicks_total"]) == (13, 3)
    assert again['handbill_queue_tasks{kind="kind",state="dead"}'] == 1, "a gauge is the newest"
    assert again['handbill_request_seconds_count{operation="read"}'] == 3
    assert again['handbill_request_seconds_bucket{le="0.005",operation="read"}'] == 0


def test_a_spoiled_file_begins_anew(tmp_path: Path) -> None:
    counted(tmp_path, "edge-0", 5)
    counted(tmp_path, "edge-1", 7)
    spoiled = tmp_path / "counter_edge-1.db"
    spoiled.write_bytes(b"\x40\x00\x00\x00" + b"\x00" * 4 + b"\x7f" * 100)
    (tmp_path / "counter_edge-2.db").touch()  # of a process that is just being born
    assert counted(tmp_path, "edge-0", 1)[_TASKS] == 6


_FLOOD = """
import sys
from pathlib import Path
from handbill.host import figures
from handbill.host.clock import ticking
figures.share(Path(sys.argv[1]), "edge-0")
began = ticking()
for _ in range(200):
    figures.text()
print(figures._merged.cache_info().misses <= ticking() - began + 2)
"""


def test_who_asks_again_and_again_costs_one_telling_a_second(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _FLOOD, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == "True\n"
