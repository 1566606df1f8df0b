"""What customers pay, from journal to ledger: frozen, within caps to the micro, on both engines."""

import hashlib
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.core.entries import Entry
from handbill.core.nouns import Cap, Caps, Override, Placement
from handbill.core.pacing.months import MonthSpend
from handbill.kit.instants import DAY, HOUR, MINUTE, instant_of_iso
from handbill.kit.zones import day_of
from handbill.ledger.checking import check
from handbill.ledger.service import used_in_month
from handbill.store import segment_files
from handbill.store.records import Records
from handbill.store.records.tables import markups, segments
from handbill.store.segments import Segment, segments_of_any
from market import START, Market, dispositions


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def balanced(market: Market) -> dict[str, int]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return dict(books.sums)


def amounts(ledger: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    return [(one["chargeMicros"], one["spendMicros"], one["markedUpMicros"]) for one in ledger]


def entries(market: Market, client_no: int) -> list[Entry]:
    """As they lie in the segments, with what the export does not tell."""
    with market.records.read() as tx:
        listed = segments_of_any(tx, [client_no])
    with (
        segment_files.all_sound(market.blobs, listed, market.scratch) as files,
        segment_files.query(market.scratch, memory_mb=64, threads=1) as duck,
    ):
        segment_files.show(duck, files, client_no)
        found = duck.execute('SELECT * FROM entries ORDER BY "at", "id"').fetchall()
    return [Entry(**dict(zip(Entry.__struct_fields__, row, strict=True))) for row in found]


def test_the_worked_example(market: Market) -> None:
    """Bid 1.00, markdown 20 %, agency markup 10 %: paid 0.80, spent 1.00, marked up 1.10."""
    listing = market.listing()
    market.markup(100_000, client_no=listing.client_no)
    market.clicked(listing)
    ledger = market.judged()
    assert amounts(ledger) == [(800_000, 1_000_000, 1_100_000)]
    (entry,) = entries(market, listing.client_no)
    assert (entry.marked_micros, entry.agency_ppm, entry.override_ppm) == (1_100_000, 100_000, 0)
    sums = balanced(market)
    assert (sums["spendMicros"], sums["markedUpMicros"]) == (1_000_000, 1_100_000)


def test_the_override_is_put_on_top_and_rounded_once(market: Market) -> None:
    client_no = market.client()
    campaign_no = market.campaign(client_no, override=Override(markup_ppm=50_000))
    own = market.group(client_no, campaign_no, "own", override=Override(markup_ppm=333_333))
    plain = market.group(client_no, campaign_no, "plain")
    publisher_no = market.publisher()
    market.markup(123_456, client_no=client_no)
    for group_no in (own, plain):
        listing = market.listing(
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=group_no,
            publisher_no=publisher_no,
        )
        market.clicked(msgspec.structs.replace(listing, bid_micros=999_999, price_micros=1))
    told = {one["jobGroupId"][-3:]: one["markedUpMicros"] for one in market.judged()}
    assert told == {
        "own": round(999_999 * 1_123_456 * 1_333_333 / 10**12),
        "ain": round(999_999 * 1_123_456 * 1_050_000 / 10**12),
    }
    balanced(market)


def test_halves_are_booked_to_the_even_micro(market: Market) -> None:
    listing = market.listing()
    market.markup(500_000, client_no=listing.client_no)
    for n, bid in enumerate((1, 3, 5, 7)):
        market.clicked(
            msgspec.structs.replace(listing, bid_micros=bid, price_micros=0), at=START + n
        )
    assert [line["markedUpMicros"] for line in market.judged()] == [2, 4, 8, 10]
    balanced(market)


def test_an_apply_that_is_paid_for_is_marked_up_as_of_its_own_instant(market: Market) -> None:
    listing = market.listing("CPA")
    market.markup(100_000, client_no=listing.client_no, from_at=START)
    market.markup(500_000, client_no=listing.client_no, from_at=START + HOUR)
    for after in (HOUR - 1, HOUR):
        market.converted(market.clicked(listing), 3, at=START + after)
    market.converted(market.clicked(listing), 2, at=START + HOUR)
    applies = [line for line in market.judged() if line["kind"] == "APPLY"]
    assert amounts(applies) == [(800_000, 1_000_000, 1_100_000), (800_000, 1_000_000, 1_500_000)]
    free = [line for line in market.ledger() if line["kind"] != "APPLY"]
    assert set(amounts(free)) == {(0, 0, 0)}
    balanced(market)


def test_what_is_booked_stays_whatever_becomes_of_the_markup(market: Market) -> None:
    listing = market.listing()
    no = market.markup(100_000, client_no=listing.client_no)
    market.clicked(listing)
    before = market.judged()
    with market.records.write() as tx:
        tx.change(markups, {"no": no}, ppm=900_000)
    assert market.judged() == before
    market.clicked(listing, at=START - HOUR)  # it is judged now
    with_late = market.judged()
    assert amounts(with_late) == [(800_000, 1_000_000, 1_900_000), (800_000, 1_000_000, 1_100_000)]
    with market.records.write() as tx:
        tx.change(markups, {"no": no}, deleted_at=market.clock.now())
    market.clicked(listing, at=START + HOUR)
    assert amounts(market.judged())[-1] == (800_000, 1_000_000, 1_000_000)
    balanced(market)


def test_the_most_specific_markup_holds_at_each_place(market: Market) -> None:
    client_no = market.client()
    campaign_no, other = (market.campaign(client_no, name) for name in ("k1", "k2"))
    group_no = market.group(client_no, campaign_no)
    elsewhere = market.group(client_no, other)
    board, second = market.publisher("Board"), market.publisher("Second")
    for ppm, where in (
        (10_000, {}),
        (20_000, {"publisher_no": board}),
        (30_000, {"campaign_no": campaign_no}),
        (40_000, {"campaign_no": campaign_no, "group_no": group_no}),
        (50_000, {"campaign_no": campaign_no, "group_no": group_no, "publisher_no": board}),
    ):
        market.markup(ppm, client_no=client_no, **where)
    stranger = market.client("c2")
    market.markup(990_000, client_no=stranger)
    told = []
    for n, (campaign, group, publisher) in enumerate(
        (
            (campaign_no, group_no, board),
            (campaign_no, group_no, second),
            (other, elsewhere, board),
            (other, elsewhere, second),
        )
    ):
        listing = market.listing(
            client_no=client_no, campaign_no=campaign, group_no=group, publisher_no=publisher
        )
        market.clicked(listing, at=START + n)
        told.append(market.judged()[-1]["markedUpMicros"] - 1_000_000)
    assert told == [50_000, 40_000, 20_000, 10_000]
    balanced(market)


# ── caps ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (2_200_000, ["valid", "valid", "over_cap"]),
        (2_199_999, ["valid", "over_cap", "over_cap"]),
        (1_099_999, ["over_cap", "over_cap", "over_cap"]),
    ],
)
@pytest.mark.parametrize("bid_type", ["CPC", "CPA"])
def test_a_cap_is_held_to_the_micro(
    market: Market, bid_type: Any, most: int, told: list[str]
) -> None:
    listing = market.listing(bid_type, caps=Caps(budget=Cap("Daily", most)))
    market.markup(100_000, client_no=listing.client_no)
    for n in range(3):
        click = market.clicked(listing, at=START + n)
        if bid_type == "CPA":
            market.converted(click, 3, at=START + MINUTE + n)
    kind = {"CPC": "CLICK", "CPA": "APPLY"}[bid_type]
    paid = [line for line in market.judged() if line["kind"] == kind]
    assert dispositions(paid) == [word.replace("valid", _counts(kind)) for word in told]
    assert sum(line["markedUpMicros"] for line in paid) <= most
    balanced(market)


