"""One task per kind and key, held by one worker at a time, never lost, dead only in plain view."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handbill.kit.instants import HOUR, SECOND, Instant
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies, clients, publishers, tasks
from handbill.work import depths, queue
from handbill.work.depths import Dead
from handbill.work.queue import MOST_ATTEMPTS, Task, enqueue
from leases import pass_by

T: Instant = 1_700_000_000_000_000
KINDS = ["feeds.import", "stats.report"]


def _put(records: Records, key: str = "a", now: Instant = T, **kw: Any) -> None:
    with records.write() as tx:
        enqueue(tx, "feeds.import", key, now, **kw)


def _lease(records: Records, now: Instant = T, worker: str = "w") -> Task | None:
    with records.write() as tx:
        return queue.lease(tx, KINDS, worker, now, 60)


def _held(records: Records, now: Instant = T) -> Task:
    task = _lease(records, now)
    assert task is not None
    return task


def _fail(records: Records, task: Task, now: Instant = T, why: str = "why") -> bool:
    with records.write() as tx:
        return queue.fail(tx, task, now, why)


def _finish(records: Records, task: Task) -> bool:
    with records.write() as tx:
        return queue.finish(tx, task)


def _count(records: Records) -> int:
    with records.read() as tx:
        return len(tx.all(tasks.select()))


def test_a_task_is_run_once_and_gone(records: Records) -> None:
    _put(records, payload={"run": "r1", "of": [1, 2.5, None]})
    task = _held(records)
    assert (task.kind, task.key, task.attempts) == ("feeds.import", "a", 1)
    assert task.payload == {"run": "r1", "of": [1, 2.5, None]}
    assert _lease(records) is None
    assert _finish(records, task)
    assert _count(records) == 0
    assert not _finish(records, task)


def test_nothing_is_enqueued_when_the_transaction_fails(records: Records) -> None:
    def ask() -> None:
        with records.write() as tx:
            enqueue(tx, "feeds.import", "a", T)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask()
    assert _lease(records) is None


def test_is_due_tells_what_a_lease_would_find(records: Records) -> None:
    def due(now: Instant, kinds: list[str] = KINDS) -> bool:
        with records.read() as tx:
            return queue.is_due(tx, kinds, now)

    assert not due(T)
    _put(records, due_at=T + SECOND)
    assert not due(T)
    assert due(T + SECOND)
    assert not due(T + SECOND, ["stats.report"])
    _held(records, T + SECOND)
    assert not due(T + HOUR)
    pass_by(records, 60)
    assert due(T)


def test_longest_due_comes_first(records: Records) -> None:
    for key, wait in (("b", 2), ("a", 3), ("c", 1), ("later", 90)):
        _put(records, key, due_at=T + wait * SECOND)
    found = [_held(records, T + 10 * SECOND).key for _ in range(3)]
    assert found == ["c", "b", "a"]
    assert _lease(records, T + 10 * SECOND) is None


def test_waiting_task_keeps_the_earlier_due_time_and_the_new_payload(records: Records) -> None:
    _put(records, due_at=T + 5 * SECOND, payload={"n": 1})
    _put(records, due_at=T + 9 * SECOND, payload={"n": 2})
    assert _lease(records, T + 4 * SECOND) is None
    assert _held(records, T + 5 * SECOND).payload == {"n": 2}
    _put(records, "b", due_at=T + 9 * SECOND)
    _put(records, "b", due_at=T + 5 * SECOND)
    assert _held(records, T + 5 * SECOND).key == "b"


def test_asked_for_while_run_it_runs_again_at_its_own_time(records: Records) -> None:
    _put(records, payload={"n": 1})
    task = _held(records)
    _put(records, now=T + SECOND, due_at=T + 30 * SECOND, payload={"n": 2})
    _put(records, now=T + SECOND, due_at=T + 20 * SECOND, payload={"n": 3})
    _put(records, now=T + SECOND, due_at=T + 25 * SECOND, payload={"n": 4})
    assert _lease(records, T + 20 * SECOND) is None
    assert _finish(records, task)
    assert _lease(records, T + 19 * SECOND) is None
    again = _held(records, T + 20 * SECOND)
    assert (again.payload, again.attempts) == ({"n": 4}, 1)
    assert _finish(records, again)
    assert _count(records) == 0


def test_abandoned_task_is_taken_over_and_the_former_holder_has_no_say(records: Records) -> None:
    _put(records)
    former = _held(records)
    with records.write() as tx:
        assert queue.renew(tx, former, 90)
    pass_by(records, 60)
    assert _lease(records) is None
    pass_by(records, 30)
    taken = _lease(records, worker="other")
    assert taken is not None
    assert taken.attempts == 2
    with records.write() as tx:
        assert not queue.renew(tx, former, 60)
        assert not queue.finish(tx, former)
        assert not queue.fail(tx, former, T, "late")
        assert not queue.put_back(tx, former, T)
    assert _finish(records, taken)


def test_hosts_whose_clocks_differ_leave_each_other_their_tasks(records: Records) -> None:
    for key in ("a", "b"):
        _put(records, key)
    _held(records, T + HOUR)
    _held(records, T)
    for clock in (T - HOUR, T, T + HOUR, T + 1000 * HOUR):
        assert _lease(records, clock, "of another host") is None
        with records.read() as tx:
            assert not queue.is_due(tx, KINDS, clock)
    pass_by(records, 60)
    taken = {task.key for clock in (T - HOUR, T) if (task := _lease(records, clock)) is not None}
    assert taken == {"a", "b"}, "however far behind the heir's own clock is"


def test_who_follows_a_worker_lets_its_tasks_go_and_no_others(records: Records) -> None:
    for worker in ("worker-1", "worker-10"):
        _put(records, worker)
        assert _lease(records, worker=worker) is not None
    for _ in range(2):
        with records.write() as tx:
            assert queue.let_go(tx, "worker-1") == 1
    task = _held(records)
    assert (task.key, task.attempts) == ("worker-1", 2), "what it died on counts"
    assert _lease(records) is None


def test_asked_for_before_a_take_over_it_runs_once_with_the_new_payload(records: Records) -> None:
    _put(records, payload={"n": 1})
    _held(records)
    _put(records, payload={"n": 2}, due_at=T + HOUR)
    pass_by(records, 60)
    taken = _held(records)
    assert taken.payload == {"n": 2}
    assert _finish(records, taken)
    assert _count(records) == 0


def test_failing_task_waits_longer_each_time_and_then_is_dead(records: Records) -> None:
    _put(records)
    now, waits = T, []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        task = _held(records, now)
        assert task.attempts == attempt
        assert _fail(records, task, now, f"failure {attempt}")
        with records.read() as tx:
            due_at = tx.value(tasks.select().with_only_columns(tasks.c.due_at))
        waits.append((due_at - now) // SECOND)
        assert _lease(records, due_at - 1) is None
        now = due_at
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640]
    assert _lease(records, now + 1000 * HOUR) is None
    with records.read() as tx:
        (dead,) = depths.dead_tasks(tx)
        assert depths.dead_tasks(tx, most=0) == []
    assert dead == Dead("feeds.import", "a", "failure 8", now - 640 * SECOND)


def test_dead_task_lives_again_when_enqueued(records: Records) -> None:
    _put(records)
    for attempt in range(MOST_ATTEMPTS):
        _fail(records, _held(records, T + attempt * HOUR), T + attempt * HOUR)
    later = T + 100 * HOUR
    assert _lease(records, later) is None
    _put(records, now=later)
    task = _held(records, later)
    assert task.attempts == 1
    with records.read() as tx:
        assert depths.dead_tasks(tx) == []


def test_dead_task_gets_another_try_every_hour(records: Records) -> None:
    def revive(now: Instant) -> None:
        with records.write() as tx:
            queue.revive(tx, now)

    _put(records)
    for attempt in range(MOST_ATTEMPTS):
        _fail(records, _held(records, T + attempt * HOUR), T + attempt * HOUR)
    dead_at = T + (MOST_ATTEMPTS - 1) * HOUR
    revive(dead_at + HOUR - 1)
    assert _lease(records, dead_at + HOUR) is None
    for _ in range(3):
        dead_at += HOUR
        revive(dead_at)
        task = _held(records, dead_at)
        assert task.attempts == MOST_ATTEMPTS
        _fail(records, task, dead_at)
        assert _lease(records, dead_at + HOUR) is None
    revive(dead_at + HOUR)
    assert _finish(records, _held(records, dead_at + HOUR))
    assert _count(records) == 0


def test_task_that_kills_its_workers_is_dead_and_the_next_is_taken(records: Records) -> None:
    _put(records, "deadly")
    for _ in range(MOST_ATTEMPTS):
        assert _held(records).key == "deadly"
        pass_by(records, 60)
    _put(records, "next")
    assert _held(records).key == "next"
    assert _lease(records) is None
    with records.read() as tx:
        assert [dead.key for dead in depths.dead_tasks(tx)] == ["deadly"]


def test_failing_task_asked_for_meanwhile_starts_anew(records: Records) -> None:
    _put(records)
    for attempt in range(MOST_ATTEMPTS - 1):
        _fail(records, _held(records, T + attempt * HOUR), T + attempt * HOUR)
    now = T + 10 * HOUR
    task = _held(records, now)
    _put(records, now=now)
    assert _fail(records, task, now)
    assert _lease(records, now + 639 * SECOND) is None
    assert _held(records, now + 640 * SECOND).attempts == 1


def test_put_back_counts_no_attempt(records: Records) -> None:
    _put(records)
    for _ in range(2 * MOST_ATTEMPTS):
        task = _held(records)
        assert task.attempts == 1
        with records.write() as tx:
            assert queue.put_back(tx, task, T)


def test_many_workers_lease_each_task_once(records: Records) -> None:
    with records.write() as tx:
        for number in range(60):
            enqueue(tx, KINDS[number % 2], str(number), T)

    def work(worker: int) -> list[str]:
        taken = []
        while (task := _lease(records, worker=f"w{worker}")) is not None:
            taken.append(task.key)
            if int(task.key) % 3:
                _finish(records, task)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [key for keys in pool.map(work, range(4)) for key in keys]
    assert sorted(map(int, taken)) == list(range(60))
    assert _count(records) == 20


def test_after_the_last_asking_there_is_another_run(records: Records) -> None:
    """However askings, runs and finishes fall together."""
    asked: list[int] = []
    seen: list[int] = []

    def ask(number: int) -> None:
        with records.write() as tx:
            enqueue(tx, "feeds.import", "a", T, payload={"n": number})
            asked.append(number)  # in the order of the row's lock

    def run() -> bool:
        task = _lease(records)
        if task is None:
            return False
        seen.append(task.payload["n"])
        return _finish(records, task)

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(ask, number) for number in range(40)]
        while not all(future.done() for future in futures):
            run()
        for future in futures:
            future.result()
    while run():
        pass
    assert seen[-1] == asked[-1]
    assert len(seen) == len(set(seen))
    assert _count(records) == 0


def test_a_lease_taken_over_within_one_tick_of_the_clock_is_another(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tx, "now", lambda _: T)
    _put(records)
    late = _held(records)
    pass_by(records, 60)
    taken_over = _held(records)
    assert not _finish(records, late)
    assert _finish(records, taken_over)


def test_one_task_may_be_taken_by_name_though_it_is_not_due(records: Records) -> None:
    def named(key: str) -> Task | None:
        with records.write() as tx:
            return queue.lease_named(tx, "feeds.import", key, "me", 60)

    _put(records, "a", due_at=T + HOUR)
    _put(records, "b")
    assert named("c") is None
    task = named("a")
    assert task is not None
    assert (task.key, task.attempts) == ("a", 1)
    assert named("a") is None
    assert _held(records).key == "b"
    assert named("b") is None
    pass_by(records, 60)
    taken_over = named("a")
    assert taken_over is not None
    assert not _finish(records, task)
    assert _finish(records, taken_over)
    for attempt in range(2, MOST_ATTEMPTS + 1):
        task = named("b")
        assert task is not None
        assert task.attempts == attempt
        _fail(records, task, T + 2 * HOUR)
    assert named("b") is None


def test_agencies_have_turns(records: Records) -> None:
    """One agency's two hundred tasks do not hold another's one, nor what is of no agency."""
    with records.write() as tx:
        for agency, count in (("a", 200), ("b", 1)):
            no = tx.put(agencies, id=agency, name=agency, currency="USD", created_at=T)
            publisher_no = tx.put(
                publishers, id=agency, agency_no=no, status="A", body="", created_at=T, updated_at=T
            )
            for n in range(count):
                tx.put(
                    clients,
                    id=f"{agency}{n}",
                    agency_no=no,
                    status="A",
                    zone="UTC",
                    body="",
                    pixel_id=f"{agency}{n}",
                    created_at=T,
                    updated_at=T,
                )
                enqueue(tx, "groups.rematch", f"{agency}{n}", T)
        enqueue(tx, "listings.assemble", str(publisher_no), T + 1)
        enqueue(tx, "ledger.sweep", "", T + 2)
    taken = []
    for n in range(5):
        with records.write() as tx:
            task = queue.lease(
                tx, ["groups.rematch", "listings.assemble", "ledger.sweep"], f"w{n}", T + 3, 60
            )
        assert task is not None
        taken.append(task.key)
    assert taken[:3] == ["a0", "b0", ""]
    assert {"a1", str(publisher_no)} == set(taken[3:])
