"""What publishers hold: the copy each has fetched, its rhythm, and when it will fetch again.

**Source**: domain 2.4. A delivery to a publisher's FTP server counts as a fetch of its own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median_low
from typing import Final, NamedTuple

from handbill.kit.instants import HOUR, MINUTE, Instant

UNKNOWN_RHYTHM: Final = 24 * HOUR
LEAST_GAP: Final = 10 * MINUTE
"""Fetches closer together are one, tried again."""
MOST_GAPS: Final = 9
LOST_AFTER: Final = 3
DELIVERED: Final = "ftp"
"""The reader of what was brought to a publisher."""


class Fetch(NamedTuple):
    """One fetch of a publisher's file. ``fresh``: it was sent (200); else it was not needed (304),
    since the publisher has this version already. ``reader``: the program that fetched.
    """

    at: Instant
    version: int
    fresh: bool = True
    reader: str = ""


class Taken(NamedTuple):
    """The last fetch that counts: of which version, when and by whom; and when that one is expected
    again.
    """

    version: int
    at: Instant
    due_at: Instant
    reader: str


class Held(NamedTuple):
    """The copy a publisher shows, and when it is expected to be replaced. ``version`` and
    ``fetched_at`` 0: it never fetched, and shows nothing.
    """

    version: int
    fetched_at: Instant
    rhythm: Instant
    next_at: Instant
    lost: bool
    """No fetch for three rhythms: what it shows is anybody's guess."""
    reader: str = ""


def rhythm_of(times: Sequence[Instant]) -> Instant:
    """How far its fetches are apart: the middle one of the last few gaps; a day where there was
    none yet.
    """
    apart = _apart(times[-2 * MOST_GAPS :])
    gaps = [later - at for at, later in pairwise(apart)]
    return median_low(gaps[-MOST_GAPS:]) if gaps else UNKNOWN_RHYTHM


def next_fetch(last_at: Instant, rhythm: Instant, now: Instant) -> Instant:
    """When it fetches next: a rhythm after the last; where that is past, soon, and the longer it
    is overdue, the later.
    """
    due_at = last_at + rhythm
    return due_at if due_at > now else now + max(LEAST_GAP, rhythm // 8, (now - due_at) // 2)


def own_fetches(fetches: Sequence[Fetch]) -> list[Fetch]:
    """Those of the publisher itself, of fetches in order of time: of the program that fetched most
    often of late; of equals, the one that did so last.

    Others read the file too: a person at a browser, a chat that shows what is behind a link, an
    operator's own curl. They change nothing about what the publisher shows.
    """
    if len({fetch.reader for fetch in fetches}) < 2:
        return list(fetches)
    times: dict[str, list[Instant]] = {}
    for fetch in fetches:
        times.setdefault(fetch.reader, []).append(fetch.at)
    readers = [(at, reader) for reader, each in times.items() for at in _apart(each)]
    counts = Counter(reader for _, reader in sorted(readers)[-MOST_GAPS:])
    latest = {fetch.reader: place for place, fetch in enumerate(fetches)}
    most = max(counts, key=lambda reader: (counts[reader], latest[reader]), default="")
    return [fetch for fetch in fetches if fetch.reader == most]


def taken_of(fetches: Sequence[Fetch]) -> Taken | None:
    """What a publisher has by all fetches of its file in order of time; None: there is none."""
    own = own_fetches(fetches)
    if not own:
        return None
    last, rhythm = own[-1], rhythm_of([fetch.at for fetch in own])
    return Taken(last.version, last.at, last.at + rhythm, last.reader)


def held_of(taken: Taken, now: Instant) -> Held:
    """The same as of an instant.

    What was brought to it is not lost for want of another delivery: there is one after each change.
    """
    rhythm = taken.due_at - taken.at
    return Held(
        version=taken.version,
        fetched_at=taken.at,
        rhythm=rhythm,
        next_at=next_fetch(taken.at, rhythm, now),
        lost=taken.reader != DELIVERED and _is_lost(taken.at, rhythm, now),
        reader=taken.reader,
    )


def newer_since(fetches: Sequence[Fetch], instant: Instant) -> Instant | None:
    """Since when a publisher's copy is of a file written after an instant, by all fetches in order
    of time; None while it may be older. Where no fetch is kept of before, at most a rhythm after.
    """
    own = own_fetches(fetches)
    newer = [fetch.at for fetch in own if fetch.version >= instant]
    if not newer:
        return None
    if len(newer) == len(own):
        return max(instant, min(newer[0], instant + rhythm_of(newer)))
    return newer[0]


def unfetched(since_at: Instant, now: Instant) -> Held:
    """What a publisher has that never fetched its file, which has been there since an instant."""
    return Held(
        version=0,
        fetched_at=0,
        rhythm=UNKNOWN_RHYTHM,
        next_at=next_fetch(since_at, UNKNOWN_RHYTHM, now),
        lost=_is_lost(since_at, UNKNOWN_RHYTHM, now),
    )


def _is_lost(last_at: Instant, rhythm: Instant, now: Instant) -> bool:
    return now - last_at > LOST_AFTER * rhythm


def _apart(times: Iterable[Instant]) -> list[Instant]:
    """Those that are no second try of the one before."""
    found: list[Instant] = []
    for at in times:
        if not found or at - found[-1] >= LEAST_GAP:
            found.append(at)
    return found
