"""The schedule: recurring work by the clock. Its items are defined in code; the records only store
when each ran last, so no item can be lost, whatever happens to a row, a worker or a task.

Any number of workers look at it. Each item is run by one of them, in the transaction that sets its
next time: killed anywhere, it has run completely or is still due. An item days late runs once.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from handbill.kit.faults import Unavailable
from handbill.kit.instants import SECOND, Instant
from handbill.store.records import Records, Tx
from handbill.store.records.tables import schedule as table
from handbill.work.tools import Schedule

_LOG = logging.getLogger("handbill.work")
_FIRST_WAIT = 5 * SECOND
_MOST_DOUBLINGS = 20
_MOST_WHY = 2_000


class ScheduleState(NamedTuple):
    """The state of an item. ``ran_at`` None: it never ran. ``late``: by how many micros it is
    overdue, 0 if it is not. ``failures``: in a row, since it ran last.
    """

    name: str
    ran_at: Instant | None
    late: int
    failures: int
    failure: str | None


class _Kept(NamedTuple):
    """What the records store of an item."""

    due_at: Instant
    ran_at: Instant | None
    failures: int
    failure: str | None


_COLUMNS = (table.c.due_at, table.c.ran_at, table.c.failures, table.c.failure)
_EVERY = sa.select(table.c.name, *_COLUMNS)
_HELD = (
    sa.select(*_COLUMNS)
    .where(table.c.name == sa.bindparam("name"))
    .with_for_update(skip_locked=True)
)


def standings(tx: Tx, items: Sequence[Schedule], now: Instant) -> list[ScheduleState]:
    """The state of each item of this release."""
    kept = _kept(tx)
    return [_standing(name, kept.get(name), now) for name, _, _ in items]


def run_due(records: Records, items: Sequence[Schedule], now: Instant) -> Instant:
    """Run each due item once, and return when the next one is due at the earliest.

    An item that fails is logged and tried again, later each time. **Refuses** (Unavailable) when
    the records are unreachable: nothing is stored then, and everything stays due.
    """
    with records.read() as tx:
        kept = _kept(tx)
    for item in items:
        if _is_due(kept.get(item[0]), item[1], now):
            _run(records, item, now)
    with records.read() as tx:
        kept = _kept(tx)
    return min(kept[name].due_at if name in kept else now for name, _, _ in items)


def _kept(tx: Tx) -> dict[str, _Kept]:
    return {name: _Kept(*columns) for name, *columns in tx.all(_EVERY)}


def _is_due(kept: _Kept | None, seconds: int, now: Instant) -> bool:
    """An item that never ran is due; so is one that was postponed further than is possible, by a
    wrong clock.
    """
    return kept is None or not now < kept.due_at <= now + seconds * SECOND


def _standing(name: str, kept: _Kept | None, now: Instant) -> ScheduleState:
    if kept is None:
        return ScheduleState(name, None, 0, 0, None)
    late = max(0, now - kept.due_at)
    return ScheduleState(name, kept.ran_at, late, kept.failures, kept.failure)


def _run(records: Records, item: Schedule, now: Instant) -> None:
    name, seconds, deed = item
    try:
        with records.write() as tx:
            if _held(tx, name, seconds, now) is None:
                return  # another worker is running it, or has run it
            deed(tx, now)
            tx.change(
                table,
                {"name": name},
                due_at=now + seconds * SECOND,
                ran_at=now,
                failures=0,
                failure=None,
            )
    except Unavailable:
        raise
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is logged and tried again
        _LOG.warning("the schedule's %s failed", name, exc_info=True)
        with records.write() as tx:
            _note_failure(tx, item, now, f"{type(failure).__name__}: {failure}")


def _note_failure(tx: Tx, item: Schedule, now: Instant, why: str) -> None:
    name, seconds, _ = item
    kept = _held(tx, name, seconds, now)
    if kept is None:
        return
    failures = kept.failures + 1
    wait = min(_FIRST_WAIT << min(failures - 1, _MOST_DOUBLINGS), seconds * SECOND)
    tx.change(table, {"name": name}, due_at=now + wait, failures=failures, failure=why[:_MOST_WHY])


def _held(tx: Tx, name: str, seconds: int, now: Instant) -> _Kept | None:
    """The item's row, locked if it is still due; created if it is missing."""
    first = {"name": name, "due_at": now, "ran_at": None, "failures": 0, "failure": None}
    tx.upsert_many(table, ["name"], [first], keep=True)
    row = tx.one(_HELD, name=name)
    kept = None if row is None else _Kept(*row)
    return kept if kept is not None and _is_due(kept, seconds, now) else None
