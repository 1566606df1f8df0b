"""Control at its tick: which caps stop what, what is lowered, what is left out; whatever breaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.control import service as control
from handbill.core.charging import Limit, unkeyed
from handbill.core.charging import key_of as counter_of
from handbill.core.nouns import (
    Cap,
    Caps,
    Client,
    Group,
    JobPlacement,
    JobSetting,
    JobSettings,
    Placement,
)
from handbill.core.rates import PICOS, DatedRate
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, HOUR
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import counter_rows
from handbill.listings.offers import offers_of
from handbill.rates import service as rates
from handbill.standing import service as standing
from handbill.store.records import Records, Tx
from rooms.listing_market import Market, open_market

MICROS = 1_000_000
BID = 500_000
ROOM = 10 * MICROS
FULL = Cap("Monthly", ROOM)


@pytest.fixture
def quick(sqlite_records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def tick(market: Market, client: Client, *, anew: bool = False) -> bool:
    return control.tick(market.records, client, market.now(), 1_200_000, anew=anew)


def listed(market: Market, client: Client) -> dict[str, list[tuple[int, int]]]:
    """By publisher, the jobs that are offered, and at which bids."""
    with market.records.read() as tx:
        offers = offers_of(tx, client, market.now())
    return {
        publisher.id: [(one.job_no, one.offered.bid_micros) for one in offers.of(slot)]
        for slot, publisher in enumerate(offers.slots)
    }


def counts(market: Market, client: Client) -> dict[str, int]:
    return {name: len(jobs) for name, jobs in listed(market, client).items()}


def use(market: Market, client: Client, scope: Any, entity: str, measure: Any, **of: int) -> None:
    """Let a counter have used so much of a month, and of that today (all, if nothing is said)."""
    today = day_of(market.now(), zone_of(client.zone))
    daily = of.get("Daily", of["Monthly"])
    other = today.replace(day=2 if today.day == 1 else 1)
    limit = Limit(scope, entity, measure, "Daily", 0)
    added = {
        counter_of(limit, day): amount
        for day, amount in ((today, daily), (other, of["Monthly"] - daily))
        if amount
    }
    rows = counter_rows.rows_of([(client.no, unkeyed(added))])
    market.write(lambda tx: counter_rows.add_counters(tx, rows))


class Shop:
    """Two publishers, one job group in a campaign, three jobs."""

    def __init__(self, market: Market, **group: Any) -> None:
        self.market = market
        self.one, self.two = market.publisher("one"), market.publisher("two")
        self.client = market.client()
        self.campaign = market.campaign(self.client)
        said: dict[str, Any] = {
            "cpc_bid_micros": BID,
            "placements": [Placement("one"), Placement("two")],
            "caps": Caps(budget=Cap("Monthly", 1_000 * MICROS)),
        }
        self.group: Group = market.group(self.campaign, **(said | group))
        self.jobs = [market.job(self.client) for _ in range(3)]
        market.run("groups.rematch", self.client.id)
        with market.records.read() as tx:
            self.ids: list[str] = [
                job_id for (job_id,) in tx.run_text("SELECT id FROM jobs ORDER BY no", {})[0]
            ]

    def entity(self, scope: str) -> str:
        group, campaign, one = self.group.no, self.campaign.no, self.one.no
        return {
            "client": f"{self.client.no}",
            "campaign": f"{campaign}",
            "group": f"{group}",
            "placement": f"{group}/{one}",
            "campaign_placement": f"{campaign}/{one}",
            "group_job": f"{group}/{self.ids[0]}",
            "job": self.ids[0],
            "job_placement": f"{self.ids[0]}/{one}",
        }[scope]

    def cap(self, scope: str, measure: str, cap: Cap | None) -> None:
        """Set one cap, wherever it stands."""
        market, now = self.market, self.market.now()
        caps = Caps(**{measure: cap})
        if scope == "client":
            self.client.body.caps = caps
        elif scope == "campaign":
            self.campaign.body.caps = caps
        elif scope == "campaign_placement":
            self.campaign.body.placement_caps = {} if cap is None else {"one": cap}
        elif scope == "group":
            self.group.body.caps = caps
        elif scope == "group_job":
            self.group.body.caps = Caps(
                budget=Cap("Monthly", 1_000 * MICROS), **{f"job_{measure}": cap}
            )
        elif scope == "placement":
            self.group.body.placements = [Placement("one", budget=cap), Placement("two")]
        elif scope == "job":
            self._set_job(JobSettings(JobSetting(caps=caps)))
        else:
            self._set_job(JobSettings(placements=(JobPlacement("one", budget=cap),)))
        market.save(self.group)
        from handbill.campaigns import rows as campaign_rows
        from handbill.clients import rows as client_rows

        market.write(lambda tx: client_rows.save(tx, self.client, now))
        market.write(lambda tx: campaign_rows.save(tx, self.campaign, now))

    def _set_job(self, settings: JobSettings) -> None:
        text = msgspec.json.encode(settings).decode()
        self.market.job_columns(self.client, self.jobs[0], settings=text)


EVERYWHERE, AT_ONE = {"one": 0, "two": 0}, {"one": 0, "two": 3}
LESS, LESS_AT_ONE = {"one": 2, "two": 2}, {"one": 2, "two": 3}
LEVELS = {
    ("client", "budget"): EVERYWHERE,
    ("client", "clicks"): EVERYWHERE,
    ("campaign", "budget"): EVERYWHERE,
    ("campaign", "applies"): EVERYWHERE,
    ("group", "budget"): EVERYWHERE,
    ("group", "clicks"): EVERYWHERE,
    ("placement", "budget"): AT_ONE,
    ("campaign_placement", "budget"): AT_ONE,
    ("group_job", "budget"): LESS,
    ("group_job", "clicks"): LESS,
    ("job", "budget"): LESS,
    ("job", "applies"): LESS,
    ("job_placement", "budget"): LESS_AT_ONE,
}


@pytest.mark.parametrize(("scope", "measure"), LEVELS)
def test_a_full_cap_of_any_level_stops_what_is_below_it(
    quick: Market, scope: str, measure: str
) -> None:
    """Just full, less left than the cheapest bid, raised, lowered, and in the next month."""
    shop = Shop(quick)
    unit = MICROS if measure == "budget" else 1
    shop.cap(scope, measure, Cap("Monthly", 10 * unit))
    assert tick(quick, shop.client) is False
    assert counts(quick, shop.client) == {"one": 3, "two": 3}
    left = BID - 1 if measure == "budget" else 0
    use(quick, shop.client, scope, shop.entity(scope), measure, Monthly=10 * unit - left)
    assert tick(quick, shop.client) is True
    assert counts(quick, shop.client) == LEVELS[scope, measure]
    assert tick(quick, shop.client) is False, "nothing is new"
    shop.cap(scope, measure, Cap("Monthly", 11 * unit, threshold_ppm=1_000_000))
    tick(quick, shop.client, anew=True)
    assert counts(quick, shop.client) == {"one": 3, "two": 3}
    shop.cap(scope, measure, Cap("Monthly", 9 * unit))
    tick(quick, shop.client, anew=True)
    assert counts(quick, shop.client) == LEVELS[scope, measure]
    quick.clock.forward(31 * DAY)
    tick(quick, shop.client)
    assert counts(quick, shop.client) == {"one": 3, "two": 3}


def test_a_cap_of_nothing_stops_before_anything_came(quick: Market) -> None:
    shop = Shop(quick)
    for (scope, measure), usual in LEVELS.items():
        shop.cap(scope, measure, Cap("Monthly", 0))
        tick(quick, shop.client, anew=True)
        expected = {"one": 0, "two": 0} if scope == "group_job" else usual
        assert counts(quick, shop.client) == expected, (scope, measure)
        shop.cap(scope, measure, None)


@pytest.mark.parametrize(
    ("publisher", "placement", "bid"),
    [
        ({"currency": "JPY"}, Placement("yen", bid_micros=60 * MICROS, currency="JPY"), 600_000),
        ({"currency": "JPY"}, Placement("yen", bid_micros=600_000), 600_000),
        (
            {"currency": "JPY", "bid_type": "FLAT_CPC", "flat_bid_micros": 70 * MICROS},
            Placement("yen"),
            700_000,
        ),
    ],
)
def test_a_budget_of_nothing_is_raised_by_a_click_in_the_agencys_currency(
    quick: Market, publisher: dict[str, Any], placement: Placement, bid: int
) -> None:
    today = day_of(quick.now(), zone_of("UTC+0:00"))
    hundredth = [DatedRate(today, "JPY", "USD", PICOS // 100, is_own=True)]
    quick.write(lambda tx: rates.put(tx, quick.now(), quick.agency_no, hundredth))
    quick.publisher("yen", **publisher)
    shop = Shop(quick, placements=[placement])
    for ref in shop.jobs:
        quick.job_columns(shop.client, ref, status="P")
    shop.cap("client", "budget", Cap("Monthly", 0))
    tick(quick, shop.client, anew=True)
    with quick.records.read() as tx:
        stands = standing.resolved_of(tx, shop.client.no)["client", f"{shop.client.no}"]
    fix = stands.reasons[0].fix
    assert fix is not None
    assert bid <= fix.value <= 2 * bid


@pytest.mark.parametrize(
    ("measure", "event", "caps"),
    [
        ("clicks", 1, Caps(budget=FULL, clicks=Cap("Monthly", 5, pacing=True))),
        ("budget", BID, Caps(budget=Cap("Monthly", 5 * BID, pacing=True))),
    ],
)
def test_a_paced_cap_of_few_clicks_lets_each_in_when_it_is_due(
    quick: Market, measure: Any, event: int, caps: Caps
) -> None:
    """A day's share is less than a click."""
    shop = Shop(quick, caps=caps)
    tick(quick, shop.client)
    assert any(counts(quick, shop.client).values())
    with quick.records.read() as tx:
        (ceiling,) = standing.ceilings_of(tx, shop.client.no)
    assert (ceiling.measure, ceiling.most) == (measure, event)
    use(quick, shop.client, "group", shop.entity("group"), measure, Monthly=5 * event - event)
    tick(quick, shop.client)
    assert not any(counts(quick, shop.client).values())


