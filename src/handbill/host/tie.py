"""Ties a process of the tree to its supervisor: it ends when the supervisor does."""

import os
import signal
import threading
from collections.abc import Callable

_ORPHAN_SECONDS = 40.0


def end_with_parent() -> None:
    """End this process in order when standard input ends: its other end is the supervisor's."""

    def read() -> None:
        while os.read(0, 4096):
            continue

    end_when(read)


def end_when(wait: Callable[[], object]) -> None:
    """End this process in order when ``wait`` returns, or kill its group if that takes long."""

    def watch() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)
        if not threading.Event().wait(_ORPHAN_SECONDS):
            os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="tie", daemon=True).start()