def _counts(kind: str) -> str:
    return "valid" if kind == "CLICK" else "counted"


@pytest.mark.parametrize("level", ["campaign", "group", "placement"])
def test_the_caps_of_every_level_see_what_the_customer_pays(market: Market, level: str) -> None:
    cap = Cap("Lifetime", 2_500_000)
    caps = {level: Caps(budget=cap)}
    client_no = market.client()
    campaign_no = market.campaign(client_no, caps=caps.get("campaign", Caps()))
    placements = [Placement("Board", budget=cap if level == "placement" else None)]
    group_no = market.group(
        client_no,
        campaign_no,
        caps=caps.get("group", Caps()),
        placements=placements,
        override=Override(markup_ppm=300_000),
    )
    listing = market.listing(client_no=client_no, campaign_no=campaign_no, group_no=group_no)
    for n in range(3):
        market.clicked(listing, at=START + n)
    assert dispositions(market.judged()) == ["valid", "over_cap", "over_cap"]
    balanced(market)


def test_postings_are_marked_up_and_take_no_room(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Lifetime", 1_100_000)))
    market.markup(100_000, client_no=listing.client_no)
    where = {"client_no": listing.client_no, "publisher_no": listing.publisher_no}
    market.markup(250_000, instant_of_iso("2026-11-10T00:00:00Z"), **where)
    market.purchase(7_000_001, [listing.client_no], listing.publisher_no)
    market.clicked(msgspec.structs.replace(listing, publisher_no=market.publisher("Second")))
    *bought, click = market.judged()
    assert [line["kind"] for line in bought] == ["POSTING", "POSTING"]
    # Each day's part by its own markup; 3.500001 and a quarter of it, to the even micro.
    assert amounts(bought) == [(3_500_000, 3_500_000, 3_850_000), (3_500_001, 3_500_001, 4_375_001)]
    assert click["disposition"] == "valid", "the posting has used nothing of the cap"
    balanced(market)


def test_the_largest_amounts_stop_neither_the_judge_nor_the_check(market: Market) -> None:
    """Sums may be longer than 64 bits; single amounts, at the largest markup, are not."""
    cap = Cap("Daily", 10**18)
    dear = {"bid_micros": 10**18, "price_micros": 10**18}
    listing = msgspec.structs.replace(market.listing(caps=Caps(budget=cap)), **dear)
    market.markup(8_000_000, client_no=listing.client_no)
    for _ in range(3):
        market.clock.forward(1)
        market.purchase(10**18, [listing.client_no], listing.publisher_no)
    market.clicked(listing)
    *bought, click = market.judged()
    assert sum(line["markedUpMicros"] for line in bought) == 27 * 10**18 > 2**64
    assert click["disposition"] == "over_cap"
    assert balanced(market)["markedUpMicros"] == 27 * 10**18


def test_a_month_without_a_cap_may_use_more_than_64_bits(market: Market) -> None:
    dear = {"bid_micros": 10**18, "price_micros": 10**18}
    listing = msgspec.structs.replace(market.listing(), **dear)
    for _ in range(2):
        for _ in range(7):
            market.clicked(listing)
        market.clock.forward(DAY)
    market.judge_all()
    today = day_of(market.clock.now() - DAY, UTC)
    with market.records.read() as tx:
        spent = used_in_month(tx, [listing.client_no], today)[listing.client_no]
    assert spent == MonthSpend(used=14 * 10**18, today=7 * 10**18, lately=7 * 10**18)


# ── the check ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("column", "by", "fault"),
    [
        ("marked_micros", 1, "not marked up as they say"),
        ("agency_ppm", 1_000, "not marked up"),
        ("override_ppm", -1_000, "not marked up"),
        ("marked_micros", 1, "counter"),
        ("bid_rate_picos", 1, "not converted"),
        ("price_rate_picos", 1, "not converted"),
    ],
)
def test_the_check_finds_an_altered_amount(
    market: Market, column: str, by: int, fault: str
) -> None:
    listing = market.listing()
    market.markup(100_000, client_no=listing.client_no)
    market.clicked(listing)
    market.judge_all()
    (segment,) = _segments(market, listing.client_no)
    with segment_files.query(market.scratch, memory_mb=64, threads=1) as duck:
        kept = market.blobs.local(segment.path)
        altered = market.folder / "altered.parquet"
        duck.execute(
            f"COPY (SELECT * REPLACE ({column} + {by} AS {column}) FROM read_parquet('{kept}')) "
            f"TO '{altered}' (FORMAT parquet)"
        )
    raw = altered.read_bytes()
    market.blobs.put(segment.path, raw)
    with market.records.write() as tx:
        digest = hashlib.sha256(raw).digest()
        tx.change(segments, {"path": segment.path}, bytes=len(raw), digest=digest)
    books = check(market.records, market.blobs, market.scratch)
    assert any(fault in line for line in books.faults), books.faults


def _segments(market: Market, client_no: int) -> list[Segment]:
    with market.records.read() as tx:
        return segments_of_any(tx, [client_no])


def test_a_client_without_markups_pays_its_spend(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing)
    assert amounts(market.judged()) == [(800_000, 1_000_000, 1_000_000)]
