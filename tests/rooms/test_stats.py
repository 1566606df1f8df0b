"""Reports, from question to files, against a fold of the exported ledger."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, get_args

import duckdb
import msgspec
import pytest

from handbill.clients.service import clients_by_number
from handbill.contract.stats.models import StatsQuestion
from handbill.core.metrics import NAMES
from handbill.core.nouns import Cap, Caps
from handbill.core.received import ReceivedConversion
from handbill.host.settings import Settings
from handbill.kit.faults import Fault, Refused
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant
from handbill.kit.jsons import decode
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.service import Wanted, export
from handbill.stats import files, service
from handbill.stats.questions import Level
from handbill.stats.rows import Report
from handbill.stats.work import TASKS, sweep
from handbill.store.records import Records
from handbill.work.queue import Task
from handbill.work.tools import Tools
from market import BOT_AGENT, START, Market, noun_of

KEYS = {1: b"l" * 32}
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


@dataclass
class Desk(Market):
    def client_noun(self, no: int) -> Any:
        with self.records.read() as tx:
            return clients_by_number(tx, [no])[no]

    def ask(self, client_no: int, *levels: str, **more: Any) -> str:
        """Submit a question for the last days; the report's id."""
        names = ("primaryLevel", "secondaryLevel", "tertiaryLevel")
        filters = {"startDate": "2026-10-01", "endDate": "2026-11-30"} | more.pop("filters", {})
        body = {"filters": filters, "aggregationLevel": dict(zip(names, levels, strict=False))}
        question = noun_of(StatsQuestion, body | more)
        client = self.client_noun(client_no)
        with self.records.write() as tx:
            return service.submit(tx, client, question, self.ids, self.clock.now()).id

    @property
    def tools(self) -> Tools:
        nothing: Any = None
        return Tools(
            self.records,
            self.blobs,
            nothing,
            self.clock,
            self.ids,
            nothing,
            Settings(),
            self.scratch,
        )

    def run(self, report_id: str) -> None:
        TASKS["stats.report"](self.tools, Task(1, "stats.report", report_id, {}, 1, "w"))

    def report(self, client_no: int, report_id: str) -> Report:
        with self.records.read() as tx:
            return service.report_of(tx, client_no, report_id, self.clock.now())

    def lines(self, client_no: int, *levels: str, **more: Any) -> list[dict[str, str]]:
        """Ask, answer, and read all CSV parts."""
        report_id = self.ask(client_no, *levels, **more)
        self.run(report_id)
        report = self.report(client_no, report_id)
        assert report.state == ("SUCCESS" if report.parts else "NO_RECORDS_FOUND")
        texts = [self.blobs.get(part.path).decode() for part in report.parts]
        return [line for text in texts for line in csv.DictReader(io.StringIO(text))]


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def traffic(market: Desk) -> int:
    """A client in New York with two groups, two publishers and some weeks of everything."""
    client_no = market.client(zone="America/New_York", caps=Caps(budget=Cap("Weekly", 9_000_000)))
    campaign_no = market.campaign(client_no)
    publishers = [market.publisher("=Board"), market.publisher("Other", "CPA")]
    listings = []
    for n, (publisher_no, name) in enumerate(product(publishers, ("g1", "g2"))):
        group_no = 0 if n > 1 else market.group(client_no, campaign_no, name)
        group_no = group_no or listings[n - 2].group_no
        listing = market.listing(
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=group_no,
            publisher_no=publisher_no,
        )
        listing = msgspec.structs.replace(
            listing, job_id=bytes((n,)) * 16, bid_type="CPC" if n < 2 else "CPA"
        )
        listings.append(listing)
        title = "+Nurse" if n == 0 else f"Job {n}"
        market.job(client_no, listing.job_id, ref=f"ref-{n}", title=title)
    begin = START - 21 * DAY
    for hour in range(0, 21 * 24, 7):
        at = begin + hour * HOUR
        for n, listing in enumerate(listings):
            click = market.clicked(listing, at=at, ip=f"198.51.100.{n}")
            market.clicked(listing, at=at + SECOND, ip=f"198.51.100.{n}")
            market.clicked(listing, at=at + 2 * SECOND, agent=BOT_AGENT)
            for action in range(1, 1 + (hour + n) % 4):
                market.converted(click, action, at=at + MINUTE)
        for action in range(1, 1 + hour % 4):
            organic(market, client_no, action, at + MINUTE)
    market.markup(123_456, begin + 9 * DAY, client_no=client_no)
    market.markup(50_000, begin, client_no=client_no, publisher_no=publishers[1])
    market.judged()
    return client_no


def organic(market: Market, client_no: int, action: int, at: Instant) -> None:
    """A conversion that no click of ours led to."""
    event = ReceivedConversion(at=at, client_no=client_no, action=action, source="pixel")
    market.journal.add([event], "api-0")


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
    market.judged()
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
    market.judged()
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


