"""Publishers as feeds name them. **Source**: domain 1.6 (ids), 14.16 (allow-lists)."""

import re
from collections.abc import Container
from typing import Final

from handbill.core.feed_text import values_of
from handbill.core.feed_values import FieldFault
from handbill.core.nouns import JobSettings

_MARK = re.compile(r"[,;|\n\x1e]")
_MOST: Final = 200
_MOST_SHOWN: Final = 5


def id_of_name(name: str) -> str:
    """The id of a publisher that was created without one."""
    return name.strip().replace(" ", "_").replace(".", "_")


def allowed_in(text: str, known: Container[str] | None, faults: list[FieldFault]) -> JobSettings:
    """The publishers that a feed allows for a job, each by its id or name; none named: all.

    Those that are not ``known`` are kept, as they may be created later, with a fault: a job of
    which all are unknown is offered nowhere. None: nobody knows which there are.
    """
    named = tuple(filter(None, map(id_of_name, _MARK.split(values_of(text)))))[:_MOST]
    if known is not None and (lacking := [name for name in named if name not in known]):
        told = ", ".join(lacking[:_MOST_SHOWN])
        message = f"is not a publisher of the agency: {told}"[:200]
        faults.append(FieldFault("publishers", "unknown_publisher", message))
    return JobSettings(publishers=named or None)
