"""Figures by day: the same as those of reports, out of sums that the judge keeps."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from handbill.contract.stats.models import StatsQuestion
from handbill.core.metrics import NAMES, RATIOS, RAW, finished_as
from handbill.core.nouns import Cap, Caps
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR
from handbill.ledger import daily_sums, retiring
from handbill.ledger.checking import check
from handbill.stats import from_days, service
from handbill.stats.overviews import MOST_SERIES, overview, summed, timeseries
from handbill.stats.questions import plan
from handbill.store.records import Records
from market import START, noun_of
from rooms.report_desk import Desk, traffic

LEVELS = {"campaign": "CAMPAIGN", "jobgroup": "JOBGROUP", "publisher": "PUBLISHER"}
COLUMNS = {
    "CLIENT": "clientId",
    "CAMPAIGN": "campaignId",
    "JOBGROUP": "jobGroupId",
    "PUBLISHER": "publisherId",
}
ONLY = ("campaignIds", "jobGroupIds", "publisherIds")
SUMMED = [name for name in NAMES if name not in {one.name for one in RATIOS}]
COLUMN = {"campaign": "campaignId", "jobgroup": "jobGroupId", "publisher": "publisherId"}


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def told(sums: Any) -> dict[str, str]:
    return {name: str(finished_as(name)(sums)) for name in NAMES}


def reported(line: dict[str, str]) -> dict[str, str]:
    return {name: line[name] for name in NAMES}


def same(left: dict[str, str], right: dict[str, str]) -> None:
    assert {k: float(v) for k, v in left.items()} == {k: float(v) for k, v in right.items()}


def test_by_whatever_they_are_told_apart_they_are_the_reports_figures(market: Desk) -> None:
    client_no = traffic(market)
    client, now = market.client_noun(client_no), market.clock.now()
    lines = {line["date"]: line for line in market.lines(client_no, "DATE")}
    with market.records.read() as tx:
        whole = timeseries(tx, client, 40, "none", "clicks", now)
    (one,) = whole.series
    assert (one.id, whole.others) == (client.id, None)
    shown = dict(zip(_days(whole.first, whole.last), one.days, strict=True))
    assert lines.keys() == {day for day, sums in shown.items() if any(sums)}
    for day, line in lines.items():
        same(told(shown[day]), reported(line))
    for by, level in LEVELS.items():
        with market.records.read() as tx:
            found = timeseries(tx, client, 40, by, "clicks", now)  # type: ignore[arg-type]
        by_id = {
            line[COLUMN[by]].removeprefix("'"): line for line in market.lines(client_no, level)
        }
        assert {one.id for one in found.series} == by_id.keys()
        for one in found.series:
            same(told(one.total), reported(by_id[one.id]))
        of_day = {
            (line[COLUMN[by]].removeprefix("'"), line["date"]): line
            for line in market.lines(client_no, level, "DATE")
        }
        for one in found.series:
            for day, sums in zip(_days(found.first, found.last), one.days, strict=True):
                if any(sums):
                    same(told(sums), reported(of_day[one.id, day]))


def from_sums(market: Desk, client_no: int, *levels: str, **filters: Any) -> bool:
    """Whether the sums answer a question about the days of traffic."""
    names = ("primaryLevel", "secondaryLevel", "tertiaryLevel")
    body = {
        "filters": {"startDate": "2026-10-01", "endDate": "2026-11-30"} | filters,
        "aggregationLevel": dict(zip(names, levels, strict=False)),
    }
    client, question = market.client_noun(client_no), noun_of(StatsQuestion, body)
    with market.records.read() as tx:
        asked = plan(tx, client, question, market.clock.now())
        return from_days.answered(tx, asked, client.zone) is not None


@pytest.mark.parametrize(
    "levels", [("CLIENT",), ("CAMPAIGN",), ("JOBGROUP", "PUBLISHER"), ("PUBLISHER", "CAMPAIGN")]
)
def test_reports_from_sums_are_those_from_entries(market: Desk, levels: tuple[str, ...]) -> None:
    client_no = traffic(market)
    days = [line["date"] for line in market.lines(client_no, "DATE")]
    places = market.lines(client_no, "CAMPAIGN", "JOBGROUP", "PUBLISHER")[-1]
    only = {name: [places[name[:-1]].removeprefix("'")] for name in ONLY}
    assert all(id_ for [id_] in only.values()), "it is of a campaign, a group and a publisher"
    wishes: list[dict[str, Any]] = [{}, only, *({name: ids} for name, ids in only.items())]
    wishes.append({"startDate": days[1], "endDate": days[-2]})
    assert days[1] <= days[-2], "some days are left out"
    for filters in wishes:
        assert from_sums(market, client_no, *levels, **filters)
        entries: dict[tuple[str, ...], Counter[str]] = {}
        for line in market.lines(client_no, *levels, "DATE", filters=filters):
            key = tuple(line[COLUMNS[level]] for level in levels)
            some = {name: Decimal(line[name]) for name in SUMMED}
            entries.setdefault(key, Counter()).update(some)
        found = market.lines(client_no, *levels, filters=filters)
        kept = {
            tuple(line[COLUMNS[level]] for level in levels): Counter(
                {name: Decimal(line[name]) for name in SUMMED}
            )
            for line in found
        }
        assert kept == entries
        assert len(found) == len(kept) > 0


def test_what_sums_do_not_tell_is_read_from_entries(
    market: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_no = traffic(market)
    for levels in (("DATE",), ("JOB",), ("CLIENT", "DATE")):
        assert not from_sums(market, client_no, *levels)
    assert not from_sums(market, client_no, "CLIENT", refNumbers=["ref-0"])
    assert not from_sums(market, client_no, "CLIENT", timeZone="Europe/Berlin")
    assert from_sums(market, client_no, "PUBLISHER", "JOBGROUP")
    told = market.lines(client_no, "PUBLISHER", "JOBGROUP")
    monkeypatch.setattr(from_days, "_MOST_ROWS", len(told))
    assert from_sums(market, client_no, "PUBLISHER", "JOBGROUP")
    monkeypatch.setattr(from_days, "_MOST_ROWS", len(told) - 1)
    assert not from_sums(market, client_no, "PUBLISHER", "JOBGROUP")
    assert market.lines(client_no, "PUBLISHER", "JOBGROUP") == told


def test_once_entries_have_left_all_reports_tell_of_the_days_that_are_kept(market: Desk) -> None:
    """Of the first day a click is kept and one is not: neither is told, and that is told."""
    listing = market.listing()
    for wait in (0, 6 * HOUR, DAY, 2 * DAY):
        market.clock.forward(wait)
        market.clicked(listing)
        market.judge_all()
    keeping_three_days = replace(market.tools, settings=Settings(retention_days=3))
    assert retiring.retire(keeping_three_days, market.clock.now()) == 1
    [whole], days = market.lines(1, "CLIENT"), market.lines(1, "CLIENT", "DATE")
    assert [(line["date"], line["clicks"]) for line in days] == [
        ("2026-11-11", "1"),
        ("2026-11-13", "1"),
    ]
    assert whole["clicks"] == "2"
    assert from_sums(market, 1, "CLIENT")
    for zone, first in (("UTC-11:00", "2026-11-11"), ("UTC+14:00", "2026-11-12")):
        filters = {"startDate": "2026-11-10", "timeZone": zone}
        report = market.report(1, market.ask(1, "CLIENT", filters=filters))
        assert service.message_of(report).startswith(f"The days before {first} are left out")
    late = market.report(1, market.ask(1, "CLIENT", filters={"startDate": "2026-11-11"}))
    assert service.message_of(late) == ""


def _days(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def test_an_overview_adds_up_clients_and_compares_with_the_days_before(market: Desk) -> None:
    client_no = traffic(market)
    other_no = market.client("c2", caps=Caps(budget=Cap("Monthly", 5_000_000)))
    market.clicked(market.listing(client_no=other_no, publisher_no=1), at=START)
    market.judge_all()
    client, now = market.client_noun(client_no), market.clock.now()
    agency_no = client.agency_no
    with market.records.read() as tx:
        found = overview(tx, agency_no, [10, 2], daily_sums.EVERY, 0, 50, now)
        second = overview(tx, agency_no, [10], daily_sums.EVERY, 1, 1, now)
        spent = overview(tx, agency_no, [10], frozenset({"spent"}), 0, 50, now)
        whole = timeseries(tx, client, 20, "none", "clicks", now)
    first, other = found.lines
    (one,) = whole.series
    assert list(first.days) == list(one.days[10:])
    assert list(first.before) == list(summed(one.days[:10]))
    (of_ten, of_two), (alike,) = found.spans, second.spans
    assert list(of_ten.total) == list(summed([*first.days, *other.days]))
    assert list(of_ten.before) == list(summed([first.before, other.before]))
    assert list(of_two.total) == list(summed([*first.days[-2:], *other.days[-2:]]))
    assert list(of_two.before) == list(summed([*first.days[-4:-2], *other.days[-4:-2]]))
    assert other.budget is not None
    used = other.budget[1]
    assert used == summed(other.days)[[raw.name for raw in RAW].index("markedUpSpent")] > 0
    assert (second.lines[0].client.no, second.clients) == (other_no, 2)
    assert (list(alike.total), list(alike.before)) == (list(of_ten.total), list(of_ten.before))
    (of_spent,), place = spent.spans, [raw.name for raw in RAW].index("spent")
    assert of_spent.total[place] == of_ten.total[place] > 0
    assert sum(of_spent.total) == of_spent.total[place], "all others are left out"
    assert spent.lines[0].days[-1][place] == first.days[-1][place]


def test_the_largest_are_told_and_the_rest_together(market: Desk) -> None:
    client_no = market.client()
    whose: dict[str, Any] = {"client_no": client_no, "campaign_no": market.campaign(client_no)}
    whose["group_no"] = market.group(client_no, whose["campaign_no"], "g1")
    for n in range(MOST_SERIES + 3):
        listing = market.listing(**whose, publisher_no=market.publisher(f"P{n}"))
        for k in range(1 + n % 5):
            market.clicked(listing, ip=f"198.51.{n}.{k}")
    market.judge_all()
    client, now = market.client_noun(client_no), market.clock.now()
    with market.records.read() as tx:
        found = timeseries(tx, client, 3, "publisher", "clicks", now)
        whole = timeseries(tx, client, 3, "none", "clicks", now)
    clicks = [finished_as("clicks")(one.total) for one in found.series]
    assert clicks == sorted(clicks, reverse=True)
    assert len(clicks) == MOST_SERIES
    assert found.others is not None
    assert (found.others.many, next(iter(found.others.total))) == (3, 3)
    together = [*(one.total for one in found.series), found.others.total]
    assert list(summed(together)) == list(whole.series[0].total)


@pytest.mark.parametrize("table", ["client_days", "place_days"])
def test_the_check_finds_what_was_altered(market: Desk, table: str) -> None:
    traffic(market)
    assert check(market.records, market.blobs, market.scratch).faults == []
    with market.records.write() as tx:
        tx.run_text(f"UPDATE {table} SET bot_clicks = bot_clicks + 1 WHERE views > 0", {})
    assert check(market.records, market.blobs, market.scratch).faults


def test_days_are_forgotten_when_they_are_old(market: Desk) -> None:
    client_no = traffic(market)
    client, now = market.client_noun(client_no), market.clock.now()
    with market.records.write() as tx:
        assert daily_sums.forget(tx, now - 4 * DAY, 10_000) > 0
        assert daily_sums.forget(tx, now - 4 * DAY, 10_000) == 0
    with market.records.read() as tx:
        (one,) = timeseries(tx, client, 40, "none", "clicks", now).series
    left = [n for n, sums in enumerate(one.days) if any(sums)]
    assert left == list(range(34, 40))
