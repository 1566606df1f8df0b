"""Which jobs of a client no publisher's file lists now, or has listed ever."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import Final

from handbill.core.nouns import Client
from handbill.jobs import service as jobs
from handbill.jobs.service import JobLine, JobOrder
from handbill.kit.faults import refused_state
from handbill.listings import rosters, rows
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

MOST_LISTINGS: Final = 20_000_000
"""The most listings of one client that are looked at."""
_MOST_HELD: Final = 300_000
"""Listed jobs and rosters that a process keeps, those asked for last: 23 MB if all are jobs, 51 if
all are rosters."""
_Rosters = tuple[tuple[int, int, bytes], ...]


def unlisted(
    tx: Tx, blobs: Blobs, client: Client, order: JobOrder, after: str | None, *, ever: bool = False
) -> Iterator[JobLine]:
    """The client's live jobs that are in no publisher's file, in an order, from behind a job on;
    ``ever``: and that none has listed before.

    **Refuses** (400) a client with more than 20,000,000 listings, and one whose listings at a
    publisher cannot be read.
    """
    listed = _listed(tx, blobs, client)
    for line in jobs.lines(tx, client.no, order, after, never_delisted=ever):
        if bytes.fromhex(line.id) not in listed:
            yield line


class _Known:
    """What was read last, by the rosters, whose names follow from what is in them. Threads may
    share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[_Rosters, AbstractSet[bytes]] = OrderedDict()
        self._size = 0

    def of(self, at: _Rosters, read: Callable[[], AbstractSet[bytes]]) -> AbstractSet[bytes]:
        with self._lock:
            if (job_ids := self._held.get(at)) is not None:
                self._held.move_to_end(at)
                return job_ids
        job_ids = read()
        if _size(at, job_ids) <= _MOST_HELD:
            with self._lock:
                if at not in self._held:  # else another thread has read the same
                    self._size += _size(at, job_ids)
                self._held[at] = job_ids
                while self._size > _MOST_HELD:
                    self._size -= _size(*self._held.popitem(last=False))
        return job_ids


def _size(at: _Rosters, found: AbstractSet[bytes]) -> int:
    """How much is kept of a client; something even of one without listings."""
    return 1 + len(at) + len(found)


_KNOWN: Final = _Known()


def _listed(tx: Tx, blobs: Blobs, client: Client) -> AbstractSet[bytes]:
    parts = rows.parts_of_client(tx, client.no).values()
    if sum(part.job_count for part in parts) > MOST_LISTINGS:
        raise refused_state("show", f"there are more than {MOST_LISTINGS} listings to look at")
    now = tuple(sorted((part.publisher_no, part.client_no, part.roster) for part in parts))
    return _KNOWN.of(now, lambda: _read(blobs, parts))


def _read(blobs: Blobs, parts: Iterable[Part]) -> set[bytes]:
    job_ids: set[bytes] = set()
    for part in parts:
        roster = rosters.read(blobs, part)
        if roster is None:
            raise refused_state("show", "what a publisher's feed lists cannot be read at present")
        job_ids.update(roster.ids())
    return job_ids
