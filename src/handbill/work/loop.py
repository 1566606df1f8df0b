"""The worker: takes tasks one at a time, and runs each in the main thread of its process."""

import logging
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from handbill.core.trail import Occasion
from handbill.host.acting import acting
from handbill.host.clock import Clock
from handbill.host.figures import TASKS
from handbill.kit.faults import Unavailable, passes
from handbill.kit.instants import Instant
from handbill.store.records import Records, Tx
from handbill.work import queue, schedule
from handbill.work.queue import Task
from handbill.work.tools import Run, Schedule, Tools

LEASE_SECONDS = 60
RENEW_SECONDS = LEASE_SECONDS / 3
IDLE_SECONDS = 0.1
_LOOK_SECONDS = 0.1
_ENDING_SECONDS = 0.2
_MOST_WAIT_SECONDS = 10.0
_LOG = logging.getLogger("handbill.work")


class Stopped(KeyboardInterrupt):
    """Raised in a running task when the process is told to stop; do not catch it.

    A KeyboardInterrupt, because drivers know that one: they cancel the query that they wait for.
    """


class NotYet(Exception):
    """It is not the task's turn: for ``wait`` it is left waiting as if it had not been tried."""

    def __init__(self, wait: Instant) -> None:
        super().__init__(wait)
        self.wait = wait


