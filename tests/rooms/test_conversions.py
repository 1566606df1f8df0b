"""Conversions in the judge: once each, by their click and within its window, or waiting for it."""

from collections import Counter
from pathlib import Path

import pytest

from handbill.core.nouns import Cap, Caps, ClientBody, Override
from handbill.core.received import ReceivedConversion
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, instant_of_iso, iso_of
from handbill.ledger.checking import check
from handbill.store.records import Records
from handbill.store.records.tables import (
    clients,
)
from market import BOT_AGENT, START, Market, dispositions


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def balanced(market: Market) -> dict[str, int]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return dict(books.sums)


# ── conversions ─────────────────────────────────────────────────────────────────────────────────


def test_conversions_count_once_each(market: Market) -> None:
    click = market.clicked(market.listing())
    for action, application in (
        (1, ""),
        (1, ""),
        (2, ""),
        (2, "x"),
        (3, ""),
        (3, ""),
        (3, "a"),
        (3, "a"),
        (3, "b"),
    ):
        market.converted(click, action, application, at=START + MINUTE)
    market.judge_all()
    told = Counter((line["kind"], line["disposition"]) for line in market.ledger())
    assert told == {
        ("CLICK", "valid"): 1,
        ("VIEW", "counted"): 1,
        ("VIEW", "duplicate"): 1,
        ("APPLY_START", "counted"): 1,
        ("APPLY_START", "duplicate"): 1,
        # "a" names what was told without an id; "b" is another application.
        ("APPLY", "counted"): 2,
        ("APPLY", "duplicate"): 3,
    }
    balanced(market)


def test_an_application_counts_under_its_first_click_only(market: Market) -> None:
    listing = market.listing()
    first, second = market.clicked(listing), market.clicked(listing)
    market.judge_all()
    market.converted(first, 3, "app", at=START + MINUTE)
    market.converted(second, 3, "app", at=START + MINUTE + 1)
    market.judge_all()
    market.converted(second, 3, "app", at=START + MINUTE + 2)
    told = [(line["disposition"], line["reason"]) for line in market.judged()[2:]]
    assert told == [
        ("counted", None),
        ("duplicate", "duplicate_application"),
        ("duplicate", "duplicate_application"),
    ]


def test_an_application_of_another_client_is_its_own(market: Market) -> None:
    one = market.listing(client_no=market.client("c1"))
    other = market.listing(client_no=market.client("c2"), publisher_no=one.publisher_no)
    for listing in (one, other):
        market.converted(market.clicked(listing), 3, "app", at=START + MINUTE)
    assert sorted(dispositions(market.judged())) == ["counted", "counted", "valid", "valid"]


def test_cpa_is_charged_at_the_apply_and_not_for_bots(market: Market) -> None:
    listing = market.listing("CPA")
    human, bot = market.clicked(listing), market.clicked(listing, agent=BOT_AGENT)
    for click in (human, bot):
        market.converted(click, 2, at=START + MINUTE)
        market.converted(click, 3, at=START + 2 * MINUTE)
        market.converted(click, 3, at=START + 3 * MINUTE)
    ledger = market.judged()
    applies = [
        (line["disposition"], line["reason"], line["chargeMicros"], line["spendMicros"])
        for line in ledger
        if line["kind"] == "APPLY"
    ]
    assert sorted(applies, key=str) == [
        ("counted", "bot_click", 0, 0),
        ("counted", None, 800_000, 1_000_000),
        ("duplicate", None, 0, 0),
        ("duplicate", None, 0, 0),
    ]
    assert sum(line["spendMicros"] for line in ledger) == 1_000_000
    balanced(market)


def test_cpa_without_room_is_counted_and_free(market: Market) -> None:
    listing = market.listing("CPA", caps=Caps(budget=Cap("Monthly", 1_500_000)))
    for n in range(2):
        market.converted(market.clicked(listing), 3, at=START + MINUTE + n)
    applies = [line for line in market.judged() if line["kind"] == "APPLY"]
    assert dispositions(applies) == ["counted", "over_cap"]
    assert [line["chargeMicros"] for line in applies] == [800_000, 0]
    balanced(market)


def test_the_window_ends_with_its_last_second_in_the_clients_zone(market: Market) -> None:
    client_no = market.client(zone="Europe/Berlin")
    market.change(
        clients, client_no, ClientBody(company_name="c1", exported_name="c1", apply_window_days=2)
    )
    listing = market.listing(client_no=client_no)
    market.clock.forward(-5 * DAY)  # while October is still open
    # Over the night in which the clocks go back, two days have 49 hours.
    clicked_at = instant_of_iso("2026-10-24T12:00:00.500Z")
    click = market.clicked(listing, at=clicked_at)
    market.converted(click, 3, "in", at=clicked_at + 49 * HOUR + 400_000)
    market.converted(click, 3, "out", at=clicked_at + 49 * HOUR + SECOND)
    assert dispositions(market.judged()) == ["valid", "counted", "late"]
    balanced(market)


