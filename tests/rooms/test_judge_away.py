"""A judge that was away loses nothing: what waits is measured by what is judged, in step."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from handbill.core.received import Received, conversion_of, decode
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND
from handbill.ledger.arriving import in_step
from handbill.ledger.checking import check
from handbill.store import marks
from handbill.store.journal_streams import JournalLine, JournalReading, StreamMark
from handbill.store.records import Records
from market import HUMAN, START, Market, dispositions


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def test_applies_find_their_clicks_after_25_hours(market: Market) -> None:
    """Also those that are far ahead of their clicks in the journal, and through small batches."""
    listing = market.listing()
    for n in range(2_000):
        at = START + n * SECOND
        click, event = market.click(listing, at=at, agent=f"{HUMAN} {n}")
        market.journal.add([event], "edge-0")
        if n % 5 == 0:
            market.converted(click, 3, f"app-{n}", at=at + MINUTE)
    market.clock.forward(25 * HOUR)
    judge = market.judge()
    judge._most_events = judge._most_lines = 100  # sources are read many times
    while judge.step():
        judge._most_events = judge._most_lines = 100
    told = dispositions(market.ledger())
    assert told.count("valid") == 2_000
    assert told.count("counted") == 400
    assert len(told) == 2_400
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_a_conversion_lives_while_a_source_is_behind(market: Market) -> None:
    """Its click may be in what waits: 24 hours are of the doors' stamps, not of the wall clock."""
    listing = market.listing()
    lost, _ = market.click(listing, at=START)
    market.converted(lost, 3, "lost", at=START + MINUTE)
    late, event = market.click(listing, at=START + MINUTE, agent=f"{HUMAN} late")
    market.converted(late, 3, "late", at=START + 2 * MINUTE)
    for n in range(2_000):
        market.clicked(listing, at=START + n * SECOND, agent=f"{HUMAN} {n}")
    market.journal.add([event], "edge-0")  # a door's clock was behind
    market.clock.forward(30 * HOUR)
    judge = market.judge()
    judge._most_lines = judge._most_events = 500
    assert judge.step()
    with market.records.read() as tx:
        assert START < marks.judged_at(tx, 1) < START + HOUR
    assert set(dispositions(market.ledger())) == {"valid"}
    while judge.step():
        continue
    told = dispositions(market.ledger())
    assert (told.count("dead"), told.count("counted")) == (1, 1)
    with market.records.read() as tx:
        assert marks.judged_at(tx, 1) == START + 30 * HOUR


def test_a_judge_with_nothing_to_do_says_how_far_it_is_once_a_minute(market: Market) -> None:
    """For others ask it (the funnel): a judge that is away stops their clocks too."""
    judge = market.judge()
    seen = []
    for _ in range(6):
        judge.step()
        with market.records.read() as tx:
            seen.append(marks.judged_at(tx, 1) - START)
        market.clock.forward(30 * SECOND)
    assert seen == [0, 0, MINUTE, MINUTE, 2 * MINUTE, 2 * MINUTE]


def test_a_clock_that_was_ahead_kills_nothing_once_it_is_put_right(market: Market) -> None:
    market.clock.forward(400 * DAY)
    judge = market.judge()
    judge.step()
    market.clock.forward(-400 * DAY)
    click, event = market.click(market.listing())
    market.converted(click, 3, "app")
    judge.step()
    market.journal.add([event])
    judge.step()
    assert dispositions(market.ledger()) == ["valid", "counted"]


@pytest.mark.parametrize("seed", range(20))
def test_sources_are_taken_in_step(market: Market, seed: int) -> None:
    """However the sources are read: no line is taken before an earlier one of another source, but
    for those of a source that told of a later instant before.
    """
    chance = Random(seed)
    listing = market.listing()
    whole: dict[str, list[bytes]] = {}
    for source in ("api-0", "edge-0", "edge-1"):
        at = START
        for _ in range(chance.randrange(1, 60)):
            at += chance.randrange(-2, 60) * SECOND
            click, event = market.click(listing, at=at)
            told: list[Received] = (
                [event] if source != "api-0" else [conversion_of(click, at, 1, 3, "s2s")]
            )
            market.journal.add(told, source)
        whole[source] = market.journal.sources[source]
    places: dict[str, StreamMark] = {}
    order: list[tuple[int, str]] = []
    for _ in range(1_000):
        step = in_step(market.journal.read(places, chance.randrange(3, 40)), 10_000)
        if not step.taken:
            break
        for line, events, at in step.taken:
            assert events == decode(line.record)
            places[line.source] = line.mark_after
            order.append((at, line.source))
    assert {source: mark.offset for source, mark in places.items()} == {
        source: len(lines) for source, lines in whole.items()
    }
    # Only a source whose own clock went back is behind, and by no more than that.
    assert all(b[0] >= a[0] - 2 * SECOND for a, b in pairwise(order))


def test_a_full_batch_says_how_far_it_is(market: Market) -> None:
    listing = market.listing()
    lines = []
    for n in range(10):
        click, _ = market.click(listing, at=START + n)
        market.converted(click, 3, at=START + n)
        lines.append(JournalLine("api-0", StreamMark(1, n + 1), market.journal.sources["api-0"][n]))
    step = in_step(JournalReading(lines), 4)
    assert (len(step.taken), step.until, step.is_full) == (4, START + 4, True)
    step = in_step(JournalReading(lines, frozenset({"api-0"})), 100)
    assert (len(step.taken), step.until, step.is_full) == (10, START + 9, False)
    assert in_step(JournalReading(lines), 100).until is None
    assert in_step(JournalReading([]), 100) == ([], None, False)
