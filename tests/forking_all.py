"""The program of the process that ``forked`` forks the others from: it has imported all.

For each message on its standard input, a process that runs ``python -m handbill``, or the status of
one that has ended.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from multiprocessing import (
    forkserver,
    popen_fork,  # noqa: F401 - a user who may not read Python's folder forks too
    resource_tracker,
    util,
)
from pathlib import Path
from typing import Any

import handbill

_BUFFER = 1_000_000
_RUN_WHEN_IMPORTED = (".__main__", ".forking", ".env")
_spawn = util.spawnv_passfds


def _import_all() -> None:
    for module in pkgutil.walk_packages(handbill.__path__, "handbill."):
        if not module.name.endswith(_RUN_WHEN_IMPORTED):
            importlib.import_module(module.name)


def _run(asked: dict[str, Any], out: int, err: int) -> None:
    """Become a process that was just started, by the user asked for."""
    os.setsid()
    _keep_open([os.open(os.devnull, os.O_RDONLY), out, err])
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    if (user := asked["user"]) is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    util.spawnv_passfds = _fork_the_fork_server  # type: ignore[assignment]
    sys.argv = ["handbill", *asked["words"]]
    runpy.run_module("handbill", run_name="__main__", alter_sys=True)


def _keep_open(standard: Sequence[int], *others: int) -> None:
    """No file is open but these; the first become standard input, output and error."""
    for number, file in enumerate(standard):
        os.dup2(file, number)
    first = len(standard)
    for kept in sorted(others):
        os.closerange(first, kept)
        first = kept + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _fork_the_fork_server(path: bytes, args: Sequence[str], files: Sequence[int]) -> int:
    """In the stead of a Python that would import all once more.

    **Source**: ``ForkServer.ensure_running`` of ``multiprocessing``.
    """
    if "multiprocessing.forkserver" not in args[-1] or _has_threads():
        return _spawn(path, args, files)
    if child := os.fork():
        return child
    _keep_open([0, 1, 2], *files)
    # All is as in a new process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    server: Any = forkserver._forkserver
    server._lock = threading.Lock()
    tracker: Any = resource_tracker._resource_tracker
    tracker._fd = tracker._pid = None
    status = 1
    try:
        exec(args[-1], {})  # what `python -c` does
    except SystemExit:
        status = 0
    except Exception:  # noqa: BLE001 - it ends here, and says why
        sys.excepthook(*sys.exc_info())
    os._exit(status)


def _has_threads() -> bool:
    """A child of fork is to have one thread only."""
    return len(list(Path("/proc/self/task").iterdir())) > 1


def _serve(line: socket.socket) -> None:
    while True:
        message, files, _, _ = socket.recv_fds(line, _BUFFER, 2)
        if not message:
            return
        asked = json.loads(message)
        if "ended" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["ended"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                _run(asked, *files)
                os._exit(0)
            for file in files:
                os.close(file)
        line.send(str(answer).encode())


if __name__ == "__main__":
    _import_all()
    gc.freeze()
    assert not _has_threads()
    _serve(socket.socket(fileno=0))
    os._exit(0)  # what is imported would be taken apart
