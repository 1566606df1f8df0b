"""One client with one of each below it, as standing reads it; and caps at their places."""

from datetime import date
from typing import Any

from handbill.core.bids import JobBids
from handbill.core.nouns import (
    Campaign,
    CampaignBody,
    Cap,
    Client,
    ClientBody,
    Group,
    GroupBody,
    Placement,
    Publisher,
    PublisherBody,
)
from handbill.core.pacing.caps import Days, DeliveryMode, mark_of
from handbill.core.rates import Exchange
from handbill.core.standing.capping import CapKey, Capped
from handbill.core.standing.tree import StandingTree
from handbill.kit.instants import HOUR
from handbill.kit.zones import start_of, zone_of

MONDAY = date(2026, 11, 23)
EXCHANGE = Exchange("USD", MONDAY)
ZONE = zone_of("UTC")
NOW = start_of(MONDAY, ZONE) + 10 * HOUR
STAMPS: Any = {"created_at": 0, "updated_at": 0}
WEEK = (1_000_000,) * 8


def mark(cap: Cap, used: int, today: int = 0, days: int = 1) -> Any:
    rest = WEEK[:days]
    return mark_of(
        cap, cap.value, used, today, Days(rest, rest[1:] or (1,), days == 1), DeliveryMode.ASAP
    )


def capped(
    used: int, value: int = 10_000_000, in_flight: int = 0, cheapest: int = 500_000, **cap: Any
) -> Capped:
    given: dict[str, Any] = {"period": "Monthly", "value": value}
    held = Cap(**(given | cap))
    return Capped(held, mark(held, used), in_flight, cheapest)


def tree(
    client: dict[str, Any] | None = None,
    campaign: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None,
    publisher: dict[str, Any] | None = None,
    status: str = "AAAA",
    **more: Any,
) -> StandingTree:
    """One of each; ``status``: of client, campaign, job group, publisher."""
    board = Publisher(
        no=7,
        id="Board",
        agency_no=1,
        status=status[3],
        body=PublisherBody(name="Board", **(publisher or {})),
        **STAMPS,
    )
    body: dict[str, Any] = {
        "cpc_bid_micros": 500_000,
        "placements": [Placement("Board")],
        "filters": object(),
    }
    given: dict[str, Any] = {"jobs": {3: [(JobBids(), 5)]}, "exchange": EXCHANGE} | more
    return StandingTree(
        client=Client(
            no=1,
            id="c",
            agency_no=1,
            status=status[0],
            zone="UTC",
            pixel_id="p",
            body=ClientBody(company_name="C", exported_name="C", **(client or {})),
            **STAMPS,
        ),
        campaigns=[
            Campaign(
                no=2,
                id="k",
                client_no=1,
                status=status[1],
                is_default=False,
                body=CampaignBody("K", **(campaign or {})),
                **STAMPS,
            )
        ],
        groups=[
            Group(
                no=3,
                id="g",
                client_no=1,
                campaign_no=2,
                status=status[2],
                is_default=False,
                priority=1,
                body=GroupBody("G", **(body | (group or {}))),
                **STAMPS,
            )
        ],
        publishers={"Board": board},
        **given,
    )


def caps(key: CapKey, one: Capped) -> dict[str, Any]:
    return {"caps": {key: one}}


G: CapKey = ("group", "3", "budget")
FULL = capped(10_000_000)