def test_answering_twice_comes_to_the_same(market: Desk) -> None:
    listing = market.listing()
    market.clicked(listing)
    market.judged()
    report_id = market.ask(listing.client_no, "CLIENT")
    market.run(report_id)
    first = market.report(listing.client_no, report_id)
    market.run(report_id)
    assert market.report(listing.client_no, report_id) == first
    assert len(market.blobs.paths("reports")) == 1


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_formats(market: Desk) -> None:
    client_no = traffic(market)
    wanted = market.lines(client_no, "JOBGROUP", "DATE")
    spelled = {}
    for kind, squeezed in (("CSV", True), ("JSONL", False), ("JSONL", True), ("PARQUET", True)):
        report_id = market.ask(client_no, "JOBGROUP", "DATE", format=kind.lower(), gzip=squeezed)
        market.run(report_id)
        (part,) = market.report(client_no, report_id).parts
        raw = market.blobs.get(part.path)
        assert len(raw) == part.bytes
        spelled[kind, squeezed] = (part, raw)
    part, raw = spelled["CSV", True]
    assert part.media_type == "application/gzip"
    assert list(csv.DictReader(io.StringIO(gzip.decompress(raw).decode()))) == wanted
    part, raw = spelled["JSONL", False]
    assert raw == gzip.decompress(spelled["JSONL", True][1])
    told = [decode(line) for line in raw.splitlines()]
    assert [{k: f"{v}" for k, v in line.items()} for line in told] == wanted
    part, raw = spelled["PARQUET", True]
    path = market.folder / "part.parquet"
    path.write_bytes(raw)
    found = duckdb.sql(f"SELECT date, clicks, spent, cpc FROM '{path}'").fetchall()
    assert found == [
        (line["date"], int(line["clicks"]), Decimal(line["spent"]), Decimal(line["cpc"]))
        for line in wanted
    ]


def test_parts_have_a_bounded_number_of_rows(market: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 7)
    client_no = traffic(market)
    report_id = market.ask(client_no, "JOB", "DATE")
    market.run(report_id)
    parts = market.report(client_no, report_id).parts
    assert [part.rows for part in parts[:-1]] == [7] * (len(parts) - 1)
    assert 0 < parts[-1].rows <= 7
    texts = [market.blobs.get(part.path).decode().splitlines() for part in parts]
    assert len({text[0] for text in texts}) == 1
    assert sum(len(text) - 1 for text in texts) == sum(part.rows for part in parts)


def linked(market: Desk) -> Iterator[tuple[int, str, list[str]]]:
    for name in ("c1", "c2"):
        listing = market.listing(
            client_no=market.client(name), publisher_no=market.publisher(f"P{name}")
        )
        market.clicked(listing)
        market.judged()
        report_id = market.ask(listing.client_no, "CLIENT")
        market.run(report_id)
        report = market.report(listing.client_no, report_id)
        yield listing.client_no, report_id, service.tokens_of(report, KEYS, market.clock.now())


def fetch(market: Desk, token: str, keys: dict[int, bytes] = KEYS) -> tuple[Report, bytes]:
    with market.records.read() as tx:
        report, part = service.linked_part(tx, token, keys, market.clock.now())
    return report, market.blobs.get(part.path)


def test_a_link_leads_to_its_own_part_for_a_day(market: Desk) -> None:
    for client_no, report_id, (token,) in list(linked(market)):
        report, raw = fetch(market, token)
        assert (report.id, report.client_no) == (report_id, client_no)
        assert raw.startswith(b"clientId,")
    market.clock.forward(DAY - SECOND)
    fetch(market, token)
    market.clock.forward(SECOND)
    with pytest.raises(Refused) as refused:
        fetch(market, token)
    assert refused.value.status == 404


def test_altered_links_lead_nowhere(market: Desk) -> None:
    _, _, (token,) = next(linked(market))
    altered = [
        token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))
    ]
    for bad in (*altered, "", "A", token + "A", token[:-1], token + "=", "ü" * 20, "A" * 500):
        with pytest.raises(Refused) as refused:
            fetch(market, bad)
        assert refused.value.status == 404
    with pytest.raises(Refused):
        fetch(market, token, {1: b"o" * 32})
    with pytest.raises(Refused):
        fetch(market, token, {2: KEYS[1]})


def test_old_reports_are_swept_with_their_files(market: Desk) -> None:
    client_no, report_id, _ = next(linked(market))
    market.blobs.put(f"reports/{market.clock.now():016d}-left.csv", b"left by a crash")
    market.clock.forward(service.KEPT_FOR + DAY + SECOND)
    sweep(market.tools, Task(1, "stats.sweep", "", {}, 1, "w"))
    with pytest.raises(Refused):
        market.report(client_no, report_id)
    assert market.blobs.paths("reports") == []


def test_days_of_a_leap_in_offsets() -> None:
    """The expression of days in SQL agrees with the calendar at every quarter of an hour."""
    from handbill.store.segment_days import day_of_number, day_text

    first: Instant = int(datetime(2026, 10, 20, tzinfo=UTC).timestamp()) * SECOND
    end = first + timedelta(days=20) // timedelta(microseconds=1)
    for name in ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC-9:30"):
        zone = zone_of(name)
        ats = ", ".join(f"({at})" for at in range(first, end, 15 * MINUTE))
        found = duckdb.sql(
            f'SELECT "at", {day_text(first, end, zone)} FROM (VALUES {ats}) AS t("at")'
        ).fetchall()
        assert len(found) == 20 * 96
        assert all(day_of_number(number) == day_of(at, zone) for at, number in found)