def test_what_is_locked_stops_the_others_alone(quick: Market) -> None:
    shop = Shop(quick)
    shop.group.body.caps = Caps(budget=FULL)
    locked = Cap("Monthly", 4 * MICROS, locked=True)
    shop.group.body.placements = [Placement("one", budget=locked), Placement("two")]
    quick.save(shop.group)
    use(quick, shop.client, "group", shop.entity("group"), "budget", Monthly=6 * MICROS)
    tick(quick, shop.client)
    assert counts(quick, shop.client) == {"one": 3, "two": 0}


def test_bids_are_lowered_by_one_factor_and_never_below_the_least(quick: Market) -> None:
    """Where jobs have bids of their own, each is lowered alike, in whole cents."""
    shop = Shop(quick, caps=Caps(budget=Cap("Daily", 2 * MICROS)))
    quick.job_columns(
        shop.client,
        shop.jobs[0],
        settings=msgspec.json.encode(JobSettings(JobSetting(cpc_bid_micros=2 * BID))).decode(),
    )
    tick(quick, shop.client)
    with quick.records.read() as tx:
        (at_one, _) = standing.paced_of(tx, shop.client.no).values()
    assert at_one.base_micros == 660_000, "the mean of 1.00, 0.50 and 0.50, in whole cents"
    lower = at_one._replace(
        factor_ppm=500_000, bid_micros=330_000, floor_micros=260_000, matching=3, jobs=2, first=1
    )
    quick.write(lambda tx: _put(tx, shop.client, lower))
    offered = listed(quick, shop.client)
    assert len(offered["one"]) == 2
    assert {bid for _, bid in offered["one"]} <= {500_000, 260_000}
    assert [bid for _, bid in offered["two"]] == [2 * BID, BID, BID]
    seen = set()
    for first in range(3):
        quick.write(lambda tx, first=first: _put(tx, shop.client, lower._replace(first=first)))  # type: ignore[misc]
        seen |= {no for no, _ in listed(quick, shop.client)["one"]}
    assert len(seen) == 3, "each has its turn"


