"""Holds: while one stands, nothing is deleted that a backup which is being made may still copy.

A hold is a lease. A backup that dies keeps nothing for longer than that.
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
    """Hold under a fresh name, for the length of a lease."""
    tx.run(_LAPSED, now=now)
    tx.put(holds, name=name, until_at=now + LEASE)


def extend(tx: Tx, name: str, now: Instant) -> bool:
    """Hold for another lease; False when the hold has lapsed, so that things may be gone."""
    return tx.run(_EXTEND, held=name, now=now, until=now + LEASE) == 1


def release(tx: Tx, name: str) -> None:
    tx.run(_RELEASE, held=name)


def stand(tx: Tx, now: Instant) -> bool:
    """Whether anything holds. Ask in the transaction that decides what is to be deleted, or that
    makes it superfluous: whoever began to hold before it is seen, whoever begins after it copies
    what stands then.
    """
    return tx.one(_STANDING, now=now) is not None
