"""One host holds the records, by the records' own clock, until it ends or is silent too long."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from handbill.host.clock import SystemClock
from handbill.kit.instants import MINUTE, SECOND
from handbill.store.records import Records
from handbill.store.records.tables import hosts as table
from handbill.work import hosts
from handbill.work.hosts import SILENT, HeldByOther, Host, Succeeded


def _hold(records: Records, host_id: str, run: str = "run") -> list[Host]:
    with records.write() as tx:
        hosts.enter(tx, host_id, f"machine-{host_id}")
    with records.write() as tx:
        return hosts.hold(tx, host_id, f"machine-{host_id}", run)


def _renew(records: Records, host_id: str, run: str = "run") -> bool:
    with records.write() as tx:
        return hosts.renew(tx, host_id, run)


def _silence(records: Records, host_id: str, by: int) -> None:
    with records.write() as tx:
        tx.change(table, {"id": host_id}, seen_at=tx.now() - by)


def test_the_engine_tells_the_time(records: Records) -> None:
    machine = SystemClock().now()
    with records.read() as tx:
        first, second = tx.now(), tx.now()
    assert abs(first - machine) < MINUTE
    assert second >= first


def test_the_second_host_is_refused_and_told_which_is_in_the_way(records: Records) -> None:
    assert _hold(records, "a") == []
    with pytest.raises(HeldByOther) as refused:
        _hold(records, "b")
    in_the_way = refused.value.host
    assert (in_the_way.id, in_the_way.name, in_the_way.ended_at) == ("a", "machine-a", None)
    assert not _renew(records, "b")
    assert _renew(records, "a")
    with records.read() as tx:
        assert [host.id for host in hosts.every(tx)] == ["a", "b"]
        assert (found := hosts.holder(tx)) is not None
        assert found.id == "a"


def test_the_same_host_holds_again_at_once_and_its_former_run_has_no_say(records: Records) -> None:
    _hold(records, "a", "first")
    assert _hold(records, "a", "second") == []
    assert not _renew(records, "a", "first")
    with records.write() as tx:
        hosts.let_go(tx, "a", "first")
    assert _renew(records, "a", "second")


def test_a_host_that_ended_in_order_is_followed_at_once(records: Records) -> None:
    _hold(records, "a")
    with records.write() as tx:
        hosts.let_go(tx, "a", "run")
    assert _hold(records, "b") == []


def test_a_silent_host_is_followed_and_told_of_and_finds_it_out(records: Records) -> None:
    _hold(records, "a")
    _silence(records, "a", SILENT - 5 * SECOND)
    with pytest.raises(HeldByOther):
        _hold(records, "b")
    _silence(records, "a", SILENT)
    assert [host.id for host in _hold(records, "b")] == ["a"]
    assert not _renew(records, "a")
    with pytest.raises(HeldByOther):
        _hold(records, "a")


def test_an_operator_ends_a_host_and_a_copy_holds_nothing(records: Records) -> None:
    _hold(records, "a")
    with records.write() as tx:
        assert hosts.end(tx, "a")
        assert not hosts.end(tx, "unknown")
    assert not _renew(records, "a")
    _hold(records, "b")
    with records.write() as tx:
        hosts.end_all(tx)
    assert not _renew(records, "b")
    _hold(records, "a")


def test_whose_journal_was_taken_over_never_holds_again(records: Records) -> None:
    _hold(records, "a")
    with records.write() as tx, pytest.raises(HeldByOther):
        hosts.succeed(tx, "a", "b")
    _silence(records, "a", SILENT)
    with records.write() as tx:
        hosts.succeed(tx, "a", "b")
    with pytest.raises(Succeeded, match="b"):
        _hold(records, "a")


def test_of_two_that_ask_at_once_one_holds(records: Records) -> None:
    def ask(host_id: str) -> bool:
        try:
            _hold(records, host_id)
        except HeldByOther:
            return False
        return True

    names = [f"h{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, names)) == 1
