"""Changes of one process, committed in groups: those that come while one is on its way to disk wait
for it together and share the next commit.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from handbill.store.records import Records, Tx

_MOST_TOGETHER = 64
_T = TypeVar("_T")


class _Waiting(NamedTuple):
    work: Callable[[Tx], Any]
    future: "asyncio.Future[Any]"


class Writer:
    """One thread that does one transaction after the other; each holds what was waiting.

    What a work raises undoes that work alone. Nothing is told before it is durable. Event loops of
    several threads may share it.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._lock = threading.Lock()  # of the next two
        self._waiting: deque[_Waiting] = deque()
        self._is_busy = False

    async def write(self, work: Callable[[Tx], _T]) -> _T:
        """What the work returns, or raises, once it is committed with its group."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append(_Waiting(work, future))
            begins, self._is_busy = not self._is_busy, True
        if begins:
            self._thread.submit(self._commit_all)
        return await future

    def _commit_all(self) -> None:
        """In the thread: group after group, until nothing waits."""
        while group := self._next_group():
            results = self._committed(group)
            for loop in {one.future.get_loop() for one in group}:
                told = [
                    (one.future, result)
                    for one, result in zip(group, results, strict=True)
                    if one.future.get_loop() is loop
                ]
                with contextlib.suppress(RuntimeError):  # closed, and whoever waited there is gone
                    loop.call_soon_threadsafe(_tell, told)

    def _next_group(self) -> list[_Waiting]:
        with self._lock:
            count = min(len(self._waiting), _MOST_TOGETHER)
            self._is_busy = count > 0
            return [self._waiting.popleft() for _ in range(count)]

    def _committed(self, group: list[_Waiting]) -> list[Any]:
        """What each work comes to: its value, or a failure."""
        try:
            with self._records.write() as tx:
                if len(group) == 1:
                    return [group[0].work(tx)]
                return [tx.part(one.work) for one in group]
        except Exception as failure:  # noqa: BLE001 - raised where it is waited for
            return [failure] * len(group)

    def close(self) -> None:
        self._thread.shutdown()


def _tell(told: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    """In the event loop: wake those who wait."""
    for future, result in told:
        if future.done():
            continue  # whoever waited has left
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