class Worker:
    """Runs due tasks, by kind, until it is told to stop (SIGTERM, SIGINT).

    A task under way is broken off and left waiting: it has no transaction around the whole, and may
    be run again. The schedule runs beside the tasks, so that no long task delays it.
    ``workers``: how many there are for these kinds, in all processes.
    """

    def __init__(
        self,
        tools: Tools,
        name: str,
        runs: Mapping[str, Run],
        items: Sequence[Schedule] = (),
        *,
        workers: int = 1,
        renew_seconds: float = RENEW_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._tools = tools
        self._workers = workers
        self._name = name
        self._runs = runs
        self._look = _Look(tools.records, tools.clock, items)
        self._renewal = _Renewal(tools.records, renew_seconds)
        self._idle_seconds = idle_seconds
        self._stopping = False
        self._breakable = False
        self._amid = False  # a task was run, and more may be due
        self._next: Task | None = None  # leased when the last one was finished

    def run(self) -> None:
        """Work until stopped; in the main thread, whose signals it handles meanwhile.

        Tasks that a former worker of this name left behind need not wait until their lease ends.
        """
        with suppress(Stopped), self._signals(), self._renewal, self._look:
            self._work()

    def run_beside(self) -> None:
        """``run`` in a thread of its own, without signals and schedule, until ``stop``."""
        with suppress(Stopped), self._renewal:
            self._work()

    def stop(self) -> None:
        """Take no further task."""
        self._stopping = True

    def let_go(self) -> None:
        """Leave tasks under way waiting: the process ends before they do."""
        with self._tools.records.write() as tx:
            queue.let_go(tx, self._name)

    def _work(self) -> None:
        wait, is_heir = self._idle_seconds, True
        while not self._stopping:
            try:
                if is_heir:
                    self.let_go()
                    is_heir = False
                while self._next or not self._stopping:
                    if not self._run_next():
                        self._idle(self._idle_seconds)
                    wait = self._idle_seconds
            except Unavailable as away:
                _LOG.warning("the worker waits %.1f s: %s", wait, away)
                self._idle(wait)
                wait = min(2 * wait, _MOST_WAIT_SECONDS)

    def run_due(self, most: int = 1_000) -> int:
        """Run what is due now, and what becomes due by that; returns how many tasks there were."""
        with self._renewal:
            for count in range(most):
                if not self._run_next(is_last=count + 1 == most):
                    return count
        return most

    def _run_next(self, *, is_last: bool = False) -> bool:
        task, self._next = self._next or self._found(), None
        self._amid = task is not None
        if task is None:
            return False
        with self._renewal.of(task):
            self._run(task, is_last=is_last)
        return True

    def _found(self) -> Task | None:
        records = self._tools.records
        if not self._amid:
            # Asking needs no lock; a lease does, and would hold up every writer on SQLite.
            with records.read() as tx:
                now = self._tools.clock.now()
                if not queue.is_due(tx, tuple(self._runs), now, self._workers):
                    return None
        with records.write() as tx:
            return self._leased(tx)

    def _leased(self, tx: Tx) -> Task | None:
        now = self._tools.clock.now()
        return queue.lease(tx, tuple(self._runs), self._name, now, LEASE_SECONDS, self._workers)

    def _finished(self, task: Task, *, is_last: bool) -> bool:
        """Whether the task was still held. The next one is leased in the same transaction: a disk
        takes longer for another one than many a task.
        """
        with self._tools.records.write() as tx:
            held = queue.finish(tx, task)
            follows = not is_last and not self._stopping
            following = self._leased(tx) if follows else None
        if follows:
            self._next, self._amid = following, following is not None
        return held

    def _run(self, task: Task, *, is_last: bool) -> None:
        records, clock = self._tools.records, self._tools.clock
        _LOG.info("task %s %s: attempt %d", task.kind, task.key, task.attempts)
        try:
            self._run_breakable(task)
        except Stopped:
            with records.write() as tx:
                queue.put_back(tx, task, clock.now(), "the worker was stopped")
            TASKS.labels(task.kind, "stopped").inc()
            return
        except NotYet as later:
            with records.write() as tx:
                queue.put_back(tx, task, clock.now() + later.wait)
            return
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is logged and tried again
            trace = None if passes(failure) else failure
            told = (task.kind, task.key, failure)
            _LOG.warning("task %s %s failed: %s", *told, exc_info=trace)
            with records.write() as tx:
                held = queue.fail(tx, task, clock.now(), f"{type(failure).__name__}: {failure}")
            TASKS.labels(task.kind, "failed").inc()
        else:
            held = self._finished(task, is_last=is_last)
            TASKS.labels(task.kind, "done").inc()
        if not held:
            _LOG.warning("task %s %s was taken over by another worker", task.kind, task.key)

    def _run_breakable(self, task: Task) -> None:
        run = self._runs[task.kind]
        self._breakable = True
        try:
            if self._stopping:
                raise Stopped
            with acting(Occasion("SCHEDULE", task.kind, cause=task.key)):
                run(self._tools, task)
        finally:
            self._breakable = False

    def _idle(self, seconds: float) -> None:
        self._breakable = True
        try:
            if not self._stopping:
                select.select((), (), (), seconds)
        finally:
            self._breakable = False

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        former = [(number, signal.signal(number, self._told)) for number in numbers]
        try:
            yield
        finally:
            for number, deed in former:
                signal.signal(number, deed)

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._breakable:
            self._breakable = False
            raise Stopped


@contextmanager
def beside(lanes: Sequence[Worker]) -> Iterator[None]:
    """Run workers in threads until the block ends. Tasks that are then under way are left waiting
    for other workers, and end with the process.
    """
    threads = [threading.Thread(target=one.run_beside, daemon=True) for one in lanes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for one in lanes:
            one.stop()
        for one, thread in zip(lanes, threads, strict=True):
            thread.join(_ENDING_SECONDS)
            if thread.is_alive():
                one.let_go()


class SideThread:
    """A thread that calls its function every so many seconds beside the tasks, whatever fails."""

    def __init__(self, name: str, seconds: float, deed: Callable[[], None]) -> None:
        self._name = name
        self._seconds = seconds
        self._deed = deed
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._end.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        wait = self._seconds
        while not self._end.wait(wait):
            try:
                self._deed()
                wait = self._seconds
            except Unavailable as away:
                wait = min(2 * wait, _MOST_WAIT_SECONDS)
                _LOG.warning("the %s waits %.1f s: %s", self._name, wait, away)
            except Exception:  # noqa: BLE001 - it is logged, and done again
                wait = min(2 * wait, _MOST_WAIT_SECONDS)
                _LOG.exception("the %s failed, and waits %.1f s", self._name, wait)


class _Renewal(SideThread):
    """Renews the lease of the task under way."""

    def __init__(self, records: Records, seconds: float) -> None:
        super().__init__("lease", seconds, self._renew)
        self._records = records
        self._task: Task | None = None

    @contextmanager
    def of(self, task: Task) -> Iterator[None]:
        self._task = task
        try:
            yield
        finally:
            self._task = None

    def _renew(self) -> None:
        task = self._task
        if task is not None:
            with self._records.write() as tx:
                queue.renew(tx, task, LEASE_SECONDS)


class _Look(SideThread):
    """Runs what is due by the schedule."""

    def __init__(self, records: Records, clock: Clock, items: Sequence[Schedule]) -> None:
        super().__init__("schedule", _LOOK_SECONDS, self._run_due)
        self._records = records
        self._clock = clock
        self._items = items
        self._next: Instant = 0  # when to ask the records again: nothing is due earlier

    def _run_due(self) -> None:
        now = self._clock.now()
        if self._items and now >= self._next:
            self._next = schedule.run_due(self._records, self._items, now)
