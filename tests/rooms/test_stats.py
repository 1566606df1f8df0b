"""Reports, from question to files, against a fold of the exported ledger."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from handbill.contract.stats.models import StatsQuestion
from handbill.core.metrics import NAMES
from handbill.kit.faults import Fault, Refused
from handbill.kit.instants import DAY, SECOND
from handbill.kit.zones import zone_of
from handbill.ledger.service import Wanted, export
from handbill.stats.questions import Level
from handbill.store.records import Records
from market import START
from rooms.report_desk import Desk, traffic

COUNTS = dict(
    zip(
        ("valid", "bot", "duplicate", "foreign", "latent", "over_cap"),
        (
            "clicks",
            "botClicks",
            "duplicateClicks",
            "foreignClicks",
            "latentClicks",
            "overCapClicks",
        ),
        strict=True,
    )
)
CONVERSIONS = {"VIEW": "views", "APPLY_START": "applyStarts", "APPLY": "applies"}
ALL = {"VIEW": "allViews", "APPLY_START": "allApplyStarts", "APPLY": "allApplies"}
AMOUNTS = {"spent": "spendMicros", "netSpent": "chargeMicros", "markedUpSpent": "markedUpMicros"}


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def fold(
    ledger: list[dict[str, Any]], zone: str, levels: tuple[str, ...]
) -> dict[tuple[str, ...], dict[str, int]]:
    """The naive answer."""
    keys: dict[str, Callable[[dict[str, Any]], str]] = {
        "CLIENT": lambda line: line["clientId"],
        "CAMPAIGN": lambda line: line["campaignId"],
        "JOBGROUP": lambda line: line["jobGroupId"],
        "JOB": lambda line: line["jobId"],
        "PUBLISHER": lambda line: line["publisherId"],
        "DATE": lambda line: local_day(line["at"], zone),
    }
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for line in ledger:
        # What no click led to is of no campaign, job or publisher: their names are empty.
        sums = found.setdefault(tuple(keys[level](line) or "" for level in levels), {})
        names = []
        if line["kind"] == "CLICK":
            names = [COUNTS[line["disposition"]]]
        elif line["disposition"] in {"counted", "over_cap"}:
            names = [CONVERSIONS[line["kind"]], ALL[line["kind"]]]
        elif line["disposition"] == "organic":
            names = [ALL[line["kind"]]]
        for name in names:
            sums[name] = sums.get(name, 0) + 1
        for name, amount in AMOUNTS.items() if names else ():
            sums[name] = sums.get(name, 0) + line[amount]
    return {key: sums for key, sums in found.items() if sums}


def local_day(at: str, zone: str) -> str:
    return datetime.fromisoformat(at).astimezone(zone_of(zone)).date().isoformat()


COLUMN = {
    "CLIENT": "clientId",
    "CAMPAIGN": "campaignId",
    "JOBGROUP": "jobGroupId",
    "JOB": "jobId",
    "PUBLISHER": "publisherId",
    "DATE": "date",
}


def unneutral(text: str) -> str:
    return text.removeprefix("'")


def test_every_level_agrees_with_a_naive_fold(market: Desk) -> None:
    client_no = traffic(market)
    ledger = market.ledger()
    asked: list[tuple[str, ...]] = [(level,) for level in get_args(Level)]
    asked += [("JOBGROUP", "PUBLISHER", "DATE"), ("DATE", "JOB"), ("PUBLISHER", "CLIENT")]
    for levels in asked:
        expected = fold(ledger, "America/New_York", levels)
        lines = market.lines(client_no, *levels)
        told = {tuple(unneutral(line[COLUMN[level]]) for level in levels): line for line in lines}
        assert told.keys() == expected.keys()
        assert len(lines) == len(told)
        for key, sums in expected.items():
            check_line(told[key], sums)


def check_line(line: dict[str, str], sums: dict[str, int]) -> None:
    for name in (*COUNTS.values(), *CONVERSIONS.values(), *ALL.values()):
        assert int(line[name]) == sums.get(name, 0), name
    assert line["allClicks"] == line["clicks"]
    assert line["allBotClicks"] == line["botClicks"]
    assert int(line["invalidClicks"]) == int(line["botClicks"]) + int(line["duplicateClicks"])
    for name in AMOUNTS:
        assert Decimal(line[name]) == Decimal(sums[name]) / 1_000_000
    profit = Decimal(sums["markedUpSpent"] - sums["netSpent"])
    assert Decimal(line["profit"]) == profit / 1_000_000
    for name, over, under, factor in (
        ("cpc", Decimal(sums["spent"]) / 1_000_000, sums.get("clicks", 0), 1),
        ("cpa", Decimal(sums["spent"]) / 1_000_000, sums.get("applies", 0), 1),
        ("cta", Decimal(sums.get("applies", 0)), sums.get("clicks", 0), 100),
        ("ctas", Decimal(sums.get("applyStarts", 0)), sums.get("clicks", 0), 100),
        ("averageMargin", profit, sums["markedUpSpent"], 100),
    ):
        exact = over * factor / under if under else Decimal(0)
        assert Decimal(line[name]) == round(exact, 6), name


def test_columns_names_and_formulas(market: Desk) -> None:
    client_no = traffic(market)
    (line,) = market.lines(
        client_no, "JOB", "PUBLISHER", "CAMPAIGN", filters={"refNumbers": ["ref-0"]}
    )
    assert list(line) == [
        "jobId",
        "refNumber",
        "jobTitle",
        "publisherId",
        "publisherName",
        "campaignId",
        "campaignName",
        *NAMES,
    ]
    assert (line["refNumber"], line["jobTitle"], line["publisherId"]) == (
        "ref-0",
        "'+Nurse",
        "'=Board",
    )


def test_filters_narrow_the_answer(market: Desk) -> None:
    client_no = traffic(market)
    whole = {line["publisherId"]: line for line in market.lines(client_no, "PUBLISHER")}
    (only,) = market.lines(client_no, "PUBLISHER", filters={"publisherIds": ["Other"]})
    assert only == whole["Other"]
    groups = market.lines(client_no, "JOBGROUP")
    (one,) = market.lines(client_no, "JOBGROUP", filters={"jobGroupIds": [groups[1]["jobGroupId"]]})
    assert one == groups[1]
    day = {"startDate": "11/02/2026", "endDate": "11/02/2026"}
    dates = {line["date"]: line for line in market.lines(client_no, "DATE")}
    assert market.lines(client_no, "DATE", filters=day) == [dates["2026-11-02"]]


def test_days_are_cut_in_the_zone_that_is_asked_for(market: Desk) -> None:
    client_no = traffic(market)
    ledger = market.ledger()
    for zone in ("UTC+5:45", "Australia/Lord_Howe", "UTC"):
        expected = fold(ledger, zone, ("DATE",))
        lines = market.lines(client_no, "DATE", filters={"timeZone": zone})
        assert {(line["date"],) for line in lines} == expected.keys()
        for line in lines:
            check_line(line, expected[(line["date"],)])


def test_the_export_of_a_client_and_a_day_adds_up_to_the_reports_row(market: Desk) -> None:
    """Of days of the client's zone, one of which has 25 hours."""
    client_no = traffic(market)
    market.clicked(market.listing(client_no=market.client("c2"), publisher_no=1))
    market.judge_all()
    lines = {line["date"]: line for line in market.lines(client_no, "DATE")}
    for day in (min(lines), "2026-11-01", "2026-11-09", max(lines)):
        on = date.fromisoformat(day)
        told = export(market.records, market.blobs, market.scratch, Wanted(client_no, on, on))
        (sums,) = fold(list(told), "America/New_York", ("CLIENT",)).values()
        check_line(lines[day], sums)


