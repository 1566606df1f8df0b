"""Import of many new jobs while another process writes: how long its writes wait at most."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.feed_import import memory, new_jobs, wait, write
from bench.figures import Figure


def run(jobs: int = 700_000) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as name:
        folder = Path(name)
        write(folder / "whole.xml", jobs)
        new, waits = new_jobs(folder, jobs)
    speed = new["mb"] / new["cpu"]
    note = f"{new['mb']:,.0f} MB, {new['cpu']:.0f} CPU s; {new['wall']:.0f} s by the clock"
    return [
        Figure(f"import, {jobs:,} jobs, all new", speed, "MB/CPU s", "", met=True, note=note),
        wait(waits, jobs),
        memory([new]),
    ]
