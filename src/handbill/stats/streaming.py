"""Operation 51: a report sent line by line while it is made, to one reader who holds a stream."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Final, NamedTuple

import duckdb

from handbill.host.clock import Clock
from handbill.kit.faults import too_many
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.jsons import encode
from handbill.stats import rows
from handbill.stats.answering import Answering, AnswerTooLarge
from handbill.stats.layouts import LAYOUTS
from handbill.stats.questions import Plan
from handbill.store.records import Tx

LASTS: Final = 10 * MINUTE
_GRACE = MINUTE  # to send the last line
_ROWS_OF_A_LINE = 1_000
_LINES_AHEAD = 4
_LINE_SECONDS = 1.0
_MEMORY_MB = 256
_log = logging.getLogger("handbill.stats")


class _Ended(NamedTuple):
    """The end of the rows. ``why``: what stopped them, if it was not their end."""

    why: str = ""


def hold(tx: Tx, key_no: int, holder: str, now: Instant, most: int) -> None:
    """Reserve the one stream of a credential, for as long as a stream may last.

    **Refuses** (429) a second one, and more than so many in the whole installation.
    """
    rows.lock_key(tx, key_no)
    others = rows.streams(tx, now)
    if key_no in others:
        raise too_many("another stream of this API key is in progress; read it to its end")
    if len(others) >= most:
        raise too_many(f"{most} streams are already in progress; try again later")
    rows.put_stream(tx, key_no, holder, now + LASTS + _GRACE)


def let_go(tx: Tx, key_no: int, holder: str) -> None:
    """Release the stream."""
    rows.end_stream(tx, key_no, holder)


class StatsLines(Iterator[bytes]):
    """Lines of NDJSON: ``{"streamNumber": n, "stats": […]}``, with 1,000 rows each, or with none
    after a second without rows. After ten minutes, or when it cannot go on, the last line has a
    ``message``. Close it in any case: ``release`` is called then, once.
    """

    def __init__(
        self, answering: Answering, plan: Plan, clock: Clock, release: Callable[[], None]
    ) -> None:
        self._answering = answering
        self._plan = plan
        self._columns = LAYOUTS[plan.layout].columns(plan.levels)
        self._clock = clock
        self._until = clock.now() + LASTS
        self._release = release
        self._made: Queue[list[dict[str, Any]] | _Ended] = Queue(_LINES_AHEAD)
        self._stopped = Event()
        self._interrupt: Callable[[], None] | None = None
        self._thread: Thread | None = None
        self._number = 0
        self._over = False

    def __next__(self) -> bytes:
        if self._over:
            raise StopIteration
        if self._thread is None:
            self._thread = Thread(target=self._make, name="stats-stream", daemon=True)
            self._thread.start()
        if self._clock.now() >= self._until:
            return self._last("the stream ends after ten minutes; request less, or a report")
        try:
            made = self._made.get(timeout=_LINE_SECONDS)
        except Empty:
            return self._line([])
        if not isinstance(made, _Ended):
            return self._line(made)
        if made.why:
            return self._last(made.why)
        self._over = True
        raise StopIteration

    def close(self) -> None:
        """Stop the query, and release the stream. A second call does nothing."""
        self._over = True
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._interrupt is not None:
            with suppress(duckdb.Error):
                self._interrupt()
        if self._thread is not None:
            self._thread.join()
        self._release()

    def _line(self, stats: list[dict[str, Any]], **more: str) -> bytes:
        self._number += 1
        return encode({"streamNumber": self._number, "stats": stats, **more}) + b"\n"

    def _last(self, message: str) -> bytes:
        self._over = True
        return self._line([], message=message)

    def _make(self) -> None:
        """In a thread of its own: both the query and the reader may be slow."""
        try:
            with self._answering.rows(self._plan, _MEMORY_MB, self._begun) as (total, lines):
                self._put_lines(total, lines)
            self._put(_Ended())
        except AnswerTooLarge as large:
            self._put(_Ended(str(large)))
        except Exception:  # noqa: BLE001 - its reader gets a message, and the log the cause
            if not self._stopped.is_set():
                _log.exception("a stream was interrupted")
                self._put(_Ended("the report could not be made"))

    def _put_lines(self, total: int, lines: Iterator[list[Any]]) -> None:
        if total == 0:
            self._put([])
        some: list[dict[str, Any]] = []
        for place, line in enumerate(lines, 1):
            some.append(dict(zip(self._columns, line, strict=True)))
            if len(some) == _ROWS_OF_A_LINE or place == total:
                if not self._put(some):
                    return
                some = []

    def _put(self, made: list[dict[str, Any]] | _Ended) -> bool:
        """Pass on to the reader, and wait for it; False when the stream was closed."""
        while not self._stopped.is_set():
            with suppress(Full):
                self._made.put(made, timeout=_LINE_SECONDS)
                return True
        return False

    def _begun(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        if self._stopped.is_set():
            raise InterruptedError
