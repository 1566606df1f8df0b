"""Sums by day, kept for those who ask again and again: each segment is read once for a question.

A segment never changes, and sums of entries add up. So only new segments are read, and those that
reach beyond the end of what is asked. A segment is known by its digest, never by its name. One that
this process has merged says what its parts have said.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import add
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec

from handbill.kit.instants import Instant
from handbill.stats.questions import Plan
from handbill.store.origins import merges
from handbill.store.segments import Segment

Row = Sequence[Any]
"""What it is about, the number of its day, and its raw sums."""
Read = Callable[[Plan, list[Segment]], list[Row] | None]
"""The rows of a plan in some segments; None: there are too many to keep."""
MOST_KEPT: Final = 20_000
"""Of a question. To add up more takes longer than to read them again."""
_MOST_HELD: Final = 200_000
"""Rows and questions that a process keeps, the latest: 40 MB."""


class _Part(NamedTuple):
    """What some segments say that were read at once. It stands while all of them are listed.
    ``first_at``, ``last_at``: of their entries.
    """

    digests: frozenset[bytes]
    rows: list[Row]
    first_at: Instant
    last_at: Instant


class Ranges:
    """Rows by one thing and by day, of the latest questions. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[bytes, list[_Part] | None] = OrderedDict()
        self._held = 0

    def rows(self, plan: Plan, listed: Collection[Segment], read: Read) -> list[Row] | None:
        """The rows of a plan, whose entries are in the listed segments. Several may be about the
        same thing and day, and some about earlier days. None: there are too many.
        """
        key = _key_of(plan)
        with self._lock:
            former = self._taken(key)
        whole = {one.digest: one for one in listed if one.last_at < plan.end}
        known = _merged(former or [], whole.keys())
        parts = None if former is None else _renewed(plan, whole, known, read)
        self._keep(key, None if parts is None else parts + _beside(plan, known, parts))
        if parts is None:
            return None
        begun = [one for one in listed if one.digest not in whole]
        last = read(plan, begun) if begun else []
        return None if last is None else [row for part in parts for row in part.rows] + last

    def _keep(self, key: bytes, parts: list[_Part] | None) -> None:
        with self._lock:
            self._taken(key)  # another thread may have answered the same meanwhile
            self._known[key] = parts
            self._held += _size_of(parts)
            while self._held > _MOST_HELD:
                self._taken(next(iter(self._known)))

    def _taken(self, key: bytes) -> list[_Part] | None:
        """What was kept of a question, which is not kept any more."""
        if key not in self._known:
            return []
        parts = self._known.pop(key)
        self._held -= _size_of(parts)
        return parts


def _size_of(parts: list[_Part] | None) -> int:
    return 1 + sum(len(part.rows) for part in parts or ())


def _key_of(plan: Plan) -> bytes:
    """What stays the same when a question is asked again later."""
    return msgspec.json.encode(
        msgspec.structs.replace(plan, first_on="", last_on="", first=0, end=0, cut=False)
    )


def _renewed(
    plan: Plan, whole: Mapping[bytes, Segment], former: list[_Part], read: Read
) -> list[_Part] | None:
    """The parts that still stand, and one of the segments that are in none of them; if those have
    too many rows, one of all segments, which tells each thing and day once. None: too many too.
    """
    parts = [part for part in former if part.digests <= whole.keys()]
    new = [one for digest, one in whole.items() if not any(digest in p.digests for p in parts)]
    if new:
        first, last = min(one.first_at for one in new), max(one.last_at for one in new)
        rows = read(msgspec.structs.replace(plan, first=first, end=last + 1), new)
        if rows is None:
            return None
        parts.append(_Part(frozenset(one.digest for one in new), rows, first, last))
    if sum(len(part.rows) for part in parts) <= MOST_KEPT:
        return parts
    return _renewed(plan, whole, [], read) if len(parts) > 1 else None


def _beside(plan: Plan, former: Iterable[_Part], used: Collection[_Part]) -> list[_Part]:
    """The parts that say more than was asked now, and may be asked for again: rules about today and
    about a month take turns. Whether they stand is seen then. The latest for which there is room.
    """
    digests = frozenset[bytes]().union(*(part.digests for part in used))
    kept: list[_Part] = []
    room = MOST_KEPT - sum(len(part.rows) for part in used)
    for part in sorted(former, key=lambda one: one.last_at, reverse=True):
        is_within = plan.first <= part.first_at and part.last_at < plan.end
        if not is_within and len(part.rows) <= room and part.digests.isdisjoint(digests):
            kept.append(part)
            room -= len(part.rows)
    return kept


def _merged(parts: list[_Part], listed: AbstractSet[bytes]) -> list[_Part]:
    """The same parts, with the merged segments in place of those of which they were made."""
    if all(part.digests <= listed for part in parts):
        return parts
    for made, of in merges():
        some = [part for part in parts if not part.digests.isdisjoint(of)]
        digests = frozenset[bytes]().union(*(part.digests for part in some))
        if some and of <= digests and not any(made in part.digests for part in parts):
            rows = _added_up(row for part in some for row in part.rows)
            first, last = min(one.first_at for one in some), max(one.last_at for one in some)
            one = _Part(digests - of | {made}, rows, first, last)
            parts = [part for part in parts if part.digests.isdisjoint(of)] + [one]
    return parts


def _added_up(rows: Iterable[Row]) -> list[Row]:
    """Each thing and day once."""
    by_day: dict[tuple[Any, Any], Sequence[int]] = {}
    for key, day, *sums in rows:
        former = by_day.get((key, day))
        by_day[key, day] = list(map(add, former, sums)) if former else sums
    return [[*of, *sums] for of, sums in by_day.items()]


def summed(rows: Iterable[Row], first: int, last: int) -> Iterator[Row]:
    """Each thing with its sums of the days from ``first`` to ``last``, in order, unless all of
    them are 0.
    """
    by_key: dict[Any, list[int]] = {}
    for key, day, *sums in rows:
        if first <= day <= last:
            former = by_key.get(key)
            by_key[key] = list(map(add, former, sums)) if former else sums
    for key in sorted(by_key):
        if any(by_key[key]):
            yield [key, *by_key[key]]
