"""The one clock. Everything else is told what time it is."""

import time
from typing import Protocol

from handbill.kit.instants import Instant


class Clock(Protocol):
    def now(self) -> Instant:
        """The instant, never earlier than the one given before."""
        ...


class SystemClock:
    """The machine's clock, held still while the machine sets it back."""

    def __init__(self) -> None:
        self._latest: Instant = 0

    def now(self) -> Instant:
        self._latest = max(self._latest, time.time_ns() // 1000)
        return self._latest


class SetClock:
    """A clock that stands where it is put: for tests and simulations."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def forward(self, by: Instant) -> None:
        self.at += by
