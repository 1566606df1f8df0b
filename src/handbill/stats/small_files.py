"""Sums of small segments, kept for everybody who asks: each is read once, for all clients.

The judge writes a small file with each batch. To read one takes several milliseconds of CPU,
whatever is asked; with many clients and questions, that is most of what an answer costs. So its
entries are added up once, finely enough for every question by days, whose answers are added up from
that.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import add
from threading import Lock
from typing import Any, Final

from handbill.kit.zones import QUARTER, day_of, zone_of
from handbill.stats.questions import Plan
from handbill.stats.rendering import FINE, keys_of
from handbill.store.segment_days import number_of_day
from handbill.store.segments import Segment

FineRow = Sequence[Any]
"""The columns of ``FINE``, and the raw sums of a layout."""
ReadFine = Callable[[str, list[Segment]], list[list[FineRow]]]
"""Reads segments by a layout: the rows of each."""
MOST_SMALL: Final = 5_000
"""Entries of a small segment."""
_MOST_AT_ONCE: Final = 20_000
"""Entries of all small segments that an answer is added up from; of more, DuckDB is faster."""
_MOST_HELD: Final = 100_000
"""Rows and segments that a process keeps, those used last: 25 MB."""
_CLIENT, _QUARTER = FINE.index("client_no"), FINE.index("quarter")
_OfClients = Mapping[int, list[FineRow]]


class SmallFiles:
    """The rows of the segments used last. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, bytes], _OfClients] = OrderedDict()
        self._held = 0

    def rows(self, plan: Plan, listed: Sequence[Segment], read: ReadFine) -> list[list[Any]]:
        """The rows of a plan by one level and by day, of segments that ``fitting`` has chosen: what
        it is about, the number of the day, and the raw sums.
        """
        with self._lock:
            known = {one.digest: self._known.get((plan.layout, one.digest)) for one in listed}
        new = [one for one in listed if known[one.digest] is None]
        if new:
            read_now = zip(new, read(plan.layout, new), strict=True)
            known |= {one.digest: _by_client(rows) for one, rows in read_now}
        its: list[FineRow] = []
        with self._lock:
            for digest, rows in known.items():
                if rows is not None:
                    self._keep((plan.layout, digest), rows)
                    its += rows.get(plan.client_no, ())
        return _summed(plan, its)

    def _keep(self, key: tuple[str, bytes], rows: _OfClients) -> None:
        if key in self._known:
            self._known.move_to_end(key)
            return
        self._held += _size_of(rows)
        self._known[key] = rows
        while self._held > _MOST_HELD:
            self._held -= _size_of(self._known.popitem(last=False)[1])


def fitting(plan: Plan, listed: Iterable[Segment]) -> list[Segment]:
    """The small ones among these segments, unless they are too many. Whether an entry is within the
    plan must follow from its quarter of an hour.
    """
    small = [
        one
        for one in listed
        if one.rows <= MOST_SMALL
        and (plan.first <= one.first_at or plan.first % QUARTER == 0)
        and (plan.end > one.last_at or plan.end % QUARTER == 0)
    ]
    return small if sum(one.rows for one in small) <= _MOST_AT_ONCE else []


def _by_client(rows: Iterable[FineRow]) -> _OfClients:
    by_client: dict[int, list[FineRow]] = {}
    for row in rows:
        by_client.setdefault(row[_CLIENT], []).append(row)
    return by_client


def _size_of(rows: _OfClients) -> int:
    return 1 + sum(map(len, rows.values()))


def _summed(plan: Plan, rows: Iterable[FineRow]) -> list[list[Any]]:
    (key_name, _), zone, width = keys_of(plan), zone_of(plan.zone), len(FINE)
    level, wanted = FINE.index(key_name), _wanted(plan)
    first, end = plan.first // QUARTER, -(-plan.end // QUARTER)

    @cache
    def day(quarter: int) -> int:
        """Zones differ by whole quarters of an hour: each lies within one day."""
        return number_of_day(day_of(quarter * QUARTER, zone))

    by_key: dict[tuple[Any, int], list[int]] = {}
    for row in rows:
        if first <= row[_QUARTER] < end and all(row[at] in some for at, some in wanted):
            key, sums = (row[level], day(row[_QUARTER])), row[width:]
            former = by_key.get(key)
            by_key[key] = list(map(add, former, sums)) if former else list(sums)
    return [[*key, *sums] for key, sums in by_key.items() if any(sums)]


def _wanted(plan: Plan) -> list[tuple[int, Collection[Any]]]:
    """What a row must be about, by the place of its column."""
    every: Mapping[str, Collection[Any]] = {
        "campaign_no": plan.campaign_nos,
        "group_no": plan.group_nos,
        "publisher_no": plan.publisher_nos,
        "job_id": plan.job_ids,
    }
    return [(FINE.index(name), frozenset(some)) for name, some in every.items() if some]
