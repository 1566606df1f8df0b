"""What is scheduled recurs, whatever happens: by one of many workers, once however late."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, HOUR, SECOND, Instant
from handbill.store.records import Records, Tx
from handbill.store.records.tables import schedule as table
from handbill.work.schedule import ScheduleState, run_due, standings
from handbill.work.tools import Schedule

T: Instant = 1_700_000_000_000_000


class Deed:
    """Notes when it was run; fails while it is told to."""

    def __init__(self) -> None:
        self.ran: list[Instant] = []
        self.failure: Exception | None = None

    def __call__(self, tx: Tx, now: Instant) -> None:
        self.ran.append(now)
        if self.failure is not None:
            raise self.failure


def _entries(**deeds: Callable[[Tx, Instant], None]) -> list[Schedule]:
    return [(name, 3600, deed) for name, deed in deeds.items()]


def _standing(records: Records, entries: list[Schedule], now: Instant) -> list[ScheduleState]:
    with records.read() as tx:
        return standings(tx, entries, now)


def test_an_entry_runs_at_its_pace_and_once_however_late(records: Records) -> None:
    deed = Deed()
    entries = _entries(hourly=deed)
    assert _standing(records, entries, T) == [ScheduleState("hourly", None, 0, 0, None)]
    assert run_due(records, entries, T) == T + HOUR
    assert run_due(records, entries, T + HOUR - 1) == T + HOUR
    assert run_due(records, entries, T + HOUR) == T + 2 * HOUR
    later = T + 10 * DAY
    assert _standing(records, entries, later) == [
        ScheduleState("hourly", T + HOUR, later - T - 2 * HOUR, 0, None)
    ]
    assert run_due(records, entries, later) == later + HOUR
    assert run_due(records, entries, later + 1) == later + HOUR
    assert deed.ran == [T, T + HOUR, later]
    assert _standing(records, entries, later + 1) == [ScheduleState("hourly", later, 0, 0, None)]


def test_no_row_is_needed_and_a_strange_one_is_left_alone(records: Records) -> None:
    ours, theirs = Deed(), Deed()
    run_due(records, _entries(ours=ours, theirs=theirs), T)
    with records.write() as tx:
        tx.run_text("DELETE FROM schedule WHERE name = 'ours'", {})
    assert run_due(records, _entries(ours=ours), T + 1) == T + 1 + HOUR
    assert (ours.ran, theirs.ran) == ([T, T + 1], [T])
    assert [one.name for one in _standing(records, _entries(ours=ours), T)] == ["ours"]
    with records.read() as tx:
        names = {name for (name,) in tx.all(table.select().with_only_columns(table.c.name))}
    assert names == {"ours", "theirs"}
    run_due(records, _entries(ours=ours, theirs=theirs), T + HOUR)
    assert theirs.ran == [T, T + HOUR], "it went on by what it had left"


def test_what_fails_is_told_tried_again_and_keeps_nothing_else_back(records: Records) -> None:
    bad, good = Deed(), Deed()
    entries = _entries(bad=bad, good=good)
    bad.failure = ValueError("no luck")
    now = T
    for failures in range(1, 21):
        run_due(records, entries, now)
        (stands, _) = _standing(records, entries, now)
        assert stands == ScheduleState("bad", None, 0, failures, "ValueError: no luck")
        wait = min(5 * SECOND << (failures - 1), HOUR)
        assert run_due(records, entries, now + wait - 1) <= now + wait
        assert len(bad.ran) == failures
        now += wait
    assert good.ran[-1] > now - 2 * HOUR
    bad.failure = None
    assert run_due(records, entries, now) <= now + HOUR
    assert _standing(records, entries, now)[0] == ScheduleState("bad", now, 0, 0, None)


def test_records_that_are_away_leave_it_due(records: Records) -> None:
    deed = Deed()
    deed.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        run_due(records, _entries(hourly=deed), T)
    assert _standing(records, _entries(hourly=deed), T) == [
        ScheduleState("hourly", None, 0, 0, None)
    ]
    deed.failure = None
    run_due(records, _entries(hourly=deed), T)
    assert deed.ran == [T, T]


def test_a_clock_that_was_ahead_does_not_put_it_off(records: Records) -> None:
    deed = Deed()
    run_due(records, _entries(hourly=deed), T + 1000 * DAY)
    assert run_due(records, _entries(hourly=deed), T) == T + HOUR
    assert deed.ran == [T + 1000 * DAY, T]


def test_of_many_workers_one_runs_it(records: Records) -> None:
    deed = Deed()
    workers = 4
    together = threading.Barrier(workers)

    def look(_: int) -> None:
        for hour in range(10):
            together.wait(30)
            run_due(records, _entries(hourly=deed), T + hour * HOUR)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(look, range(workers)))
    assert deed.ran == [T + hour * HOUR for hour in range(10)]


def test_what_dies_half_way_has_not_run(records: Records) -> None:
    deed = Deed()

    class Killed(BaseException):
        """As when the process is gone: nobody is left to note a thing."""

    def dies(tx: Tx, now: Instant) -> None:
        raise Killed

    with pytest.raises(Killed):
        run_due(records, _entries(hourly=dies), T)
    run_due(records, _entries(hourly=deed), T + 1)
    assert deed.ran == [T + 1]
