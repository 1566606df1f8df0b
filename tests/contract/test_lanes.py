"""Who asks much waits for itself: on the event loop, for slow work, and for the writer."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from handbill.api import operations
from handbill.http.aside import Deputy, PipedAnswer, Work
from handbill.http.lanes import lane_of
from handbill.http.turns import Bounds, Lane
from handbill.http.writing import Writer
from handbill.kit.faults import Refused, Unavailable, bad_request
from handbill.store.records import Records, Tx

_IMPORTED_BY = os.getpid()


def test_what_takes_or_gives_many_is_not_quick() -> None:
    """Of arrays only those that are received stay: they must not wait for look-ups."""
    received = {"send_s2s_events", "update_candidate_status"}
    for operation in operations():
        if operation.many and not operation.writes and operation.name not in received:
            assert operation.lane == "bulk", operation.name
        if operation.lane != "quick":
            assert operation.role in {"agency", "partner", "person"}, (
                "their owner is known, and waits its turn"
            )


def test_a_long_list_is_bulk() -> None:
    (listed,) = [one for one in operations() if one.name == "list_clients"]
    queries = (b"page=1&limit=100", b"limit=101&page=1", b"limit=1000", b"xlimit=500", b"limit=0x9")
    assert [lane_of(listed, query) for query in queries] == [
        "quick",
        "bulk",
        "bulk",
        "quick",
        "quick",
    ]


def test_turns_of_the_loop_go_round() -> None:
    lane, told = Lane("things", Bounds(1, 1, 100, 100)), list[str]()

    async def one(owner: str) -> None:
        await lane.slice(owner)
        told.append(owner)

    async def flood() -> None:
        await asyncio.gather(*(one("a") for _ in range(50)), one("b"))

    asyncio.run(flood())
    assert told.index("b") <= 2
    assert len(told) == 51


def test_who_waits_too_long_or_leaves_holds_no_place() -> None:
    lane = Lane("things", Bounds(1, 1, 2, 2), seconds=0.01)

    async def play() -> None:
        leave = await lane.enter("a")
        with pytest.raises(Refused) as refused:
            await lane.enter("a")
        assert (refused.value.status, refused.value.retry_seconds) == (429, 1)
        waiting = [asyncio.create_task(lane.enter("b")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refused):
            await lane.enter("b")
        waiting[0].cancel()
        await asyncio.sleep(0)
        leave()
        (await waiting[1])()
        (await lane.enter("a"))()

    asyncio.run(play())


def test_a_place_that_comes_free_as_somebody_leaves_goes_to_the_next() -> None:
    """Who has left knows it only in the loop's next turn; a place must not be lost until then."""
    lane = Lane("things", Bounds(1, 1, 2, 2))

    async def play() -> None:
        leave = await lane.enter("a")
        leaving, waiting = (asyncio.create_task(lane.enter(owner)) for owner in ("b", "c"))
        await asyncio.sleep(0)
        leaving.cancel()
        leave()
        (await waiting)()
        (await lane.enter("a"))()

    asyncio.run(play())


def test_a_change_waits_for_no_more_than_one_of_each_other(sqlite_records: Records) -> None:
    writer, told = Writer(sqlite_records), list[str]()

    def note(owner: str) -> Callable[[Tx], None]:
        return lambda _: told.append(owner)

    async def flood() -> None:
        await asyncio.gather(
            *(writer.write("a", note("a")) for _ in range(200)), writer.write("b", note("b"))
        )

    asyncio.run(flood())
    writer.close()
    assert told.count("a") == 200
    assert told.index("b") < 100, "the thread may have begun before b came"


class Body(Iterator[bytes]):
    def __init__(self) -> None:
        self.left = [b"one", b"two"]

    def __next__(self) -> bytes:
        if not self.left:
            raise StopIteration
        return self.left.pop(0)

    def close(self) -> None:
        """Nothing is held."""


def _opened(given: str) -> Work:
    def work(asked: Any) -> tuple[PipedAnswer, Iterator[bytes] | None]:
        if asked == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if asked == "refuse":
            raise bad_request([])
        if asked == "fail":
            raise KeyError(asked)
        chunks = Body() if asked == "chunks" else None
        raw = f"{given} {asked}".encode()
        return PipedAnswer(200, {"x": "y"}, raw, "text/plain", chunks is not None), chunks

    return work


def test_a_deputy_answers_refuses_and_is_started_again() -> None:
    deputy = Deputy(_opened, "told", 2, 30)

    async def play() -> None:
        told, chunks = await deputy.ask("this")
        assert (told.status, told.raw, chunks) == (200, b"told this", None)
        with pytest.raises(Refused) as refused:
            await deputy.ask("refuse")
        assert (refused.value.status, refused.value.message) == (400, "Bad request")
        with pytest.raises(RuntimeError, match="KeyError"):
            await deputy.ask("fail")
        with pytest.raises(Unavailable):
            await deputy.ask("die")
        _, chunks = await deputy.ask("chunks")
        assert chunks is not None
        assert await asyncio.to_thread(list, chunks) == [b"one", b"two"]
        await asyncio.to_thread(chunks.close)  # type: ignore[attr-defined]
        assert deputy.load == 0

    asyncio.run(play())
    deputy.close()


def _whether_imported_here(_: None) -> Work:
    answer = str(os.getpid() == _IMPORTED_BY).encode()
    return lambda _: (PipedAnswer(200, {}, answer, "text/plain", has_chunks=False), None)


def test_deputies_are_forked_from_a_process_that_has_imported_what_they_work_with() -> None:
    deputy = Deputy(_whether_imported_here, None, 1, 30)
    told, _ = asyncio.run(deputy.ask(""))
    deputy.close()
    assert told.raw == b"False"
    with pytest.raises(AttributeError):
        Deputy(partial(_whether_imported_here), None, 1, 30)