def _put(tx: Tx, client: Client, paced: Any) -> None:
    from handbill.standing import rows

    rows.put_paced(tx, client.no, [paced])


def test_a_publisher_that_shows_its_copy_after_midnight_is_given_one(quick: Market) -> None:
    """It is expected within minutes, late on a day that is spent; one that is not sees nothing."""
    from handbill.core.received import ReceivedFetch
    from handbill.listings import copies
    from handbill.listings.rows import file_of

    shop = Shop(quick, caps=Caps(budget=Cap("Daily", 2 * MICROS)))
    quick.drain()
    quick.clock.forward(11 * HOUR)  # 23:00
    with quick.records.write() as tx:
        file = file_of(tx, shop.one.no, 0)
        assert file is not None
        copies.note(
            tx,
            [
                ReceivedFetch(
                    at=quick.now() - back * DAY,
                    name=f"{file.name}",
                    version=1,
                    status=200,
                    reader="board/1",
                )
                for back in (3, 2, 1)
            ],
        )
    use(
        quick,
        shop.client,
        "group",
        shop.entity("group"),
        "budget",
        Daily=2 * MICROS,
        Monthly=2 * MICROS,
    )
    tick(quick, shop.client)
    assert counts(quick, shop.client) == {"one": 3, "two": 0}


