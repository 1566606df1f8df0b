"""What publishers hold: the copy each has fetched, its rhythm, and when it will fetch again.

**Source**: domain 2.4. A delivery to a publisher's FTP server counts as a fetch of its own.
"""

from collections.abc import Sequence
from statistics import median_low
from typing import Final, NamedTuple

from handbill.kit.instants import HOUR, MINUTE, Instant

UNKNOWN_RHYTHM: Final = 24 * HOUR
LEAST_GAP: Final = 10 * MINUTE
"""Fetches closer together are one, tried again."""
MOST_GAPS: Final = 9
LOST_AFTER: Final = 3


class Fetch(NamedTuple):
    """One fetch of a publisher's file. ``fresh``: it was sent (200); else it was not needed (304),
    since the publisher has this version already.
    """

    at: Instant
    version: int
    fresh: bool = True


class Held(NamedTuple):
    """The copy a publisher shows, and when it is expected to be replaced."""

    version: int
    fetched_at: Instant
    rhythm: Instant
    next_at: Instant
    lost: bool
    """No fetch for three rhythms: what it shows is anybody's guess."""


def rhythm_of(times: Sequence[Instant]) -> Instant:
    """How far its fetches are apart: the middle one of the last few gaps; a day where there was
    none yet.
    """
    gaps: list[Instant] = []
    last = None
    for at in times[-2 * MOST_GAPS :]:
        if last is None:
            last = at
        elif at - last >= LEAST_GAP:
            gaps.append(at - last)
            last = at
    return median_low(gaps[-MOST_GAPS:]) if gaps else UNKNOWN_RHYTHM


def next_fetch(last_at: Instant, rhythm: Instant, now: Instant) -> Instant:
    """When it fetches next: a rhythm after the last; where that is past, soon, and the longer it
    is overdue, the later.
    """
    due_at = last_at + rhythm
    return due_at if due_at > now else now + max(LEAST_GAP, rhythm // 8, (now - due_at) // 2)


def held_of(fetches: Sequence[Fetch], now: Instant) -> Held | None:
    """What a publisher has by its fetches in order of time; None where it never fetched."""
    if not fetches:
        return None
    last = fetches[-1]
    rhythm = rhythm_of([fetch.at for fetch in fetches[-2 * MOST_GAPS :]])
    return Held(
        version=last.version,
        fetched_at=last.at,
        rhythm=rhythm,
        next_at=next_fetch(last.at, rhythm, now),
        lost=now - last.at > LOST_AFTER * rhythm,
    )
