"""The terms between a job group and a publisher, the same for each of its jobs; or why it has none.

Bids are in the agency's currency, but a publisher's least and flat bid in its own.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from handbill.core.currencies import unit_micros
from handbill.core.nouns import BidType, Campaign, Cap, Caps, Client, Group, Placement, Publisher
from handbill.core.rates import PICOS, Exchange


class Withheld(StrEnum):
    """Why a job is not in a publisher's feed. The first that applies is reported."""

    NOT_TRADING = "NOT_TRADING"
    CAPPED = "CAPPED"
    HELD_BY_RULE = "HELD_BY_RULE"
    PUBLISHER_INACTIVE = "PUBLISHER_INACTIVE"
    PUBLISHER_EXCLUDED = "PUBLISHER_EXCLUDED"
    CLIENT_TYPE = "CLIENT_TYPE"
    NO_PLACEMENT = "NO_PLACEMENT"
    PLACEMENT_INACTIVE = "PLACEMENT_INACTIVE"
    NOT_POSTED = "NOT_POSTED"
    JOB_PAUSED = "JOB_PAUSED"
    JOB_NOT_IN_FORCE = "JOB_NOT_IN_FORCE"
    JOB_EXCLUDES = "JOB_EXCLUDES"
    NO_BID = "NO_BID"
    NO_RATE = "NO_RATE"
    BELOW_MIN_BID = "BELOW_MIN_BID"
    BELOW_UNIT = "BELOW_UNIT"
    THINNED = "THINNED"


def least_here(publisher: Publisher, exchange: Exchange) -> int:
    """The lowest bid in the agency's currency that is not below a publisher's minimum; 0 without a
    rate: then nothing is listed there anyway.
    """
    return _least_at(exchange.picos(publisher.body.currency), publisher.body.least_bid_micros)


def _least_at(rate_picos: int | None, min_bid_micros: int) -> int:
    return 0 if rate_picos is None else -(-min_bid_micros * (rate_picos or PICOS) // PICOS)


class PlacementTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one job group offers to one publisher, the same for each of its jobs."""

    publisher_id: str
    bid_type: BidType
    min_bid_micros: int
    flat_micros: int | None
    placement_micros: int | None
    placement_in: str
    """The currency of the placement's bid; empty: the agency's, as for the group's bid."""
    group_micros: int
    markdown_ppm: int
    least_markdown_ppm: int
    """The minimum for overrides: the client's, if it enforces a minimum."""
    unit_micros: int
    """The smallest amount in the publisher's currency: prices are multiples of it."""
    whole_micros: int
    """The same in the agency's currency: lowered bids are multiples of it."""
    currency: str
    exchange: Exchange
    caps: Caps = Caps()
    """The job group's caps of each job: a job is not offered above them."""
    budgets: tuple[Cap | None, ...] = ()
    """Those over all jobs here: a job is not offered at a bid that one of them could never pay."""

    @property
    def least_micros(self) -> int:
        """The publisher's least bid in the agency's currency, rounded up; 0 without a rate."""
        return _least_at(self.exchange.picos(self.currency), self.min_bid_micros)


def terms_of(
    client: Client, campaign: Campaign, group: Group, publisher: Publisher, exchange: Exchange
) -> PlacementTerms | Withheld:
    """The terms between a job group and a publisher, or why there are none.

    ``core.states`` decides whether group, campaign and client trade at all. Publishers of postings
    have no terms with groups: what is posted there is offered as ``POSTED``.
    """
    why = barred(client, publisher)
    if why is not None:
        return why
    if publisher.body.bid_type == "PPP":
        return Withheld.NOT_POSTED
    placement = placement_of(group, publisher.id)
    if placement is None:
        return Withheld.NO_PLACEMENT
    if not placement.active:
        return Withheld.PLACEMENT_INACTIVE
    return terms_at(client, campaign, group, publisher, placement, exchange)


def terms_at(
    client: Client,
    campaign: Campaign,
    group: Group,
    publisher: Publisher,
    placement: Placement,
    exchange: Exchange,
) -> PlacementTerms:
    """The terms at a placement, even if something bars it."""
    by_apply = publisher.body.bid_type == "CPA"
    return PlacementTerms(
        publisher_id=publisher.id,
        bid_type=publisher.body.bid_type,
        min_bid_micros=publisher.body.least_bid_micros,
        flat_micros=publisher.body.flat_bid_micros,
        placement_micros=placement.bid_micros,
        placement_in=placement.currency,
        group_micros=group.body.cpa_bid_micros if by_apply else group.body.cpc_bid_micros,
        markdown_ppm=first_set(
            group.body.override.markdown_ppm,
            campaign.body.override.markdown_ppm,
            client.body.markdown_ppm,
        ),
        least_markdown_ppm=(
            client.body.markdown_ppm if client.body.enforce_minimum_markdown else 0
        ),
        unit_micros=unit_micros(publisher.body.currency),
        whole_micros=unit_micros(exchange.currency),
        currency=publisher.body.currency,
        exchange=exchange,
        caps=group.body.caps,
        budgets=(
            client.body.caps.budget,
            campaign.body.caps.budget,
            campaign.body.placement_caps.get(placement.publisher_id),
            group.body.caps.budget,
            placement.budget,
        ),
    )


def barred(client: Client, publisher: Publisher) -> Withheld | None:
    """Why a publisher gets none of a client's jobs, including posted ones; None: it may."""
    return next(bars(client, publisher), None)


def bars(client: Client, publisher: Publisher) -> Iterator[Withheld]:
    """Everything that bars a publisher from a client's jobs, in the order of reporting."""
    body = client.body
    if publisher.status != "A":
        yield Withheld.PUBLISHER_INACTIVE
    if (
        publisher.id in body.excluded_publishers
        or publisher.id in body.globally_excluded_publishers
    ):
        yield Withheld.PUBLISHER_EXCLUDED
    if publisher.body.placement_type not in {"All", body.client_type}:
        yield Withheld.CLIENT_TYPE


def placement_of(group: Group, publisher_id: str) -> Placement | None:
    return next((p for p in group.body.placements if p.publisher_id == publisher_id), None)


def first_set(*micros: int | None) -> int:
    """The first of these values that is set; 0 if none is."""
    return next((value for value in micros if value is not None), 0)
