"""The listings in a client's part of a publisher's files, with their prices and since when.

A roster is a blob, named by its digest. A new part copies from the former one since when each
unchanged listing is there, so that unchanged links keep their bytes; of all other listings it is
stored that their price has ended.
"""

import hashlib
import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from struct import Struct
from typing import NamedTuple

import msgspec

from handbill.core.price_ends import Frozen, ShownLine
from handbill.kit.instants import Instant
from handbill.listings.end_rows import End
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs

_log = logging.getLogger("handbill.listings")
EMPTY = b""
_MS = 1_000
_LINE = Struct(">16sIQ")
_TAIL = Struct(">IQ")
_HEAD = Struct(">I")
_OFFERS = msgspec.msgpack.Decoder(list[Frozen])


class History(NamedTuple):
    """What a new part continues: how its jobs were listed, and the instant of its new listings.

    ``is_lost``: how they were listed is not known.
    """

    lines: Mapping[bytes, ShownLine]
    stamp: Instant
    is_lost: bool = False


class RosterWriter:
    """Collects the lines of a new roster. ``ended``: former listings that do not continue."""

    def __init__(self, past: History) -> None:
        self.ended = dict(past.lines)
        self.lines: list[bytes] = []
        self._past = past
        self._offers: dict[Frozen, int] = {}

    def tail(self, frozen: Frozen, former: ShownLine | None) -> tuple[Instant, bytes, bool]:
        """For a job with this offer and that former line: since when it is listed, what follows its
        id in its line, and whether the listing is unchanged.
        """
        stands = former is not None and former.frozen == frozen
        listed_at = former.listed_at if former is not None and stands else self._past.stamp
        place = self._offers.setdefault(frozen, len(self._offers))
        return listed_at, _TAIL.pack(place, listed_at // _MS), stands

    def left(self) -> AbstractSet[bytes]:
        """The jobs of the former part that are not in this one, whatever their price."""
        left = set(self.ended)
        if left:
            left.difference_update(line[:16] for line in self.lines)
        return left

    def keep(self, blobs: Blobs, publisher_no: int, client_no: int) -> bytes:
        """Put the roster into blobs; returns its digest, EMPTY for none."""
        if not self.lines:
            return EMPTY
        head = msgspec.msgpack.encode(list(self._offers))
        raw = b"".join((_HEAD.pack(len(head)), head, *sorted(self.lines)))
        digest = _digest(raw)
        path = _path(publisher_no, client_no, digest)
        if not blobs.exists(path):
            blobs.put(path, raw)
        return digest


class Roster:
    """A roster in which single jobs are looked up."""

    def __init__(self, raw: bytes) -> None:
        (length,) = _HEAD.unpack_from(raw)
        self._start = _HEAD.size + length
        self._offers = _OFFERS.decode(raw[_HEAD.size : self._start])
        self._raw = raw

    def find(self, job_id: bytes) -> ShownLine | None:
        places = range((len(self._raw) - self._start) // _LINE.size)
        place = bisect_left(places, job_id, key=self._id_at)
        if place == len(places) or self._id_at(place) != job_id:
            return None
        _, offer, listed_ms = _LINE.unpack_from(self._raw, self._start + place * _LINE.size)
        return ShownLine(self._offers[offer], listed_ms * _MS)

    def ids(self) -> Iterator[bytes]:
        """The ids of all jobs in it."""
        rows = _LINE.iter_unpack(memoryview(self._raw)[self._start :])
        return (job_id for job_id, _, _ in rows)

    def lines(self) -> dict[bytes, ShownLine]:
        """All of them, by job id."""
        known: dict[tuple[int, int], ShownLine] = {}
        lines: dict[bytes, ShownLine] = {}
        for job_id, offer, listed_ms in _LINE.iter_unpack(memoryview(self._raw)[self._start :]):
            line = known.get((offer, listed_ms))
            if line is None:
                line = known[offer, listed_ms] = ShownLine(self._offers[offer], listed_ms * _MS)
            lines[job_id] = line
        return lines

    def count_by_group(self) -> Counter[int]:
        """How many listings each job group has, by its number."""
        rows = _LINE.iter_unpack(memoryview(self._raw)[self._start :])
        by_offer = Counter(offer for _, offer, _ in rows)
        by_group: Counter[int] = Counter()
        for offer, count in by_offer.items():
            by_group[self._offers[offer].group_no] += count
        return by_group

    def _id_at(self, place: int) -> bytes:
        at = self._start + place * _LINE.size
        return self._raw[at : at + 16]


NOBODY = Roster(_HEAD.pack(1) + msgspec.msgpack.encode([]))


def read(blobs: Blobs, part: Part) -> Roster | None:
    """The roster of a part; None: it is missing or damaged."""
    if part.roster == EMPTY:
        return NOBODY
    try:
        raw = blobs.get(_path(part.publisher_no, part.client_no, part.roster))
    except FileNotFoundError:
        return None
    return Roster(raw) if _digest(raw) == part.roster else None


def history(blobs: Blobs, former: Part | None, now: Instant) -> History:
    """What a part continues that replaces ``former``. Its new listings are later than all former
    ones, whatever the clock says.
    """
    stamp = now // _MS * _MS
    if former is None:
        return History({}, stamp)
    roster = read(blobs, former)
    if roster is None:
        # Deleted by hand, or damaged: all its listings begin anew, and all former prices end.
        _log.error("the roster of publisher %d is missing or damaged", former.publisher_no)
        return History({}, stamp, is_lost=True)
    lines = roster.lines()
    newest = max((line.listed_at for line in set(lines.values())), default=0)
    return History(lines, max(stamp, newest + _MS))


def ends(past: History, part: Part, ended: Mapping[bytes, ShownLine]) -> list[End]:
    """What has ended: a whole offer if all its jobs have left it, else each listing."""
    if past.is_lost:
        return [End.of_all(part, past.stamp)]
    lost = Counter(line.frozen for line in ended.values())
    had = Counter(line.frozen for line in past.lines.values()) if ended else lost
    whole = {frozen for frozen, count in lost.items() if count == had[frozen]}
    return [End.of_offer(part, frozen, past.stamp) for frozen in sorted(whole)] + [
        End.of_listing(part, job_id, line.frozen, past.stamp)
        for job_id, line in sorted(ended.items())
        if line.frozen not in whole
    ]


def formers(blobs: Blobs, part: Part, former: Part | None) -> list[str]:
    """The rosters of a publisher's and client's parts except those of this one and the former."""
    kept = {_path(part.publisher_no, part.client_no, one.roster) for one in (part, former) if one}
    paths = blobs.paths(_folder(part.publisher_no, part.client_no))
    return [path for path in paths if path not in kept]


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=16).digest()


def _folder(publisher_no: int, client_no: int) -> str:
    return f"rosters/{publisher_no}/{client_no}"


def _path(publisher_no: int, client_no: int, digest: bytes) -> str:
    return f"{_folder(publisher_no, client_no)}/{digest.hex()}.lines"
