"""Commands and trees in processes forked from one that has imported all: to import that costs each
some ten times what it then does.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_BUFFER = 1_000_000
_ONE = threading.Lock()


class Forked:
    """``python -m handbill`` with these words, in a process of its own. As ``subprocess.Popen``.

    ``user``: who runs it, instead of this process's own.
    """

    def __init__(
        self,
        words: tuple[str, ...],
        environment: dict[str, str],
        out: int,
        err: int,
        user: int | None = None,
    ) -> None:
        asked = {"words": words, "environment": environment, "folder": str(Path.cwd())}
        self.pid = _told(asked | {"user": user}, out, err)
        self.returncode: int | None = None
        self._ended = os.pidfd_open(self.pid)  # nobody has waited for it yet: the number is its own

    def poll(self) -> int | None:
        """Its exit status, below 0 after a signal; None as long as it runs."""
        if self.returncode is None and wait([self._ended], 0):
            self.returncode = _told({"ended": self.pid})
            os.close(self._ended)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The same, once it has ended."""
        if self.returncode is None:
            wait([self._ended], timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def handbill_forked(
    words: tuple[str, ...],
    environment: dict[str, str],
    seconds: float,
    user: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run`` of the command would tell, or raise."""
    with TemporaryDirectory(prefix="handbill-command-") as name:
        out, err = Path(name) / "out", Path(name) / "err"
        with out.open("wb") as to, err.open("wb") as errors:
            process = Forked(words, environment, to.fileno(), errors.fileno(), user)
        try:
            status = process.wait(seconds)
        except BaseException:
            process.kill()
            process.wait(seconds)
            raise
        return subprocess.CompletedProcess(words, status, out.read_text(), err.read_text())


def _told(asked: dict[str, Any], *files: int) -> int:
    """What the process answers that forks the others."""
    with _ONE:
        server = _server(os.getpid())
        try:
            socket.send_fds(server, [json.dumps(asked).encode()], files)
            answer = server.recv(_BUFFER)
        except BaseException:
            _server.cache_clear()  # an answer may still come, which the next would take for its own
            raise
    assert answer, "the process that forks commands has ended; its standard error tells why"
    return int(answer)


@cache
def _server(pid: int) -> socket.socket:
    """The line to this process's own; it ends with it."""
    line, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
    program = Path(__file__).with_name("forking_all.py")
    with other:
        process = subprocess.Popen(
            [sys.executable, "-P", str(program)], stdin=other.fileno(), start_new_session=True
        )

    def end() -> None:
        if os.getpid() == pid:
            line.close()
            process.wait()

    atexit.register(end)
    return line
