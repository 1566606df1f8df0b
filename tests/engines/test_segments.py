"""Segments of judged entries: written, listed, merged, swept."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread, get_ident
from typing import Any

import msgspec
import pytest

from handbill.core.entries import Entry
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR, Instant, instant_of_iso
from handbill.ledger.work import ask_to_compact, compact, sweep
from handbill.store import compaction, segment_files, segments
from handbill.store.blobs import Blobs, open_blobs
from handbill.store.records import Records
from handbill.store.segments import ClientExtent, Segment
from handbill.work.queue import Task
from handbill.work.tools import Tools

NOW: Instant = instant_of_iso("2026-11-10T12:00:00Z")


def entry(n: int, client_no: int = 1, at: Instant = NOW) -> Entry:
    return Entry(
        id=n.to_bytes(16, "big"),
        at=at + n,
        kind="CLICK",
        disposition="valid",
        reason="",
        client_no=client_no,
        campaign_no=2,
        group_no=3,
        publisher_no=4,
        job_id="ab" * 16,
        bid_type="CPC",
        charge_micros=800_000,
        spend_micros=1_000_000,
        currency="USD",
        marked_micros=1_100_000,
        agency_ppm=100_000,
        override_ppm=0,
        click_at=at + n,
        click_id=b"c" * 16,
        visitor=b"v" * 16,
        ip="192.0.2.0",
        agent="agent",
        source="edge",
        candidate_id="",
        application_id="ümlaut '\"\n",
    )


class Shelf:
    """Records, blobs and the tools of background work over them."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.records = records
        self.blobs: Blobs = open_blobs(str(folder / "blobs"))
        self.ids = SeededIds(1)
        self.clock = SetClock(NOW)
        self.scratch = folder / "scratch"
        nothing: Any = None
        self.tools = Tools(
            records,
            self.blobs,
            nothing,
            self.clock,
            self.ids,
            nothing,
            Settings(),
            self.scratch,
        )

    def add(self, entries: list[Entry]) -> Segment:
        month = segments.month_of(entries[0].at)
        path = segments.path_of(month, self.clock.now(), self.ids)
        written = segments.write(self.blobs, path, entries)
        with self.records.write() as tx:
            segments.register(tx, [written], self.clock.now())
        return written.segment

    def listed(self, client_no: int = 1) -> list[Segment]:
        with self.records.read() as tx:
            return segments.segments_of_any(tx, [client_no])

    def rows(self, client_no: int = 1) -> list[Entry]:
        listed = self.listed(client_no)
        with (
            segment_files.all_sound(self.blobs, listed, self.scratch) as files,
            segment_files.query(self.scratch, memory_mb=64, threads=1) as duck,
        ):
            segment_files.show(duck, files, client_no)
            found = duck.execute('SELECT * FROM entries ORDER BY "at"').fetchall()
        return [Entry(**dict(zip(Entry.__struct_fields__, row, strict=True))) for row in found]

    def merge(self, month: str = "2026-11") -> None:
        compact(self.tools, Task(1, "ledger.compact", month, {}, 1, "w"))

    def merged(self) -> tuple[list[Segment], segments.WrittenSegment]:
        """The segments of the month that are to be merged, and their file, which is not listed."""
        with self.records.read() as tx:
            chosen = compaction.chosen(compaction.segments_in(tx, "2026-11"))
            former = segments.with_parts(tx, chosen)
        path = segments.path_of("2026-11", NOW, self.ids)
        return chosen, segment_files.merge(self.blobs, self.scratch, former, path)

    def sweep(self) -> None:
        sweep(self.tools, Task(1, "ledger.sweep", "", {}, 1, "w"))


@pytest.fixture
def shelf(records: Records, tmp_path: Path) -> Shelf:
    return Shelf(records, tmp_path)


def test_entries_come_back_as_they_were(shelf: Shelf) -> None:
    entries = [entry(n) for n in range(50)]
    written = shelf.add(entries)
    assert shelf.rows() == entries
    (listed,) = shelf.listed()
    assert msgspec.structs.replace(listed, no=0) == written
    assert (listed.rows, listed.first_at, listed.last_at) == (50, NOW, NOW + 49)
    assert listed.bytes == shelf.blobs.size(listed.path)
    assert shelf.listed(2) == []


def test_only_segments_that_may_hold_the_range_are_looked_at(shelf: Shelf) -> None:
    for day in range(3):
        shelf.add([entry(n, at=NOW + day * DAY) for n in range(2)])
    with shelf.records.read() as tx:
        assert len(segments.segments_within(tx, 1, NOW, NOW + 1)) == 1
        assert len(segments.segments_within(tx, 1, NOW + 1, NOW + DAY + 1)) == 2
        assert segments.segments_within(tx, 1, NOW + 2, NOW + DAY) == []
        assert len(segments.segments_within(tx, 1, 0, NOW + 9 * DAY)) == 3


