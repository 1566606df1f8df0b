"""Records on PostgreSQL by connections of former tests: a new one must learn of each table."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from handbill.store.records.base import Row
from handbill.store.records.held import HeldConnection
from handbill.store.records.postgresql import PostgresRecords
from masters import MASTERS

Spares = list[HeldConnection[Any]]
_MOST_SPARES = 8


class LentRecords(PostgresRecords):
    """Each thread has a connection of its own, as ever; it outlives the thread."""

    def __init__(self, url: str, spares: Spares) -> None:
        super().__init__(url, MASTERS)
        self._spares = spares
        self._lent: Spares = []

    def _connection(self) -> psycopg.Connection[Row]:
        if getattr(self._local, "held", None) is None:
            with self._opening:
                if self._spares:
                    self._local.held = self._spares.pop()
        connection = super()._connection()
        with self._opening:
            if self._local.held not in self._lent:
                self._lent.append(self._local.held)
        return connection

    def close(self) -> None:
        """What is in the middle of something is closed, and some spares are enough."""
        with self._opening:
            for held in self._lent:
                is_idle = held.connection.info.transaction_status == TransactionStatus.IDLE
                if is_idle and len(self._spares) < _MOST_SPARES:
                    self._opened.discard(held)
                    self._spares.append(held)
                else:
                    held.connection.close()
            self._lent.clear()
        super().close()
