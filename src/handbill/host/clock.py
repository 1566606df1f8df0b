"""The one clock. All other code is given the time."""

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from handbill.kit.instants import MINUTE, SECOND, Instant

_LOG = logging.getLogger("handbill.clock")
MOST_STEP = 10 * MINUTE
_MOST_STEP_NS = MOST_STEP * 1_000
_TICKING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_OFFSET = re.compile(r"[+-]?\d{1,10}(\.\d{1,9})?")
_MOST_TEXT = 64


def _ticks() -> int:
    """Nanoseconds on a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime_ns(_TICKING)


_measured: int | None = None


def measure_by(ahead: int) -> None:
    """Let the clocks of this process start like another process's (with its ``ahead``)."""
    global _measured
    _measured = ahead


class Clock(Protocol):
    def now(self) -> Instant:
        """The instant, never earlier than the one before."""
        ...


def ticking() -> float:
    """Seconds on a clock that nobody sets, the same for all processes of this machine."""
    return time.monotonic()


pause = time.sleep
"""Let others run for some seconds."""


class SystemClock:
    """The machine's clock, which does not follow when the machine's time is set far off.

    A step of more than ten minutes, forward or back, is logged and not followed: the time continues
    by ticks that nobody sets, so that no event gets a wrong year. Smaller steps are followed; steps
    back by standing still. The time that the machine sleeps counts.
    """

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, ticks: Callable[[], int] = _ticks
    ) -> None:
        self._wall, self._ticks = wall, ticks
        self._ahead = wall() - ticks() if _measured is None else _measured
        self._is_off = False
        self._latest: Instant = 0

    def now(self) -> Instant:
        ticks = self._ticks()
        ahead = self._wall() - ticks
        if -_MOST_STEP_NS <= ahead - self._ahead <= _MOST_STEP_NS:
            self._ahead = ahead
            if self._is_off:
                self._tell(is_off=False)
        elif not self._is_off:
            self._tell(is_off=True, seconds=(ahead - self._ahead) // 1_000_000_000)
        self._latest = max(self._latest, (ticks + self._ahead) // 1000)
        return self._latest

    @property
    def ahead(self) -> int:
        """How far it is ahead of the ticks, which all processes of a machine share.
        **Units**: nanoseconds.
        """
        return self._ahead

    def _tell(self, *, is_off: bool, seconds: int = 0) -> None:
        self._is_off = is_off
        if is_off:
            _LOG.error(
                "the machine's clock was set by %d seconds: this process continues with its "
                "former time; set the clock back, or if it is correct now, restart the server",
                seconds,
            )
        else:
            _LOG.warning("the machine's clock is correct again")


class MovedClock:
    """The machine's clock, moved by a number of seconds in a file: for tests of whole processes.

    The file is read whenever the time is asked for, so that a change takes effect at once. The
    clock stands still while the number is smaller than before. While the file is missing or being
    written, its last number counts, at first 0.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._system = SystemClock()
        self._offset: Instant = 0
        self._complained = ""
        self._latest: Instant = 0

    def now(self) -> Instant:
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
    """The offset in a file; the former one while it is empty or missing.

    **Refuses** a file with anything else (ValueError).
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
    """The clock of a process: the machine's, moved if a file is named."""
    return MovedClock(Path(clock_file)) if clock_file else SystemClock()


class SetClock:
    """A clock that stands where it is put: for tests and simulations."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def forward(self, by: Instant) -> None:
        self.at += by
