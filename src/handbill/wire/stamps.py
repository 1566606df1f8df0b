"""Instants in the many forms of events' time stamps. **Source**: contract 5 (funnel)."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from handbill.kit.instants import moment_of, moment_of_iso
from handbill.wire.values import read_day

_FIRST, _END = (datetime(year, 1, 1, tzinfo=UTC) for year in (1971, 2200))
_EPOCH_MS = 10**11  # seconds reach it in the year 5138, milliseconds did in 1973
_SPACED = re.compile(r"(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}(?::\d{2})?))?")


def read_stamp(value: Any) -> datetime | None:
    """An instant in any of the contract's forms; None for any other form."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{9,14}", value.strip()):
        value = int(value)
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            moment = moment_of(value * (1_000 if abs(value) >= _EPOCH_MS else 1_000_000))
        elif isinstance(value, str) and len(value) <= 40:
            moment = _by_text(value.strip())
        else:
            return None
    except (ValueError, OverflowError):
        return None
    within = _FIRST <= (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) < _END
    return moment if within else None


def _by_text(text: str) -> datetime:
    spaced = _SPACED.fullmatch(text)
    if spaced is None:
        return moment_of_iso(text)
    day = read_day(spaced[1])
    if day is None:
        raise ValueError
    return datetime.fromisoformat(f"{day}T{spaced[2] or '00:00'}")
