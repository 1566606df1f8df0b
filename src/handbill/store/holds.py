"""Holds: while one is in force, nothing is deleted that a running backup may still copy.

A hold is a lease. A backup that dies prevents deletions no longer than that.
"""

import sqlalchemy as sa

from handbill.kit.instants import MINUTE, Instant
from handbill.store.records import Tx
from handbill.store.records.tables import holds

LEASE = 10 * MINUTE
_STANDING = (
    sa.select(holds.c.name)
    .where(holds.c.until_at > sa.bindparam("now"))
    .limit(sa.literal_column("1"))
)
_EXTEND = (
    sa.update(holds)
    .where(holds.c.name == sa.bindparam("held"), holds.c.until_at > sa.bindparam("now"))
    .values(until_at=sa.bindparam("until"))
)
_LAPSED = sa.delete(holds).where(holds.c.until_at <= sa.bindparam("now"))
_RELEASE = sa.delete(holds).where(holds.c.name == sa.bindparam("held"))


def take(tx: Tx, name: str, now: Instant) -> None:
    """Begin a hold with a fresh name, for the length of a lease."""
    tx.run(_LAPSED, now=now)
    tx.put(holds, name=name, until_at=now + LEASE)


def extend(tx: Tx, name: str, now: Instant) -> bool:
    """Extend a hold by another lease; False if it has expired, so that files may be gone."""
    return tx.run(_EXTEND, held=name, now=now, until=now + LEASE) == 1


def release(tx: Tx, name: str) -> None:
    tx.run(_RELEASE, held=name)


def stand(tx: Tx, now: Instant) -> bool:
    """Whether any hold is in force. Ask in the transaction that decides what is deleted or
    replaced: a hold that began earlier is seen, and one that begins later copies the state after
    it.
    """
    return tx.one(_STANDING, now=now) is not None
