"""What the largest price that is accepted comes to, marked up as much as can be, day after day."""

from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path

import pytest
from msgspec.structs import replace

from handbill.control import cap_rows
from handbill.control import rows as control_rows
from handbill.control.learning import days_with
from handbill.control.rows import PairDay
from handbill.core.charging import CounterKey
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Cap, Caps
from handbill.core.pacing.months import MonthSpend
from handbill.kit.instants import DAY, SECOND
from handbill.kit.zones import QUARTER
from handbill.ledger import counter_rows, month_rows, retiring, traffic
from handbill.ledger.checking import check
from handbill.ledger.traffic import SeenTraffic, quarter_of, traffic_of
from handbill.store import asides
from handbill.store.records import Records
from handbill.store.records.columns import MOST_ESTIMATED
from market import Market, dispositions
from rooms.report_desk import Desk

MOST = 10**18
MARKED = 9 * MOST
DAYS = ("2026-11-10", "2026-11-11")


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def dear(market: Desk, caps: Caps | None = None, bid_type: str = "CPC") -> Listing:
    listing = market.listing(bid_type, caps)  # type: ignore[arg-type]
    market.markup(8_000_000, client_no=listing.client_no)
    return replace(listing, bid_micros=MOST, price_micros=MOST)


def clicked(market: Desk, listing: Listing, count: int = 12) -> None:
    for _ in range(count):
        market.clock.forward(SECOND)
        market.clicked(listing)
    market.judge_all()


def applied(market: Desk, listing: Listing, count: int = 12) -> None:
    for _ in range(count):
        market.clock.forward(SECOND)
        market.converted(market.clicked(listing), application=f"a-{market.clock.now()}")
    market.judge_all()


def balanced(market: Market) -> None:
    assert check(market.records, market.blobs, market.scratch).faults == []


@pytest.mark.parametrize(("bid_type", "come"), [("CPC", clicked), ("CPA", applied)])
def test_sums_beyond_64_bits_are_booked_sealed_and_told(
    market: Desk, bid_type: str, come: Callable[[Desk, Listing], None]
) -> None:
    listing = dear(market, bid_type=bid_type)
    other = replace(listing, bid_micros=1_000_000, price_micros=800_000)
    for _ in DAYS:
        come(market, listing)
        clicked(market, other, 1)
        market.clock.forward(DAY)
    spent = 12 * MARKED + (9_000_000 if bid_type == "CPC" else 0)
    client = CounterKey("client", f"{listing.client_no}", "budget", "L")
    with market.records.read() as tx:
        used = counter_rows.counters_used(tx, [client])
        month = month_rows.used_in_month(tx, [listing.client_no], date.fromisoformat(DAYS[1]))
        by_day = counter_rows.counters_by_day(
            tx, "client", "budget", [client.entity], DAYS[0], "2026-12-01"
        )
    assert used[client] == 2 * spent
    assert by_day == [(client.entity, day, spent) for day in DAYS]
    assert month[listing.client_no] == MonthSpend(2 * spent, spent, spent)
    (line,) = market.lines(listing.client_no, "CLIENT")
    assert line["markedUpSpent"] == str(2 * spent // 10**6)
    balanced(market)
    market.clock.forward(100 * DAY)
    retiring.seal(market.tools, market.clock.now())
    with market.records.read() as tx:
        assert counter_rows.counters_used(tx, [client])[client] == 2 * spent
    balanced(market)
    with market.records.read() as tx:
        assert asides.every(tx) == []


def test_what_is_over_a_cap_may_be_worth_anything(market: Desk) -> None:
    """Only the sums of what was over the caps are large here."""
    listing = dear(market, Caps(budget=Cap("Daily", 10 * 10**6)))
    clicked(market, listing)
    assert dispositions(market.ledger()) == ["over_cap"] * 12
    with market.records.read() as tx:
        (came,) = traffic_of(tx, listing.client_no).values()
    assert (came.unbilled, came.spend_micros) == (12, 0)
    balanced(market)


def test_sums_for_estimates_end_before_64_bits_do(market: Desk) -> None:
    """However many come in a quarter hour, by one batch or by many."""
    listing = dear(market)
    for _ in range(3):
        clicked(market, listing)
    with market.records.read() as tx:
        waiting = traffic_of(tx, listing.client_no)
    (came,) = waiting.values()
    assert (came.clicks, came.spend_micros) == (36, MOST_ESTIMATED)
    with market.records.write() as tx:
        traffic.take(tx, listing.client_no, waiting)
    with market.records.read() as tx:
        assert traffic_of(tx, listing.client_no) == {}


def test_estimates_of_all_days_that_are_kept_can_be_added_up(market: Desk) -> None:
    days = [f"2026-{1 + no // 28:02}-{1 + no % 28:02}" for no in range(336)]
    dearest = [PairDay(1, 1, day, 1, 0, 1, MOST_ESTIMATED, MOST_ESTIMATED) for day in days]
    for _ in range(2):
        with market.records.write() as tx:
            control_rows.add_days(tx, 1, dearest)
    with market.records.read() as tx:
        (found,) = cap_rows.sums_of(tx, [1], days[0])
    assert (found.unbilled, found.unbilled_micros) == (672, 336 * MOST_ESTIMATED)


def test_a_day_of_the_dearest_quarters_is_no_dearer() -> None:
    quarter = SeenTraffic(spend_micros=MOST_ESTIMATED, unbilled_micros=MOST_ESTIMATED)
    came = [(quarter_of(1, 1, number * QUARTER), quarter) for number in range(96)]
    (day,) = days_with(came, UTC)
    assert (day.spend_micros, day.unbilled_micros) == (MOST_ESTIMATED, MOST_ESTIMATED)


@pytest.mark.parametrize("above", [0, 4_999_999, 5_000_000, MOST])
def test_counters_above_an_amount(market: Desk, above: int) -> None:
    """A sum beyond 64 bits, and one that becomes a whole unit by its parts."""
    listing = dear(market)
    other = market.listing(client_no=market.client("c2"), publisher_no=listing.publisher_no)
    clicked(market, listing)
    for _ in range(2):
        clicked(market, replace(other, bid_micros=2_500_000), 1)
    entities = [f"{one.client_no}" for one in (listing, other)]
    key = CounterKey("client", "", "budget", "L")
    with market.records.read() as tx:
        found = counter_rows.counters_above(tx, ("", "~"), key, above)
    sums = zip(entities, (12 * MARKED, 5_000_000), strict=True)
    assert found == {entity: used for entity, used in sums if used > above}