@pytest.mark.parametrize(
    ("campaign", "group", "counted"),
    [(1, None, False), (1, 3, True), (3, 1, False), (3, None, True)],
)
def test_the_nearest_window_holds(
    market: Market, campaign: int, group: int | None, counted: bool
) -> None:
    client_no = market.client()
    campaign_no = market.campaign(client_no, override=Override(apply_window_days=campaign))
    group_no = market.group(client_no, campaign_no, override=Override(apply_window_days=group))
    listing = market.listing(client_no=client_no, campaign_no=campaign_no, group_no=group_no)
    market.converted(market.clicked(listing), 3, at=START + 2 * DAY)
    assert dispositions(market.judged())[-1] == ("counted" if counted else "late")


def test_clocks_may_differ_by_five_minutes(market: Market) -> None:
    listing = market.listing()
    near, far = market.clicked(listing), market.clicked(listing)
    market.converted(near, 3, at=START - 5 * MINUTE)
    market.converted(far, 3, at=START - 5 * MINUTE - 1)
    applies = [line for line in market.judged() if line["kind"] == "APPLY"]
    assert [(line["disposition"], line["reason"], line["at"]) for line in applies] == [
        ("invalid", "precedes_click", iso_of(START - 5 * MINUTE - 1)),
        ("counted", None, iso_of(START)),
    ]
    balanced(market)


def test_a_conversion_waits_for_its_click(market: Market) -> None:
    click, event = market.click(market.listing())
    market.converted(click, 3, "app", at=START + MINUTE)
    assert market.judged() == []
    assert balanced(market)["parked"] == 1
    market.journal.add([event])
    assert dispositions(market.judged()) == ["valid", "counted"]
    assert balanced(market)["parked"] == 0
    assert market.ledger()[1]["at"] == iso_of(START + MINUTE)


def test_a_conversion_whose_click_never_comes_dies_after_a_day(market: Market) -> None:
    click, _ = market.click(market.listing())
    market.converted(click, 3, at=START)
    market.judge_all()
    market.clock.forward(DAY - 1)
    assert market.judged() == []
    market.clock.forward(1)
    (line,) = market.judged()
    assert (line["disposition"], line["reason"]) == ("dead", "click_not_found")
    assert balanced(market)["dead"] == 1


def test_nothing_is_learnt_of_another_clients_click(market: Market) -> None:
    listing = market.listing()
    other = market.client("c2")
    click = market.clicked(listing)
    market.converted(click, 3, client_no=other, at=START + SECOND)
    market.judge_all()
    market.clock.forward(DAY + SECOND)
    told = [line for line in market.judged() if line["clientId"] == "c2"]
    assert [(line["disposition"], line["reason"]) for line in told] == [("dead", "click_not_found")]
    assert told[0]["campaignId"] is told[0]["publisherId"] is told[0]["jobId"] is None
    balanced(market)


def test_an_organic_conversion_counts_apart(market: Market) -> None:
    client_no = market.client()
    bare = ReceivedConversion(
        at=START, client_no=client_no, action=3, source="pixel", application_id="app"
    )
    market.journal.add([bare, bare])
    assert sorted(dispositions(market.judged())) == ["duplicate", "organic"]
    balanced(market)


def test_a_late_apply_needs_no_click_on_record(market: Market) -> None:
    click, _ = market.click(market.listing())
    market.converted(click, 3, at=START + 31 * DAY)
    assert dispositions(market.judged()) == ["late"]


@pytest.mark.parametrize("knows_click", [True, False])
def test_a_late_apply_told_again_is_a_repeat(market: Market, *, knows_click: bool) -> None:
    """In one batch and an hour later, with its id and without; another application is late too."""
    click, event = market.click(market.listing())
    if knows_click:
        market.journal.add([event])
    for after, application in enumerate(("", "A", "A", "B", "")):
        market.converted(click, 3, application, at=START + 31 * DAY + after * HOUR)
        if after % 2:
            market.judge_all()
    applies = [line for line in market.judged() if line["kind"] == "APPLY"]
    assert dispositions(applies) == ["late", "duplicate", "duplicate", "late", "duplicate"]
    assert {line["spendMicros"] for line in applies} == {0}
    balanced(market)


def test_a_late_apply_does_not_stand_for_one_in_time(market: Market) -> None:
    listing = market.listing()
    market.converted(market.clicked(listing), 3, "A", at=START + 31 * DAY)
    newer = market.clicked(listing, at=START + 31 * DAY)
    market.converted(newer, 3, "A", at=START + 31 * DAY + HOUR)
    market.judge_all()
    market.converted(market.clicked(listing), 3, "A", at=START + 31 * DAY + 2 * HOUR)
    applies = [line for line in market.judged() if line["kind"] == "APPLY"]
    assert dispositions(applies) == ["late", "counted", "duplicate"]
    balanced(market)
