"""Calendar days in queries of segments: their SQL, and the meaning of their numbers."""

from datetime import date, tzinfo
from itertools import pairwise
from typing import Final

from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import offsets_within

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def day_text(first: Instant, end: Instant, zone: tzinfo) -> str:
    """SQL for the calendar day of ``"at"`` in a zone, as days since 1970-01-01.

    Only whole numbers, so that days of 23 and 25 hours are right to the microsecond; valid for
    instants of the half-open range.
    """
    spans = offsets_within(first, end, zone)
    offset = str(spans[-1][1]) if spans else "0"
    if len(spans) > 1:
        cases = " ".join(
            f'WHEN "at" < {until} THEN {micros}' for (_, micros), (until, _) in pairwise(spans)
        )
        offset = f"CASE {cases} ELSE {offset} END"
    return f'("at" + {offset}) // {DAY}'


def day_of_number(number: int) -> date:
    return date.fromordinal(_EPOCH_DAY + number)


def number_of_day(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY
