"""Commands in processes forked from one that has imported what most of them need: to import that
costs each some ten times what it then does.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# For each line, a child that runs ``python -m handbill``. Its status is answered.
_SERVER = """
import gc, json, os, runpy, sys
import handbill.cli.agencies, handbill.cli.backups, handbill.cli.doctor, handbill.cli.journals
import handbill.cli.ledgers, handbill.cli.refusals, handbill.store.migrations.running

def run(words, environment, folder, out, err):
    for path, fd in ((os.devnull, 0), (out, 1), (err, 2)):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, fd)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["handbill", *words]
    runpy.run_module("handbill", run_name="__main__", alter_sys=True)

gc.freeze()
assert len(os.listdir("/proc/self/task")) == 1, "a child of fork has one thread only"
for line in sys.stdin:
    child = os.fork()
    if not child:
        run(*json.loads(line))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
_ONE = threading.Lock()


def handbill_forked(
    words: tuple[str, ...], environment: dict[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run`` of the command would tell, or raise. One at a time."""
    with _ONE, TemporaryDirectory(prefix="handbill-command-") as name:
        out, err = Path(name) / "out", Path(name) / "err"
        out.touch()
        err.touch()
        server = _server(os.getpid())
        try:
            status = _status(
                server, (words, environment, str(Path.cwd()), str(out), str(err)), seconds
            )
        except BaseException:
            # An answer may still come, which the next command would take for its own.
            _server.cache_clear()
            os.killpg(server.pid, signal.SIGKILL)
            server.communicate()
            raise
        return subprocess.CompletedProcess(words, status, out.read_text(), err.read_text())


def _status(server: subprocess.Popen[str], asked: tuple[Any, ...], seconds: float) -> int:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(asked) + "\n")
    server.stdin.flush()
    if not wait([server.stdout.fileno()], seconds):
        raise subprocess.TimeoutExpired(asked[0], seconds)
    status = server.stdout.readline()
    assert status, "the process that forks commands has ended; its standard error tells why"
    return int(status)


@cache
def _server(pid: int) -> subprocess.Popen[str]:
    """This process's own, with a process group of its own; it ends with it."""
    server = subprocess.Popen(
        [sys.executable, "-P", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def end() -> None:
        if os.getpid() == pid and server.returncode is None:
            server.communicate()

    atexit.register(end)
    return server
