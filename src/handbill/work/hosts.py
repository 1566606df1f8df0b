"""Which host holds the records: one at a time, by the records' own clock, until it ends or is
silent for too long.

Two trees on one database would each have their own edge index, judge and fetchers; until that is
built, the second is refused. A host that starts again keeps its hold, without waiting.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from handbill.kit.instants import SECOND, Instant
from handbill.store.records import Tx
from handbill.store.records.tables import hosts

RENEW_SECONDS = 5
SILENT = 60 * SECOND
"""A host that has been silent for so long holds nothing any more."""


@dataclass(frozen=True, slots=True)
class Host:
    """``successor``: the host that took over what was left in this one's journal."""

    id: str
    name: str
    started_at: Instant
    seen_at: Instant
    ended_at: Instant | None
    successor: str | None


class HeldByOther(Exception):
    """Another host holds the records."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.id)
        self.host = host


class Succeeded(Exception):
    """Another host has taken over this one's journal: its folder may only be used as a new host."""


_COLUMNS = (
    hosts.c.id,
    hosts.c.name,
    hosts.c.started_at,
    hosts.c.seen_at,
    hosts.c.ended_at,
    hosts.c.successor,
)
_ALL = sa.select(*_COLUMNS).order_by(hosts.c.no)
_HELD = _ALL.with_for_update()
_MINE = sa.and_(
    hosts.c.id == sa.bindparam("of_id"),
    hosts.c.run == sa.bindparam("of_run"),
    hosts.c.ended_at.is_(sa.null()),
)
_RENEW = sa.update(hosts).where(_MINE).values(seen_at=sa.bindparam("at"))
_END = sa.update(hosts).where(_MINE).values(seen_at=sa.bindparam("at"), ended_at=sa.bindparam("at"))
_END_ALL = (
    sa.update(hosts).where(hosts.c.ended_at.is_(sa.null())).values(ended_at=sa.bindparam("at"))
)


def enter(tx: Tx, host_id: str, name: str) -> None:
    """Record the host, without a hold yet; in a transaction before ``hold``."""
    now = tx.now()
    row = {
        "id": host_id,
        "name": name,
        "run": "",
        "started_at": now,
        "seen_at": now,
        "ended_at": now,
        "successor": None,
    }
    tx.upsert_many(hosts, ["id"], [row], keep=True)


def hold(tx: Tx, host_id: str, name: str, run: str) -> list[Host]:
    """Hold the records for a host that has entered; returns the hosts that fell silent as holders.

    ``run``: drawn anew at each start. **Refuses** (HeldByOther, Succeeded).
    """
    # All rows are locked in one order, so of two hosts that ask at once one sees the other's hold.
    every = [Host(*row) for row in tx.all(_HELD)]
    now = tx.now()
    lapsed = []
    for host in every:
        if host.id == host_id and host.successor is not None:
            raise Succeeded(host.successor)
        if host.id != host_id and host.ended_at is None:
            if now < host.seen_at + SILENT:
                raise HeldByOther(host)
            lapsed.append(host)
    for host in lapsed:
        tx.change(hosts, {"id": host.id}, ended_at=now)
    tx.change(
        hosts, {"id": host_id}, name=name, run=run, started_at=now, seen_at=now, ended_at=None
    )
    return lapsed


def renew(tx: Tx, host_id: str, run: str) -> bool:
    """Report that the host is alive; False when it no longer holds the records."""
    return tx.run(_RENEW, of_id=host_id, of_run=run, at=tx.now()) == 1


def let_go(tx: Tx, host_id: str, run: str) -> None:
    tx.run(_END, of_id=host_id, of_run=run, at=tx.now())


def end(tx: Tx, host_id: str) -> bool:
    """Release the records for a host that is gone; False when there is no such host.

    If it is alive after all, it notices at its next renewal, and ends.
    """
    at = tx.now()
    changed = tx.change(hosts, {"id": host_id}, run="", ended_at=at)
    return changed == 1


def end_all(tx: Tx) -> None:
    """Release these records, which are a copy that has just been made, so no host holds them."""
    tx.run(_END_ALL, at=tx.now())


def refuse_holding(tx: Tx, host_id: str) -> None:
    """**Refuses** if a host holds the records now (HeldByOther)."""
    now_holding = holder(tx)
    if now_holding is not None and now_holding.id == host_id:
        raise HeldByOther(now_holding)


def succeed(tx: Tx, host_id: str, successor: str) -> None:
    """Record who took over a host's journal. **Refuses** while that host holds (HeldByOther)."""
    tx.all(_HELD)
    refuse_holding(tx, host_id)
    tx.change(hosts, {"id": host_id}, successor=successor)


def is_holding(host: Host, now: Instant) -> bool:
    return host.ended_at is None and now < host.seen_at + SILENT


def every(tx: Tx) -> list[Host]:
    """All hosts that ever held these records, the oldest first."""
    return [Host(*row) for row in tx.all(_ALL)]


def holder(tx: Tx) -> Host | None:
    """The host that holds the records now."""
    now = tx.now()
    return next((host for host in every(tx) if is_holding(host, now)), None)
