"""Two who write at the same time: the second begins while the first one's transaction is open.

On PostgreSQL the second has read by then what the first is about to change, and waits for a row;
SQLite has one writer, so there the second waits for all of it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from contract.office import Office
from handbill.store.records import Records, Tx
from handbill.store.records.postgresql import PostgresRecords
from serving import until

_T = TypeVar("_T")
_WAITS = sa.text(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Halted(Records):
    """Records whose user is interrupted at its first change: ``before`` it begins, or ``within``
    it, when all is written and nothing is committed.
    """

    def __init__(
        self,
        of: Records,
        before: Callable[[], object] | None = None,
        within: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(of.masters)
        self._of, self._before, self._within = of, before, within
        self.dialect, self.reads_inline = of.dialect, of.reads_inline

    @contextmanager
    def write(self) -> Iterator[Tx]:
        before, self._before = self._before, None
        if before is not None:
            before()
        with self._of.write() as tx:
            yield tx
            within, self._within = self._within, None
            if within is not None:
                within()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._of.read() as tx:
            yield tx

    def give_way(self) -> None:
        """The interruption is way enough."""

    def close(self) -> None:
        self._of.close()

    @property
    def url(self) -> str:
        return self._of.url


def meanwhile(office: Office, first: Callable[[Tx], object], ask: Callable[[], _T]) -> _T:
    """What is answered to who asks while another process's change is on its way."""
    with ThreadPoolExecutor(1) as pool:
        with office.desk.records.write() as tx:
            first(tx)
            second: Future[_T] = pool.submit(ask)
            let_wait(office.desk.records)
        return second.result(60)


def let_wait(records: Records, other: Future[Any] | None = None) -> None:
    """Go on when somebody waits for a row that is held here, or the other has ended without."""

    def waits() -> bool | None:
        if other is not None and other.done():
            return True
        with records.read() as tx:
            return tx.one(_WAITS) is not None or None

    if isinstance(records, PostgresRecords):
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(until, "the second waits for the first", waits).result(70)
