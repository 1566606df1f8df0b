"""The one clock. Everything else is told what time it is."""

import logging
import re
import time
from pathlib import Path
from typing import Protocol

from handbill.kit.instants import SECOND, Instant

_LOG = logging.getLogger("handbill.clock")
_LOOK_NS = 2_000_000
_OFFSET = re.compile(r"[+-]?\d{1,10}(\.\d{1,9})?")
_MOST_TEXT = 64


class Clock(Protocol):
    def now(self) -> Instant:
        """The instant, never earlier than the one given before."""
        ...


def ticking() -> float:
    """Seconds on a clock that nobody sets, the same for all processes of this machine."""
    return time.monotonic()


class SystemClock:
    """The machine's clock, held still while the machine sets it back."""

    def __init__(self) -> None:
        self._latest: Instant = 0

    def now(self) -> Instant:
        self._latest = max(self._latest, time.time_ns() // 1000)
        return self._latest


class MovedClock:
    """The machine's clock, moved by the seconds that a file says: for tests of whole processes.

    The file is looked at again and again, so that a change is seen a few milliseconds later. Held
    still while the file says less than before. A file that is not there, or is just being written,
    counts as it was read last, at first as 0.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._system = SystemClock()
        self._offset: Instant = 0
        self._complained = ""
        self._next_look = 0
        self._latest: Instant = 0

    def now(self) -> Instant:
        if time.monotonic_ns() >= self._next_look:
            self._next_look = time.monotonic_ns() + _LOOK_NS
            self._look()
        self._latest = max(self._latest, self._system.now() + self._offset)
        return self._latest

    def _look(self) -> None:
        try:
            self._offset = offset_in(self._path, self._offset)
        except ValueError as unreadable:
            if str(unreadable) != self._complained:
                self._complained = str(unreadable)
                _LOG.warning("the clock is not moved: %s", unreadable)


def offset_in(path: Path, former: Instant = 0) -> Instant:
    """The offset that a file says; the former one while it is empty or not there.

    **Refuses** a file that says something else (ValueError).
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_TEXT).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return former
    except OSError as away:
        raise ValueError(f"{path} cannot be read ({away.strerror})") from away
    if not text:
        return former
    if not _OFFSET.fullmatch(text):
        raise ValueError(f"{path} must hold a number of seconds, such as 86400, not {text!r}")
    return round(float(text) * SECOND)


def clock_of(clock_file: str) -> Clock:
    """The clock of a process: the machine's, moved where a file is named."""
    return MovedClock(Path(clock_file)) if clock_file else SystemClock()


class SetClock:
    """A clock that stands where it is put: for tests and simulations."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def forward(self, by: Instant) -> None:
        self.at += by
