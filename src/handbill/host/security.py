"""Security events: a counter for each, and one line of the log for all equal ones in a minute.

In a minute an event has at most a hundred lines, however many differ, and one more for the rest.
"""

import logging
import threading

from handbill.host.clock import ticking
from handbill.host.figures import SECURITY

_LOG = logging.getLogger("handbill.security")
_WINDOW_SECONDS = 60.0
_MOST_KNOWN = 4_096
_MOST_LINES = 100
_Alike = tuple[str, tuple[tuple[str, str], ...]]


class Repeats:
    """Equal events are logged once a minute with their number, the first one at once. When more
    than a hundred of one event differ, the others are logged as one, without their facts.
    """

    def __init__(self, most: int = _MOST_KNOWN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[_Alike, tuple[float, int]] = {}  # when logged last, how many since
        self._lines: dict[str, tuple[float, int]] = {}  # since when, how many different ones

    def note(self, event: str, facts: dict[str, str], now: float) -> None:
        alike = (event, tuple(sorted(facts.items())))
        with self._lock:
            if alike not in self._held and not self._has_room(event, now):
                alike = (event, (("of", "many"),))
            told_at, held = self._held.get(alike, (now - _WINDOW_SECONDS, 0))
            if now - told_at >= _WINDOW_SECONDS:
                _tell(alike, held + 1)
                told_at, held = now, -1
            self._held[alike] = (told_at, held + 1)
            if len(self._held) > self._most:
                self._settle(now, every=True)

    def _has_room(self, event: str, now: float) -> bool:
        """Whether another different one gets a line of its own."""
        since, lines = self._lines.get(event, (now, 0))
        if now - since >= _WINDOW_SECONDS:
            since, lines = now, 0
        self._lines[event] = (since, lines + 1)
        return lines < _MOST_LINES

    def settle(self, now: float, *, every: bool = False) -> None:
        """Log what was held back and whose minute is over; ``every``: all of it."""
        with self._lock:
            self._settle(now, every=every)

    def _settle(self, now: float, *, every: bool) -> None:
        for alike, (told_at, held) in list(self._held.items()):
            if every or now - told_at >= _WINDOW_SECONDS:
                del self._held[alike]
                if held:
                    _tell(alike, held)


_repeats = Repeats()


def note(event: str, **facts: str) -> None:
    """Count and log an event. ``facts``: who and what; nothing that grants access."""
    SECURITY.labels(event).inc()
    _repeats.note(event, facts, ticking())


def settle(*, every: bool = False) -> None:
    """Log what was held back; called now and then. ``every``: the process ends."""
    _repeats.settle(ticking(), every=every)


def _tell(alike: _Alike, count: int) -> None:
    event, facts = alike
    _LOG.info(event, extra={"event": event, "count": count, **dict(facts)})
