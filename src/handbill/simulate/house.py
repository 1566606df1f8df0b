"""The real system in one process, over a clock that is put forward: every part as its composition
root makes it, on the engines that ``serve`` uses.

Only the clock, randomness and the outside world are not the machine's. Parts can be closed and
opened again, in order or in the middle of their work.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import sqlalchemy as sa

from handbill.api import fronted, open_desk, operations
from handbill.edge import edge_of
from handbill.host.egress import Egress
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http1.messages import Http1Answer, Later, Request
from handbill.judge import drain, judge_of
from handbill.kit.digests import digest_of
from handbill.opening import open_tools, prepare
from handbill.store.journal_turns import TurnWriter
from handbill.store.records import Records, Tx
from handbill.store.records.tables import metadata
from handbill.tracking.edge import Edge
from handbill.work.loop import Worker
from handbill.work.schedule import run_due, standings
from handbill.worker import schedule, tasks

EDGES = 2
_APART = frozenset({"secrets", "tasks", "hosts"})
"""Tables with rows that differ from run to run: RSA keys cannot be seeded, and leases use the
records' own clock.
"""
_LOG = logging.getLogger("handbill")
_MOST_ROUNDS = 100


_T = TypeVar("_T")
_MEMORY = Path("/dev/shm")  # noqa: S108 - no power fails in a simulation: nothing need be on a disk
_ROOM = 2**30


def passing_folder() -> TemporaryDirectory[str]:
    """A folder that is deleted afterwards; in memory, if there is room."""
    is_there = _MEMORY.is_dir() and disk_usage(_MEMORY).free >= _ROOM
    return TemporaryDirectory(prefix="handbill-", dir=_MEMORY if is_there else None)


def _has_changed(table: sa.Table) -> str:
    """SQL for whether a row is new, gone, or another than in ``past``."""
    same = " AND ".join(f'one."{key.name}" = former."{key.name}"' for key in table.primary_key)
    one, former = (
        ", ".join(f'{of}."{column.name}"' for column in table.c) for of in ("one", "former")
    )
    return f"""
        SELECT (SELECT count(*) FROM main."{table.name}")
               != (SELECT count(*) FROM past."{table.name}")
            OR EXISTS (
                SELECT 1 FROM main."{table.name}" AS one
                LEFT JOIN past."{table.name}" AS former ON {same}
                WHERE ({one}) IS NOT ({former})
            )
    """


class Cut(BaseException):
    """A process ends here. Not an Exception, so that no code in it can recover."""


class Brittle(Records):
    """Records whose user may be cut: during one of its next changes, before it is committed or just
    after.
    """

    def __init__(self, of: Records) -> None:
        super().__init__(of.masters)
        self._of = of
        self.dialect, self.reads_inline = of.dialect, of.reads_inline
        self._left = 0
        self._is_kept = False

    def cut_after(self, changes: int, *, kept: bool) -> None:
        """``kept``: the last change is still committed."""
        self._left, self._is_kept = changes, kept

    def write(self) -> AbstractContextManager[Tx]:
        self._left -= 1
        return self._of.write() if self._left else self._cut()

    @contextmanager
    def _cut(self) -> Iterator[Tx]:
        with self._of.write() as tx:
            yield tx
            if not self._is_kept:
                raise Cut
        raise Cut

    def read(self) -> AbstractContextManager[Tx]:
        return self._of.read()

    def give_way(self) -> None:
        """There is no other writer."""

    def close(self) -> None:
        self._of.close()

    @property
    def url(self) -> str:
        return self._of.url


class _Listener(logging.Handler):
    """Collects the warnings of all parts."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        why = record.exc_info and record.exc_info[1]
        self.heard.append(
            f"{record.name} warns: {record.getMessage()}{f' ({why!r})' if why else ''}"
        )


