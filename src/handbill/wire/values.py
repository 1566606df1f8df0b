"""The basis of reading bodies: faults, schemas, and days in the contract's form."""

import re
from datetime import date, datetime
from typing import Any

from handbill.kit.faults import Fault

Schema = dict[str, Any]
NOT_GIVEN: Any = object()
Faults = list[Fault]
MOST_FAULTS = 1_000
"""The most faults in an answer; when so many are found, a list is read no further."""
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_day(text: str) -> str | None:
    """mm/dd/yyyy, or dd/mm/yyyy where mm/dd is impossible, or ISO; as ISO text, None if neither."""
    slashed = _SLASHED.fullmatch(text.strip())
    try:
        if slashed:
            first, second, year = map(int, slashed.groups())
            month, day = (second, first) if first > 12 else (first, second)
            return date(year, month, day).isoformat()
        head = text.strip()[:10]
        if _ISO_DAY.fullmatch(head):
            datetime.fromisoformat(text.strip())
            return head
    except ValueError:
        return None
    return None


def spell_day(iso: str) -> str:
    """An ISO day in the contract's form: mm/dd/yyyy; empty stays empty."""
    return f"{iso[5:7]}/{iso[8:10]}/{iso[:4]}" if iso else ""
