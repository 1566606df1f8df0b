"""Sums by day that are kept: always those that the segments say, each of which is read once."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.core.listing_tokens import Listing
from handbill.kit.instants import HOUR, MINUTE, Instant
from handbill.ledger.work import ask_to_compact, compact
from handbill.stats import answering as module
from handbill.stats import ranges, small_files
from handbill.stats.answering import Answering
from handbill.stats.questions import Filters, Plan, planned
from handbill.stats.ranges import Ranges
from handbill.stats.small_files import SmallFiles
from handbill.store import origins, segment_files
from handbill.store.records import Records
from handbill.store.segments import Segment
from handbill.work.queue import Task
from rooms.report_desk import Desk

DAYS = [("2026-10-01", "2026-12-31"), ("2026-11-01", "2026-11-23"), ("2026-11-24", "2026-11-24")]
COMPACTIONS = "SELECT key FROM tasks WHERE kind = 'ledger.compact'"


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each query has read."""
    counts: list[int] = []
    source = segment_files.source

    def noted(files: Sequence[str], client_nos: Collection[int] | None) -> str:
        counts.append(len(files))
        return source(files, client_nos)

    monkeypatch.setattr(segment_files, "source", noted)
    monkeypatch.setattr(module, "_RANGES", Ranges())
    monkeypatch.setattr(module, "_SMALL", SmallFiles())
    return counts


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No segment is small."""
    monkeypatch.setattr(small_files, "MOST_SMALL", 0)


def segment_at(at: Instant) -> Segment:
    path = f"{at}"
    return Segment(
        path=path,
        month="1970-01",
        rows=1,
        bytes=1,
        first_at=at,
        last_at=at,
        digest=path.encode(),
        totals={},
    )


def happens(market: Desk, listing: Listing, client_no: int) -> None:
    """Clicks and an apply, in a segment of their own."""
    clicks = [market.clicked(listing) for _ in range(3)]
    market.converted(clicks[0], 3, f"app-{clicks[0].at}")
    market.clicked(msgspec.structs.replace(listing, client_no=client_no))
    market.judge_all()


def plan_of(market: Desk, client_no: int, level: str) -> Plan:
    now, client = market.clock.now(), market.client_noun(client_no)
    with market.records.read() as tx:
        filters = Filters(*DAYS[0])
        plan = planned(tx, client, filters, [level, "DATE"], now)
    return msgspec.structs.replace(plan, layout="slices", end=min(plan.end, now))


def told(market: Desk, plan: Plan) -> Any:
    answering = Answering(market.records, market.blobs, market.ids, market.scratch)
    return answering.in_ranges(plan, DAYS)


def anew(market: Desk, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same, of a process that knows nothing, and may keep nothing: DuckDB adds all up."""
    with monkeypatch.context() as patch:
        patch.setattr(small_files, "MOST_SMALL", 0)
        patch.setattr(module, "_RANGES", Ranges())
        patch.setattr(ranges, "MOST_KEPT", -1)
        patch.setattr(module, "MOST_KEPT", -1)
        return told(market, plan)


@pytest.mark.parametrize(("most", "files"), [(0, [[1], [1], [1], [1]]), (5_000, [[1], [], [], []])])
def test_each_segment_is_read_once(
    market: Desk,
    read: list[int],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    files: list[list[int]],
) -> None:
    """A large one for each question, a small one for all questions of all clients."""
    monkeypatch.setattr(small_files, "MOST_SMALL", most)
    listing = market.listing()
    other = market.client("c2", zone="America/New_York")
    clicks = []
    for n in range(3):
        market.clock.forward(5 * HOUR)
        happens(market, listing, other)
        market.clock.forward(MINUTE)
        for level, once in zip(("CLIENT", "JOBGROUP", "JOB"), files, strict=False):
            plan = plan_of(market, listing.client_no, level)
            read.clear()
            found = told(market, plan)
            assert read == once, "only the new one"
            assert told(market, plan) == found
            assert read == once, "nothing is new"
            assert found == anew(market, plan, monkeypatch)
            clicks.append(sum(its[0] for its in found[DAYS[0]].values()))
        theirs = plan_of(market, other, "CLIENT")
        read.clear()
        assert told(market, theirs) is not None
        assert read == files[-1]
        assert told(market, theirs) == anew(market, theirs, monkeypatch)
        assert n == 0 or told(market, theirs)[DAYS[0]] != told(market, plan)[DAYS[0]]
    assert clicks == [3 * (n + 1) for n in range(3) for _ in range(3)]


