"""What publishers hold: the copy that each has fetched, its rhythm, and its next fetch.

**Source**: domain 2.4. A delivery to a publisher's FTP server counts as a fetch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median_low
from typing import Final, NamedTuple

from handbill.kit.instants import HOUR, MINUTE, Instant

UNKNOWN_RHYTHM: Final = 24 * HOUR
LEAST_GAP: Final = 10 * MINUTE
"""Fetches closer together than this count as one with retries."""
MOST_GAPS: Final = 9
LOST_AFTER: Final = 3
DELIVERED: Final = "ftp"
"""The reader of what was delivered to a publisher."""


class Fetch(NamedTuple):
    """One fetch of a publisher's file. ``fresh``: the file was sent (200); otherwise the publisher
    had this version already (304). ``reader``: the program that fetched.
    """

    at: Instant
    version: int
    fresh: bool = True
    reader: str = ""


class Taken(NamedTuple):
    """The last fetch that counts: its version, time and reader, and when the next fetch is
    expected.
    """

    version: int
    at: Instant
    due_at: Instant
    reader: str


class ShownCopy(NamedTuple):
    """The copy that a publisher shows, and when it is expected to be replaced. ``version`` and
    ``fetched_at`` 0: it never fetched, and shows nothing.
    """

    version: int
    fetched_at: Instant
    rhythm: Instant
    next_at: Instant
    lost: bool
    """No fetch for three rhythms: nobody knows what it shows."""
    reader: str = ""


def rhythm_of(times: Sequence[Instant]) -> Instant:
    """The usual time between its fetches: the median of the last few gaps; a day if there is no gap
    yet.
    """
    apart = _apart(times[-2 * MOST_GAPS :])
    gaps = [later - at for at, later in pairwise(apart)]
    return median_low(gaps[-MOST_GAPS:]) if gaps else UNKNOWN_RHYTHM


def next_fetch(last_at: Instant, rhythm: Instant, now: Instant) -> Instant:
    """When it is expected to fetch next: a rhythm after the last fetch. If that is past, soon; the
    longer it is overdue, the later.
    """
    due_at = last_at + rhythm
    return due_at if due_at > now else now + max(LEAST_GAP, rhythm // 8, (now - due_at) // 2)


def own_fetches(fetches: Sequence[Fetch]) -> list[Fetch]:
    """The publisher's own fetches, of fetches in order of time: those of the program that fetched
    most often of late; among equals, the one that did so last.

    Others read the file too: a person with a browser, a chat that previews a link, an operator's
    own curl. They do not change what the publisher shows.
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
    """What a publisher has after all fetches of its file in order of time; None: none."""
    own = own_fetches(fetches)
    if not own:
        return None
    last, rhythm = own[-1], rhythm_of([fetch.at for fetch in own])
    return Taken(last.version, last.at, last.at + rhythm, last.reader)


def held_of(taken: Taken, now: Instant) -> ShownCopy:
    """The copy that a publisher holds at an instant.

    A delivered copy does not expire for want of another delivery: there is one after each change.
    """
    rhythm = taken.due_at - taken.at
    return ShownCopy(
        version=taken.version,
        fetched_at=taken.at,
        rhythm=rhythm,
        next_at=next_fetch(taken.at, rhythm, now),
        lost=taken.reader != DELIVERED and _is_lost(taken.at, rhythm, now),
        reader=taken.reader,
    )


def newer_since(fetches: Sequence[Fetch], instant: Instant) -> Instant | None:
    """Since when a publisher's copy is of a file written after an instant, by all fetches in order
    of time; None while it may be older. If no earlier fetch is kept, at most one rhythm after it.
    """
    own = own_fetches(fetches)
    newer = [fetch.at for fetch in own if fetch.version >= instant]
    if not newer:
        return None
    if len(newer) == len(own):
        return max(instant, min(newer[0], instant + rhythm_of(newer)))
    return newer[0]


def unfetched(since_at: Instant, now: Instant) -> ShownCopy:
    """The copy of a publisher that never fetched its file, which exists since an instant."""
    return ShownCopy(
        version=0,
        fetched_at=0,
        rhythm=UNKNOWN_RHYTHM,
        next_at=next_fetch(since_at, UNKNOWN_RHYTHM, now),
        lost=_is_lost(since_at, UNKNOWN_RHYTHM, now),
    )


def _is_lost(last_at: Instant, rhythm: Instant, now: Instant) -> bool:
    return now - last_at > LOST_AFTER * rhythm


def _apart(times: Iterable[Instant]) -> list[Instant]:
    """The fetches without retries of the one before."""
    fetches: list[Instant] = []
    for at in times:
        if not fetches or at - fetches[-1] >= LEAST_GAP:
            fetches.append(at)
    return fetches
