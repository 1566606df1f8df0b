"""Changes of one process, committed in groups: those that come while one is on its way to disk wait
for it together and share the next commit.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from handbill.store.records import Records, Tx

_MOST_TOGETHER = 64
_T = TypeVar("_T")
Work = Callable[[Tx], Any]
_Waiting = tuple[Work, "asyncio.Future[Any]"]


class Writer:
    """One thread that does one transaction after the other; each holds what was waiting.

    What a work raises undoes that work alone. Nothing is told before it is durable.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: list[_Waiting] = []  # touched by the event loop alone, as is the next
        self._busy_for: asyncio.AbstractEventLoop | None = None

    async def write(self, work: Callable[[Tx], _T]) -> _T:
        """What the work returns, or raises, once it is committed with its group."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._waiting.append((work, future))
        if self._busy_for is not loop:
            self._begin(loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
        self._busy_for = loop
        self._thread.submit(self._commit, group, loop)

    def _commit(self, group: list[_Waiting], loop: asyncio.AbstractEventLoop) -> None:
        works = [work for work, _ in group]
        try:
            with self._records.write() as tx:
                results = [works[0](tx)] if len(works) == 1 else [tx.part(w) for w in works]
        except Exception as failure:  # noqa: BLE001 - raised where it is waited for
            results = [failure] * len(works)
        with contextlib.suppress(RuntimeError):  # the loop is closed, and whoever waited gone
            loop.call_soon_threadsafe(self._tell, group, results, loop)

    def _tell(
        self, group: list[_Waiting], results: list[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._busy_for = None
        if self._waiting:
            self._begin(loop)
        for (_, future), result in zip(group, results, strict=True):
            if future.done():
                continue  # whoever waited is gone
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def close(self) -> None:
        self._thread.shutdown()
