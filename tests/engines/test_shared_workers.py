"""Of several workers no agency has all at once, so that what is long keeps nobody else waiting."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from handbill.kit.instants import Instant
from handbill.store.records import Records
from handbill.store.records.tables import agencies, clients
from handbill.work import queue
from handbill.work.queue import Task, enqueue

T: Instant = 1_700_000_000_000_000
KINDS = ["groups.rematch", "ledger.sweep", "ledger.compact"]


def _add(records: Records, agency: str, tasks: int, now: Instant = T) -> None:
    """An agency with so many clients to match."""
    with records.write() as tx:
        no = tx.put(agencies, id=agency, name=agency, currency="USD", created_at=T)
        for n in range(tasks):
            client_id = f"{agency}{n}"
            tx.put(
                clients,
                id=client_id,
                agency_no=no,
                status="A",
                zone="UTC",
                body="",
                pixel_id=client_id,
                created_at=T,
                updated_at=T,
            )
            enqueue(tx, "groups.rematch", client_id, now)


def _leased(records: Records, workers: int, now: Instant = T) -> Task | None:
    """What one of so many workers takes; it is told before whether there is anything."""
    with records.read() as tx:
        is_due = queue.is_due(tx, KINDS, now, workers)
    with records.write() as tx:
        task = queue.lease(tx, KINDS, "w", now, 60, workers)
    assert is_due == (task is not None)
    return task


def _keys(*tasks: Task | None) -> list[str | None]:
    return [None if task is None else task.key for task in tasks]


def test_one_worker_is_left_for_others(records: Records) -> None:
    _add(records, "a", tasks=3)
    _add(records, "b", tasks=1, now=T + 1)
    held = _leased(records, 2)
    assert held is not None
    assert _keys(held, _leased(records, 2)) == ["a0", None]
    assert _keys(_leased(records, 2, T + 1)) == ["b0"]
    with records.write() as tx:
        assert queue.finish(tx, held)
    assert _keys(_leased(records, 2), _leased(records, 2)) == ["a1", None]
    assert _keys(_leased(records, 3), _leased(records, 3)) == ["a2", None]


def test_an_agency_alone_has_all_workers(records: Records) -> None:
    _add(records, "a", tasks=2)
    assert _keys(_leased(records, 2), _leased(records, 2)) == ["a0", "a1"]


def test_one_worker_is_everybodys(records: Records) -> None:
    """Also while it holds what it had under another name before."""
    _add(records, "a", tasks=2)
    _add(records, "b", tasks=0)
    assert _keys(_leased(records, 1), _leased(records, 1)) == ["a0", "a1"]


def test_work_of_no_agency_leaves_one_worker_too(records: Records) -> None:
    _add(records, "a", tasks=1, now=T + 1)
    with records.write() as tx:
        enqueue(tx, "ledger.compact", "2026-11", T)
        enqueue(tx, "ledger.sweep", "", T)
    assert _keys(_leased(records, 2), _leased(records, 2)) == ["2026-11", None]
    assert _keys(_leased(records, 2, T + 1)) == ["a0"]


def test_workers_that_look_at_once_leave_one(records: Records) -> None:
    _add(records, "a", tasks=4)
    _add(records, "b", tasks=0)
    together = Barrier(4)

    def look(_: int) -> Task | None:
        together.wait()
        with records.write() as tx:
            return queue.lease(tx, KINDS, "w", T, 60, 2)

    with ThreadPoolExecutor(4) as pool:
        taken = [task for task in pool.map(look, range(4)) if task is not None]
    assert len(taken) == 1
