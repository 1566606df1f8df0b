"""Bids: which source is strongest, what is taken off, and every reason to withhold a job."""

from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.bids import PLAIN_JOB, BidSource, JobBids, Offer, offer_of
from handbill.core.nouns import (
    Campaign,
    CampaignBody,
    Cap,
    Caps,
    Client,
    ClientBody,
    Group,
    GroupBody,
    JobPlacement,
    JobSetting,
    JobSettings,
    Override,
    Placement,
    Publisher,
    PublisherBody,
)
from handbill.core.rates import Exchange
from handbill.core.terms import PlacementTerms, Withheld, terms_of
from handbill.listings.matched import Alike, stock_of

TODAY = date(2026, 11, 23)
MICROS = st.integers(1, 10**9)


def market(
    client: dict[str, Any] | None = None,
    override: Override | None = None,
    group: dict[str, Any] | None = None,
    publisher: dict[str, Any] | None = None,
    status: str = "A",
) -> PlacementTerms | Withheld:
    stamps: Any = {"created_at": 0, "updated_at": 0}
    return terms_of(
        Client(
            no=1,
            id="c",
            agency_no=1,
            status="A",
            zone="UTC",
            pixel_id="p",
            body=ClientBody(company_name="C", exported_name="C", **(client or {})),
            **stamps,
        ),
        Campaign(
            no=1,
            id="k",
            client_no=1,
            status="A",
            is_default=False,
            body=CampaignBody("K", override=override or Override()),
            **stamps,
        ),
        Group(
            no=1,
            id="g",
            client_no=1,
            campaign_no=1,
            status="A",
            is_default=False,
            priority=1,
            body=GroupBody("G", **({"placements": [Placement("Board")]} | (group or {}))),
            **stamps,
        ),
        Publisher(
            no=1,
            id="Board",
            agency_no=1,
            status=status,
            body=PublisherBody(name="Board", **(publisher or {})),
            **stamps,
        ),
        Exchange((publisher or {}).get("currency", "USD"), TODAY),
    )


def terms(**said: Any) -> PlacementTerms:
    found = market(**said)
    assert isinstance(found, PlacementTerms)
    return found


def settings(**said: Any) -> JobSettings:
    return JobSettings(setting=JobSetting(**said))


@pytest.mark.parametrize("bid_type", ["CPC", "CPA"])
def test_sources_from_the_strongest_to_the_weakest(bid_type: str) -> None:
    """Every combination of what is said: the strongest one said wins."""
    kind = f"{bid_type.lower()}_bid_micros"
    own_bid: dict[str, Any] = {kind: 10_000}
    job_bid: dict[str, Any] = {kind: 30_000}
    for said in product([True, False], repeat=5):
        job_placement, placement, job, group, feed = said
        own = JobPlacement("Board", **own_bid) if job_placement else JobPlacement("Other")
        body = {
            kind: 40_000 if group else 0,
            "placements": [Placement("Board", 20_000 if placement else None)],
        }
        asked = JobBids(
            feed_micros=50_000 if feed else None,
            settings=JobSettings(JobSetting(**(job_bid if job else {})), (own,)),
        )
        expected = [
            (10_000, BidSource.JOB_PLACEMENT),
            (20_000, BidSource.PLACEMENT),
            (30_000, BidSource.JOB),
            (40_000, BidSource.GROUP),
            (50_000, BidSource.FEED),
        ]
        heard = [
            (bid, source)
            for (bid, source), is_said in zip(expected, said, strict=True)
            if is_said and not (bid_type == "CPA" and source is BidSource.FEED)
        ]
        offer = offer_of(terms(group=body, publisher={"bid_type": bid_type}), asked, TODAY)
        if heard:
            assert offer == Offer(heard[0][0], heard[0][0], heard[0][1])
        else:
            assert offer is Withheld.NO_BID


def test_a_flat_price_replaces_every_other_bid_and_has_no_minimum() -> None:
    flat = {"bid_type": "FLAT_CPC", "flat_bid_micros": 300_000, "min_bid_micros": 400_000}
    body = {"cpc_bid_micros": 900_000, "placements": [Placement("Board", 800_000)]}
    offer = offer_of(terms(publisher=flat, group=body), JobBids(feed_micros=1), TODAY)
    assert offer == Offer(300_000, 300_000, BidSource.FLAT)
    unset = terms(publisher={"bid_type": "FLAT_CPC"}, group=body)
    assert offer_of(unset, JobBids(), TODAY) is Withheld.NO_BID


def test_a_zero_that_was_said_is_meant_but_the_groups_is_its_default() -> None:
    feed = JobBids(feed_micros=700_000)
    zero = terms(group={"placements": [Placement("Board", 0)]})
    assert offer_of(zero, feed, TODAY) is Withheld.NO_BID
    assert offer_of(terms(), feed, TODAY) == Offer(700_000, 700_000, BidSource.FEED)
    stopped = JobBids(feed_micros=700_000, settings=settings(cpc_bid_micros=0))
    assert offer_of(terms(), stopped, TODAY) is Withheld.NO_BID


