"""An instant is a whole number of microseconds since 1970-01-01T00:00Z.

An integer cannot be naive, sorts and stores alike in every engine, and needs no conversion on the
way to the journal (decision 0002).
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

Instant = int

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
    r"|[A-Z][a-z]{5,8}, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 ][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}"
)
_ZONE_BEHIND = re.compile(r"([Zz]|[+-]\d\d:?\d\d)\[[A-Za-z0-9_+/-]{1,40}\]\Z")
_BEYOND = re.compile(
    r"(?:(?<=[T ])24:00(?::00(?:[.,]0+)?)?|(?<=\d:59)(:60)(?:[.,]0+)?)(?=[Z+-]|\Z)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1_000))


def instant_of(moment: datetime) -> Instant:
    """An aware datetime as an instant. **Refuses** a naive one (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (moment - _EPOCH) // _TICK


def moment_of(at: Instant) -> datetime:
    """The instant as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=at)


def iso_of(at: Instant) -> str:
    """The contract's form: ``2019-11-29T10:00:00.000Z`` (contract 3, dates)."""
    return _second_of(at // SECOND) + _MILLISECONDS[at // 1000 % 1000]


@lru_cache(maxsize=16_384)
def _second_of(second: int) -> str:
    """To the second, cached: for example, the jobs of one import share theirs."""
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:19]


def http_date_of(at: Instant) -> str:
    """The form of Last-Modified (RFC 9110, 5.6.7)."""
    return moment_of(at).strftime("%a, %d %b %Y %H:%M:%S GMT")


def instant_of_http_date(text: str) -> Instant | None:
    """Read an HTTP date in any of its three forms; None for any other text.

    **Source**: RFC 9110, 5.6.7. The form is checked first: mail parsers accept years of any size.
    """
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        return instant_of(parsedate_to_datetime(text).replace(tzinfo=UTC))
    except ValueError:
        return None  # a day or an hour that does not exist


def moment_of_iso(text: str) -> datetime:
    """Read an ISO-8601 date and time, with or without an offset. **Refuses** anything else
    (ValueError).

    Small letters, a zone's name in brackets behind the offset, and ``24:00`` and a leap second, as
    the moment after, are read too. The offset counts: the name is not compared with it, nor looked
    up. **Source**: RFC 3339, 5.6; RFC 9557; ISO 8601-1.
    """
    text = _ZONE_BEHIND.sub(r"\1", text).upper()
    beyond = _BEYOND.search(text)
    if beyond is None:
        return datetime.fromisoformat(text)
    last, later = (":59", timedelta(seconds=1)) if beyond[1] else ("00:00", timedelta(days=1))
    return datetime.fromisoformat(text[: beyond.start()] + last + text[beyond.end() :]) + later


def instant_of_iso(text: str) -> Instant:
    """Read an ISO-8601 instant. **Refuses** anything else, and one without a zone (ValueError)."""
    return instant_of(datetime.fromisoformat(text))


def instant_or_day(text: str, of_day: int) -> Instant:
    """As ``instant_of_iso``, or a day in UTC: ``of_day`` after its beginning."""
    is_day = len(text) == len("2026-11-27")
    return instant_of_iso(f"{text}T00:00Z") + of_day if is_day else instant_of_iso(text)
