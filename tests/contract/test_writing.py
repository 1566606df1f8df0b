"""Changes share commits: each is told for itself, and only once it is durable."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handbill.http import writing
from handbill.http.turns import MOST_WAIT_SECONDS
from handbill.http.writing import Writer
from handbill.kit.faults import Refused
from handbill.store.records import Clash, Records, Tx
from handbill.store.records.sqlite import SqliteRecords
from handbill.store.records.tables import agencies

_NAMES = sa.select(agencies.c.id).order_by(agencies.c.created_at)


class Counted(SqliteRecords):
    """SQLite that counts its writing transactions."""

    commits = 0

    def write(self) -> AbstractContextManager[Tx]:
        self.commits += 1
        return super().write()


def _counted(records: Records) -> Counted:
    return Counted(Path(records.url.removeprefix("sqlite:///")))


def _put(name: str, at: int = 1) -> Callable[[Tx], str]:
    def work(tx: Tx) -> str:
        tx.put(agencies, id=name, name=name, currency="USD", created_at=at)
        return name

    return work


def _fail(tx: Tx) -> None:
    _put("never")(tx)
    raise KeyError("never")


def _lose(tx: Tx) -> None:
    tx.run_text("ROLLBACK", {})
    raise KeyError("lost")


def _names(records: Records) -> list[str]:
    with records.read() as tx:
        return [name for (name,) in tx.all(_NAMES)]


def _told(records: Records, works: list[Callable[[Tx], Any]]) -> list[Any]:
    """What becomes of works that come at once."""
    writer = Writer(records)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(
            *(writer.write("a", work) for work in works), return_exceptions=True
        )

    told = asyncio.run(all_at_once())
    writer.close()
    return told


def test_what_waits_shares_a_commit_in_the_order_it_came(sqlite_records: Records) -> None:
    records = _counted(sqlite_records)
    names = [f"n{number:03}" for number in range(200)]
    assert _told(records, [_put(name, at) for at, name in enumerate(names)]) == names
    assert _names(sqlite_records) == names
    assert 4 <= records.commits <= 6, "the first alone, then 64 at most"
    records.close()


def test_each_is_told_for_itself(sqlite_records: Records) -> None:
    told = _told(sqlite_records, [_put("a"), _fail, _put("a"), _put("b"), _fail])
    assert [type(one) for one in told] == [str, KeyError, Clash, str, KeyError]
    assert sorted(_names(sqlite_records)) == ["a", "b"]


def test_one_that_fails_alone_leaves_nothing(sqlite_records: Records) -> None:
    assert isinstance(_told(sqlite_records, [_fail])[0], KeyError)
    assert _names(sqlite_records) == []


def test_a_group_whose_transaction_is_lost_is_told_so(sqlite_records: Records) -> None:
    told = _told(sqlite_records, [_put("first"), _put("a"), _lose, _put("b")])
    assert isinstance(told[2], sqlite3.OperationalError)
    assert _names(sqlite_records) == [one for one in told if isinstance(one, str)]


def test_it_is_durable_when_it_is_told(sqlite_records: Records) -> None:
    writer, elsewhere = Writer(sqlite_records), _counted(sqlite_records)

    async def one_by_one() -> None:
        async def put(name: str) -> None:
            await writer.write("a", _put(name))
            assert name in _names(elsewhere)

        await asyncio.gather(*(put(f"n{number}") for number in range(50)))

    asyncio.run(one_by_one())
    writer.close()
    elsewhere.close()


def test_who_leaves_takes_nobody_along(sqlite_records: Records) -> None:
    writer = Writer(sqlite_records)

    async def leave() -> str:
        tasks = [asyncio.create_task(writer.write("a", _put(name))) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await tasks[0] == "a"
        return await tasks[2]

    assert asyncio.run(leave()) == "c"
    writer.close()
    assert sorted(_names(sqlite_records)) == ["a", "b", "c"], "it was on its way already"


def test_what_waits_too_long_is_refused_and_not_done(
    sqlite_records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are held by somebody else while the first change is at work."""
    seconds = [0.0, MOST_WAIT_SECONDS + 1]
    monkeypatch.setattr(writing, "ticking", lambda: seconds[0])
    writer, goes_on = Writer(sqlite_records), threading.Event()

    def slow(tx: Tx) -> str:
        assert goes_on.wait(10)
        return _put("slow")(tx)

    async def play() -> list[Any]:
        tasks = [asyncio.create_task(writer.write("a", work)) for work in (slow, _put("late"))]
        await asyncio.sleep(0)
        del seconds[0]
        tasks.append(asyncio.create_task(writer.write("a", _put("next"))))
        await asyncio.sleep(0)
        goes_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, late, after = asyncio.run(play())
    writer.close()
    assert isinstance(late, Refused)
    assert (late.status, late.retry_seconds) == (429, 1)
    assert (first, after) == ("slow", "next")
    assert sorted(_names(sqlite_records)) == ["next", "slow"]


def test_an_ended_loop_does_not_stop_the_writer(sqlite_records: Records) -> None:
    writer, goes_on = Writer(sqlite_records), threading.Event()

    def slow(tx: Tx) -> str:
        assert goes_on.wait(10)
        return _put("slow")(tx)

    async def leave() -> None:
        task = asyncio.create_task(writer.write("a", slow))
        await asyncio.sleep(0)
        task.cancel()

    async def come() -> str:
        task = asyncio.create_task(writer.write("b", _put("next")))
        await asyncio.sleep(0)
        goes_on.set()
        return await task

    asyncio.run(leave())
    assert asyncio.run(asyncio.wait_for(come(), 10)) == "next"
    writer.close()
    assert sorted(_names(sqlite_records)) == ["next", "slow"]


def test_loops_of_many_threads_share_it(sqlite_records: Records) -> None:
    writer = Writer(sqlite_records)

    def ask(thread: int) -> list[str]:
        async def all_at_once() -> list[str]:
            works = [_put(f"{thread}-{number}") for number in range(20)]
            return await asyncio.wait_for(
                asyncio.gather(*(writer.write("a", one) for one in works)), 20
            )

        return asyncio.run(all_at_once())

    with ThreadPoolExecutor(8) as threads:
        told = [name for names in threads.map(ask, range(8)) for name in names]
    writer.close()
    assert sorted(told) == sorted(_names(sqlite_records))
    assert len(told) == 160
