"""The stage of a candidate after applying, and what an event about it counts as.

Nothing here waits or looks up: what is known of an application is an argument.
**Source**: contract 5 (funnel), domain 8, safety.md section 2 (arrays, late, clock skew).
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from handbill.core.attribution import PARKED_FOR
from handbill.core.spellings import folded
from handbill.kit.instants import MINUTE, Instant, instant_of

HIRED: Final = "HIRED"
Stage = Literal[
    "NEW", "CONTACTED", "REVIEWED", "INTERVIEWED", "OFFERED", "HIRED", "REJECTED", "WITHDRAWN"
]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)

COUNTED: Final = "counted"
DUPLICATE: Final = "duplicate"
UNMAPPED: Final = "unmapped"  # its text is mapped to no stage yet
PARKED: Final = "parked"  # its application is not known yet
DEAD: Final = "dead"  # parked, and its application never came
LATE_FROZEN: Final = "late_frozen"  # its month was closed
Disposition = Literal["counted", "duplicate", "unmapped", "parked", "dead", "late_frozen"]
FORGOTTEN: Final = frozenset({DUPLICATE, DEAD})
"""The dispositions whose items do not belong to an application's history."""


def application_key(application_id: str) -> str:
    """The key of an application by its own id."""
    return f"application/{application_id}"


def candidate_key(candidate_id: str, job_id: str) -> str:
    """The key of an application by its job (32 hex digits) and the candidate."""
    return f"candidate/{job_id}/{candidate_id}"


_MOST_AHEAD = 10 * MINUTE


class SentStage(msgspec.Struct, kw_only=True):
    """One event as it was sent. ``stamp`` is naive where it named no zone."""

    application_id: str = ""
    candidate_id: str = ""
    job_reference: str = ""
    click_id: str = ""
    status: str
    stamp: datetime
    details: dict[str, Any] = {}

    def at(self, zone: tzinfo) -> Instant:
        """The instant; a stamp without a zone is in the client's."""
        stamp = self.stamp
        return instant_of(stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=zone))


class Event(NamedTuple):
    """One item of a funnel. ``name`` is its stage, or its text if that maps to none."""

    name: str
    at: Instant
    received_at: Instant
    mapped: bool


def stage_of(text: str, stages: Mapping[str, str]) -> str:
    """The stage of a text, or empty. The client's own map (by folded text) overrides the stages'
    own names.
    """
    name = folded(text)
    stage = stages.get(name)
    if stage is not None:
        return stage
    own = name.upper()
    return own if own in STAGES else ""


def event_of(text: str, stage: str, at: Instant, received_at: Instant) -> Event:
    """``?`` distinguishes a text from a stage of that name."""
    return Event(stage or f"?{folded(text)}", at, received_at, bool(stage))


def dated(at: Instant, now: Instant) -> Instant | None:
    """The instant that dates an event: never after now. None if it is too far ahead."""
    return None if at > now + _MOST_AHEAD else min(at, now)


def disposition_of(
    event: Event, *, repeated: bool, known: bool, frozen: bool, judged_at: Instant
) -> tuple[str, str]:
    """What an event counts as, and why. ``repeated``: the same already happened to its application
    at the same instant; ``known``: the application exists; ``judged_at``: the applies that the
    doors took earlier are judged.
    """
    if repeated:
        return DUPLICATE, ""
    if frozen:
        return LATE_FROZEN, ""
    if not known:
        if judged_at < event.received_at + PARKED_FOR:
            return PARKED, ""
        return DEAD, "application_not_found"
    return (COUNTED, "") if event.mapped else (UNMAPPED, "")