def test_many_small_segments_become_one(shelf: Shelf) -> None:
    for n in range(20):
        shelf.add([entry(n)])
    shelf.add([entry(20, at=NOW + 30 * DAY)])
    shelf.add([entry(21, client_no=2)])
    before, others = shelf.rows(), shelf.rows(2)
    with shelf.records.write() as tx:
        assert compaction.months_to_compact(tx) == ["2026-11"]
        ask_to_compact(tx, NOW)
        assert tx.run_text("SELECT kind, key FROM tasks", {})[0] == [("ledger.compact", "2026-11")]
    shelf.merge()
    assert shelf.rows() == before
    listed = shelf.listed()
    assert sorted(segment.rows for segment in listed) == [1, 21]
    assert {segment.month for segment in listed} == {"2026-11", "2026-12"}
    for segment in listed:
        assert segment.bytes == shelf.blobs.size(segment.path)
    assert shelf.listed(2) == [one for one in listed if one.rows == 21]
    assert shelf.rows(2) == others == [entry(21, client_no=2)]


def test_a_file_is_looked_at_by_those_whose_entries_it_holds(shelf: Shelf) -> None:
    day = DAY
    shelf.add([entry(1, 2), entry(0, 1), entry(2, 2, NOW + day), entry(3, 1)])
    shelf.add([entry(4, 3)])
    assert [one.at for one in shelf.rows(2)] == [NOW + 1, NOW + day + 2]
    assert [one.client_no for one in shelf.rows(1)] == [1, 1]
    assert [one.rows for one in shelf.listed(1)] == [one.rows for one in shelf.listed(2)] == [4]
    assert [one.rows for one in shelf.listed(3)] == [1]
    with shelf.records.read() as tx:
        assert segments.segments_within(tx, 1, NOW + 4, NOW + 9 * day) == []
        assert len(segments.segments_within(tx, 2, NOW + 4, NOW + 9 * day)) == 1
        assert len(segments.segments_of_any(tx, [1, 3])) == len(segments.every_segment(tx)) == 2
        assert segments.rows_of_clients(tx) == {1: 2, 2: 2, 3: 1}
        ((_, parts), _) = segments.with_parts(tx, segments.every_segment(tx))
        assert parts == [
            ClientExtent(1, 2, NOW, NOW + 3),
            ClientExtent(2, 2, NOW + 1, NOW + day + 2),
        ]


def test_replaced_files_are_kept_for_readers_and_then_deleted(shelf: Shelf) -> None:
    for n in range(8):
        shelf.add([entry(n)])
    shelf.merge()
    assert len(shelf.blobs.paths("segments")) == 9
    shelf.clock.forward(HOUR)
    shelf.sweep()
    assert len(shelf.blobs.paths("segments")) == 9
    shelf.clock.forward(1)
    shelf.sweep()
    assert shelf.blobs.paths("segments") == [segment.path for segment in shelf.listed()]
    assert len(shelf.rows()) == 8


def test_two_mergers_replace_once(shelf: Shelf) -> None:
    for n in range(8):
        shelf.add([entry(n)])
    chosen, made = shelf.merged()
    shelf.merge()
    with pytest.raises(segments.Replaced), shelf.records.write() as tx:
        compaction.replace(tx, chosen, made, NOW)
    assert len(shelf.rows()) == 8


def test_a_merger_that_slept_for_a_day_lists_nothing(shelf: Shelf) -> None:
    """Its file may have been deleted as one that a crash left behind."""
    for n in range(8):
        shelf.add([entry(n)])
    chosen, made = shelf.merged()
    late = NOW + segments.ORPHAN_AGE
    with pytest.raises(segments.Replaced), shelf.records.write() as tx:
        compaction.replace(tx, chosen, made, late)
    shelf.clock.forward(late - NOW)
    shelf.merge()
    assert len(shelf.rows()) == 8


