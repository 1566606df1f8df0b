"""What an explanation says of each job and publisher is what the published files show."""

from typing import Any

import msgspec
import pytest

from handbill.campaigns import rows as campaign_rows
from handbill.core.nouns import (
    Client,
    JobPlacement,
    JobSetting,
    JobSettings,
    Override,
    Publisher,
)
from handbill.kit.instants import DAY
from handbill.listings.explaining import JobExplanation, explain
from rooms.listing_market import Market, everything, place
from rooms.listing_reader import listed, opened, rematch

_KINDS: dict[str, dict[str, Any]] = {
    "Cpc": {},
    "Dear": {"min_bid_micros": 1_000_000},
    "Cpa": {"bid_type": "CPA"},
    "Flat": {"bid_type": "FLAT_CPC", "flat_bid_micros": 50_000},
    "Free": {"bid_type": "Organic"},
    "Slots": {"bid_type": "PPP"},
    "Nowhere": {},
}


def _city(name: str) -> dict[str, object]:
    return everything(field="city", operator="EQUAL", data=name)


def _stocked(market: Market) -> tuple[Client, list[Publisher], list[str]]:
    """A client with jobs, job groups and publishers in many states."""
    publishers = [market.publisher(id_, **body) for id_, body in _KINDS.items()]
    client = market.client(markdown_ppm=100_000, excluded_publishers=["Nowhere"])
    places = [place(id_) for id_ in _KINDS]
    own, other = market.campaign(client), market.campaign(client)
    other.body.override = Override(markdown_ppm=250_000)
    market.write(lambda tx: campaign_rows.save(tx, other, market.now()))
    bids = {"cpc_bid_micros": 500_000, "cpa_bid_micros": 7_000_000}
    market.group(own, _city("Austin"), placements=places, **bids)
    market.group(own, _city("Dallas"), placements=places[:2], days=(5, 6), **bids)
    market.group(other, _city("Houston"), placements=[place("Cpc", bid_micros=2_000_000)])
    market.group(
        other,
        everything(field="cpcBid", operator="GREATER_THAN", data="0"),
        priority=5,
        placements=[*places[2:], place("Cpc", active=False), place("Dear")],
    )
    refs = [
        market.job(client, city=city, cpc_micros=cpc)
        for city in ("Austin", "Dallas", "Houston", "Waco")
        for cpc in (None, 400_000, 3_000_000)
    ]
    for ref, settings in zip(refs, _SETTINGS, strict=False):
        text = msgspec.json.encode(settings).decode()
        market.job_columns(client, ref, settings=text)
    refs += [market.job(client, city="Austin") for _ in range(5)]
    for ref, columns in zip(refs[-5:], _COLUMNS, strict=True):
        market.job_columns(client, ref, **columns)
    return client, publishers, refs


_SETTINGS = (
    JobSettings(setting=JobSetting(cpc_bid_micros=1_200_000, markdown_ppm=0)),
    JobSettings(publishers=("Dear", "Cpa")),
    JobSettings(placements=(JobPlacement("Cpc", cpc_bid_micros=90_000),)),
    JobSettings(placements=(JobPlacement("Cpc", active=False),)),
)
_COLUMNS: tuple[dict[str, Any], ...] = (
    {"valid": 0},
    {"status": "P"},
    {"url": ""},
    {"end_at": 1},
    {"end_at": 1 << 60},
)


def _explained(market: Market, client: Client, ref: str) -> JobExplanation:
    with market.records.read() as tx:
        return explain(tx, market.tools.blobs, client, ref, market.now())


@pytest.mark.parametrize("days", [0, 5])
def test_each_explanation_is_what_is_published(market: Market, days: int) -> None:
    client, publishers, refs = _stocked(market)
    market.clock.forward(days * DAY)
    rematch(market, client)
    shown = {publisher.id: listed(market, publisher) for publisher in publishers[:6]}
    told_of = 0
    for ref in refs:
        told = _explained(market, client, ref)
        assert not told.belonging.pending
        for outcome in told.outcomes:
            here = shown.get(outcome.publisher.id, {}).get(ref)
            at = (ref, outcome.publisher.id, outcome.reasons)
            assert (outcome.offer is not None) is (here is not None), at
            assert (not outcome.reasons) is (here is not None), at
            link = None if here is None else opened(here)
            assert outcome.shop.listing == link, at
            if outcome.offer is not None and link is not None:
                assert outcome.offer[:2] == (link.bid_micros, link.price_micros), at
                assert told.belonging.group is not None
                assert told.belonging.group.no == link.group_no
                told_of += 1
    assert told_of == sum(map(len, shown.values())) > 15
