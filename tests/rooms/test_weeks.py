"""What is learned of a publisher's week: of all clients that offer jobs there, each day once."""

from datetime import date

from handbill.control import service as control
from handbill.control import week_rows
from handbill.control.deciding import decide
from handbill.control.seeing import look_at
from handbill.control.weeks import ALL, QuarterClicks, calendars_of, closed, quarters_with
from handbill.core.pacing.curves import OF_DAY
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.kit.money import PPM
from handbill.kit.zones import start_of, zone_of
from handbill.ledger import traffic
from handbill.ledger.traffic import Quarter, SeenTraffic, quarter_of
from rooms.listing_market import Market

MONDAY = date(2026, 11, 23)
UTC = zone_of("UTC")
ONE = 7


def came(day_on: str, *quarters: int) -> list[QuarterClicks]:
    return [QuarterClicks(ONE, day_on, quarter, 40 * PPM) for quarter in quarters]


def test_a_week_is_learned_of_whole_days() -> None:
    body = closed(None, came("2026-11-23", 32, 33, 34))
    (_, calendar) = calendars_of({ONE: body}, [ONE], UTC).values()
    sums = calendar.curve(MONDAY).sums
    assert sums[36] - sums[31] > 0.5 * sums[-1], "it comes in the morning"
    again = closed(body, came("2026-11-24", 80))
    assert again != body
    assert closed(again, came("2026-11-23", 80)) == again, "a day that is in it stays as it is"


def test_a_publisher_that_nothing_is_known_of_is_as_all_are() -> None:
    body = closed(None, came("2026-11-23", 32))
    calendars = calendars_of({ONE: body}, [ONE, 8], UTC)
    assert calendars[8].shape == calendars[ALL].shape
    assert calendars[ONE].shape != calendars[ALL].shape


def test_a_click_counts_for_those_that_were_not_let_through() -> None:
    at = start_of(MONDAY, UTC) + 8 * HOUR
    seen = {
        Quarter(1, ONE, at): SeenTraffic(clicks=3),
        Quarter(2, ONE, at): SeenTraffic(clicks=2, applies=1),
    }
    (one,) = quarters_with(seen.items(), {(1, ONE): PPM // 4}, UTC)
    assert one == QuarterClicks(ONE, "2026-11-23", 32, 14 * PPM)
    assert one.quarter < OF_DAY


def test_two_clients_of_one_publisher_lose_no_click(market: Market) -> None:
    """Their ticks read before either has written, and end one after the other."""
    publisher = market.publisher("one")
    clients = [market.client(), market.client()]
    seen = {quarter_of(1, publisher.no, market.now() - DAY): SeenTraffic(clicks=5)}
    market.write(lambda tx: traffic.add(tx, {client.no: seen for client in clients}))
    with market.records.read() as tx:
        looks = [look_at(tx, client, market.now()) for client in clients]
    for look in looks:
        known, calendars = control._learned(look)
        outcome = decide(look, known, calendars, 1_200_000, anew=True)
        with market.records.write() as tx:
            control._keep(tx, look, known, calendars, outcome)
    with market.records.write() as tx:
        found = week_rows.take(tx, [publisher.no], "2030-01-01")
    assert [one.clicks_ppm for one in found[publisher.no]] == [10 * PPM]


def test_a_day_is_learned_of_once_it_is_over_everywhere(market: Market) -> None:
    publisher = market.publisher("one")
    start = start_of(MONDAY, UTC)
    with market.records.write() as tx:
        week_rows.add(tx, [QuarterClicks(publisher.no, "2026-11-23", 32, 9 * PPM)])
        week_rows.add(tx, [QuarterClicks(publisher.no, "2026-11-24", 32, 9 * PPM)])

    def known() -> dict[int, str]:
        with market.records.read() as tx:
            return week_rows.weeks_of(tx, [publisher.no])

    control.learn_weeks(market.records, start + DAY + 12 * HOUR - MINUTE)
    assert known() == {}
    control.learn_weeks(market.records, start + DAY + 12 * HOUR)
    (first,) = known().values()
    assert '"day_on":"2026-11-23"' in first
    control.learn_weeks(market.records, start + DAY + 13 * HOUR)
    assert list(known().values()) == [first]
    control.learn_weeks(market.records, start + 9 * DAY)
    (second,) = known().values()
    assert '"day_on":"2026-11-24"' in second
