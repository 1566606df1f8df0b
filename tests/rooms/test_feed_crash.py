"""An import killed at any point leaves the jobs wholly as they were, or wholly as the feed has them
now; the next one ends it.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from handbill.jobs import service as jobs
from handbill.store.records import Records
from rooms.feed_world import World, world_on
from sites import document, item

# For each line "name n" a child that kills itself when a function of that name is called for the
# n-th time; its exit status is the answer. What all of them import is imported once.
_KILLED = """
import gc, os, signal, sys
from pathlib import Path
from types import FunctionType

from handbill.feeds.importing import import_feed
from handbill.host.clock import SystemClock
from handbill.host.egress import Egress
from handbill.host.ids import SystemIds
from handbill.host.masters import Masters
from handbill.host.settings import Settings
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.store.records import open_records
from handbill.work.tools import Tools

url, folder, place, feed_id = sys.argv[1:]
folder = Path(folder)
assert len(os.listdir("/proc/self/task")) == 1, "a child of fork has one thread only"

def functions(name):
    return [
        one for one in gc.get_objects()
        if isinstance(one, FunctionType) and one.__code__.co_name == name
        and "handbill" in one.__code__.co_filename
    ]

def run(name, left):
    masters = Masters(Settings(secrets_key="bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="))
    tools = Tools(
        open_records(url, masters), open_blobs(str(folder / "blobs")),
        EdgeIndex(folder / "index", writable=True), SystemClock(), SystemIds(), Egress((place,)),
        Settings(), folder / "scratch",
    )

    def watched(whole):
        def call(*args, **named):
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*args, **named)
        return call

    # A trace of all calls would cost more than the import.
    for no, found in enumerate(functions(name)):
        whole = FunctionType(found.__code__, found.__globals__, name, found.__defaults__)
        whole.__kwdefaults__ = found.__kwdefaults__
        found.__globals__[f"watched_{no}"] = watched(whole)
        code = f"def {name}(*args, **named): return watched_{no}(*args, **named)"
        exec(code, made := {})
        found.__code__ = made[name].__code__
    import_feed(tools, feed_id)

for line in sys.stdin:
    name, nth = line.split()
    child = os.fork()
    if not child:
        try:
            run(name, int(nth))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
# Of what comes and what moves there is more than one step of a takeover holds.
_OLD = [item(f"{n:04d}") for n in range(1_200)]
_NEW = [
    *_OLD[:300],
    *(item(f"{n:04d}", city="Dallas") for n in range(300, 800)),
    *(item(f"{n:04d}") for n in range(3_000, 3_500)),
]
_KEPT = {f"{n:04d}" for n in range(300)}
_MOVED = {f"{n:04d}" for n in range(300, 800)}
_ADDED = {f"{n:04d}" for n in range(3_000, 3_500)}


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


@contextmanager
def killing(
    world: World, folder: Path, feed_id: str
) -> Iterator[Callable[[tuple[str, int]], None]]:
    """A way to run an import that is killed at a point: the n-th call of a function."""
    place = f"127.0.0.1:{world.site.port}"
    url = world.records.url.replace("postgresql+psycopg://", "postgresql://")
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, url, str(folder), place, feed_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def killed_in(point: tuple[str, int]) -> None:
            asked.write(f"{point[0]} {point[1]}\n")
            asked.flush()
            assert told.readline() == f"{-signal.SIGKILL}\n", point

        yield killed_in


BEFORE = [
    ("begin_run", 1),
    ("meet", 1_000),
    ("_take_over", 1),
    ("sort", 3),
    ("insert", 2),
    ("stage_gone", 1),
    ("alive", 2),
    ("switch", 1),
]
AFTER = [("_bring_up", 2), ("leave", 2), ("_reveal", 2), ("tally_of_feed", 2), ("end_run", 1)]


def test_killed_at_any_point(world: World, tmp_path: Path) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_OLD)
    before = world.jobs()
    world.marked()
    world.site.pages["/feed.xml"] = document(*_NEW)
    with killing(world, tmp_path, feed.id) as killed_in:
        for point in BEFORE:
            killed_in(point)
            assert world.jobs() == before, point
            assert world.marked() == (set(), set()), point
            assert not list((tmp_path / "scratch").iterdir()), point
        for point in AFTER:
            killed_in(point)
            found = world.jobs()
            assert set(found) == _KEPT | _MOVED | _ADDED, point
            assert {ref for ref, job in found.items() if job.body.city == "Dallas"} == _MOVED, point
            with world.records.read() as tx:
                assert jobs.count(tx, world.client.no, world.clock.now()) == (1_300, 0), point
                page = jobs.jobs_page(tx, world.client.no, 200, 1_000)
            assert page == list(found.values())[200:1_200], point
    assert world.serve_and_run(feed, *_NEW) == {"total": 1_300, "unchanged": 1_300}
    assert world.marked() == (_MOVED | _ADDED | (set(before) - _KEPT - _MOVED), _ADDED)
