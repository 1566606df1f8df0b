"""Records on PostgreSQL by connections of former tests: a new one must learn of each table."""

from threading import Thread, current_thread
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from handbill.store.records.held import HeldConnection
from handbill.store.records.opening import PATIENT_SECONDS
from handbill.store.records.postgresql import PostgresConnection, PostgresRecords
from masters import MASTERS

Held = HeldConnection[Any]
Spares = list[Held]
_MOST_SPARES = 8


class LentRecords(PostgresRecords):
    """Each thread has a connection of its own, as ever; it outlives the thread."""

    def __init__(self, url: str, spares: Spares) -> None:
        super().__init__(url, MASTERS, PATIENT_SECONDS)
        self._spares = spares
        self._lent: dict[Thread, Held] = {}

    def _connection(self) -> PostgresConnection:
        if getattr(self._local, "held", None) is None:
            with self._opening:
                for thread in [one for one in self._lent if not one.is_alive()]:
                    self._take_back(self._lent.pop(thread))
                if spare := self._spare():
                    self._local.held = spare
        connection = super()._connection()
        with self._opening:
            self._lent[current_thread()] = self._local.held
        return connection

    def close(self) -> None:
        with self._opening:
            for held in self._lent.values():
                self._take_back(held)
            self._lent.clear()
        super().close()

    def _spare(self) -> Held | None:
        """One that the server has not ended: this side learns of that by asking."""
        while self._spares:
            held = self._spares.pop()
            if _answers(held.connection):
                return held
            held.connection.close()
        return None

    def _take_back(self, held: Held) -> None:
        """What is in the middle of something is closed, and some spares are enough."""
        is_idle = held.connection.info.transaction_status == TransactionStatus.IDLE
        if is_idle and len(self._spares) < _MOST_SPARES:
            self._opened.discard(held)
            self._spares.append(held)
        else:
            held.connection.close()


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        return connection.pgconn.exec_(b"SELECT 1").status == ExecStatus.TUPLES_OK
    except psycopg.OperationalError:
        return False