class House:
    """All parts of one installation. ``egress``: the outside world."""

    def __init__(self, settings: Settings, outside: Outside, egress: Egress) -> None:
        self.settings, self.outside, self._egress = settings, outside, egress
        self._loop = asyncio.new_event_loop()
        self._listener = _Listener()
        _LOG.addHandler(self._listener)
        prepare(settings, outside)
        self._open()

    def _open(self) -> None:
        self._has_begun = True
        self.tools = open_tools(self.settings, self.outside)
        self._records = Brittle(self.tools.records)
        self._tools = replace(
            self.tools, records=self._records, egress=self._egress, callback_egress=self._egress
        )
        self._every = tasks()
        self._items = schedule()
        self._open_api()
        self._open_worker()
        self._open_judge()
        self._edges = [self._opened_edge(number) for number in range(EDGES)]

    def _open_api(self) -> None:
        desk = open_desk(self.settings, self.outside, "api-0")
        self._desk = replace(desk, egress=self._egress)
        self._app = Application(operations(), self._desk)
        self.api = fronted(self._desk, self._app)

    def _open_worker(self) -> None:
        self._worker = Worker(self._tools, "worker-0", self._every)
        self._worker.let_go()

    def _open_judge(self) -> None:
        self._judging = Brittle(self.tools.records)
        self._judge = judge_of(self.settings, self.outside, self._judging)

    def _opened_edge(self, number: int) -> tuple[Edge, TurnWriter]:
        # Real time must not decide which records are written together: the files tell.
        settings, outside, index = self.settings, self.outside, self.tools.index
        return edge_of(settings, outside, index, number, lambda: None, gather_seconds=0)

    # ── doors ───────────────────────────────────────────────────────────────────────────────────

    def run(self, play: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine that uses the doors."""
        return self._loop.run_until_complete(play)

    def answer(self, number: int, request: Request) -> Http1Answer | Later:
        """An edge's answer to a request."""
        return self._edges[number % EDGES][0].answer(request)

    async def settle(self) -> None:
        """Wait until all that the edges were told is durable; nobody else waits for fetches."""
        for _, journal in self._edges:
            if (kept := journal.under_way()) is not None:
                await kept

    # ── work ────────────────────────────────────────────────────────────────────────────────────

    def work(self) -> None:
        """Run the tasks that are due by the clock, and those that become due by that."""
        run_due(self.tools.records, self._items, self.outside.clock.now())
        for _ in range(_MOST_ROUNDS):
            if not self._worker.run_due():
                return
        raise AssertionError("work comes to an end")

    def complaints(self) -> list[str]:
        """All warnings, and items of the schedule that are overdue or have failed."""
        heard, self._listener.heard = self._listener.heard, []
        with self.tools.records.read() as tx:
            every = standings(tx, self._items, self.outside.clock.now())
        return heard + [f"{one} of the schedule" for one in every if one.late or one.failures]

    def judge(self) -> None:
        """Book what the doors have accepted."""
        while self._judge.step():
            pass
        if self._has_begun:  # ended processes have left segments to which nothing more is added
            self._has_begun = False
            drain(self._judge)

    def kept(self) -> dict[str, bytes]:
        """A digest of each table's rows and of each file, by name: the result of a seed."""
        result = {}
        with self.tools.records.read() as tx:
            for table in metadata.sorted_tables:
                if table.name not in _APART:
                    result[str(table.name)] = digest_of(sorted(map(repr, tx.all(sa.select(table)))))
        for path in self.tools.blobs.paths(""):
            result[path] = digest_of(self.tools.blobs.get(path))
        return result

    def changes(self, deed: Callable[[], object], only: Collection[str]) -> list[str]:
        """Of some tables, the names of those whose rows a deed changes. The engine compares them:
        one that has the records open twice goes on seeing in ``past`` what was there before.
        """
        path = self.tools.records.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as engine:
            engine.execute("ATTACH ? AS past", (path,))
            engine.execute("BEGIN")
            engine.execute("SELECT 1 FROM past.sqlite_master").fetchone()
            deed()
            some = [table for table in metadata.sorted_tables if table.name in only]
            return sorted(
                str(table.name)
                for table in some
                if engine.execute(_has_changed(table)).fetchone()[0]
            )

    # ── ends ────────────────────────────────────────────────────────────────────────────────────

    def restart_edge(self, number: int) -> None:
        self._has_begun = True
        self._edges[number][1].close()
        self._edges[number] = self._opened_edge(number)

    def restart_api(self) -> None:
        self._has_begun = True
        self._close_api()
        self._open_api()

    def cut_judge(self, changes: int, *, kept: bool) -> None:
        """Cut the judge in the middle of booking, and start a new one."""
        self._judging.cut_after(changes, kept=kept)
        with suppress(Cut):
            self.judge()
        self._open_judge()
        self.judge()

    def cut_worker(self, changes: int, *, kept: bool) -> None:
        """Cut the worker in the middle of a task, and start a new one."""
        self._records.cut_after(changes, kept=kept)
        with suppress(Cut):
            self.work()
        self._records.cut_after(0, kept=False)
        self._open_worker()
        self.work()

    def restart(self) -> None:
        """All parts end in order, and all start again."""
        self._close()
        self._open()

    def close(self) -> None:
        _LOG.removeHandler(self._listener)
        self._close()
        self._loop.close()

    def _close_api(self) -> None:
        self._app.close()
        self._desk.journal.close()
        self._desk.records.close()

    def _close(self) -> None:
        for _, journal in self._edges:
            journal.close()
        self._close_api()
        self.tools.index.close()
        self.tools.records.close()
