"""The journal writer of an event loop: one write and one sync a turn, for all of its records."""

import asyncio
import os
from pathlib import Path

import pytest

from handbill.host.ids import SystemIds
from handbill.store.journal import JournalBroken
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_turns import BUSY, TurnWriter


def _records(folder: Path) -> list[bytes]:
    return [entry.record for entry in JournalReader(folder).read({}, 1000).lines]


def test_the_records_of_a_turn_are_synced_together(tmp_path: Path) -> None:
    syncs: list[int] = []

    async def play() -> None:
        writer = TurnWriter(tmp_path, "edge-0", SystemIds(), sync=syncs.append)
        for turn in range(3):
            kept = [writer.append(b"%d %d" % (turn, place)) for place in range(10)]
            assert len(set(map(id, kept))) == 1
            assert not kept[0].done()
            await kept[0]
            assert len(syncs) == turn + 1
        writer.close()

    asyncio.run(play())
    assert _records(tmp_path) == [b"%d %d" % divmod(number, 10) for number in range(30)]


def test_groups_gather_while_they_are_large(tmp_path: Path) -> None:
    syncs: list[int] = []

    async def turns() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def play() -> None:
        writer = TurnWriter(tmp_path, "edge-0", SystemIds(), sync=syncs.append, gather_seconds=3600)
        small = writer.append(b"small")
        await turns()
        assert small.done()
        for place in range(BUSY + 1):
            large = writer.append(b"large %d" % place)
        await turns()
        assert large.done()
        first = writer.append(b"gathered")
        await turns()
        assert writer.append(b"gathered too") is first
        assert len(syncs) == 2
        writer.close()  # instead of an hour
        await first
        assert len(syncs) == 3

    asyncio.run(play())
    assert len(_records(tmp_path)) == BUSY + 4


def test_a_failed_sync_is_told_and_ends_it(tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    async def play() -> None:
        writer = TurnWriter(tmp_path, "edge-0", SystemIds(), sync=fail)
        with pytest.raises(JournalBroken, match="Input/output error"):
            await writer.append(b"lost")
        with pytest.raises(JournalBroken):
            writer.append(b"refused")
        with pytest.raises(JournalBroken):
            writer.append_now(b"refused")
        writer.close()

    asyncio.run(play())


def test_another_thread_may_append_between_turns(tmp_path: Path) -> None:
    async def play() -> None:
        writer = TurnWriter(tmp_path, "edge-0", SystemIds(), sync=os.fdatasync)
        first = writer.append(b"first")
        await asyncio.to_thread(writer.append_now, b"second")
        await first
        third = writer.append(b"third")
        writer.append_now(b"fourth")
        await third
        writer.close()

    asyncio.run(play())
    assert _records(tmp_path) == [b"first", b"second", b"third", b"fourth"]


def test_what_waits_at_the_end_is_kept(tmp_path: Path) -> None:
    async def play() -> None:
        writer = TurnWriter(tmp_path, "edge-0", SystemIds())
        kept = writer.append(b"last")
        writer.close()
        await kept
        writer.close()

    asyncio.run(play())
    assert _records(tmp_path) == [b"last"]