def test_markdown_comes_from_the_nearest() -> None:
    """Domain 4.2, worked example: bid 1.00, markdown 20 %: the publisher is sent 0.80."""
    bid = {"cpc_bid_micros": 1_000_000}
    client = {"markdown_ppm": 200_000}

    def price(asked: JobBids | None = None, **said: Any) -> int:
        offer = offer_of(terms(client=client, **said), asked or JobBids(), TODAY)
        assert isinstance(offer, Offer)
        assert offer.bid_micros == 1_000_000
        return offer.price_micros

    assert price(group=bid) == 800_000
    campaign = Override(markdown_ppm=300_000)
    assert price(group=bid, override=campaign) == 700_000
    group = bid | {"override": Override(markdown_ppm=0)}
    assert price(group=group, override=campaign) == 1_000_000
    job = JobBids(settings=settings(markdown_ppm=500_000))
    assert price(job, group=group, override=campaign) == 500_000


def test_the_bid_not_the_price_is_held_against_the_minimum() -> None:
    publisher = {"min_bid_micros": 500_000}
    marked_down = {"markdown_ppm": 200_000}
    enough = terms(publisher=publisher, client=marked_down, group={"cpc_bid_micros": 500_000})
    assert offer_of(enough, JobBids(), TODAY) == Offer(500_000, 400_000, BidSource.GROUP)
    short = terms(publisher=publisher, group={"cpc_bid_micros": 499_999})
    assert offer_of(short, JobBids(), TODAY) is Withheld.BELOW_MIN_BID


def test_organic_needs_no_bid() -> None:
    organic = terms(publisher={"bid_type": "Organic", "min_bid_micros": 5})
    assert offer_of(organic, JobBids(), TODAY) == Offer(0, 0, BidSource.ORGANIC)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": "P"}, Withheld.PUBLISHER_INACTIVE),
        ({"client": {"excluded_publishers": ["Board"]}}, Withheld.PUBLISHER_EXCLUDED),
        ({"client": {"globally_excluded_publishers": ["Board"]}}, Withheld.PUBLISHER_EXCLUDED),
        ({"publisher": {"placement_type": "JobBoard"}}, Withheld.CLIENT_TYPE),
        (
            {
                "publisher": {"placement_type": "DirectEmployer"},
                "client": {"client_type": "JobBoard"},
            },
            Withheld.CLIENT_TYPE,
        ),
        ({"group": {"placements": []}}, Withheld.NO_PLACEMENT),
        (
            {"group": {"placements": [Placement("Board", active=False)]}},
            Withheld.PLACEMENT_INACTIVE,
        ),
        ({"publisher": {"bid_type": "PPP"}}, Withheld.NOT_POSTED),
    ],
)
def test_why_there_are_no_terms(said: dict[str, Any], reason: Withheld) -> None:
    assert market(**said) is reason


def test_a_publisher_takes_its_type_of_clients_and_all_takes_every_one() -> None:
    for taken, is_type in product(("JobBoard", "DirectEmployer", "All"), repeat=2):
        if is_type == "All":
            continue
        found = market(client={"client_type": is_type}, publisher={"placement_type": taken})
        assert isinstance(found, PlacementTerms) is (taken in {"All", is_type})


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (JobBids(paused=True), Withheld.JOB_PAUSED),
        (JobBids(settings=settings(start_on="2026-11-24")), Withheld.JOB_NOT_IN_FORCE),
        (JobBids(settings=settings(end_on="2026-11-22")), Withheld.JOB_NOT_IN_FORCE),
        (JobBids(settings=JobSettings(publishers=("Other",))), Withheld.JOB_EXCLUDES),
        (
            JobBids(settings=JobSettings(placements=(JobPlacement("Board", active=False),))),
            Withheld.JOB_EXCLUDES,
        ),
    ],
)
def test_why_one_job_is_withheld(asked: JobBids, reason: Withheld) -> None:
    for bid_type in ("CPC", "CPA", "FLAT_CPC", "Organic"):
        publisher = {"bid_type": bid_type, "flat_bid_micros": 1}
        body = {"cpc_bid_micros": 1, "cpa_bid_micros": 1}
        assert offer_of(terms(publisher=publisher, group=body), asked, TODAY) is reason


def test_an_allow_list_allows() -> None:
    asked = JobBids(settings=JobSettings(publishers=("Other", "Board")))
    assert isinstance(offer_of(terms(group={"cpc_bid_micros": 10_000}), asked, TODAY), Offer)


