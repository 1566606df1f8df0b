"""What job groups offer: worked out once, and anew as soon as anything else is true."""

import gc
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from core.standing_tree import MONDAY, tree
from handbill.control.offered import OfferBasis, PlacedOffer, offered
from handbill.core.bids import JobBids
from handbill.core.charging import Place
from handbill.core.nouns import JobPlacement, JobSettings, Placement, Publisher
from handbill.core.rates import DatedRate, Exchange
from handbill.listings.matched import Alike, Shared, stock_of

PLACE = Place(client_no=1, campaign_no=2, group_no=3, publisher_no=7)
EURO = DatedRate(MONDAY, "EUR", "USD", 2 * 10**12)


def basis(
    today: date = MONDAY,
    rate: DatedRate = EURO,
    jobs: int = 5,
    group: dict[str, Any] | None = None,
    **changed: Any,
) -> OfferBasis:
    """The same values, read anew each time, but for what is changed."""
    nouns = tree(group={"filters": None} | (group or {}), **changed)
    return OfferBasis(
        nouns.client,
        Exchange("USD", today, [rate]),
        {one.no: one for one in nouns.campaigns},
        {one.no: one for one in nouns.groups},
        {one.no: one for one in nouns.publishers.values()},
        {3: [Alike(JobBids(), jobs)]},
    )


def only(of: OfferBasis) -> PlacedOffer:
    ((place, offer),) = offered(of).items()
    assert place == PLACE
    return offer


def test_equal_values_have_the_same_offers() -> None:
    first = offered(basis())
    assert offered(basis()) is first
    assert only(basis()).stock.mean_micros == 500_000
    assert offered(basis(jobs=6)) is not first


@pytest.mark.parametrize(
    ("changed", "stock_jobs", "mean_micros", "trades"),
    [
        ({"jobs": 6}, 6, 500_000, True),
        ({"status": "PAAA"}, 5, 500_000, False),
        ({"status": "APAA"}, 5, 500_000, False),
        ({"status": "AAPA"}, 5, 500_000, False),
        ({"group": {"cpc_bid_micros": 700_000}}, 5, 700_000, True),
        ({"group": {"days": (1, 2)}}, 5, 500_000, False),
        ({"group": {"days": (1, 2)}, "today": MONDAY + timedelta(days=1)}, 5, 500_000, True),
        ({"publisher": {"min_bid_micros": 600_000}}, 0, 0, True),
    ],
    ids=["jobs", "client", "campaign", "group", "bid", "weekday", "tomorrow", "least"],
)
def test_another_value_is_heeded_at_once(
    changed: dict[str, Any], stock_jobs: int, mean_micros: int, trades: bool
) -> None:
    offered(basis())
    offer = only(basis(**changed))
    assert (offer.stock.jobs, offer.stock.mean_micros) == (stock_jobs, mean_micros)
    assert offer.trades is trades
    assert only(basis()).stock.jobs == 5, "and what it was before is so again"


def test_what_changes_in_place_is_heeded_too() -> None:
    changed = basis()
    assert only(changed).stock.mean_micros == 500_000
    changed.groups[3].body.cpc_bid_micros = 700_000
    assert only(changed).stock.mean_micros == 700_000


def test_of_what_offers_follow_from_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each client would keep all publishers of its agency."""

    def kept() -> int:
        gc.collect()
        return sum(isinstance(one, Publisher) for one in gc.get_objects())

    monkeypatch.setattr("handbill.control.offered._KNOWN", {})
    before = kept()
    offers = offered(basis())
    assert kept() == before
    assert offered(basis()) is offers


def test_another_rate_is_heeded_at_once() -> None:
    """Half of a bid's worth, and none of the days that have rates."""
    placed = {"placements": [Placement("Board", bid_micros=300_000, currency="EUR")]}
    abroad: dict[str, Any] = {"group": placed, "publisher": {"currency": "EUR"}}
    assert only(basis(**abroad)).stock.mean_micros == 600_000
    halved = EURO._replace(picos=10**12)
    assert only(basis(rate=halved, **abroad)).stock.mean_micros == 300_000
    assert only(basis(today=MONDAY + timedelta(days=30), **abroad)).stock.jobs == 0


def test_a_publisher_that_is_barred_is_offered_nothing() -> None:
    assert only(basis())
    assert not offered(basis(status="AAAP"))
    assert not offered(basis(client={"excluded_publishers": ["Board"]}))


@pytest.mark.parametrize("group", [{"cpc_bid_micros": 0}, {"cpc_bid_micros": 400_000}])
def test_publishers_share_what_no_job_says_of_one_of_them(group: dict[str, Any]) -> None:
    """Their stock is as if each was asked alone; the bids of thousands of jobs are decided once."""
    here = only(basis(group=group)).terms
    there = msgspec.structs.replace(here, publisher_id="Other")
    dearer = msgspec.structs.replace(here, publisher_id="Dearer", min_bid_micros=350_000)
    only_here = JobSettings(publishers=("Board",))
    more_there = JobSettings(placements=(JobPlacement("Other", cpc_bid_micros=900_000),))
    jobs = [Alike(JobBids(feed_micros=bid), 2) for bid in (300_000, 500_000)]
    jobs += [
        Alike(JobBids(settings=own, feed_micros=200_000), 1) for own in (only_here, more_there)
    ]
    shared: Shared = {}
    stocks = [stock_of(one, jobs, MONDAY, shared) for one in (here, there, dearer)]
    assert stocks == [stock_of(one, jobs, MONDAY) for one in (here, there, dearer)]
    assert (stocks[0].jobs, stocks[1].jobs, stocks[1].most_micros) == (6, 5, 900_000)
    assert len(shared) == 2
