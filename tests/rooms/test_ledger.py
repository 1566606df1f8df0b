"""The judge from journal to ledger, on both engines of records."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from handbill.core.definition_versions import DefinitionInForce, version_of
from handbill.core.nouns import Cap, Caps, ClientBody, Placement
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, instant_of_iso, iso_of
from handbill.ledger import agents
from handbill.ledger.checking import check
from handbill.store.records import Records
from handbill.store.records.tables import (
    clients,
    counters,
    segment_clients,
    segments,
    tallies,
)
from market import BOT_AGENT, HUMAN, RULES, START, Market, dispositions


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def balanced(market: Market) -> dict[str, int]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return dict(books.sums)


VERSION = version_of(
    DefinitionInForce(RULES.otherwise, RULES.honoured, RULES.stale, agents.VERSION).encoded()
)


def test_a_valid_click_is_charged_its_frozen_bid(market: Market) -> None:
    listing = market.listing()
    click = market.clicked(listing)
    (line,) = market.judged()
    assert line == {
        "id": click.random.hex(),
        "at": iso_of(START),
        "agencyId": "ripple",
        "clientId": "c1",
        "campaignId": f"{listing.client_no}-k1",
        "jobGroupId": f"{listing.campaign_no}-g1",
        "jobId": listing.job_id.hex(),
        "publisherId": "Board",
        "kind": "CLICK",
        "disposition": "valid",
        "reason": None,
        "chargeMicros": 800_000,
        "spendMicros": 1_000_000,
        "markedUpMicros": 1_000_000,
        "currency": "USD",
        "bidType": "CPC",
        "clickId": click.random.hex(),
        "applicationId": None,
        "refNumber": None,
        "postingId": None,
        "agencyMarkupPpm": 0,
        "overrideMarkupPpm": 0,
        "bidMicros": 1_000_000,
        "bidCurrency": "USD",
        "bidRate": None,
        "priceMicros": 800_000,
        "priceCurrency": "USD",
        "priceRate": None,
        "sign": 1,
        "correctedId": None,
        "definitionVersion": VERSION,
    }
    sums = balanced(market)
    assert (sums["received"], sums["valid"], sums["spendMicros"]) == (1, 1, 1_000_000)


def test_flat_clicks_are_charged_and_organic_and_cpa_clicks_are_not(market: Market) -> None:
    base = market.listing("FLAT_CPC")
    for bid_type in ("FLAT_CPC", "CPA", "Organic", "PPP"):
        market.clicked(msgspec.structs.replace(base, bid_type=bid_type))
    charged = [line["chargeMicros"] for line in market.judged()]
    assert sorted(charged) == [0, 0, 0, 800_000]


def test_bots_then_repeats_then_valid_ones(market: Market) -> None:
    listing = market.listing()
    for after, agent in ((0, BOT_AGENT), (1, HUMAN), (2, BOT_AGENT), (3, HUMAN), (4, "")):
        market.clicked(listing, at=START + after * SECOND, agent=agent, ip="198.51.100.7")
    told = dispositions(market.judged())
    assert told == ["bot", "valid", "bot", "duplicate", "bot"]
    assert balanced(market)["bot"] == 3


def test_a_window_is_opened_by_the_click_that_counted(market: Market) -> None:
    listing = market.listing()
    for after in (0, 29, 30, 31, 61, 62):
        market.clicked(listing, at=START + after * SECOND, ip="198.51.100.7")
    told = dispositions(market.judged())
    # 31 opens the next window, for the repeats at 29 and 30 opened none; 61 is in it, 62 is not.
    assert told == ["valid", "duplicate", "duplicate", "valid", "duplicate", "valid"]


def test_windows_hold_across_batches_and_are_forgotten(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing, ip="198.51.100.7")
    market.judge_all()
    market.clicked(listing, at=START + 5 * SECOND, ip="198.51.100.7")
    assert dispositions(market.judged()) == ["valid", "duplicate"]
    market.clicked(listing, at=START + DAY, ip="198.51.100.8")
    market.judge_all()
    with market.records.read() as tx:
        assert len(tx.run_text("SELECT visitor FROM visits", {})[0]) == 1


def test_the_same_visitor_on_another_job_is_no_repeat(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing, ip="198.51.100.7")
    market.clicked(msgspec.structs.replace(listing, job_id=b"k" * 16), ip="198.51.100.7")
    assert dispositions(market.judged()) == ["valid", "valid"]


def test_a_redelivered_click_is_booked_once(market: Market) -> None:
    _, event = market.click(market.listing())
    market.journal.add([event, event])
    market.judge_all()
    market.journal.add([event])
    assert len(market.judged()) == 1
    assert balanced(market)["received"] == 1


@pytest.mark.parametrize(
    "level", ["client", "campaign", "group", "placement", "campaign_placement"]
)
def test_no_budget_cap_is_passed_at_any_level(market: Market, level: str) -> None:
    cap = Cap("Daily", 2_500_000)
    caps = {level: Caps(budget=cap)}
    client_no = market.client(caps=caps.get("client"))
    campaign: dict[str, Any] = {"caps": caps.get("campaign", Caps())}
    if level == "campaign_placement":
        campaign["placement_caps"] = {"Board": cap}
    campaign_no = market.campaign(client_no, **campaign)
    placements = [Placement("Board", budget=cap if level == "placement" else None)]
    group_no = market.group(
        client_no, campaign_no, caps=caps.get("group", Caps()), placements=placements
    )
    listing = market.listing(client_no=client_no, campaign_no=campaign_no, group_no=group_no)
    for after in (0, 1, 2, 3):
        market.clicked(listing, at=START + after)
        market.judge_all()
    ledger = market.ledger()
    assert dispositions(ledger) == ["valid", "valid", "over_cap", "over_cap"]
    assert {line["reason"] for line in ledger[2:]} == {f"{level}_budget_daily"}
    assert [line["chargeMicros"] for line in ledger[2:]] == [0, 0]
    market.clicked(listing, at=START + DAY)
    assert dispositions(market.judged())[-1] == "valid"
    balanced(market)


def test_an_over_cap_click_opens_a_window(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Monthly", 0)))
    market.clicked(listing, ip="198.51.100.7")
    market.clicked(listing, at=START + SECOND, ip="198.51.100.7")
    assert dispositions(market.judged()) == ["over_cap", "duplicate"]


def test_clicks_and_applies_caps(market: Market) -> None:
    caps = Caps(clicks=Cap("Weekly", 2), applies=Cap("Lifetime", 1))
    listing = market.listing(caps=caps)
    seen = [market.clicked(listing, at=START + n) for n in range(3)]
    for n, click in enumerate(seen):
        market.converted(click, 3, f"app-{n}", at=START + MINUTE + n)
    told = dispositions(market.judged())
    assert told == ["valid", "valid", "over_cap", "counted", "over_cap", "over_cap"]
    balanced(market)


def test_days_are_the_clients_own(market: Market) -> None:
    client_no = market.client(zone="America/New_York", caps=Caps(budget=Cap("Daily", 1_000_000)))
    listing = market.listing(client_no=client_no)
    market.clock.forward(-5 * DAY)  # while October is still open
    # The day the clocks went back in 2026: 1 November has 25 hours.
    for at in (
        "2026-11-01T03:59:59Z",
        "2026-11-01T04:00:00Z",
        "2026-11-02T04:59:59Z",
        "2026-11-02T05:00:00Z",
    ):
        market.clicked(listing, at=instant_of_iso(at))
    assert dispositions(market.judged()) == ["valid", "valid", "over_cap", "valid"]
    balanced(market)


def test_a_cap_changed_in_mid_month_counts_what_was_spent_before(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Daily", 5_000_000)))
    for day in range(3):
        market.clicked(listing, at=START + day * DAY)
    market.judge_all()
    body = ClientBody(
        company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Monthly", 3_500_000))
    )
    market.clock.forward(3 * DAY)
    market.change(clients, listing.client_no, body)
    market.clicked(listing)
    assert dispositions(market.judged())[-1] == "over_cap"
    balanced(market)


def test_lowering_a_cap_refunds_nothing_and_is_no_fault(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Monthly", 5_000_000)))
    market.clicked(listing)
    market.clicked(listing)
    market.judge_all()
    market.change(
        clients,
        listing.client_no,
        ClientBody(company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Monthly", 1))),
    )
    market.clicked(listing)
    market.clicked(msgspec.structs.replace(listing, bid_type="Organic"))
    assert sorted(dispositions(market.judged())) == ["over_cap", "valid", "valid", "valid"]
    balanced(market)


# ── the check itself ────────────────────────────────────────────────────────────────────────────


def busy(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Daily", 3_000_000)))
    for n in range(5):
        click = market.clicked(listing, at=START + n)
        market.converted(click, 3, at=START + MINUTE + n)
        market.judge_all()
    balanced(market)


TOTALS = """totals = replace(totals, '{0}_micros":"', '{0}_micros":"7')"""


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        (tallies, "value = value + 1 WHERE disposition = 'received'", "came to nothing"),
        (tallies, "value = value + 1 WHERE disposition = 'valid'", "tally CLICK valid"),
        (counters, "clicks = clicks + 1 WHERE scope = 'group'", "counter group"),
        (segments, '"rows" = "rows" + 1 WHERE no = 1', "differs from the manifest"),
        (segments, "bytes = bytes + 1 WHERE no = 1", "not as listed"),
        (segments, "replaced_at = 1 WHERE no = 1", "the entries say"),
        (segments, "path = 'segments/gone.parquet' WHERE no = 1", "is not there"),
        (segment_clients, "client_no = 99 WHERE segment_no = 1", "client 99"),
        (segment_clients, "first_at = 1 WHERE segment_no = 1", "does not hold what is listed"),
        (segment_clients, '"rows" = "rows" + 1 WHERE segment_no = 1', "are of no client"),
        (segment_clients, "segment_no = 99 WHERE segment_no = 1", "are of no client"),
        (
            segments,
            "totals = replace(totals, 'charge_micros\":\"', 'charge_micros\":\"7')",
            "differs",
        ),
        (
            segments,
            "totals = replace(totals, 'marked_micros\":\"', 'marked_micros\":\"7')",
            "differs",
        ),
    ],
)
def test_the_check_finds_what_was_altered(
    market: Market, table: sa.Table, change: str, said: str
) -> None:
    busy(market)
    with market.records.write() as tx:
        tx.run_text(f"UPDATE {table.name} SET {change}", {})
    faults = check(market.records, market.blobs, market.scratch).faults
    assert any(said in fault for fault in faults), faults


def test_the_check_names_the_file_that_is_damaged(market: Market) -> None:
    busy(market)
    with market.records.read() as tx:
        (path,) = tx.run_text("SELECT path FROM segments ORDER BY no LIMIT 1", {})[0][0]
    sound = market.blobs.get(path)
    for at in (0, len(sound) // 2, len(sound) - 5):
        raw = bytearray(sound)
        raw[at] ^= 1
        market.blobs.put(path, bytes(raw))
        faults = check(market.records, market.blobs, market.scratch).faults
        assert [fault for fault in faults if f"{path} is damaged" in fault], faults
    market.blobs.put(path, sound)
    balanced(market)


def test_the_check_names_what_the_journal_lacks(market: Market, tmp_path: Path) -> None:
    busy(market)
    faults = check(market.records, market.blobs, market.scratch, tmp_path / "nowhere").faults
    assert any("the journal of edge-0 is gone" in fault for fault in faults), faults


def test_the_check_finds_entries_twice_and_a_cap_passed(market: Market) -> None:
    busy(market)
    with market.records.write() as tx:
        found = tx.run_text("SELECT path FROM segments ORDER BY no", {})[0]
        raw = market.blobs.get(found[0][0])
        market.blobs.put("segments/twice.parquet", raw)
        columns = 'month, "rows", bytes, digest, totals, first_at, last_at, created_at'
        tx.run_text(
            f"INSERT INTO segments ({columns}, path) SELECT {columns}, 'segments/twice.parquet' "
            "FROM segments WHERE no = 1",
            {},
        )
        tx.run_text(
            "INSERT INTO segment_clients "
            'SELECT s.no, p.client_no, p."rows", p.first_at, p.last_at FROM segment_clients p '
            "JOIN segments s ON s.path = 'segments/twice.parquet' WHERE p.segment_no = 1",
            {},
        )
    body = ClientBody(
        company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Daily", 2_000_000))
    )
    market.change(clients, 1, body, at=1)
    faults = check(market.records, market.blobs, market.scratch).faults
    assert any("there twice" in fault for fault in faults)
    assert any("Daily cap of 2000000 budget" in fault for fault in faults)


def test_marks_and_parked_rows_move_with_the_batch(market: Market) -> None:
    click, _ = market.click(market.listing())
    market.converted(click)
    market.judge_all()
    with market.records.read() as tx:
        marks: dict[str, int] = dict(
            tx.run_text('SELECT source, "offset" FROM journal_marks', {})[0]
        )
        assert marks == {"": 0, "api-0": 1}
        assert tx.run_text("SELECT count(*) FROM parked", {})[0][0][0] == 1
        assert tx.run_text("SELECT count(*) FROM clicks", {})[0][0][0] == 0


def test_what_was_waited_for_past_the_close_of_its_month_is_booked_in_an_open_one(
    market: Market,
) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Daily", 1_500_000)))
    october = instant_of_iso("2026-10-30T12:00:00Z")
    click = market.clicked(listing, at=october)
    market.clicked(listing, at=october + DAY)
    market.clicked(listing, at=instant_of_iso("2026-11-01T12:00:00Z"))
    market.converted(click, at=october + HOUR)
    found = {
        (line["kind"], line["at"][:10], line["disposition"], line["reason"])
        for line in market.judged()
    }
    assert found == {
        ("CLICK", "2026-11-01", "valid", "closed_month:2026-10-30"),
        ("CLICK", "2026-11-01", "over_cap", "client_budget_daily closed_month:2026-10-31"),
        ("CLICK", "2026-11-01", "over_cap", "client_budget_daily"),
        ("APPLY", "2026-11-01", "counted", "closed_month:2026-10-30"),
    }
    balanced(market)
    market.clicked(listing, at=october + 2 * HOUR)
    assert dispositions(market.judged()).count("valid") == 1, "the counter is read of that day"
    balanced(market)
