"""Signs of life: each process notes when it was last at work, and its supervisor reads that.

Times are of a clock that nobody sets and that all processes of a machine share. It begins anew with
the machine, so an earlier sign does not count.
"""

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from handbill.host import security
from handbill.host.clock import ticking

BEAT_SECONDS = 1.0
_SIGN = struct.Struct("<d")
_KEPT = struct.Struct("<d32sd")
"""When it was last at work, its version, and when it last answered somebody at its port."""
_ANSWERED_AT = _KEPT.size - _SIGN.size


class LifeSign(NamedTuple):
    """What a process shows. ``silence``: seconds since it was at work; ``version``: empty if it
    told none.
    """

    name: str
    silence: float
    version: str


class Beat:
    """The sign of one process, a file in the folder. Its space is allocated at the start, so that a
    full disk cannot make a living process look dead.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.pwrite(self._fd, _KEPT.pack(ticking(), version("handbill").encode(), -1.0), 0)
        self.strike()

    def strike(self, *, answered: bool = False) -> None:
        """Note that this process is at work now, and whether it has just answered at its port."""
        now = _SIGN.pack(ticking())
        os.pwrite(self._fd, now, 0)
        if answered:
            os.pwrite(self._fd, now, _ANSWERED_AT)

    def close(self) -> None:
        os.close(self._fd)


def silence_of(folder: Path, name: str) -> float | None:
    """For how many seconds a process has shown no sign; None if it never did."""
    try:
        raw = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    seconds = ticking() - _SIGN.unpack_from(raw)[0] if len(raw) >= _SIGN.size else -1.0
    return seconds if seconds >= 0 else None


def answered_ago(folder: Path, name: str) -> float | None:
    """How many seconds ago a process last answered at its port; None if it never did."""
    try:
        raw = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    answered_at = _KEPT.unpack(raw)[2] if len(raw) == _KEPT.size else -1.0
    return ticking() - answered_at if 0 <= answered_at <= ticking() else None


def signs(folder: Path) -> list[LifeSign]:
    """What each process shows that has ever shown a sign since the machine began, by name."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    shown = []
    for name in names:
        silence = silence_of(folder, name)
        if silence is not None:
            raw = (folder / name).read_bytes()
            release = _KEPT.unpack(raw)[1] if len(raw) == _KEPT.size else b""
            shown.append(LifeSign(name, silence, release.rstrip(b"\0").decode("ascii", "replace")))
    return shown


@contextmanager
def beating(folder: Path, name: str) -> Iterator[None]:
    """Show signs of life for as long as this process can run a thread, which also logs the security
    events that were held back.
    """
    beat, end = Beat(folder, name), threading.Event()

    def go_on() -> None:
        while not end.wait(BEAT_SECONDS):
            beat.strike()
            security.settle()

    thread = threading.Thread(target=go_on, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        beat.close()
        security.settle(every=True)