class Dying(Exception):
    pass


def test_a_tick_that_dies_or_comes_second_keeps_nothing(market: Market) -> None:
    shop = Shop(market)
    use(market, shop.client, "group", shop.entity("group"), "budget", Monthly=1_000 * MICROS)

    def kept() -> Any:
        with market.records.read() as tx:
            no = shop.client.no
            return (
                standing.evaluation_of(tx, no),
                standing.standings_of(tx, no),
                standing.paced_of(tx, no),
            )

    before = kept()
    with pytest.raises(Dying):
        market.write(lambda tx: _die(tx, shop.client.no, market.now()))
    assert kept() == before
    with market.records.read() as tx:
        was = standing.former_of(tx, shop.client.no)
    assert tick(market, shop.client)
    done = kept()
    with pytest.raises(Unavailable), market.records.write() as tx:
        standing.replace(tx, shop.client.no, was, market.now(), "2026-11-23", _NOTHING)
    assert kept() == done
    market.clock.forward(-HOUR)
    assert tick(market, shop.client) is False
    assert kept() == done, "the clock was set back"


_NOTHING = standing.Decided({}, {}, ())


def _die(tx: Tx, client_no: int, now: int) -> None:
    was = standing.former_of(tx, client_no)
    standing.replace(tx, client_no, was, now, "2026-11-23", _NOTHING)
    raise Dying


def test_listings_follow_even_where_a_tick_fails(quick: Market) -> None:
    """A bug in control must not keep a paused client in the feeds."""
    from handbill.store.records.tables import paced

    shop = Shop(quick)
    quick.drain()
    quick.write(lambda tx: tx.change(paced, {"client_no": shop.client.no}, decided_at=-1))
    shop.client.status = "P"
    from handbill.clients import rows as client_rows

    quick.write(lambda tx: client_rows.save(tx, shop.client, quick.now()))
    quick.write(lambda tx: tx.run_text("UPDATE evaluations SET evaluated_at = 1 << 60", {}))
    quick.run("control.follow", shop.client.id)
    assert ("listings.publish", shop.client.id) in quick.drain()