@given(bid=MICROS, ppm=st.integers(0, 1_000_000), least=st.integers(0, 10**9))
def test_a_price_is_never_above_its_bid_nor_a_bid_below_the_least(
    bid: int, ppm: int, least: int
) -> None:
    found = offer_of(
        terms(
            client={"markdown_ppm": ppm},
            group={"cpc_bid_micros": bid},
            publisher={"min_bid_micros": least},
        ),
        JobBids(),
        TODAY,
    )
    if isinstance(found, Offer):
        assert 0 <= found.price_micros <= found.bid_micros == bid
        assert found.price_micros % 10_000 == 0
        assert bid * (1_000_000 - ppm) - found.price_micros * 1_000_000 < 10_000 * 1_000_000
        # Of a minimum that no invoice can state, the next amount that one can counts.
        assert (found.price_micros if not ppm else bid) >= least
    elif found is Withheld.BELOW_UNIT:
        assert bid * (1_000_000 - ppm) < 10_000 * 1_000_000
    else:
        assert found is Withheld.BELOW_MIN_BID
        assert bid < -(-least // 10_000) * 10_000


@pytest.mark.parametrize(
    ("currency", "bid", "markdown", "price"),
    [
        ("USD", 100_000, 333_333, 60_000),
        ("JPY", 57_000_000, 30_000, 55_000_000),
        ("KWD", 1_234_567, 0, 1_234_000),
        ("USD", 333_333, 0, 330_000),
        ("USD", 10_000, 0, 10_000),
    ],
)
def test_a_price_is_a_whole_number_of_the_smallest_unit(
    currency: str, bid: int, markdown: int, price: int
) -> None:
    found = offer_of(
        terms(
            client={"markdown_ppm": markdown},
            group={"cpc_bid_micros": bid},
            publisher={"currency": currency},
        ),
        JobBids(),
        TODAY,
    )
    assert found == Offer(bid, price, BidSource.GROUP)


def test_no_override_goes_below_an_enforced_minimum_markdown() -> None:
    for enforced, price in ((False, 950_000), (True, 800_000)):
        client = {"markdown_ppm": 200_000, "enforce_minimum_markdown": enforced}
        low = terms(
            client=client,
            group={"cpc_bid_micros": 1_000_000},
            override=Override(markdown_ppm=50_000),
        )
        assert offer_of(low, JobBids(), TODAY) == Offer(1_000_000, price, BidSource.GROUP)
        own = JobBids(settings=settings(markdown_ppm=50_000))
        plain = terms(client=client, group={"cpc_bid_micros": 1_000_000})
        assert offer_of(plain, own, TODAY) == Offer(1_000_000, price, BidSource.GROUP)
        higher = JobBids(settings=settings(markdown_ppm=500_000))
        assert offer_of(plain, higher, TODAY) == Offer(1_000_000, 500_000, BidSource.GROUP)


@pytest.mark.parametrize(
    ("publisher", "group"),
    list(
        product(
            ({}, {"bid_type": "CPA"}, {"bid_type": "FLAT_CPC", "flat_bid_micros": 350_000}),
            (
                {},
                {"cpc_bid_micros": 400_000, "cpa_bid_micros": 4_000_000},
                {"placements": [Placement("Board", bid_micros=500_000)]},
            ),
        )
    ),
)
def test_the_stock_is_that_of_its_jobs_one_by_one(
    publisher: dict[str, Any], group: dict[str, Any]
) -> None:
    """Also where the bids of feeds do not count, so that many jobs are taken as equal."""
    terms = market(publisher=publisher, group=group)
    assert isinstance(terms, PlacementTerms)
    own = JobSettings(JobSetting(cpc_bid_micros=800_000))
    every = [
        Alike(JobBids(paused=paused, feed_micros=micros, settings=settings), count)
        for (paused, micros, settings), count in zip(
            product((False, True), (None, 100_000, 900_000), (PLAIN_JOB, own)),
            range(1, 13),
            strict=True,
        )
    ]
    one_by_one = [(offer_of(terms, asked, TODAY), count) for asked, count in every]
    bids = [
        one.bid_micros for one, count in one_by_one if isinstance(one, Offer) for _ in range(count)
    ]
    found = stock_of(terms, every, TODAY)
    assert found[:4] == (
        len(bids),
        max(min(bids), sum(bids) // len(bids) // 10_000 * 10_000) if bids else 0,
        min(bids, default=0),
        max(bids, default=0),
    )


@pytest.mark.parametrize(
    "said",
    [
        {"client": {"caps": Caps(budget=Cap("Monthly", 900_000))}},
        {"group": {"caps": Caps(budget=Cap("Daily", 900_000))}},
        {"group": {"placements": [Placement("Board", budget=Cap("Weekly", 900_000))]}},
    ],
)
def test_what_no_budget_could_pay_is_not_offered(said: dict[str, Any]) -> None:
    """One bid in a feed that cannot be charged even once holds no other job back."""
    here = terms(**said)
    bids = [300_000, 900_000, 1_000_000_000_000_000]
    jobs = [Alike(JobBids(feed_micros=bid), 1) for bid in bids]
    told = [offer_of(here, one.asked, TODAY) for one in jobs]
    assert [isinstance(one, Offer) for one in told] == [True, True, False]
    assert told[2] is Withheld.CAPPED
    assert stock_of(here, jobs, TODAY)[:4] == (2, 600_000, 300_000, 900_000)


def test_a_budget_below_all_bids_is_what_stops_them() -> None:
    here = terms(group={"caps": Caps(budget=Cap("Daily", 100_000))})
    jobs = [Alike(JobBids(feed_micros=bid), 2) for bid in (300_000, 500_000)]
    assert stock_of(here, jobs, TODAY)[:4] == (4, 400_000, 300_000, 500_000)
