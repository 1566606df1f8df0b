"""Dates as written, before a client's zone turns them into instants.

By ISO 8601, as the contract writes days, or by a Java-style pattern, as ``dateFormat`` of a posting
gives it. A pattern is compiled once into steps; a text is then read from left to right, without
backtracking.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from handbill.kit.instants import Instant, instant_of, instant_of_iso, moment_of_iso
from handbill.wire.values import read_day

MOST_PATTERN = 60
_FIRST_YEAR, _LAST_YEAR = 1971, 2200
_FIRST = instant_of_iso("1000-01-01T00:00:00Z")
_LAST = instant_of_iso("9999-12-30T23:59:59Z")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = "yuMLdHhmsS"
_DIGITS = {"y": 4, "u": 4, "S": 9}
_OFFSETS = "ZXxzVO"
_TIMED = re.compile(r"(\d{1,2}/\d{1,2}/\d{4})[ T](\d\d:\d\d(?::\d\d)?)", re.ASCII)
_OFFSET = re.compile(r"(?:UTC|GMT)?(?:([+-])(\d{2}):?(\d{2})?)?|Z", re.ASCII)


class NotPattern(ValueError):
    """The pattern cannot be used; the message says why, and may be shown to the caller."""


class NotDate(ValueError):
    """The text is no date, neither by its pattern nor by ISO 8601."""


class Read(NamedTuple):
    """A date as it was written. ``day_only``: it has no time of day."""

    moment: datetime
    day_only: bool


def read_when(value: Any) -> Read:
    """A day, or a date and time by ISO 8601, before the client's zone makes it an instant.

    The last day of the year 9999, which has no last moment in zones behind UTC and stands for no
    end, is read as the day before. **Refuses** (NotDate) any other value, and an instant on it.
    """
    when = _by_iso(value.strip()) if isinstance(value, str) and len(value) <= 40 else None
    if when is None:
        raise NotDate("must be an ISO-8601 date and time")
    if when.day_only and when.moment.date() == date.max:
        when = when._replace(moment=when.moment - timedelta(days=1))
    if not _FIRST <= instant_in(when, UTC, last=False) <= _LAST:
        raise NotDate("must be between the years 1000 and 9999")
    return when


class _Step(NamedTuple):
    """``letter`` is empty for literal text. ``fixed``: exactly so many digits, as more follow."""

    letter: str
    width: int
    text: str = ""
    fixed: bool = False


@lru_cache(maxsize=256)
def steps_of(pattern: str) -> tuple[_Step, ...]:
    """The steps of a pattern. **Refuses** unknown letters, and a pattern that makes no date
    (NotPattern).
    """
    if len(pattern) > MOST_PATTERN:
        raise NotPattern(f"must have at most {MOST_PATTERN} characters")
    steps: list[_Step] = []
    for piece in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", pattern, re.DOTALL):
        whole, quoted, letter = piece[0], piece[1], piece[2]
        if quoted is not None:
            steps.append(_Step("", 0, quoted.replace("''", "'") or "'"))
        elif letter is None:
            if whole in "'[]{}#":
                raise NotPattern(f"has {whole}, which cannot be used here")
            steps.append(_Step("", 0, whole))
        elif letter in _NUMBERS + _OFFSETS + "aE":
            if steps and _is_number(steps[-1]) and _is_number(_Step(letter, len(whole))):
                steps[-1] = steps[-1]._replace(fixed=True)
            steps.append(_Step(letter, len(whole)))
        else:
            raise NotPattern(f"has the letter {letter}, which is not supported")
    letters = {step.letter for step in steps}
    if not (letters & {"y", "u"} and letters & {"M", "L"} and "d" in letters):
        raise NotPattern("must name a year (y), a month (M) and a day (d)")
    return tuple(steps)


def read_date(text: str, pattern: str) -> Read:
    """A date by the pattern, else by ISO 8601, else in the contract's form of days.

    **Refuses** anything else (NotDate).
    """
    text = text.strip()
    when = _by_pattern(text, steps_of(pattern)) or _by_iso(text)
    if when is None:
        raise NotDate("must be a date by dateFormat, or by ISO 8601")
    if not _FIRST_YEAR <= when.moment.year <= _LAST_YEAR:
        raise NotDate(f"must lie between {_FIRST_YEAR} and {_LAST_YEAR}")
    return when


def instant_in(read: Read, zone: tzinfo, *, last: bool) -> Instant:
    """The instant of a date, in milliseconds. Without an offset it is in the zone; ``last``: a day
    alone means its last millisecond, else its first.
    """
    moment = read.moment
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if read.day_only and last:
        moment = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
        return instant_of(moment) - 1_000
    return instant_of(moment) // 1_000 * 1_000


def _by_iso(text: str) -> Read | None:
    timed = _TIMED.fullmatch(text)
    if timed is not None and (on := read_day(timed[1])) is not None:
        text = f"{on}T{timed[2]}"
    try:
        return Read(moment_of_iso(text), re.fullmatch(r"[0-9W-]{7,10}", text) is not None)
    except (ValueError, OverflowError):
        day = read_day(text)
        return None if day is None else Read(datetime.fromisoformat(day), day_only=True)


def _is_number(step: _Step) -> bool:
    return step.letter in _NUMBERS and step.letter != "" and not _is_name(step)


def _is_name(step: _Step) -> bool:
    return step.letter in "ML" and step.width >= 3


def _by_pattern(text: str, steps: tuple[_Step, ...]) -> Read | None:
    parts: dict[str, int] = {}
    zone: tzinfo | None = None
    at = 0
    for step in steps:
        if step.letter == "":
            if not text.startswith(step.text, at):
                return None
            at += len(step.text)
        elif step.letter in _OFFSETS:
            taken = _OFFSET.match(text, at)
            if taken is None or taken.end() == at:
                return None
            at, zone = taken.end(), _zone_of(taken)
        else:
            value, at = _value_of(step, text, at)
            if value is None:
                return None
            parts["y" if step.letter == "u" else "M" if step.letter == "L" else step.letter] = value
    return _read(parts, zone) if at == len(text) else None


def _zone_of(taken: re.Match[str]) -> tzinfo:
    sign, hours, minutes = taken.groups()
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(offset if sign == "+" else -offset) if offset < timedelta(days=1) else UTC


def _value_of(step: _Step, text: str, at: int) -> tuple[int | None, int]:
    """The number at a place, and where it ends; None if there is none."""
    if step.letter == "a":
        half = text[at : at + 2].upper()
        return ({"AM": 0, "PM": 1}.get(half), at + 2)
    if step.letter == "E":
        return _named(_WEEKDAYS, text, at)
    if _is_name(step):
        return _named(_MONTHS, text, at)
    most = step.width if step.fixed else max(step.width, _DIGITS.get(step.letter, 2))
    digits = re.compile(rf"[0-9]{{1,{most}}}").match(text, at)
    if digits is None or (step.fixed and len(digits[0]) < step.width):
        return None, at
    value = int(digits[0])
    if step.letter == "S":
        value = int(digits[0][:6].ljust(6, "0"))
    elif step.letter in "yu" and len(digits[0]) == 2:
        value += 2000
    return value, digits.end()


def _named(names: tuple[str, ...], text: str, at: int) -> tuple[int | None, int]:
    rest = text[at : at + 9].casefold()
    for place, name in enumerate(names, 1):
        for spelled in (name, name[:3]):
            if rest.startswith(spelled):
                return place, at + len(spelled)
    return None, at


def _read(found: dict[str, int], zone: tzinfo | None) -> Read | None:
    hour = found.get("H")
    if hour is None and "h" in found:
        if not 1 <= found["h"] <= 12:
            return None
        hour = found["h"] % 12 + 12 * found.get("a", 0)
    try:
        moment = datetime(
            found["y"],
            found["M"],
            found["d"],
            hour or 0,
            found.get("m", 0),
            found.get("s", 0),
            found.get("S", 0),
            zone,
        )
    except (ValueError, OverflowError):
        return None
    return Read(moment, day_only=hour is None)
