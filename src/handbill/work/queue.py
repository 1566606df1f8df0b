"""The queue: one row per thing to do, in the records, added in the caller's own transaction.

At least once: a task whose worker dies is run again when its lease ends, so running a task's
function twice must give the same result. What is due follows from the caller's ``now``; leases use
the records' own clock, so that hosts with different clocks never take each other's tasks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from handbill.kit.instants import DAY, HOUR, SECOND, Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import agencies, task_turns, tasks

EVERYBODY = ""
"""The key of a task for all clients that it concerns."""
MOST_ATTEMPTS = 8
_FIRST_WAIT = 5 * SECOND
_MOST_WAIT = HOUR
_MOST_WHY = 2_000


@dataclass(frozen=True, slots=True)
class Task:
    """A task that this worker holds until its lease ends. ``attempts`` includes this run."""

    no: int
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int
    lease: str


# The key, an id, tells whose task it is: if asked here, no caller can forget to say so.
_ENQUEUE = sa.text("""
    INSERT INTO tasks (kind, key, payload, due_at, attempts, again, created_at, agency_no)
    VALUES (:kind, :key, :payload, :due_at, 0, 0, :now, COALESCE(
        (SELECT agency_no FROM clients WHERE id = :key),
        (SELECT c.agency_no FROM feeds f JOIN clients c ON c.no = f.client_no WHERE f.id = :key),
        (SELECT agency_no FROM reports WHERE id = :key),
        (SELECT agency_no FROM callbacks WHERE id = :key),
        (SELECT agency_no FROM mails WHERE id = :key),
        (SELECT agency_no FROM publishers WHERE no = CASE
            WHEN :kind IN ('listings.assemble', 'listings.deliver', 'listings.republish')
            THEN CAST(CAST(:key AS TEXT) AS BIGINT) END),
        0))
    ON CONFLICT (kind, key) DO UPDATE SET
        payload = excluded.payload,
        due_at = CASE
            WHEN tasks.dead_at IS NOT NULL OR (tasks.lease IS NOT NULL AND tasks.again = 0)
                OR excluded.due_at < tasks.due_at
            THEN excluded.due_at ELSE tasks.due_at END,
        again = CASE WHEN tasks.lease IS NULL THEN 0 ELSE 1 END,
        attempts = CASE WHEN tasks.dead_at IS NULL THEN tasks.attempts ELSE 0 END,
        dead_at = NULL
    WHERE tasks.payload <> excluded.payload OR excluded.due_at < tasks.due_at
        OR tasks.lease IS NOT NULL OR tasks.dead_at IS NOT NULL
""")
_NOW = sa.bindparam("now", type_=sa.BigInteger)
_OF_KINDS = sa.and_(among(tasks.c.kind, "kinds"), tasks.c.dead_at.is_(sa.null()))
_MAY_HAVE_MORE = sa.not_(among(tasks.c.agency_no, "full"))
_WAITING = sa.and_(_OF_KINDS, tasks.c.lease.is_(sa.null()), tasks.c.due_at <= _NOW)
_LAPSED = tasks.c.leased_until <= sa.bindparam("clock", type_=sa.BigInteger)
_ABANDONED = sa.and_(_OF_KINDS, _LAPSED)
_FULL = (
    sa.select(tasks.c.agency_no)
    .where(
        among(tasks.c.kind, "kinds"),
        tasks.c.leased_until > sa.bindparam("clock", type_=sa.BigInteger),
        sa.exists().where(agencies.c.no != tasks.c.agency_no),  # who else might wait for it
    )
    .group_by(tasks.c.agency_no)
    .having(sa.func.count() >= sa.bindparam("most", type_=sa.BigInteger))
)
_FOUND = (
    tasks.c.no,
    tasks.c.kind,
    tasks.c.key,
    tasks.c.payload,
    tasks.c.attempts,
    tasks.c.agency_no,
)
_TURN = sa.func.coalesce(
    sa.select(task_turns.c.turn)
    .where(task_turns.c.agency_no == tasks.c.agency_no)
    .scalar_subquery(),
    sa.literal_column("0"),
)
# Counted, not timed: two turns within one tick of a clock would have no order.
_TAKE_TURN = sa.text("""
    INSERT INTO task_turns (agency_no, turn)
    VALUES (:agency_no, (SELECT COALESCE(MAX(turn), 0) + 1 FROM task_turns))
    ON CONFLICT (agency_no) DO UPDATE SET turn = excluded.turn
