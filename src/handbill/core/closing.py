"""When a client's month is closed, and how late events of a closed month are dated.

A month closes on the 8th of the next, in the client's zone; from then on nothing in it changes.
**Source**: contract 3 (closed months), domain 7.6.
"""

from datetime import UTC, date, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import day_of, start_of

_CLOSES_ON: Final = 8


class Booked(NamedTuple):
    """The date of an entry, and its reason."""

    at: Instant
    reason: str


@lru_cache(maxsize=1_024)
def first_open(now: Instant, zone: tzinfo) -> Instant:
    """The first instant of the first month that is not closed."""
    today = day_of(now, zone)
    month = today.replace(day=1)
    if today.day < _CLOSES_ON:
        month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    return start_of(month, zone)


def over_before(now: Instant) -> date:
    """The days before this one are closed for good, in every zone: nothing is dated into them any
    more, nor into a week that contains one of them.
    """
    return day_of(first_open(now - DAY, UTC), UTC) - timedelta(days=8)


def is_closed(at: Instant, now: Instant, zone: tzinfo) -> bool:
    """Whether the month of an instant is closed."""
    return at < first_open(now, zone)


def booked(at: Instant, reason: str, open_at: Instant, zone: tzinfo) -> Booked:
    """The date of an event: if its month is closed, the first open day. The reason then names the
    true day: ``closed_month:2026-09-30``, after any other reason.
    """
    if at >= open_at:
        return Booked(at, reason)
    note = f"closed_month:{day_of(at, zone).isoformat()}"
    return Booked(open_at, f"{reason} {note}" if reason else note)
