"""Reports of one file, from the wish to the rows, against a fold of the exported ledger."""

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from handbill.contract.reports.models import (
    IpReportRequest,
    PublisherReportRequest,
    StatsReportRequest,
)
from handbill.core.click_definitions import NOWHERE, Location
from handbill.core.metrics import NAMES
from handbill.core.nouns import GroupBody, Placement
from handbill.host.settings import Settings
from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, HOUR, SECOND, instant_of_iso
from handbill.ledger import retiring
from handbill.ledger.service import NAMES as EXPORTED
from handbill.ledger.service import Wanted, export
from handbill.publishers.service import create_family
from handbill.stats import reporting, service
from handbill.stats.files import lines_into
from handbill.stats.questions import Span
from handbill.stats.rows import Report
from handbill.store.records import Records
from handbill.store.records.tables import groups
from market import RULES, START, noun_of
from rooms.report_desk import Desk, traffic

_DAYS = {"startDate": "2026-10-01", "endDate": "2026-11-30"}
_IP_COLUMNS = [
    "date",
    "ip",
    "country",
    "city",
    "publisher",
    "jobGroupId",
    "refNumber",
    "clicks",
    "validClicks",
    "botClicks",
    "duplicateClicks",
    "foreignClicks",
    "latentClicks",
    "applies",
    "distinctUserAgents",
]
_PUBLISHER_COLUMNS = [
    "date",
    "client",
    "placement",
    "bidType",
    "currency",
    "grossClicks",
    "validClicks",
    "foreignClicks",
    "latentClicks",
    "botClicks",
    "duplicateClicks",
    "applies",
    "grossSpend",
    "overCapClicks",
]


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def made(market: Desk, report_id: str) -> list[dict[str, str]]:
    """The rows of a report's only file."""
    market.run(report_id)
    report = found(market, report_id)
    assert report.state == "SUCCESS"
    (part,) = report.parts
    text = market.blobs.get(part.path).decode()
    return list(csv.DictReader(io.StringIO(text)))


def heading(market: Desk, report_id: str) -> list[str]:
    (part,) = found(market, report_id).parts
    return market.blobs.get(part.path).decode().splitlines()[0].split(",")


def found(market: Desk, report_id: str) -> Report:
    from handbill.stats import rows

    with market.records.read() as tx:
        report = rows.by_id(tx, report_id)
    assert report is not None
    return report


def grouped(market: Desk, client_no: int, **asked: Any) -> str:
    client, now = market.client_noun(client_no), market.clock.now()
    body = noun_of(StatsReportRequest, {"filterBy": _DAYS} | asked)
    with market.records.write() as tx:
        return reporting.ask_grouped(tx, client, body, market.ids, now).id


def by_address(market: Desk, client_no: int, **filters: Any) -> str:
    client, now = market.client_noun(client_no), market.clock.now()
    body = noun_of(IpReportRequest, {"filterBy": _DAYS | filters})
    with market.records.write() as tx:
        return reporting.ask_by_address(tx, client, body, market.ids, now).id


def test_a_grouped_report_says_what_polling_says(market: Desk) -> None:
    client_no = traffic(market)
    for level in ("JOB", "JOBGROUP", "CAMPAIGN", "CLIENT"):
        alone = made(market, grouped(market, client_no, groupBy=level))
        assert alone == market.lines(client_no, level)
        both = made(market, grouped(market, client_no, groupBy=level, groupByPublisher=True))
        assert both == market.lines(client_no, level, "PUBLISHER")
    assert made(market, grouped(market, client_no)) == market.lines(client_no, "CLIENT")


def test_a_sum_may_be_longer_than_64_bits(market: Desk) -> None:
    listing = market.listing()
    market.markup(8_000_000, client_no=listing.client_no)
    for _ in range(3):
        market.clock.forward(1)
        market.purchase(10**18, [listing.client_no], listing.publisher_no)
    market.judge_all()
    (line,) = made(market, grouped(market, listing.client_no))
    assert line["markedUpSpent"] == f"{27 * 10**12}"
    assert line["profit"] == f"{24 * 10**12}"


def test_nothing_to_tell_is_a_file_too(market: Desk) -> None:
    client_no = market.client()
    report_id = grouped(market, client_no, groupBy="JOB")
    assert made(market, report_id) == []
    assert heading(market, report_id) == ["jobId", "refNumber", "jobTitle", *NAMES]
    old = {"startDate": "2026-01-01", "endDate": "2026-02-01"}
    assert made(market, grouped(market, client_no, filterBy=old)) == []


