"""A journal writer for an event loop that has little to do but wait for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from handbill.host.ids import Ids
from handbill.kit.faults import Unavailable
from handbill.store.journal import (
    JournalBroken,
    JournalWriter,
    _Durable,
    _fdatasync,
    _Group,
    _settle,
)

GATHER_SECONDS = 0.002
BUSY = 8  # records in a group


class TurnWriter(JournalWriter):
    """A JournalWriter that writes and syncs on the event loop itself.

    No thread has to be woken or to compete for the interpreter, which under load costs more than
    everything else for a record. In return the loop waits while the disk syncs; what arrives
    meanwhile is the next group. A group has the records of one turn of the loop or, while groups
    are large, of two milliseconds: fewer syncs make a record cheaper.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        ids: Ids,
        *,
        sync: Callable[[int], None] = _fdatasync,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        super().__init__(folder, source, ids, sync=sync)
        self._gather_seconds = gather_seconds
        self._is_busy = False

    def append(self, record: bytes) -> asyncio.Future[None]:
        # Not ``with self._ready``: that costs more than everything else here.
        self._ready.acquire()
        try:
            group = self._take(record)
            future = group.future
            if future is None:
                loop = asyncio.get_running_loop()
                future = group.future = _Durable(loop=loop)
                if self._is_busy:
                    loop.call_later(self._gather_seconds, self._wake)
                else:
                    loop.call_soon(self._wake)
        finally:
            self._ready.release()
        return future

    def append_now(self, record: bytes) -> None:
        with self._ready:
            group = self._take(record)
            self._finish()
        if group.failure is not None:
            raise group.failure

    def under_way(self) -> asyncio.Future[None] | None:
        """A future that is done when everything appended is durable; None: it is."""
        return self._group.future

    def _wake(self) -> None:
        """Have the group closed."""
        with self._ready:
            self._finish()

    def _finish(self) -> None:
        group, self._group = self._group, _Group()
        if not group.parts:
            return
        assert self._failure is None, "nothing is taken after a failure"
        self._is_busy = len(group.parts) > 2 * BUSY
        try:
            self._commit(group)
        except (OSError, Unavailable) as failure:
            self._failure = JournalBroken(f"the journal cannot be written: {failure}")
            group.failure = self._failure
        _settle(group)
