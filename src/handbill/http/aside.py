"""Processes that do slow work for a door, so that its event loop has an interpreter for itself.

Requests and answers pass through a pipe, many at a time. When the pipe ends, so does the process.
When the process ends, its requests are Unavailable, and the next request starts another one.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from handbill.host import security
from handbill.kit.faults import Refused, Unavailable, passes

_SETTLE_SECONDS = 1.0
_NICENESS = 10  # the doors have priority
_FORKS = multiprocessing.get_context("forkserver")


class PipedAnswer(NamedTuple):
    """An answer as it passes the pipe. ``has_chunks``: the body is requested piece by piece."""

    status: int
    headers: dict[str, str]
    raw: bytes
    media_type: str
    has_chunks: bool


Work = Callable[[Any], tuple[PipedAnswer, Iterator[bytes] | None]]
"""What a process does with a request."""


class Deputy:
    """One process, started at the first request. ``opens`` is called once there, with ``given``; it
    is a function of its module, which is imported once for all deputies.
    """

    def __init__(
        self, opens: Callable[[Any], Work], given: Any, places: int, seconds: float
    ) -> None:
        # The process that all deputies are forked from imports this function's module. A wrapped
        # function would name its wrapper's module, and each deputy would import everything anew.
        assert opens is getattr(sys.modules[opens.__module__], opens.__qualname__)
        _FORKS.set_forkserver_preload(["handbill.host.forking", opens.__module__])
        self._start = (opens, given, places)
        self._seconds = seconds
        self._lock = threading.Lock()  # guards everything below
        self._pipe: Connection | None = None
        self._process: Any = None
        self._waiting: dict[int, Future[Any]] = {}
        self._number = 0

    @property
    def load(self) -> int:
        """How many requests it has not answered yet."""
        return len(self._waiting)

    def begin(self) -> None:
        """Start the process, if it is not running: opening what it needs takes a moment."""
        with self._lock:
            self._begun()

    async def ask(self, asked: Any) -> tuple[PipedAnswer, Iterator[bytes] | None]:
        """What the process answers; chunks are to be read in threads, and closed.

        **Refuses** what the work refuses; Unavailable when the process ends, or takes too long.
        """
        number, future = self._sent("ask", asked)
        try:
            async with asyncio.timeout(self._seconds):
                answer: PipedAnswer = await asyncio.wrap_future(future)
        except TimeoutError:
            self.close()
            raise Unavailable(f"no answer within {self._seconds:g} seconds") from None
        return answer, _Chunks(self, number) if answer.has_chunks else None

    def chunk(self, number: int) -> bytes:
        """The next piece of a body, empty at its end. Call it in a thread."""
        _, future = self._sent("next", None, number)
        piece: bytes = future.result()
        return piece

    def end_chunks(self, number: int) -> None:
        """Tell the process to release the source of a body."""
        with suppress(Unavailable):
            self._sent("close", None, number)[1].result()

    def close(self) -> None:
        """End the process, if it has not ended."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _sent(self, deed: str, asked: Any, number: int = 0) -> tuple[int, Future[Any]]:
        future: Future[Any] = Future()
        with self._lock:
            if not number:
                self._number += 1
                number = self._number
                self._begun()
            self._waiting[number] = future
            try:
                if self._pipe is None:
                    raise OSError("it has ended")
                self._pipe.send((number, deed, asked))
            except OSError as gone:
                del self._waiting[number]
                raise Unavailable(f"a deputy process is gone: {gone}") from gone
        return number, future

    def _begun(self) -> None:
        if self._pipe is not None:
            return
        ours, theirs = _FORKS.Pipe()
        process = _FORKS.Process(target=_help, args=(theirs, *self._start), daemon=True)
        try:
            process.start()
        except (EOFError, OSError) as gone:
            ours.close()
            theirs.close()
            raise Unavailable(f"no deputy can be started: {gone!r}") from gone
        theirs.close()
        self._pipe, self._process = ours, process
        threading.Thread(target=self._read, args=(ours, process), daemon=True).start()

    def _read(self, pipe: Connection, process: Any) -> None:
        """In a thread: hand each answer to its caller, until the process ends."""
        with suppress(EOFError, OSError):
            while True:
                number, is_done, answer = pipe.recv()
                with self._lock:
                    future = self._waiting.pop(number, None)
                if future is None or not future.set_running_or_notify_cancel():
                    self._let_go(number, answer)  # the caller has left
                    continue
                if is_done:
                    future.set_result(answer)
                else:
                    future.set_exception(_failure_of(answer))
        with self._lock:
            left: dict[int, Future[Any]] = {}
            if self._pipe is pipe:
                self._pipe, left, self._waiting = None, self._waiting, left
        for future in left.values():
            if future.set_running_or_notify_cancel():
                future.set_exception(Unavailable("a deputy process has ended"))
        pipe.close()
        process.join()

    def _let_go(self, number: int, told: Any) -> None:
        if isinstance(told, PipedAnswer) and told.has_chunks:
            with suppress(Unavailable):
                self._sent("close", None, number)


class _Chunks(Iterator[bytes]):
    """A body that is made in the process."""

    def __init__(self, deputy: Deputy, number: int) -> None:
        self._deputy = deputy
        self._number = number
        self._is_closed = False

    def __next__(self) -> bytes:
        piece = self._deputy.chunk(self._number)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._deputy.end_chunks(self._number)


def _help(pipe: Connection, opens: Callable[[Any], Work], given: Any, places: int) -> None:
    """In the process: answer requests until the pipe ends, whatever signals come."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    os.nice(_NICENESS)
    from handbill.host.forking import forked  # which changes the process that imports it

    forked()
    try:
        work = opens(given)
    except Exception:  # noqa: BLE001 - multiprocessing would print it as it is, with its secrets
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    lock = threading.Lock()
    bodies: dict[int, Iterator[bytes]] = {}

    def tell(number: int, *, is_done: bool, told: Any) -> None:
        with lock, suppress(OSError):  # the door is gone, and this process ends
            pipe.send((number, is_done, told))

    def run(number: int, deed: str, asked: Any) -> None:
        try:
            told: Any = None
            if deed == "ask":
                told, chunks = work(asked)
                if chunks is not None:
                    bodies[number] = chunks
            elif deed == "next":
                if number not in bodies:
                    raise Unavailable("the process that made this body has ended")
                told = next(bodies[number], b"")
            elif (body := bodies.pop(number, None)) is not None:
                body.close()  # type: ignore[attr-defined]
        except Exception as failure:  # noqa: BLE001 - raised where it is waited for
            tell(number, is_done=False, told=_failure_told(failure))
        else:
            tell(number, is_done=True, told=told)

    threads = ThreadPoolExecutor(places, thread_name_prefix="aside")
    with suppress(EOFError, OSError):
        while True:
            if pipe.poll(_SETTLE_SECONDS):
                threads.submit(run, *pipe.recv())
            security.settle()
    security.settle(every=True)
    os._exit(0)  # nobody waits for work that is under way


def _failure_told(failure: Exception) -> tuple[str, Any]:
    """A failure as it passes the pipe; a bug's trace goes with it."""
    if isinstance(failure, Refused):
        return "refused", (
            failure.status,
            failure.message,
            failure.faults,
            failure.gate,
            failure.retry_seconds,
        )
    return "passes" if passes(failure) else "bug", f"{type(failure).__name__}: {failure}"


def _failure_of(told: tuple[str, Any]) -> Exception:
    kind, what = told
    if kind == "refused":
        return Refused(*what)
    return Unavailable(what) if kind == "passes" else RuntimeError(what)