@pytest.mark.parametrize(
    ("filters", "status"),
    [
        ({"campaignIds": ["nobody"]}, 404),
        ({"jobGroupIds": ["nobody"]}, 404),
        ({"publisherIds": ["nobody"]}, 404),
        ({"campaignIds": ["2-k1"]}, 404),
    ],
)
def test_foreign_ids_are_not_found(market: Desk, filters: dict[str, Any], status: int) -> None:
    mine, other = market.client("c1"), market.client("c2")
    market.campaign(other)
    with pytest.raises(Refused) as refused:
        market.ask(mine, "CLIENT", filters=filters)
    assert refused.value.status == status


def test_unknown_references_match_nothing(market: Desk) -> None:
    client_no = traffic(market)
    market.listing(client_no=market.client("other"))
    known = market.lines(client_no, "JOB", filters={"refNumbers": ["ref-0"]})
    assert len(known) == 1
    mixed = market.lines(client_no, "JOB", filters={"refNumbers": ["nobody", "ref-0"]})
    assert mixed == known
    assert len(market.lines(client_no, "JOB", filters={"refNumbers": []})) > 1
    for refs in (["nobody"], ["nobody", "no one"]):
        report_id = market.ask(client_no, "JOB", filters={"refNumbers": refs})
        assert market.report(client_no, report_id).state == "NO_RECORDS_FOUND"


