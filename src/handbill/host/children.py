"""Processes forked from one that has imported everything and has one thread only.

A new process takes milliseconds, and shares the memory of what was imported with all others.
**Source**: the start method ``forkserver`` of ``multiprocessing``.
"""

import asyncio
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from handbill.host.tie import end_when

_FORKS = multiprocessing.get_context("forkserver")
_ONE_AT_A_TIME = ThreadPoolExecutor(1, thread_name_prefix="fork")
"""Starts children and asks how they ended: multiprocessing may not do both at once."""


def begin(modules: Sequence[str]) -> None:
    """Start the process that children are forked from; it imports these modules meanwhile."""
    # It does not add the working folder to what it searches (as ``python -P``).
    os.environ["PYTHONSAFEPATH"] = "1"
    _FORKS.set_forkserver_preload(["handbill.host.forking", *modules])
    _make_folder()
    forkserver.ensure_running()


class Child:
    """A running process that was forked. ``returncode``: None as long as it runs; else its exit
    status, below 0 after a signal.
    """

    def __init__(self, process: ForkServerProcess) -> None:
        assert process.pid is not None, "it was started"
        self.pid = process.pid
        self.returncode: int | None = None
        self._process = process
        self._ended = asyncio.create_task(self._end())

    async def wait(self) -> int:
        """Wait until it has ended; the exit status."""
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def kill_group(self) -> None:
        """Kill what it has left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _end(self) -> int:
        loop, sentinel = asyncio.get_running_loop(), self._process.sentinel
        ended = asyncio.Event()
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
        self.returncode = await loop.run_in_executor(_ONE_AT_A_TIME, _status_of, self._process)
        return self.returncode


async def started(name: str, work: Callable[..., object], *given: Any) -> Child:
    """A new process, in a session of its own, so that a terminal's Ctrl-C does not reach it; it
    ends when this one does. ``work``: a function of its module; what it is given is pickled.
    """
    loop = asyncio.get_running_loop()
    return Child(await loop.run_in_executor(_ONE_AT_A_TIME, _started, name, work, given))


def _started(name: str, work: Callable[..., object], given: tuple[Any, ...]) -> ForkServerProcess:
    try:
        return _start(name, work, given)
    except (EOFError, OSError) as failure:  # the one to fork from was killed: it starts anew now
        if isinstance(failure, FileNotFoundError | ConnectionRefusedError):
            _end_what_forks()  # its socket is gone, as from a cleaned /tmp
    return _start(name, work, given)


def _end_what_forks() -> None:
    """Kill the process to fork from, which cannot be reached; the next start begins another one,
    with a new folder for its socket.
    """
    _make_folder()
    pid: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001
    if pid is not None:  # it is not waited for yet, so the number is still its own
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # multiprocessing wants its status too


def _make_folder() -> None:
    """Make a new folder for the sockets of ``multiprocessing``. Its own way complains at the end
    when somebody else has removed the folder.
    """
    folder = tempfile.mkdtemp(prefix="handbill-")
    multiprocessing.current_process()._config["tempdir"] = folder  # type: ignore[attr-defined]  # noqa: SLF001
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=-100)


def _start(name: str, work: Callable[..., object], given: tuple[Any, ...]) -> ForkServerProcess:
    process = _FORKS.Process(name=name, target=_run, args=(name, work, given))
    process.start()
    return process


def _status_of(process: ForkServerProcess) -> int:
    process.join()
    status = process.exitcode
    process.close()
    assert status is not None, "it has ended"
    return status


def _run(name: str, work: Callable[..., object], given: tuple[Any, ...]) -> None:
    """In the new process. What it prints goes where logs go, also why it failed."""
    os.setsid()
    # A Ctrl-C from before it had its session is forgotten.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with suppress(OSError):  # where there is no such file, it goes by the name of the program
        Path("/proc/self/comm").write_text(name, encoding="ascii")
    parent = multiprocessing.parent_process()
    assert parent is not None, "it is another's child"
    end_when(parent.join)
    from handbill.host.forking import forked  # which changes the process that imports it

    forked()
    _fork_by_the_same()
    try:
        work(*given)
    except Exception:  # noqa: BLE001 - multiprocessing would print it as it is, with its secrets
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def _fork_by_the_same() -> None:
    """Let this process's own children be forked by the one that it was forked from: that has
    imported all. ``multiprocessing`` says that it does so, but starts another one. That one is
    started only where the socket is gone.
    """
    if sys.version_info >= (3, 14):  # since then it has a key that this process is not given
        return
    server: Any = forkserver._forkserver  # noqa: SLF001
    start_own, shared = server.ensure_running, server._forkserver_address  # noqa: SLF001

    def ensure_running() -> None:
        if server._forkserver_address == shared:  # noqa: SLF001
            if Path(shared).exists():
                return
            _make_folder()
        start_own()

    server.ensure_running = ensure_running


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """A process of the tree: what ``handbill <kind> --number <number>`` runs."""

    kind: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}"