class Slow(SetClock):
    """Its next look takes so long that another does the same meanwhile."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(NOW)
        self._meanwhile = [meanwhile]

    def now(self) -> Instant:
        if self._meanwhile:
            self._meanwhile.pop()()
        return super().now()


def test_who_merges_too_late_leaves_no_file(shelf: Shelf) -> None:
    for n in range(8):
        shelf.add([entry(n)])
    before = shelf.rows()
    late = replace(shelf.tools, clock=Slow(shelf.merge))
    compact(late, Task(1, "ledger.compact", "2026-11", {}, 1, "w"))
    assert len(shelf.blobs.paths("segments")) == 8 + 1, "the other's alone"
    assert [one.rows for one in shelf.listed()] == [8]
    assert shelf.rows() == before


def test_files_that_nobody_lists_are_swept_after_a_day(shelf: Shelf) -> None:
    shelf.add([entry(1)])
    path = segments.path_of("2026-11", NOW, shelf.ids)
    segments.write(shelf.blobs, path, [entry(2)])
    shelf.clock.forward(DAY)
    shelf.sweep()
    assert shelf.blobs.exists(path)
    shelf.clock.forward(1)
    shelf.sweep()
    assert not shelf.blobs.exists(path)
    assert len(shelf.rows()) == 1


def test_sizes_decide_what_is_merged() -> None:
    def of(rows: int, month: str = "2026-11") -> Segment:
        return Segment(
            path=f"p{rows}",
            month=month,
            rows=rows,
            bytes=1,
            first_at=NOW,
            last_at=NOW,
            digest=b"",
            totals={},
        )

    assert compaction.chosen([of(1)] * 7) == []
    assert len(compaction.chosen([of(1)] * 8 + [of(1_000)] * 7)) == 8
    assert compaction.chosen([of(1)] * 4 + [of(1, "2026-12")] * 4) == []
    assert compaction.chosen([of(compaction.MOST_ROWS)] * 20) == []
    large = [of(compaction.MOST_ROWS // 3)] * 20
    assert sum(segment.rows for segment in compaction.chosen(large)) <= compaction.MOST_ROWS


def test_segments_can_be_read_without_local_files(shelf: Shelf) -> None:
    """As from S3, where they are fetched first."""
    shelf.add([entry(1)])
    shelf.blobs.local = lambda path: None  # type: ignore[method-assign]
    assert len(shelf.rows()) == 1


def test_a_query_finds_nothing_of_the_one_before(shelf: Shelf) -> None:
    import duckdb

    for settle in ("", "SELEC"):
        with (
            suppress(duckdb.ParserException),
            segment_files.query(shelf.scratch, memory_mb=64, threads=1) as duck,
        ):
            assert duck.execute("SHOW ALL TABLES").fetchall() == []
            duck.execute("CREATE TEMP TABLE answer AS SELECT 1 AS one")
            duck.execute("CREATE TEMP VIEW entries AS SELECT 2 AS two")
            with pytest.raises(duckdb.Error, match="locked"):
                duck.execute("SET threads = 2")
            duck.execute(settle)
    with (
        segment_files.query(shelf.scratch, memory_mb=64, threads=1) as duck,
        segment_files.query(shelf.scratch, memory_mb=64, threads=1) as other,
    ):
        duck.execute("CREATE TABLE shared AS SELECT 1 AS one")
        assert other.execute("SHOW ALL TABLES").fetchall() == []
        duck.execute("DROP TABLE shared")
    assert list(shelf.scratch.iterdir()) == []


def test_two_queries_at_once_take_idle_ones_each_by_itself(shelf: Shelf) -> None:
    """Another one begins while this one looks for one that is idle."""
    others: list[Thread] = []
    failures: list[BaseException] = []
    here = get_ident()

    def other() -> None:
        try:
            with segment_files.query(shelf.scratch, memory_mb=65, threads=1) as duck:
                duck.execute("SELECT 1")
        except BaseException as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    class Meddled(type(shelf.scratch)):  # type: ignore[misc]
        __hash__ = type(shelf.scratch).__hash__

        def __eq__(self, than: object) -> bool:
            if get_ident() == here and len(others) < 4:
                one = Thread(target=other)
                one.start()
                others.append(one)
                one.join(0.1)
            return bool(super().__eq__(than))

    meddled = Meddled(shelf.scratch)
    for scratch, memory_mb in ((meddled, 64), (meddled, 65), (Meddled(meddled), 64)):
        with segment_files.query(scratch, memory_mb=memory_mb, threads=1) as duck:
            duck.execute("SELECT 1")
    for one in others:
        one.join()
    assert others, "nobody came between"
    assert failures == []


def test_duckdb_loads_nothing_from_outside(shelf: Shelf) -> None:
    import duckdb

    with (
        segment_files.query(shelf.scratch, memory_mb=64, threads=1) as duck,
        pytest.raises(duckdb.Error),
    ):
        duck.execute("SELECT * FROM read_parquet('https://127.0.0.1:1/x.parquet')")
    assert list(shelf.scratch.iterdir()) == []
