"""Changes of one process, committed in groups: those that arrive during a commit wait for it, and
share the next one.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from handbill.host.clock import ticking
from handbill.http.turns import MOST_WAIT_SECONDS, Bounds, OwnerTurns
from handbill.kit.faults import Refused, too_many
from handbill.store.records import Records, Tx

_MOST_TOGETHER = 64
_SLICE_SECONDS = 0.02
_BOUNDS = Bounds(_MOST_TOGETHER, _MOST_TOGETHER, 1_024, 16_384)
_T = TypeVar("_T")


class _Waiting(NamedTuple):
    until: float
    work: Callable[[Tx], Any]
    future: "asyncio.Future[Any]"


class Writer:
    """One thread that does one transaction after the other. Each takes the waiting changes, of all
    owners in turn, and commits after 20 ms, so that many changes of one owner delay no other's.

    If a change raises, only that change is undone. Nothing is answered before it is durable. Event
    loops of several threads may share it.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._lock = threading.Lock()  # guards the next two
        self._waiting: OwnerTurns[_Waiting] = OwnerTurns(_BOUNDS)
        self._is_busy = False

    async def write(self, owner: str, work: Callable[[Tx], _T]) -> _T:
        """What the work returns, or raises, once it is committed with its group.

        **Refuses** (429) when too many changes wait already, or its turn does not come in time.
        """
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        with self._lock:
            until = ticking() + MOST_WAIT_SECONDS
            if not self._waiting.wait(owner, _Waiting(until, work, future)):
                raise _full()
            begins, self._is_busy = not self._is_busy, True
        if begins:
            self._thread.submit(self._commit_all)
        return await future

    def _commit_all(self) -> None:
        """In the thread: commit group after group, until nothing waits."""
        while (first := self._next(ends=True)) is not None:
            _answer(self._committed(first))

    def _next(self, *, ends: bool = False) -> _Waiting | None:
        """The next change to write; those that have waited too long are refused. ``ends``: if
        nothing waits, the thread ends.
        """
        with self._lock:
            while (following := self._waiting.next()) is not None:
                owner, one = following
                self._waiting.leave(owner)
                if ticking() <= one.until:
                    return one
                _answer([(one, _full())])
            self._is_busy = not ends
            return None

    def _committed(self, first: _Waiting) -> list[tuple[_Waiting, Any]]:
        """Commit a group; returns the result of each change: its value, or a failure."""
        group = [first]
        try:
            with self._records.write() as tx:
                results = self._worked(tx, group)
        except Exception as failure:  # noqa: BLE001 - raised where it is waited for
            results = [failure] * len(group)
        return list(zip(group, results, strict=True))

    def _worked(self, tx: Tx, group: list[_Waiting]) -> list[Any]:
        """The results of the first change and of those that join its group."""
        until, following = ticking() + _SLICE_SECONDS, self._next()
        if following is None:
            return [group[0].work(tx)]
        results = [tx.part(group[0].work)]
        while following is not None:
            group.append(following)
            results.append(tx.part(following.work))
            is_full = len(group) >= _MOST_TOGETHER or ticking() >= until
            following = None if is_full else self._next()
        return results

    def close(self) -> None:
        self._thread.shutdown()


def _full() -> Refused:
    return too_many("Too many changes are in progress; try again in a moment", 1)


def _answer(done: list[tuple[_Waiting, Any]]) -> None:
    """Tell those who wait, each in its event loop."""
    for loop in {one.future.get_loop() for one, _ in done}:
        results = [(one.future, result) for one, result in done if one.future.get_loop() is loop]
        with contextlib.suppress(RuntimeError):  # closed, and its caller is gone
            loop.call_soon_threadsafe(_tell, results)


def _tell(told: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    """In the event loop: wake those who wait."""
    for future, result in told:
        if future.done():
            continue  # the caller has left
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
