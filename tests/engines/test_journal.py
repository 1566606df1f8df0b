"""What is acknowledged can be read back, in order, whatever dies; damage is never skipped."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handbill.host.ids import SystemIds
from handbill.store import journal
from handbill.store.journal import JournalBroken, JournalFull, JournalHeld, JournalWriter
from handbill.store.journal_frames import FRAME_BYTES, MOST_RECORD, Acknowledged, witness_bytes
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import JournalLine, JournalReading, StreamMark

_WRITER = """
import asyncio, sys
from pathlib import Path
import uvloop
from handbill.host.ids import SystemIds
from handbill.store.journal import JournalWriter

async def main():
    writer = JournalWriter(Path(sys.argv[1]), "edge-0", SystemIds())
    count = 0
    while True:
        group = range(count, count + 50)
        futures = [writer.append(b"%d" % number) for number in group]
        await asyncio.gather(*futures)
        count += 50
        print(count, flush=True)

uvloop.run(main())
"""


def _write(folder: Path, records: list[bytes], source: str = "edge-0") -> None:
    writer = JournalWriter(folder, source, SystemIds())
    for record in records:
        writer.append_now(record)
    writer.close()


_HEAD = b"\0" * 8


def _unacknowledge(folder: Path, end: int, records: int, source: str = "edge-0") -> None:
    """Let the witness be of a moment before, as the crash of a machine may leave it."""
    (path,) = (folder / source).glob("*.acknowledged")
    inode = path.stat().st_ino
    with path.open("r+b") as file:
        file.write(witness_bytes(Acknowledged(1, end, records), inode))


def _records(entries: list[JournalLine]) -> list[bytes]:
    return [entry.record for entry in entries]


def _marks(entries: list[JournalLine]) -> dict[str, StreamMark]:
    return {entry.source: entry.mark_after for entry in entries}


def _last_segment(folder: Path, source: str = "edge-0") -> Path:
    return max((folder / source).glob("*.log"))


def test_records_come_back_in_order_and_after_marks(tmp_path: Path) -> None:
    records = [b"%d" % number for number in range(100)]
    _write(tmp_path, records)
    reader = JournalReader(tmp_path)
    first = reader.read({}, 30).lines
    assert _records(first) == records[:30]
    rest = reader.read(_marks(first), 1000).lines
    assert _records(rest) == records[30:]
    assert reader.read(_marks(rest), 1000).lines == []


def test_event_loop_gathers_records_in_groups(tmp_path: Path) -> None:
    syncs: list[int] = []

    async def write() -> None:
        writer = JournalWriter(tmp_path, "edge-0", SystemIds(), sync=syncs.append)
        futures = [writer.append(b"%d" % number) for number in range(5000)]
        assert len(set(map(id, futures))) == 1
        await asyncio.gather(*futures)
        futures[0].cancel()
        writer.close()

    asyncio.run(write())
    assert len(syncs) == 1
    assert len(JournalReader(tmp_path).read({}, 10_000).lines) == 5000


def test_cancelled_waiter_leaves_the_others_waiting_for_the_disk(tmp_path: Path) -> None:
    gate = threading.Event()

    async def write() -> bytes:
        writer = JournalWriter(
            tmp_path, "edge-0", SystemIds(), sync=lambda _: (gate.wait(), None)[1]
        )

        async def one(record: bytes) -> bytes:
            await writer.append(record)
            return record

        leaver, stayer = asyncio.create_task(one(b"leaver")), asyncio.create_task(one(b"stayer"))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.sleep(0)
        assert not stayer.done()
        gate.set()
        answer = await stayer
        with pytest.raises(asyncio.CancelledError):
            await leaver
        writer.close()
        return answer

    assert asyncio.run(write()) == b"stayer"


def test_many_threads_share_syncs(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "api-0", SystemIds())
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(writer.append_now, (b"%d" % number for number in range(500))))
    writer.close()
    entries = JournalReader(tmp_path).read({}, 1000).lines
    assert sorted(map(int, _records(entries))) == list(range(500))


@pytest.mark.parametrize("after", [1, 40])
def test_kill_loses_nothing_acknowledged(tmp_path: Path, after: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(after):
        child.stdout.readline()
    child.kill()
    acknowledged = int((child.stdout.readlines() or [str(after * 50)])[-1])
    child.stdout.close()
    child.wait()
    _write(tmp_path, [b"next life"])
    found = _records(JournalReader(tmp_path).read({}, 10**7).lines)
    assert found.pop() == b"next life"
    assert found == [b"%d" % number for number in range(len(found))]
    assert len(found) >= acknowledged >= after * 50


def test_torn_tail_is_waited_for_while_alive_and_skipped_once_dead(tmp_path: Path) -> None:
    _write(tmp_path, [b"whole", b"torn by a crash"])
    path = _last_segment(tmp_path)
    raw = path.read_bytes()[: -2 * FRAME_BYTES - len(_HEAD + b"torn by a crash")]
    torn = path.read_bytes()[len(raw) :][: 2 * FRAME_BYTES]
    _unacknowledge(tmp_path, len(raw), 1)
    path.write_bytes(raw + torn[:40])
    reader = JournalReader(tmp_path)
    entries = reader.read({}, 10).lines
    assert _records(entries) == [b"whole"]
    assert reader.read(_marks(entries), 10) == JournalReading([])
    _write(tmp_path, [b"after"])
    assert _records(reader.read(_marks(entries), 10).lines) == [b"after"]
    assert _records(reader.read({}, 10).lines) == [b"whole", b"after"]
    assert reader.read({}, 10).damages == ()


@pytest.mark.parametrize("tail", [b"\0" * 8192, b"\x07", b"\x10\0\0\0abcdefgh"])
def test_garbage_after_what_was_acknowledged_is_a_torn_tail(tmp_path: Path, tail: bytes) -> None:
    _write(tmp_path, [b"one", b"two"])
    with _last_segment(tmp_path).open("ab") as file:
        file.write(tail)
    _write(tmp_path, [b"three"])
    reading = JournalReader(tmp_path).read({}, 10)
    assert _records(reading.lines) == [b"one", b"two", b"three"]
    assert reading.damages == ()


def test_purge_deletes_what_is_wholly_behind_and_numbers_go_on(tmp_path: Path) -> None:
    for life in range(3):
        _write(tmp_path, [b"%d" % life])
    reader = JournalReader(tmp_path)
    marks = _marks(reader.read({}, 10).lines)
    (stream,) = marks
    assert marks[stream].segment == 3
    assert reader.purge(marks) == 2
    assert reader.purge(marks) == 0
    assert reader.read(marks, 10).lines == []
    _write(tmp_path, [b"3"])
    assert reader.read(marks, 10).lines == [
        JournalLine(stream, StreamMark(4, 2 * FRAME_BYTES + 9), b"3")
    ]


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("before", [[], [b"before"]])
def test_starts_without_a_record_leave_one_segment(
    tmp_path: Path, before: list[bytes], is_killed: bool
) -> None:
    _write(tmp_path, before)
    reader = JournalReader(tmp_path)
    marks = _marks(reader.read({}, 9).lines)
    for _ in range(5):
        _write(tmp_path, [])
        assert reader.read(marks, 9).lines == []
    empty = _last_segment(tmp_path)
    assert len([*(tmp_path / "edge-0").glob("*.log")]) == 1 + len(before)
    if is_killed:
        os.truncate(empty, FRAME_BYTES)
    _write(tmp_path, [b"after"])
    assert _last_segment(tmp_path) == empty
    reading = reader.read(marks, 9)
    assert (_records(reading.lines), reading.damages) == ([b"after"], ())
    assert _records(JournalReader(tmp_path).read({}, 9).lines) == [*before, b"after"]


@pytest.mark.parametrize("tail", [b"t", b"torn" * 6, _HEAD + b"torn" * 9])
def test_a_segment_with_a_torn_record_is_not_continued(tmp_path: Path, tail: bytes) -> None:
    _write(tmp_path, [])
    torn = _last_segment(tmp_path)
    with torn.open("r+b") as file:
        file.truncate(FRAME_BYTES)
        file.seek(0, os.SEEK_END)
        file.write(tail)
    _write(tmp_path, [b"after"])
    assert _last_segment(tmp_path) != torn
    reading = JournalReader(tmp_path).read({}, 9)
    assert (_records(reading.lines), reading.damages) == ([b"after"], ())


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    record = b"x" * MOST_RECORD
    _write(tmp_path, [record] * 17)
    assert len(list((tmp_path / "edge-0").glob("*.log"))) == 2
    reader = JournalReader(tmp_path)
    entries = reader.read({}, 100).lines
    assert [entry.mark_after.segment for entry in entries] == [1] * 16 + [2]
    assert all(entry.record == record for entry in entries)


def test_every_source_gets_its_share(tmp_path: Path) -> None:
    _write(tmp_path, [b"a"] * 100, "edge-0")
    _write(tmp_path, [b"b"] * 3, "edge-1")
    _write(tmp_path, [b"c"] * 100, "edge-2")
    reader = JournalReader(tmp_path)
    assert reader.sources() == ["edge-0", "edge-1", "edge-2"]
    found = _records(reader.read({}, 60).lines)
    assert [found.count(record) for record in (b"a", b"b", b"c")] == [20, 3, 37]
    assert JournalReader(tmp_path / "none").read({}, 5).lines == []


def test_second_writer_of_a_source_is_refused(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "edge-0", SystemIds())
    with pytest.raises(JournalHeld):
        JournalWriter(tmp_path, "edge-0", SystemIds())
    JournalWriter(tmp_path, "edge-1", SystemIds()).close()
    writer.close()
    writer.close()
    JournalWriter(tmp_path, "edge-0", SystemIds()).close()


def test_failed_sync_poisons_the_writer(tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    writer = JournalWriter(tmp_path, "edge-0", SystemIds(), sync=fail)
    for _ in range(2):
        with pytest.raises(JournalBroken):
            writer.append_now(b"never acknowledged")

    async def write() -> None:
        with pytest.raises(JournalBroken):
            await writer.append(b"neither")

    asyncio.run(write())
    writer.close()


def test_failed_sync_fails_all_who_wait(tmp_path: Path) -> None:
    gate = threading.Event()

    def fail(_: int) -> None:
        gate.wait()
        raise OSError(28, "No space left on device")

    async def write() -> None:
        writer = JournalWriter(tmp_path, "edge-0", SystemIds(), sync=fail)
        futures = [writer.append(b"first group")]
        await asyncio.sleep(0)
        futures.append(writer.append(b"first or second group"))
        gate.set()
        for future in futures:
            with pytest.raises(JournalBroken):
                await future
        writer.close()

    asyncio.run(write())


def test_bounds_of_records_and_of_what_waits(tmp_path: Path) -> None:
    gate = threading.Event()

    async def write() -> None:
        writer = JournalWriter(
            tmp_path, "edge-0", SystemIds(), sync=lambda _: (gate.wait(), None)[1]
        )
        for record in (b"", b"x" * (MOST_RECORD + 1)):
            with pytest.raises(ValueError, match="4 MiB"):
                writer.append(record)
        large = b"x" * MOST_RECORD
        for _ in range(journal.MOST_WAITING // MOST_RECORD):
            writer.append(large)
        with pytest.raises(JournalFull):
            writer.append(b"one more")
        gate.set()
        await asyncio.sleep(0)
        writer.close()

    asyncio.run(write())


def test_closed_writer_has_written_all_and_takes_no_more(tmp_path: Path) -> None:
    async def write() -> None:
        writer = JournalWriter(tmp_path, "edge-0", SystemIds())
        future = writer.append(b"waits at close")
        writer.close()
        await future
        with pytest.raises(JournalBroken):
            writer.append(b"late")

    asyncio.run(write())
    assert _records(JournalReader(tmp_path).read({}, 10).lines) == [b"waits at close"]
