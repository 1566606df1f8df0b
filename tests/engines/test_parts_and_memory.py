"""Parts of a transaction are undone alone; what a reader keeps is never older than the records."""

import sqlite3
import subprocess
import sys
from contextlib import suppress

import pytest
import sqlalchemy as sa

from handbill.store.records import Clash, Records, Tx
from handbill.store.records.tables import agencies
from handbill.work.queue import enqueue

_NAMES = sa.select(agencies.c.id).order_by(agencies.c.id)


def _put(tx: Tx, name: str) -> str:
    tx.put(agencies, id=name, name=name, currency="USD", created_at=1)
    return name


def _names(records: Records) -> list[str]:
    with records.read() as tx:
        return [name for (name,) in tx.all(_NAMES)]


# ── parts ───────────────────────────────────────────────────────────────────────────────────────
def test_what_fails_is_undone_and_the_rest_stands(records: Records) -> None:
    def broken(tx: Tx) -> None:
        _put(tx, "b")
        raise KeyError("b")

    with records.write() as tx:
        _put(tx, "0")
        assert tx.part(lambda tx: _put(tx, "a")) == "a"
        assert isinstance(tx.part(broken), KeyError)
        assert isinstance(tx.part(lambda tx: _put(tx, "a")), Clash)
        assert tx.part(lambda tx: _put(tx, "c")) == "c"
    assert _names(records) == ["0", "a", "c"]


def test_parts_are_kept_with_their_transaction_or_not_at_all(records: Records) -> None:
    def broken() -> None:
        with records.write() as tx:
            assert tx.part(lambda tx: _put(tx, "a")) == "a"
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert _names(records) == []


def test_a_part_that_loses_the_whole_transaction_raises(sqlite_records: Records) -> None:
    """As a full disk does: SQLite rolls back by itself, and what followed would commit alone."""

    def losing(tx: Tx) -> None:
        tx.run_text("ROLLBACK", {})
        raise KeyError("lost")

    def both() -> None:
        with sqlite_records.write() as tx:
            assert tx.part(lambda tx: _put(tx, "a")) == "a"
            tx.part(losing)

    with pytest.raises(sqlite3.OperationalError):
        both()
    assert _names(sqlite_records) == []


# ── memory ──────────────────────────────────────────────────────────────────────────────────────
def test_what_is_kept_is_what_would_be_read(records: Records) -> None:
    def kept() -> list[str] | None:
        with records.read() as tx:
            return tx.kept("names", lambda: [name for (name,) in tx.all(_NAMES)])

    for name in "abc":
        with records.write() as tx:
            _put(tx, name)
        assert kept() == kept() == _names(records)
    _put_in_vain(records, "d")
    assert kept() == ["a", "b", "c"]


def test_a_writer_keeps_nothing(records: Records) -> None:
    with records.write() as tx:
        assert tx.memory() is None
        assert tx.kept("name", lambda: _put(tx, "a")) == "a"
        assert tx.kept("name", lambda: _put(tx, "b")) == "b"


def test_nothing_that_is_not_there_is_kept(records: Records) -> None:
    found = iter([None, 1, 2])
    with records.read() as tx:
        assert [tx.kept("n", lambda: next(found)) for _ in range(2)] == [None, 1]


def test_memory_lasts_until_anybody_commits(sqlite_records: Records) -> None:
    with sqlite_records.read() as tx:
        first = tx.memory()
        assert first is not None
    with sqlite_records.read() as tx:
        assert tx.memory() is first
    with sqlite_records.write() as tx:
        _put(tx, "a")
    with sqlite_records.read() as tx:
        second = tx.memory()
        assert second is not first
    _put_elsewhere(sqlite_records, "b")
    with sqlite_records.read() as tx:
        assert tx.memory() is not second


def test_a_snapshot_never_fills_the_memory_of_the_next(sqlite_records: Records) -> None:
    """A commit in the middle of a reader's transaction: it goes on in its own state, alone."""
    with sqlite_records.read() as tx:
        assert tx.all(_NAMES) == []
        _put_elsewhere(sqlite_records, "a")
        assert tx.kept("names", lambda: tx.all(_NAMES)) == []
    with sqlite_records.read() as tx:
        assert tx.kept("names", lambda: tx.all(_NAMES)) == [("a",)]


def test_memory_is_bounded(sqlite_records: Records) -> None:
    for number in range(10_000):
        with sqlite_records.read() as tx:
            tx.kept(number, lambda: 1)
    with sqlite_records.read() as tx:
        memory = tx.memory()
        assert memory is not None
        assert len(memory) < 5_000


def _put_in_vain(records: Records, name: str) -> None:
    with suppress(LookupError), records.write() as tx:
        _put(tx, name)
        raise LookupError


def _put_elsewhere(records: Records, name: str) -> None:
    """Commit from another process."""
    path = records.url.removeprefix("sqlite:///")
    text = f"INSERT INTO agencies (id, name, currency, created_at) VALUES ('{name}', '', 'USD', 1)"
    code = f"import sqlite3; c = sqlite3.connect({path!r}); c.execute({text!r}); c.commit()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_task_that_waits_already_makes_nobody_forget(sqlite_records: Records) -> None:
    """Each change of a client asks for the same task again."""

    def kept(now: int, **payload: int) -> object:
        with sqlite_records.write() as tx:
            enqueue(tx, "feeds.import", "a", now, payload)
        with sqlite_records.read() as tx:
            return tx.memory()

    first = kept(1)
    assert kept(2) is first
    assert kept(2, n=1) is not first
