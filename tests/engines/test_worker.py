"""A worker runs what is due, whatever fails; told to stop, it stops and loses nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa

from handbill.host.clock import SetClock
from handbill.kit.instants import HOUR, SECOND, Instant
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies, tasks
from handbill.work import depths, queue
from handbill.work.loop import Worker
from handbill.work.queue import MOST_ATTEMPTS, Task
from handbill.work.tools import Tools
from leases import pass_by

T: Instant = 1_700_000_000_000_000


def _tools(records: Records) -> Tools:
    """What the worker itself uses, and nothing for tasks."""
    absent: Any = None
    return Tools(
        records=records,
        blobs=absent,
        index=absent,
        clock=SetClock(T),
        ids=absent,
        egress=absent,
        settings=absent,
        scratch=absent,
    )


@pytest.fixture
def tools(records: Records) -> Tools:
    return _tools(records)


def _enqueue(tools: Tools, kind: str, key: str, due_at: Instant | None = None) -> None:
    with tools.records.write() as tx:
        queue.enqueue(tx, kind, key, tools.clock.now(), due_at=due_at)


def _forward(tools: Tools, by: Instant) -> None:
    assert isinstance(tools.clock, SetClock)
    tools.clock.forward(by)


def _rows(tools: Tools) -> list[tuple[str, str, int, str | None, str | None]]:
    columns = (tasks.c.kind, tasks.c.key, tasks.c.attempts, tasks.c.lease, tasks.c.failure)
    with tools.records.read() as tx:
        return tx.all(tasks.select().with_only_columns(*columns))


def test_runs_what_is_due_and_what_that_makes_due(tools: Tools) -> None:
    ran: list[str] = []

    def import_feed(tools: Tools, task: Task) -> None:
        ran.append(f"{task.kind} {task.key}")
        _enqueue(tools, "groups.rematch", "c1")

    def rematch(tools: Tools, task: Task) -> None:
        ran.append(f"{task.kind} {task.key}")
        _enqueue(tools, "groups.rematch", "later", tools.clock.now() + SECOND)

    worker = Worker(tools, "w", {"feeds.import": import_feed, "groups.rematch": rematch})
    assert worker.run_due() == 0
    _enqueue(tools, "feeds.import", "f1")
    _enqueue(tools, "none.of.ours", "x")
    assert worker.run_due(most=1) == 1
    assert worker.run_due() == 1
    assert ran == ["feeds.import f1", "groups.rematch c1"]
    _forward(tools, SECOND)
    assert worker.run_due() == 1


def test_while_there_are_tasks_it_does_not_ask_before_each(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease itself tells whether anything is due; only a worker without tasks takes no lock."""
    asked: list[bool] = []
    is_due = queue.is_due

    def noted(tx: Tx, kinds: tuple[str, ...], now: Instant, workers: int) -> bool:
        asked.append(is_due(tx, kinds, now, workers))
        return asked[-1]

    monkeypatch.setattr(queue, "is_due", noted)
    worker = Worker(tools, "w", {"feeds.import": lambda *_: None})
    for number in range(3):
        _enqueue(tools, "feeds.import", f"f{number}")
    assert worker.run_due() == 3
    assert asked == [True, False]
    assert worker.run_due() == 0
    assert asked == [True, False, False]


def test_of_two_workers_one_is_left_for_others(tools: Tools) -> None:
    """Here it is work of no agency that the other one has."""
    ran: list[str] = []
    with tools.records.write() as tx:
        tx.put(agencies, id="a", name="A", currency="USD", created_at=1)
        queue.enqueue(tx, "ledger.compact", "2026-11", tools.clock.now())
        assert queue.lease(tx, ("ledger.compact",), "other", tools.clock.now(), 60)
        queue.enqueue(tx, "ledger.compact", "2026-12", tools.clock.now())
    runs = {"ledger.compact": lambda _tools, task: ran.append(task.key)}
    assert Worker(tools, "w", runs, workers=2).run_due() == 0
    assert Worker(tools, "w", runs, workers=3).run_due() == 1
    assert ran == ["2026-12"]


