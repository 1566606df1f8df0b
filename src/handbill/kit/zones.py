"""Days, weeks and months in a client's own zone. The only module that knows calendars."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from handbill.kit.instants import DAY, MINUTE, Instant, instant_of, moment_of

Period = Literal["Daily", "Weekly", "Monthly", "Lifetime"]
PERIODS: tuple[Period, ...] = ("Daily", "Weekly", "Monthly", "Lifetime")
QUARTER: Final = 15 * MINUTE
"""No day of any zone begins within a quarter hour."""
_WHOLE_QUARTERS: Final = 3_653 * DAY
"""The start of 1980: until 1979, some zones were other parts of an hour away from UTC."""

_OFFSET = re.compile(r"UTC([+-])(\d{1,2}):(\d{2})")
# Every offset that is, or recently was, some place's civil time (IANA 2026), in minutes.
REAL_OFFSETS_MINUTES = frozenset(
    [h * 60 for h in range(-12, 15)]
    + [-570, -270, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825]
)


class NotZone(ValueError):
    """The text names no time zone."""


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """The zone of ``UTC±H:mm``, ``UTC±HH:mm``, ``UTC`` or an IANA name (days then follow DST).

    **Refuses** other text and offsets that no place uses (NotZone). **Source**: contract 3.
    """
    if name == "UTC":
        return UTC
    parts = _OFFSET.fullmatch(name)
    if parts:
        sign, hours, minutes = parts.groups()
        offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
        if int(minutes) > 59 or offset not in REAL_OFFSETS_MINUTES:
            raise NotZone("is not an offset in use")
        return timezone(timedelta(minutes=offset))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", name):
        raise NotZone("must be UTC±H:mm or an IANA name")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise NotZone("must be UTC±H:mm or an IANA name") from unknown


def day_of(at: Instant, zone: tzinfo) -> date:
    """The calendar day of an instant in a zone."""
    if at < _WHOLE_QUARTERS:
        return moment_of(at).astimezone(zone).date()
    return _day_with(at // QUARTER, zone)


@lru_cache(maxsize=16_384)
def _day_with(quarter: int, zone: tzinfo) -> date:
    """The day that contains a quarter of an hour, cached: many events share theirs."""
    return moment_of(quarter * QUARTER).astimezone(zone).date()


def start_of(day: date, zone: tzinfo) -> Instant:
    """The first instant of a day in a zone."""
    return instant_of(datetime.combine(day, time(), tzinfo=zone))


@lru_cache(maxsize=4_096)
def bounds_of(first: date, last: date, zone: tzinfo) -> tuple[Instant, Instant]:
    """The half-open range of instants of whole days, both included; the last day of the year 9999
    has 24 hours.
    """
    if last == date.max:
        return start_of(first, zone), start_of(last, zone) + DAY
    return start_of(first, zone), start_of(last + timedelta(days=1), zone)


def period_key(period: Period, day: date) -> str:
    """The name of the period of a day: ``D2026-11-23``, ``W2026-48``, ``M2026-11``, ``L``.

    Weeks are ISO weeks, Monday to Sunday (domain 2.3).
    """
    if period == "Daily":
        return f"D{day.isoformat()}"
    if period == "Weekly":
        year, week, _ = day.isocalendar()
        return f"W{year}-{week:02d}"
    if period == "Monthly":
        return f"M{day:%Y-%m}"
    return "L"


@lru_cache(maxsize=4_096)
def days_of_period(key: str) -> tuple[str, str]:
    """The first and the last day of the named period, as ISO text; for a lifetime, days before and
    after all others.
    """
    if key.startswith("D"):
        return key[1:], key[1:]
    if key.startswith("W"):
        year, _, week = key[1:].partition("-")
        monday = date.fromisocalendar(int(year), int(week), 1)
        return monday.isoformat(), (monday + timedelta(days=6)).isoformat()
    if key.startswith("M"):
        first = date.fromisoformat(f"{key[1:]}-01")
        return first.isoformat(), (_next_month(first) - timedelta(days=1)).isoformat()
    return "", "9999-12-31"


def next_period(period: Period, day: date) -> date | None:
    """The first day of the period after the one that contains this day; a lifetime has none."""
    if period == "Daily":
        return day + timedelta(days=1)
    if period == "Weekly":
        return day + timedelta(days=7 - day.weekday())
    if period == "Monthly":
        return _next_month(day)
    return None


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def days_after(at: Instant, days: int, zone: tzinfo) -> Instant:
    """The same time of day so many calendar days later, in a zone whose days may have 23 hours."""
    local = moment_of(at).astimezone(zone)
    later = local.replace(tzinfo=None) + timedelta(days=days)
    return instant_of(later.replace(tzinfo=zone, fold=local.fold))


def offsets_within(first: Instant, end: Instant, zone: tzinfo) -> list[tuple[Instant, int]]:
    """The offsets (micros) in a range by start, in order; the first one starts at ``first``.

    Every change of an offset in force since 1972 falls on a whole quarter of an hour, and the next
    one is at least six days away.
    """
    spans: list[tuple[Instant, int]] = []
    at = first
    while at < end:
        offset = _offset_at(at, zone)
        if not spans or spans[-1][1] != offset:
            spans.append((at, offset))
        at = _next_change(at, min(at + DAY, end), zone)
    return spans


def _next_change(at: Instant, until: Instant, zone: tzinfo) -> Instant:
    """The first instant after ``at`` with another offset; ``until``, if that has the same. Between
    two changes are always several days.
    """
    offset = _offset_at(at, zone)
    if _offset_at(until, zone) == offset:
        return until
    same, other = at // QUARTER, -(-until // QUARTER)
    while other - same > 1:
        middle = (same + other) // 2
        if _offset_at(middle * QUARTER, zone) == offset:
            same = middle
        else:
            other = middle
    return other * QUARTER


def _offset_at(at: Instant, zone: tzinfo) -> int:
    return (moment_of(at).astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1)


def days_later(day: str, days: int) -> str:
    """The day so many days later, as ISO text; at most 9999-12-31."""
    at = date.fromisoformat(day)
    return date.fromordinal(min(at.toordinal() + days, date.max.toordinal())).isoformat()


def year_after(day: str) -> str:
    """The same day of the next year, as ISO text; of 29 February, the 28th; at most 9999-12-31."""
    at = date.fromisoformat(day)
    if at.year == date.max.year:
        return date.max.isoformat()
    leap_day = (at.month, at.day) == (2, 29)
    return at.replace(year=at.year + 1, day=28 if leap_day else at.day).isoformat()
