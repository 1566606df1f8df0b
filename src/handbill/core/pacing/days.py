"""The days that a cap has still to serve, today first, and those after its period."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from handbill.core.pacing.caps import Days
from handbill.kit.zones import Period, next_period

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 366
"""What has no end is spread over a year at most."""


def days_of(period: Period, today: date, weights: Sequence[int], last: date | None = None) -> Days:
    """The days of a cap's period and the next. ``weights``: of each weekday, Monday first, 0 if
    nothing is offered. ``last``: the last day of the cap's entity.
    """
    end = end_of(period, today)
    renews = today == end
    tomorrow = today + _DAY
    here = _weights(today, end, last, weights)
    later = _weights(tomorrow, end_of(period, tomorrow), last, weights) if renews else here[1:]
    gone = range(1, today.day) if period == "Monthly" else ()
    past = sum(weights[today.replace(day=day).weekday()] for day in gone)
    return Days(here or (0,), later, renews, past)


def end_of(period: Period, day: date) -> date | None:
    """The last day of a period; None: it has no end."""
    following = next_period(period, day)
    return None if following is None else following - _DAY


def _weights(
    first: date, end: date | None, last: date | None, weights: Sequence[int]
) -> tuple[int, ...]:
    ends = [one for one in (end, last) if one is not None]
    count = min(((one - first).days + 1 for one in ends), default=_MOST_DAYS)
    return tuple(
        weights[(first.weekday() + by) % 7] for by in range(max(0, min(count, _MOST_DAYS)))
    )