def test_the_next_task_is_leased_as_one_is_finished(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction waits for the disk: one to begin with, and one for each task."""
    written: list[object] = []
    write = tools.records.write

    def noted() -> AbstractContextManager[Tx]:
        written.append(None)
        return write()

    for number in range(3):
        _enqueue(tools, "feeds.import", f"f{number}")
    monkeypatch.setattr(tools.records, "write", noted)
    worker = Worker(tools, "w", {"feeds.import": lambda *_: None})
    assert worker.run_due(most=2) == 2
    assert len(written) == 3
    assert [lease for *_, lease, _ in _rows(tools)] == [None], "it takes no more than it runs"
    assert worker.run_due() == 1
    assert len(written) == 5


def test_who_is_stopped_leaves_the_next_task_waiting(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is told while a task runs, or when the next one is leased already."""
    ran: list[str] = []
    lease = queue.lease

    def run(_: Tools, task: Task) -> None:
        ran.append(task.key)
        if len(ran) == 1:
            worker.stop()

    def leased(*given: Any) -> Task | None:
        task = lease(*given)
        if ran[1:]:
            worker.stop()
        return task

    for number in range(3):
        _enqueue(tools, "feeds.import", f"f{number}")
    worker = Worker(tools, "w", {"feeds.import": run})
    worker.run_beside()
    assert ran == ["f0"]
    monkeypatch.setattr(queue, "lease", leased)
    worker = Worker(tools, "w", {"feeds.import": run})
    worker.run_beside()
    assert ran == ["f0", "f1"]
    assert [row[1:4] for row in _rows(tools)] == [("f2", 0, None)]


def test_failed_task_is_tried_again_until_it_is_dead(tools: Tools) -> None:
    def fail(tools: Tools, task: Task) -> None:
        with tools.records.write() as tx:
            queue.enqueue(tx, "stats.report", "never", T)
            raise ValueError(f"attempt {task.attempts}")

    worker = Worker(tools, "w", {"feeds.import": fail})
    _enqueue(tools, "feeds.import", "f1")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert worker.run_due() == 1
        assert _rows(tools) == [
            ("feeds.import", "f1", attempt, None, f"ValueError: attempt {attempt}")
        ]
        _forward(tools, HOUR)
    assert worker.run_due() == 0
    with tools.records.read() as tx:
        assert [dead.key for dead in depths.dead_tasks(tx)] == ["f1"]


def test_task_taken_over_is_left_to_the_other(tools: Tools) -> None:
    def slow(tools: Tools, task: Task) -> None:
        pass_by(tools.records, 60)
        with tools.records.write() as tx:
            assert queue.lease(tx, ("feeds.import",), "other", T, 60)

    worker = Worker(tools, "w", {"feeds.import": slow})
    _enqueue(tools, "feeds.import", "f1")
    assert worker.run_due() == 1
    ((_, _, attempts, lease, _),) = _rows(tools)
    assert attempts == 2
    assert lease is not None
    assert lease.startswith("other/")


def test_lease_of_a_long_task_is_renewed(tools: Tools) -> None:
    def until(tx: Tx) -> int:
        return int(tx.value(tasks.select().with_only_columns(tasks.c.leased_until)))

    def long(tools: Tools, task: Task) -> None:
        pass_by(tools.records, 50)
        renewed = False
        while not renewed:  # the other thread's doing
            with tools.records.read() as tx:
                renewed = until(tx) - tx.now() > 50 * SECOND
        pass_by(tools.records, 20)
        _forward(tools, 1000 * HOUR)
        with tools.records.write() as tx:
            assert queue.lease(tx, ("feeds.import",), "other", tools.clock.now(), 60) is None

    worker = Worker(tools, "w", {"feeds.import": long}, renew_seconds=0.01)
    _enqueue(tools, "feeds.import", "f1")
    assert worker.run_due() == 1
    assert _rows(tools) == []


def test_what_its_former_self_died_on_is_run_at_once(tools: Tools) -> None:
    _enqueue(tools, "feeds.import", "f1")
    with tools.records.write() as tx:
        assert queue.lease(tx, ("feeds.import",), "worker-0", T, 60)
    Worker(tools, "worker-0", {"feeds.import": _kill(signal.SIGTERM)}).run()
    assert _rows(tools) == [("feeds.import", "f1", 1, None, "the worker was stopped")]


def _kill(number: int) -> Callable[[Tools, Task], None]:
    def run(tools: Tools, task: Task) -> None:
        os.kill(os.getpid(), number)
        signal.pause()

    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_breaks_a_task_off_and_leaves_it_waiting(tools: Tools, number: int) -> None:
    former = signal.getsignal(number)
    worker = Worker(tools, "w", {"feeds.import": _kill(number)})
    _enqueue(tools, "feeds.import", "f1")
    worker.run()
    assert signal.getsignal(number) is former
    assert _rows(tools) == [("feeds.import", "f1", 0, None, "the worker was stopped")]
    ran: list[str] = []
    Worker(tools, "w", {"feeds.import": lambda _, task: ran.append(task.key)}).run_due()
    assert ran == ["f1"]


def test_signal_breaks_off_a_query_that_is_waited_for(postgres_records: Records) -> None:
    tools = _tools(postgres_records)
    asleep = sa.text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")

    def kill() -> None:
        found = 0
        while not found:
            with postgres_records.read() as tx:
                found = tx.value(asleep)
        os.kill(os.getpid(), signal.SIGTERM)

    def long(tools: Tools, task: Task) -> None:
        killer = threading.Thread(target=kill)
        killer.start()
        with tools.records.write() as tx:
            tx.run_text("SELECT pg_sleep(60)", {})

    _enqueue(tools, "stats.report", "r1")
    Worker(tools, "w", {"stats.report": long}).run()
    assert _rows(tools) == [("stats.report", "r1", 0, None, "the worker was stopped")]


def test_a_worker_minds_the_schedule_however_long_its_task_is(tools: Tools) -> None:
    ran: list[Instant] = []
    news = threading.Event()

    def deed(tx: Tx, now: Instant) -> None:
        ran.append(now)
        if len(ran) == 2:
            news.set()
            raise ValueError("it is looked at again all the same")
        news.set()

    def long(tools: Tools, task: Task) -> None:
        for _ in range(3):
            assert news.wait(30)
            news.clear()
            _forward(tools, HOUR)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    _enqueue(tools, "feeds.import", "f1")
    Worker(tools, "w", {"feeds.import": long}, [("hourly", 3600, deed)]).run()
    assert ran[:3] == [T, T + HOUR, T + 2 * HOUR]


def test_a_worker_leaves_alone_what_it_does_not_know(tools: Tools) -> None:
    _enqueue(tools, "kind.of.another.release", "k")
    assert Worker(tools, "w", {}).run_due() == 0
    assert [row[:3] for row in _rows(tools)] == [("kind.of.another.release", "k", 0)]


_IDLE = """
import sys
from pathlib import Path
from handbill.host.clock import SystemClock
from handbill.store.records import open_records
from handbill.work.loop import Worker
from handbill.work.tools import Tools
records = open_records(sys.argv[1])
tools = Tools(records, None, None, SystemClock(), None, None, None, Path("."))
worker = Worker(tools, "w", {}, [("tell", 3600, lambda tx, now: print("ready", flush=True))])
worker.run()
print("stopped")
"""


def test_idle_worker_stops_at_once_on_sigterm(sqlite_records: Records) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _IDLE, sqlite_records.url], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    assert child.stdout.read() == "stopped\n"
    child.stdout.close()
    assert child.wait() == 0