def test_an_ip_report_tells_clicks_and_their_applies_by_address(market: Desk) -> None:
    client_no = traffic(market)
    report_id = by_address(market, client_no)
    lines = made(market, report_id)
    assert heading(market, report_id) == _IP_COLUMNS
    ledger = market.ledger()
    clicks = Counter(line["disposition"] for line in ledger if line["kind"] == "CLICK")
    sums = {name: sum(int(line[name]) for line in lines) for name in _IP_COLUMNS[7:]}
    assert sums["clicks"] == sum(clicks.values())
    assert (sums["validClicks"], sums["botClicks"], sums["duplicateClicks"]) == (
        clicks["valid"],
        clicks["bot"],
        clicks["duplicate"],
    )
    applies = [line for line in ledger if line["kind"] == "APPLY"]
    assert sums["applies"] == sum(
        line["disposition"] in {"counted", "over_cap"} for line in applies
    )
    assert sums["applies"] > 0
    # Truncated as they are kept, and an apply where its click was.
    assert {line["ip"] for line in lines} >= {"198.51.100.0"}
    assert all(line["ip"].endswith(".0") for line in lines)
    assert {line["country"] + line["city"] for line in lines} == {""}
    assert len({tuple(line[name] for name in _IP_COLUMNS[:7]) for line in lines}) == len(lines)


def test_an_apply_stands_at_its_clicks_address_however_long_ago_that_was(market: Desk) -> None:
    listing = market.listing()
    click = market.clicked(listing, at=START - 29 * DAY)
    market.converted(click, 3, at=START)
    market.judge_all()
    (line,) = made(market, by_address(market, listing.client_no, startDate="2026-11-10"))
    assert (line["date"], line["ip"]) == ("2026-11-10", "203.0.113.0")
    assert (line["clicks"], line["applies"], line["distinctUserAgents"]) == ("0", "1", "0")


def test_clicks_and_their_applies_stand_where_the_address_was(market: Desk) -> None:
    listing = market.listing()
    market.converted(market.clicked(listing, ip="203.0.113.7"), 3)
    market.clicked(listing, ip="203.0.113.200", at=START + SECOND)
    rules = RULES._replace(locate=lambda ip: Location("US", "Austin") if ip[-2] == "." else NOWHERE)
    judge = market.judge(rules=rules)
    while judge.step():
        pass
    lines = made(market, by_address(market, listing.client_no))
    told = [
        tuple(line[name] for name in (*_IP_COLUMNS[1:4], "clicks", "applies")) for line in lines
    ]
    assert told == [("203.0.113.0", "", "", "1", "0"), ("203.0.113.0", "US", "Austin", "1", "1")]


def test_user_agents_are_told_apart(market: Desk) -> None:
    listing = market.listing()
    for n, agent in enumerate(("Firefox/1", "Firefox/2", "Firefox/1")):
        market.clicked(listing, ip="198.51.100.7", agent=agent, at=START + n * 60 * SECOND)
    market.judge_all()
    (line,) = made(market, by_address(market, listing.client_no))
    assert (line["clicks"], line["distinctUserAgents"]) == ("3", "2")


# ── publisher families ──────────────────────────────────────────────────────────────────────────
def family_no(market: Desk, *publishers: str) -> int:
    with market.records.write() as tx:
        create_family(tx, market.ids, market.clock.now(), publishers)
        ((no,),) = tx.run_text("SELECT max(no) FROM publisher_families", {})[0]
    return int(no)


def of_family(market: Desk, family: int, client_id: str, **asked: Any) -> str:
    wish = {"period": "LAST_30_DAYS", "clientId": client_id} | asked
    body = noun_of(PublisherReportRequest, wish)
    with market.records.write() as tx:
        return reporting.ask_for_family(tx, family, body, market.ids, market.clock.now()).id


def placed(market: Desk, client_no: int, publisher: str) -> None:
    campaign_no = market.campaign(client_no, "placing")
    body = GroupBody("placing", placements=[Placement(publisher)])
    group_no = market.group(client_no, campaign_no, "placing")
    market.change(groups, group_no, body)


def test_a_family_is_told_what_its_publishers_may_invoice(market: Desk) -> None:
    client_no = traffic(market)
    placed(market, client_no, "=Board")
    family = family_no(market, "=Board")
    report_id = of_family(market, family, "c1", curLocale="USD")
    lines = made(market, report_id)
    assert heading(market, report_id) == _PUBLISHER_COLUMNS
    ledger = [line for line in market.ledger() if line["publisherId"] == "=Board"]
    whole = [line for line in ledger if instant_of_iso(line["at"]) >= START - 21 * DAY]
    assert {line["placement"] for line in lines} == {"'=Board"}
    assert {(line["client"], line["bidType"], line["currency"]) for line in lines} == {
        ("c1", "CPC", "USD")
    }
    clicks = [line for line in whole if line["kind"] == "CLICK"]
    assert sum(int(line["grossClicks"]) for line in lines) == len(clicks)
    valid = sum(line["disposition"] == "valid" for line in clicks)
    assert sum(int(line["validClicks"]) for line in lines) == valid
    over_cap = sum(line["disposition"] == "over_cap" for line in clicks)
    assert sum(int(line["overCapClicks"]) for line in lines) == over_cap
    for line in lines:
        parts = ("valid", "foreign", "latent", "bot", "duplicate", "overCap")
        assert int(line["grossClicks"]) == sum(int(line[f"{part}Clicks"]) for part in parts)
    charged = sum(line["chargeMicros"] for line in whole)
    told = sum(round(float(line["grossSpend"]) * 1_000_000) for line in lines)
    assert told == charged > 0
    spent, marked = (
        sum(line[name] for line in whole) for name in ("spendMicros", "markedUpMicros")
    )
    assert charged < spent < marked, "what the customer pays is not the publisher's business"


