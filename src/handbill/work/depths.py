"""How the queue stands: its depths, what fails, and what was given up."""

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import tasks


@dataclass(frozen=True, slots=True)
class Dead:
    """A task that failed too often: it is tried only once an hour, until it is enqueued again."""

    kind: str
    key: str
    failure: str
    dead_at: Instant


class Failing(NamedTuple):
    """A task whose last try failed. ``dead_at`` None: it is tried again soon."""

    kind: str
    key: str
    attempts: int
    failure: str
    dead_at: Instant | None


class Queued(NamedTuple):
    """Tasks in numbers: ``due`` and not begun, ``running``, ``dead``; and some that fail."""

    due: int
    oldest_due_at: Instant | None
    running: int
    dead: int
    failing: list[Failing]


_DEAD = (
    sa.select(tasks.c.kind, tasks.c.key, tasks.c.failure, tasks.c.dead_at)
    .where(tasks.c.dead_at.is_not(sa.null()))
    .order_by(tasks.c.dead_at)
    .limit(sa.bindparam("most"))
)
_FAILING = (
    sa.select(tasks.c.kind, tasks.c.key, tasks.c.attempts, tasks.c.failure, tasks.c.dead_at)
    .where(tasks.c.failure.is_not(sa.null()))
    .order_by(tasks.c.dead_at.is_(sa.null()), tasks.c.dead_at, tasks.c.due_at, tasks.c.no)
    .limit(sa.bindparam("most"))
)
_DUE = sa.select(sa.func.count(), sa.func.min(tasks.c.due_at)).where(
    tasks.c.lease.is_(sa.null()),
    tasks.c.dead_at.is_(sa.null()),
    tasks.c.due_at <= sa.bindparam("now", type_=sa.BigInteger),
)
_STATE = sa.case(
    (tasks.c.dead_at.is_not(sa.null()), sa.literal_column("'dead'")),
    (tasks.c.lease.is_not(sa.null()), sa.literal_column("'running'")),
    else_=sa.literal_column("'waiting'"),
)
_DEPTHS = sa.select(tasks.c.kind, _STATE, sa.func.count()).group_by(tasks.c.kind, _STATE)


def depths(tx: Tx) -> dict[tuple[str, str], int]:
    """How many tasks there are by kind and state: waiting, running or dead."""
    return {(kind, state): count for kind, state, count in tx.all(_DEPTHS)}


def queued(tx: Tx, now: Instant, most: int = 20) -> Queued:
    """How the queue stands. ``most``: of those that fail; the longest dead first."""
    ((due, oldest),) = tx.all(_DUE, now=now)
    states: dict[str, int] = {}
    for (_, state), count in depths(tx).items():
        states[state] = states.get(state, 0) + count
    failing = [Failing(*row) for row in tx.all(_FAILING, most=most)]
    return Queued(due, oldest, states.get("running", 0), states.get("dead", 0), failing)


def dead_tasks(tx: Tx, most: int = 1_000) -> list[Dead]:
    """The tasks that were given up, the longest dead first."""
    return [Dead(*row) for row in tx.all(_DEAD, most=most)]