def test_what_comes_after_its_end_is_read_again(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = market.listing()
    happens(market, listing, market.client("c2"))
    market.clock.forward(MINUTE)
    plan = plan_of(market, listing.client_no, "JOBGROUP")
    market.clicked(listing)
    market.clock.forward(MINUTE)
    cut = plan_of(market, listing.client_no, "JOBGROUP")
    market.clicked(listing)
    market.judge_all()
    market.clock.forward(MINUTE)
    for one, clicks in (
        (plan, 3),
        (cut, 4),
        (plan_of(market, listing.client_no, "JOBGROUP"), 5),
        (cut, 4),
        (plan, 3),
    ):
        found = told(market, one)
        assert sum(its[0] for its in found[DAYS[0]].values()) == clicks
        assert found == anew(market, one, monkeypatch)


def merge(market: Desk) -> None:
    with market.records.write() as tx:
        ask_to_compact(tx, market.clock.now())
        ((month,),) = tx.run_text(COMPACTIONS, {})[0]
    compact(market.tools, Task(1, "ledger.compact", month, {}, 1, "w"))


@pytest.mark.parametrize("asked", [range(8), [3, 7], [7], [3]])
def test_what_was_merged_here_is_not_read_again(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch, asked: Sequence[int]
) -> None:
    """If all parts of it were read before, at once or one by one."""
    listing = market.listing()
    other = market.client("c2")
    for round_ in range(2):
        for n in range(8):
            happens(market, listing, other)
            market.clock.forward(MINUTE)
            if n in asked:
                before = told(market, plan_of(market, listing.client_no, "JOB"))
        merge(market)
        plan = plan_of(market, listing.client_no, "JOB")
        read.clear()
        found = told(market, plan)
        is_known = 7 in asked
        assert (not any(read)) == is_known
        assert (found == before) == is_known
        assert found == anew(market, plan, monkeypatch), round_


def test_what_others_have_merged_is_read_in_place_of_its_parts(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "note", lambda *_: None)
    listing = market.listing()
    other = market.client("c2")
    for _ in range(8):
        happens(market, listing, other)
        market.clock.forward(MINUTE)
    plan = plan_of(market, listing.client_no, "JOBGROUP")
    before = told(market, plan)
    merge(market)
    read.clear()
    assert told(market, plan) == before == anew(market, plan, monkeypatch)
    assert read[0] == 1


@pytest.mark.usefixtures("large")
def test_a_shorter_question_forgets_nothing_of_a_longer_one(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules about yesterday and about a month take turns."""
    listing = market.listing()
    other = market.client("c2")
    begun = []
    for _ in range(4):
        happens(market, listing, other)
        market.clock.forward(HOUR)
        begun.append(market.clock.now())
        told(market, plan_of(market, listing.client_no, "JOB"))
    whole = plan_of(market, listing.client_no, "JOB")
    shorter = msgspec.structs.replace(whole, first=begun[0], end=begun[2])
    for plan in (shorter, whole, shorter, whole):
        read.clear()
        found = told(market, plan)
        assert not read
        assert found == anew(market, plan, monkeypatch)
    for _ in range(5):
        happens(market, listing, other)
        market.clock.forward(HOUR)
    monkeypatch.setattr(origins, "note", lambda *_: None)
    merge(market)  # by another process
    for plan in (shorter, plan_of(market, listing.client_no, "JOB"), shorter):
        assert told(market, plan) == anew(market, plan, monkeypatch)


@pytest.mark.parametrize(("rows", "is_kept"), [(2, True), (3, False)])
def test_what_lies_beside_a_question_is_kept_while_there_is_room(
    market: Desk, monkeypatch: pytest.MonkeyPatch, rows: int, *, is_kept: bool
) -> None:
    """Of a question at most so many rows are kept, of whatever days."""
    monkeypatch.setattr(ranges, "MOST_KEPT", 4)
    earlier, later = (segment_at(hour * HOUR) for hour in (1, 2))
    plan = plan_of(market, market.listing().client_no, "JOB")
    whole, shorter = (msgspec.structs.replace(plan, first=at, end=3 * HOUR) for at in (0, 2 * HOUR))
    kept, asked = Ranges(), list[Segment]()

    def read(_: Plan, some: list[Segment]) -> list[ranges.Row]:
        asked.extend(some)
        return [[f"job-{number}", 1, 1] for number in range(rows * len(some))]

    for one, listed in ((whole, earlier), (shorter, later)):
        assert len(kept.rows(one, [listed], read) or ()) == rows
    asked.clear()
    assert len(kept.rows(whole, [earlier], read) or ()) == rows
    assert asked == ([] if is_kept else [earlier])


@pytest.mark.usefixtures("large")
def test_of_many_questions_the_latest_are_kept(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "_MOST_HELD", 4)
    listing = market.listing()
    happens(market, listing, market.client("c2"))
    market.clock.forward(MINUTE)
    plans = [plan_of(market, listing.client_no, level) for level in ("CLIENT", "JOBGROUP", "JOB")]
    for plan in (*plans, plans[2], plans[0]):
        told(market, plan)
    assert read == [1, 1, 1, 1], "the third is known, the first is read again"


def test_of_many_small_segments_the_latest_are_kept(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_files, "_MOST_HELD", 4)
    listing = market.listing()
    other = market.client("c2")
    for _ in range(2):  # two rows each
        happens(market, listing, other)
        market.clock.forward(MINUTE)
    for level, files in (("CLIENT", [2]), ("JOBGROUP", [1])):
        plan = plan_of(market, listing.client_no, level)
        read.clear()
        found = told(market, plan)
        assert read == files
        assert found == anew(market, plan, monkeypatch)


@pytest.mark.usefixtures("large")
def test_parts_with_too_many_rows_in_all_are_read_again_as_one(
    market: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (ranges, module):
        monkeypatch.setattr(one, "MOST_KEPT", 1)
    listing = market.listing()
    other = market.client("c2")
    for files in ([1], [1, 2]):
        happens(market, listing, other)
        market.clock.forward(MINUTE)
        plan = plan_of(market, listing.client_no, "CLIENT")
        read.clear()
        found = told(market, plan)
        assert read == files
        assert told(market, plan) == found == anew(market, plan, monkeypatch)
        assert read[: len(files)] == files
        read.clear()
        assert told(market, plan) == found
        assert not read