def test_the_export_takes_a_client_and_days_of_its_zone(market: Desk) -> None:
    one = market.listing()
    west = market.client("c2", zone="UTC-05:00")
    other = market.listing(client_no=west, publisher_no=one.publisher_no)
    days = ("2026-11-11T03:00:00Z", "2026-11-11T12:00:00Z", "2026-11-13T03:00:00Z")
    for at in days:
        for listing in (one, other):
            market.clicked(listing, at=instant_of_iso(at))
    market.judge_all()
    every = market.ledger()
    own, others = (
        [line for line in every if line["clientId"] == client_id] for client_id in ("c1", "c2")
    )
    assert [len(own), len(others)] == [3, 3]

    def told(*wanted: Any) -> list[dict[str, Any]]:
        asked = Wanted(*wanted)
        return list(export(market.records, market.blobs, market.scratch, asked))

    assert told(one.client_no) == own
    first, last = date(2026, 11, 11), date(2026, 11, 12)
    assert told(None, first, last) == own[:2] + others[1:]
    assert told(west, date.min, first) == others[:2]
    assert told(None, date(2027, 1, 1)) == []
    assert {line["clickId"] for line in every} == {line["id"] for line in every}
    assert {line["bidType"] for line in every} == {"CPC"}
    assert {line["postingId"] for line in every} == {None}
    for kind, heading in (("CSV", ",".join(EXPORTED)), ("JSONL", None)):
        file = io.BytesIO()
        with lines_into(file, EXPORTED, kind) as put:
            for line in every:
                put(tuple(line.values()))
        written = file.getvalue().decode().splitlines()
        assert len(written) == len(every) + (heading is not None)
        assert heading is None or written[0] == heading


@pytest.mark.parametrize(
    ("span", "today", "first", "last"),
    [
        ("THIS_MONTH", "2026-11-10", "2026-11-01", "2026-11-10"),
        ("LAST_MONTH", "2026-11-10", "2026-10-01", "2026-10-31"),
        ("LAST_MONTH", "2027-01-31", "2026-12-01", "2026-12-31"),
        ("LAST_MONTH", "2028-03-31", "2028-02-01", "2028-02-29"),
        ("LAST_30_DAYS", "2026-11-10", "2026-10-12", "2026-11-10"),
    ],
)
def test_spans(span: Span, today: str, first: str, last: str) -> None:
    found = reporting.days_of(span, date.fromisoformat(today))
    assert [day.isoformat() for day in found] == [first, last]


def test_the_whole_last_month_is_told_though_it_is_long_ago(market: Desk) -> None:
    """A month of 31 days before one of 31 days: longer ago than other reports go."""
    listing = market.listing()
    market.clicked(listing, at=instant_of_iso("2026-10-01T00:00:00Z"))
    market.clicked(listing, at=instant_of_iso("2026-09-30T23:59:59Z"))
    market.clock.at = instant_of_iso("2026-10-02T00:00:00Z")  # while both months are open
    market.judge_all()
    placed(market, listing.client_no, "Board")
    market.clock.forward(instant_of_iso("2026-11-30T12:00:00Z") - market.clock.now())
    family = family_no(market, "Board")
    (line,) = made(market, of_family(market, family, "c1", period="LAST_MONTH"))
    assert (line["date"], line["grossClicks"]) == ("2026-10-01", "1")


def test_a_family_is_told_of_no_day_of_which_entries_have_left(market: Desk) -> None:
    listing = market.listing()
    placed(market, listing.client_no, "Board")
    for wait in (0, 6 * HOUR, 67 * HOUR):
        market.clock.forward(wait)
        market.clicked(listing)
        market.judge_all()
    keeping_three_days = replace(market.tools, settings=Settings(retention_days=3))
    assert retiring.retire(keeping_three_days, market.clock.now()) == 1
    asked = of_family(market, family_no(market, "Board"), "c1", period="THIS_MONTH")
    (line,) = made(market, asked)
    assert (line["date"], line["grossClicks"]) == ("2026-11-13", "1")


def test_a_family_that_does_not_serve_a_client_is_told_nothing(market: Desk) -> None:
    client_no = traffic(market)
    placed(market, client_no, "=Board")
    market.publisher("Third")
    third = family_no(market, "Third")
    with pytest.raises(Refused) as refused:
        of_family(market, third, "c1")
    assert refused.value.status == 404
    mine = of_family(market, family_no(market, "=Board"), "c1")
    with market.records.read() as tx, pytest.raises(Refused):
        service.report_of_family(tx, third, mine, market.clock.now())