""")
_ONE: sa.ColumnClause[int] = sa.literal_column("1")
_NEXT_WAITING, _NEXT_ABANDONED = (
    sa.select(*_FOUND)
    .where(where, _MAY_HAVE_MORE)
    .order_by(*order)
    .limit(_ONE)
    .with_for_update(skip_locked=True)
    for where, order in (
        (_WAITING, (_TURN, tasks.c.due_at, tasks.c.no)),
        (_ABANDONED, (tasks.c.leased_until,)),
    )
)
_PEEK_WAITING, _PEEK_ABANDONED = (
    sa.select(tasks.c.no).where(where, _MAY_HAVE_MORE).limit(_ONE)
    for where in (_WAITING, _ABANDONED)
)
_LONG_WAITING = sa.select(tasks.c.kind, tasks.c.key).where(_WAITING)
_PUT_FIRST = sa.text("""
    UPDATE tasks SET due_at = :first
    WHERE kind = :kind AND key = :key AND lease IS NULL AND dead_at IS NULL AND due_at > :first
""")
_NAMED = (
    sa.select(*_FOUND)
    .where(
        tasks.c.kind == sa.bindparam("kind"),
        tasks.c.key == sa.bindparam("key"),
        tasks.c.dead_at.is_(sa.null()),
        sa.or_(tasks.c.lease.is_(sa.null()), _LAPSED),
    )
    .with_for_update(skip_locked=True)
)
_LET_GO = (
    sa.update(tasks)
    .where(tasks.c.lease.like(sa.bindparam("of")))
    .values(leased_until=sa.bindparam("clock", type_=sa.BigInteger))
)
_HELD = sa.and_(tasks.c.no == sa.bindparam("at_no"), tasks.c.lease == sa.bindparam("at_lease"))
_DONE = sa.delete(tasks).where(_HELD, tasks.c.again == sa.literal_column("0"))
_AGAIN = sa.select(tasks.c.again, tasks.c.due_at).where(_HELD).with_for_update()
_REVIVE = (
    sa.update(tasks)
    .where(tasks.c.dead_at <= sa.bindparam("before"))
    .values(dead_at=sa.null(), attempts=sa.bindparam("attempts"), due_at=sa.bindparam("now"))
)


def enqueue(
    tx: Tx,
    kind: str,
    key: str,
    now: Instant,
    payload: Mapping[str, Any] | None = None,
    due_at: Instant | None = None,
) -> None:
    """Request a task, once the transaction commits.

    There is one task per kind and key: a waiting one keeps the earlier due time and takes the new
    payload, a running one is run again afterwards, a dead one is waiting again.
    """
    _enqueue(tx, kind, [key], now, payload, due_at)


def enqueue_all(tx: Tx, kind: str, keys: Iterable[str], now: Instant) -> None:
    """``enqueue`` for many keys."""
    _enqueue(tx, kind, keys, now)


def _enqueue(
    tx: Tx,
    kind: str,
    keys: Iterable[str],
    now: Instant,
    payload: Mapping[str, Any] | None = None,
    due_at: Instant | None = None,
) -> None:
    fixed = {
        "kind": kind,
        "payload": msgspec.json.encode(payload or {}).decode(),
        "now": now,
        "due_at": now if due_at is None else due_at,
    }
    tx.run_text_many(tx.dialect.text_of(_ENQUEUE), [fixed | {"key": key} for key in keys])


def waiting(tx: Tx, kinds: Sequence[str], before: Instant) -> list[tuple[str, str]]:
    """Kind and key of tasks that have been waiting since before an instant."""
    rows = tx.all(_LONG_WAITING, kinds=Listed(kinds), now=before)
    return [(kind, key) for kind, key in rows]


def put_first(tx: Tx, kind: str, keys: Iterable[str], now: Instant) -> None:
    """Let waiting tasks go before the rest of their agency's, and stay there."""
    text = tx.dialect.text_of(_PUT_FIRST)
    first = {"kind": kind, "first": now - DAY}
    tx.run_text_many(text, [first | {"key": key} for key in keys])


def is_due(tx: Tx, kinds: Sequence[str], now: Instant, workers: int = 1) -> bool:
    """Whether a lease would find a task; needs no lock."""
    some, clock = Listed(kinds), tx.now()
    full = _full(tx, some, clock, workers)
    return (
        tx.one(_PEEK_WAITING, kinds=some, full=full, now=now) is not None
        or tx.one(_PEEK_ABANDONED, kinds=some, full=full, clock=clock) is not None
    )


