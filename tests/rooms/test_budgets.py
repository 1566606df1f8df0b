"""What is told of caps, against what is worked out here again: days of 23 and 25 hours, flights of
a day, the time in which a cap held, clicks that did not come.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from handbill.control.budgets import budget_of
from handbill.control.outlooks import Outlook
from handbill.core.nouns import Cap, Caps, Placement
from handbill.core.pacing.caps import Felt
from handbill.core.pacing.outlook import Unspent
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant
from handbill.kit.zones import bounds_of, day_of, start_of, zone_of
from handbill.standing import service as standing
from handbill.store.records import Records
from rooms.listing_market import MONDAY, Market, open_market
from rooms.test_control import BID, MICROS, Shop, tick, use

PPM = 1_000_000


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def caps_of(market: Market, shop: Shop) -> dict[tuple[str, str], Outlook]:
    """By scope and measure."""
    with market.records.read() as tx:
        found = budget_of(tx, shop.client, market.now(), 1_200_000)
    entities = [found.client]
    for campaign, below in found.below:
        entities += [campaign, *below]
    return {(one.key[0], one.key[2]): one for entity in entities for one in entity.caps}


def at(market: Market, instant: Instant) -> None:
    market.clock.forward(instant - market.now())


def in_zone(market: Market, zone: str, day: date, **group: Any) -> Shop:
    """A shop whose client lives in a zone; its clock stands at the beginning of a day there."""
    at(market, start_of(day, zone_of(zone)))
    shop = Shop(market, **group)
    shop.client.zone = zone
    market.write(lambda tx: _save(tx, shop))
    return shop


def _save(tx: Any, shop: Shop) -> None:
    from handbill.clients import rows as client_rows

    client_rows.save(tx, shop.client, MONDAY)
    tx.run_text("UPDATE clients SET zone = :zone", {"zone": shop.client.zone})


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 14), 23), (date(2027, 11, 7), 25), (date(2027, 6, 9), 24)]
)
def test_a_cap_that_held_from_noon_held_for_half_of_any_day(
    market: Market, day: date, hours: int
) -> None:
    """Time is real time: a day of 23 hours has 23; the day's share is the same as ever."""
    zone = zone_of("America/New_York")
    first, end = bounds_of(day, day, zone)
    assert end - first == hours * HOUR
    shop = in_zone(market, "America/New_York", day, caps=Caps(budget=Cap("Daily", 10 * MICROS)))
    tick(market, shop.client)
    at(market, first + 12 * HOUR)
    use(market, shop.client, "group", shop.entity("group"), "budget", Monthly=10 * MICROS)
    tick(market, shop.client)
    at(market, end - MINUTE)
    told = caps_of(market, shop)["group", "budget"]
    assert (told.first, told.last, told.noted.felt) == (day, day, Felt.STOPPED)
    assert told.mark.used_today == told.mark.share == 10 * MICROS
    length = end - MINUTE - first
    assert told.in_budget_ppm == PPM * (length - (length - 12 * HOUR)) // length
    at(market, end + HOUR)
    tick(market, shop.client)
    anew = caps_of(market, shop)["group", "budget"]
    assert (anew.mark.used, anew.noted.felt) == (0, Felt.FULL)
    assert anew.in_budget_ppm is not None
    assert anew.in_budget_ppm < PPM, "until the tick after midnight it was stopped still"
    assert anew.ahead is not None, "a daily cap is forecast by the seven days before"
    assert anew.ahead.end == round(10 * MICROS / 7)


def test_a_flight_of_a_day_is_paced_as_the_last_day_of_any_is(market: Market) -> None:
    """It aims at all that is left, at bids by which it lasts for the day; without a forecast."""
    today = day_of(market.now(), zone_of("UTC")).isoformat()
    shop = Shop(
        market,
        caps=Caps(budget=Cap("Monthly", 3 * MICROS, pacing=True)),
        placements=[Placement("one")],
        start_on=today,
        end_on=today,
        cpc_bid_micros=BID,
    )
    busy(market, shop, clicks=400)
    tick(market, shop.client, anew=True)
    told = caps_of(market, shop)["group", "budget"]
    assert (told.first, told.last) == (date.fromisoformat(today), date.fromisoformat(today))
    assert told.mark.share == 3 * MICROS, "all of it"
    assert (told.ahead, told.pace_ppm, told.unspent) == (None, None, [])
    assert told.noted.felt in {Felt.PACED, Felt.BRAKING}
    with market.records.read() as tx:
        (paced,) = standing.paced_of(tx, shop.client.no).values()
    assert paced.factor_ppm < PPM, "bids are lowered"


def busy(market: Market, shop: Shop, clicks: int) -> None:
    """Publisher one is known to send so many clicks a day."""
    market.write(
        lambda tx: tx.run_text(
            "INSERT INTO demand (group_no, publisher_no, client_no, clicks, traffic, today_clicks,"
            " today_traffic, applies, seen_at) VALUES (:group_no, :publisher_no, :client_no,"
            " :clicks, :traffic, 0, 0, 0, :seen_at)",
            {
                "group_no": shop.group.no,
                "publisher_no": shop.one.no,
                "client_no": shop.client.no,
                "clicks": clicks * PPM * 3,
                "traffic": PPM * 3,
                "seen_at": market.now(),
            },
        )
    )


def test_a_group_that_began_late_says_so(market: Market) -> None:
    """It used what a day takes, in the days that it had."""
    shop = Shop(market, caps=Caps(budget=Cap("Monthly", 60 * MICROS)))
    tick(market, shop.client)
    for _ in range(2):
        use(market, shop.client, "group", shop.entity("group"), "budget", Monthly=2 * MICROS)
        market.clock.forward(DAY)
        tick(market, shop.client)
    told = caps_of(market, shop)["group", "budget"]
    assert told.first == day_of(MONDAY, zone_of("UTC"))
    assert told.ahead is not None
    days_left = (date(2026, 11, 30) - day_of(market.now(), zone_of("UTC"))).days + 1
    assert told.ahead.end == pytest.approx((2 + days_left) * 2 * MICROS, rel=0.02)
    assert told.unspent == [Unspent.LATE_START], "a whole month would have used it up"


def test_a_cap_that_was_raised_counts_from_what_was_used(market: Market) -> None:
    shop = Shop(market, caps=Caps(budget=Cap("Monthly", 4 * MICROS)))
    use(market, shop.client, "group", shop.entity("group"), "budget", Monthly=4 * MICROS)
    tick(market, shop.client)
    assert caps_of(market, shop)["group", "budget"].noted.felt is Felt.STOPPED
    market.clock.forward(2 * HOUR)
    shop.cap("group", "budget", Cap("Monthly", 40 * MICROS))
    tick(market, shop.client, anew=True)
    raised = caps_of(market, shop)["group", "budget"]
    assert (raised.mark.value, raised.mark.used) == (40 * MICROS, 4 * MICROS)
    assert raised.noted.felt is Felt.FULL
    assert raised.noted.limited.past == 2 * HOUR
    shop.cap("group", "budget", Cap("Monthly", 3 * MICROS))
    tick(market, shop.client, anew=True)
    lowered = caps_of(market, shop)["group", "budget"]
    assert (lowered.mark.value, lowered.mark.used) == (3 * MICROS, 4 * MICROS)
    assert lowered.noted.felt is Felt.STOPPED
    shop.cap("group", "budget", None)
    tick(market, shop.client, anew=True)
    assert caps_of(market, shop) == {}