def test_the_past_of_what_is_deleted_can_be_asked_for(market: Desk) -> None:
    client_no = traffic(market)
    levels = ("CAMPAIGN", "JOBGROUP", "PUBLISHER")
    every = market.lines(client_no, *levels)
    before = [line for line in every if line["campaignId"]]  # the rest came without a click
    ids = {name: {line[name] for line in before} for name in ("campaignId", "jobGroupId")}
    with market.records.write() as tx:
        for table in ("campaigns", "groups", "publishers"):
            tx.run_text(f"UPDATE {table} SET deleted_at = 1, status = 'I'", {})
    filters = {
        "campaignIds": sorted(ids["campaignId"]),
        "jobGroupIds": sorted(ids["jobGroupId"]),
        "publisherIds": sorted({line["publisherId"].lstrip("'") for line in before}),
    }
    assert all(line["resolvedStatus"] == "ACTIVE" for line in before)
    gone = {"resolvedStatus": "DELETED", "resolvedStatusDescription": "deleted"}
    before = [line | gone for line in before]
    assert market.lines(client_no, *levels, filters=filters) == before
    (name, one), *_ = ids.items()
    wanted = [line for line in before if line[name] == min(one)]
    assert market.lines(client_no, *levels, filters={"campaignIds": [min(one)]}) == wanted


@pytest.mark.parametrize(
    ("filters", "levels", "fields"),
    [
        ({}, {}, ["/filters/startDate", "/filters/endDate", "/aggregationLevel/primaryLevel"]),
        (
            {"startDate": "2026-11-02", "endDate": "2026-11-01"},
            {"primaryLevel": "JOB", "secondaryLevel": "job"},
            ["/filters/endDate", "/aggregationLevel/secondaryLevel"],
        ),
        (
            {"startDate": "x", "endDate": "2026-11-01", "timeZone": "Mars"},
            {"primaryLevel": "JOB", "tertiaryLevel": "DATE"},
            ["/filters/startDate", "/filters/timeZone", "/aggregationLevel/tertiaryLevel"],
        ),
        (
            {"startDate": "2026-11-01", "endDate": "2026-11-01", "refNumbers": ["x"] * 1001},
            {"primaryLevel": "AGENCY"},
            ["/filters/refNumbers", "/aggregationLevel/primaryLevel"],
        ),
    ],
)
def test_a_bad_question_fails_at_once_with_all_faults(
    filters: dict[str, Any], levels: dict[str, Any], fields: list[str]
) -> None:
    faults: list[Fault] = []
    StatsQuestion.read({"filters": filters, "aggregationLevel": levels}, "", faults)
    assert [fault.field for fault in faults] == fields


def test_the_same_question_within_a_minute_is_the_same_report(market: Desk) -> None:
    client_no, other = market.client("c1"), market.client("c2")
    first = market.ask(client_no, "JOB")
    assert market.ask(client_no, "JOB") == first
    assert market.ask(client_no, "DATE") != first
    assert market.ask(other, "JOB") != first
    market.clock.forward(61 * SECOND)
    assert market.ask(client_no, "JOB") != first


def test_nothing_to_tell(market: Desk) -> None:
    client_no = market.client()
    assert market.lines(client_no, "JOB") == []
    old = {"startDate": "2026-01-01", "endDate": "2026-09-01"}
    report = market.report(client_no, market.ask(client_no, "JOB", filters=old))
    assert (report.state, report.parts) == ("NO_RECORDS_FOUND", ())
    with market.records.read() as tx:
        assert tx.run_text("SELECT count(*) FROM tasks", {})[0] == [(1,)]


def test_what_is_older_than_sixty_days_is_left_out(market: Desk) -> None:
    listing = market.listing()
    for back in (59, 60, 61):
        market.clicked(listing, at=START - back * DAY)
    market.clock.at = START - 59 * DAY  # while their months are open
    market.judge_all()
    market.clock.at = START
    wide = {"startDate": "2026-01-01", "endDate": "2030-01-01"}
    (line,) = market.lines(listing.client_no, "CLIENT", filters=wide)
    assert line["clicks"] == "2"


def test_a_report_of_another_client_is_not_found(market: Desk) -> None:
    mine, other = market.client("c1"), market.client("c2")
    report_id = market.ask(mine, "JOB")
    for client_no, name in ((other, report_id), (mine, "nobody")):
        with pytest.raises(Refused) as refused:
            market.report(client_no, name)
        assert refused.value.status == 404