def lease(
    tx: Tx, kinds: Sequence[str], worker: str, now: Instant, seconds: int, workers: int = 1
) -> Task | None:
    """Take the task that has been due longest, of the agency whose turn it is, which is the one
    that has had no task taken for longest; or a task whose worker is gone; None when there is none.

    A task is dead when too many workers have died on it; then the next one is taken. Of several
    ``workers`` for these kinds, no agency has all, unless it is the only one.
    """
    some, clock = Listed(kinds), tx.now()
    full = _full(tx, some, clock, workers)
    for following, by in ((_NEXT_WAITING, {"now": now}), (_NEXT_ABANDONED, {"clock": clock})):
        while (row := tx.one(following, kinds=some, full=full, **by)) is not None:
            if row[4] < MOST_ATTEMPTS:
                tx.run(_TAKE_TURN, agency_no=row[5])  # others who take one of it wait until here
                if row[5] in _full(tx, some, clock, workers):
                    return None
                return _leased(tx, row, worker, clock, seconds)
            tx.change(
                tasks,
                {"no": row[0]},
                lease=None,
                leased_until=None,
                dead_at=now,
                failure="every worker that ran it died or lost its lease",
            )
    return None


def lease_named(tx: Tx, kind: str, key: str, worker: str, seconds: int) -> Task | None:
    """Take one task, due or not; None when there is none, or another worker holds it."""
    clock = tx.now()
    row = tx.one(_NAMED, kind=kind, key=key, clock=clock)
    if row is None:
        return None
    tx.run(_TAKE_TURN, agency_no=row[5])
    return _leased(tx, row, worker, clock, seconds)


def renew(tx: Tx, task: Task, seconds: int) -> bool:
    """Renew the lease; False when the task is no longer held."""
    return _change(tx, task, leased_until=tx.now() + seconds * SECOND) == 1


def let_go(tx: Tx, worker: str) -> int:
    """End the leases of a worker that is gone; how many there were. The attempts count."""
    return tx.run(_LET_GO, of=f"{worker}/%", clock=tx.now())


def finish(tx: Tx, task: Task) -> bool:
    """The task is done; False when it is no longer held, so that another worker has it."""
    if tx.run(_DONE, at_no=task.no, at_lease=task.lease):
        return True
    return _change(tx, task, lease=None, leased_until=None, again=0, attempts=0, failure=None) == 1


def fail(tx: Tx, task: Task, now: Instant, why: str) -> bool:
    """The task failed: it waits longer each time, and is dead after so many attempts.

    If it was requested again meanwhile, it starts anew. False when it is no longer held.
    """
    row = tx.one(_AGAIN, at_no=task.no, at_lease=task.lease)
    if row is None:
        return False
    again, due_at = row
    wait = min(_FIRST_WAIT << (task.attempts - 1), _MOST_WAIT)
    dead = task.attempts >= MOST_ATTEMPTS and not again
    return (
        _change(
            tx,
            task,
            lease=None,
            leased_until=None,
            again=0,
            failure=why[:_MOST_WHY],
            attempts=0 if again else task.attempts,
            dead_at=now if dead else None,
            due_at=max(due_at, now + wait) if again else now + wait,
        )
        == 1
    )


def put_back(tx: Tx, task: Task, due_at: Instant, failure: str | None = None) -> bool:
    """Leave the task waiting as if it had not been tried; False when it is no longer held."""
    return (
        _change(
            tx,
            task,
            lease=None,
            leased_until=None,
            again=0,
            attempts=task.attempts - 1,
            due_at=due_at,
            failure=failure,
        )
        == 1
    )


def revive(tx: Tx, now: Instant) -> None:
    """Try each task again that has been dead for an hour: its cause may be gone, and nothing is
    given up for good.
    """
    tx.run(_REVIVE, before=now - HOUR, attempts=MOST_ATTEMPTS - 1, now=now)


def _full(tx: Tx, kinds: Listed, clock: Instant, workers: int) -> Listed:
    """The agencies that have all workers but one."""
    if workers == 1:
        return Listed()
    rows = tx.all(_FULL, kinds=kinds, clock=clock, most=workers - 1)
    return Listed(agency_no for (agency_no,) in rows)


def _leased(tx: Tx, row: Row, worker: str, clock: Instant, seconds: int) -> Task:
    no, kind, key, payload, attempts, _ = row
    # A take-over adds an attempt: two leases of one worker within one tick of the clock differ.
    name = f"{worker}/{clock}/{attempts + 1}"
    tx.change(
        tasks,
        {"no": no},
        lease=name,
        leased_until=clock + seconds * SECOND,
        again=0,
        attempts=attempts + 1,
    )
    return Task(no, kind, key, msgspec.json.decode(payload), attempts + 1, name)


def _change(tx: Tx, task: Task, **values: Any) -> int:
    return tx.change(tasks, {"no": task.no, "lease": task.lease}, **values)
