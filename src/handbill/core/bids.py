"""What a job is offered for to a publisher: the bid, the price, or the reason why it is not.

**Units**: a bid is the trader's own (what caps and ``spent`` count), a price is what the publisher
is shown and charges: the bid less markdown. **Source**: domain 4.1, 4.2, 6.1.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec

from handbill.core.currencies import unit_micros
from handbill.core.in_force import Paced
from handbill.core.nouns import (
    BidType,
    Campaign,
    Caps,
    Client,
    Group,
    JobPlacement,
    JobSettings,
    Placement,
    Publisher,
)
from handbill.core.states import in_force
from handbill.kit.money import PPM, share_down

PLAIN_JOB = JobSettings()


class Source(StrEnum):
    """Where a bid comes from, strongest first (domain 4.1)."""

    FLAT = "FLAT_CPC"
    JOB_PLACEMENT = "JOB_PLACEMENT"
    PLACEMENT = "PLACEMENT"
    JOB = "JOB"
    GROUP = "JOBGROUP"
    FEED = "FEED"
    ORGANIC = "ORGANIC"
    POSTING = "POSTING"


class Withheld(StrEnum):
    """Why a job is not in a publisher's feed. The first that applies, in this order, is told."""

    NOT_TRADING = "NOT_TRADING"
    CAPPED = "CAPPED"
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
    BELOW_MIN_BID = "BELOW_MIN_BID"
    BELOW_UNIT = "BELOW_UNIT"
    THINNED = "THINNED"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one job group offers to one publisher, the same for each of its jobs."""

    publisher_id: str
    bid_type: BidType
    min_bid_micros: int
    flat_micros: int | None
    placement_micros: int | None
    group_micros: int
    markdown_ppm: int
    least_markdown_ppm: int
    """What no override goes below: the client's, where it enforces a minimum."""
    unit_micros: int
    """The smallest amount in the publisher's currency: a price is a multiple of it."""
    caps: Caps = Caps()
    """The job group's: a job is not offered at more than each may cost."""


class Offer(NamedTuple):
    bid_micros: int
    price_micros: int
    source: Source


POSTED = Offer(0, 0, Source.POSTING)
"""A posted job is paid for by its slot, and by no click or apply."""


class Asked(NamedTuple):
    """What a job itself brings to its bid."""

    paused: bool = False
    feed_micros: int | None = None
    settings: JobSettings = PLAIN_JOB


def terms_of(
    client: Client, campaign: Campaign, group: Group, publisher: Publisher
) -> Terms | Withheld:
    """The terms between a job group and a publisher, or why there are none.

    Whether group, campaign and client trade at all is for ``core.states`` to say. Publishers of
    postings have no terms with groups: what is posted there is offered as ``POSTED``.
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
    return terms_at(client, campaign, group, publisher, placement)


def terms_at(
    client: Client, campaign: Campaign, group: Group, publisher: Publisher, placement: Placement
) -> Terms:
    """The terms at a placement, whether or not anything bars it."""
    by_apply = publisher.body.bid_type == "CPA"
    return Terms(
        publisher_id=publisher.id,
        bid_type=publisher.body.bid_type,
        min_bid_micros=publisher.body.min_bid_micros,
        flat_micros=publisher.body.flat_bid_micros,
        placement_micros=placement.bid_micros,
        group_micros=group.body.cpa_bid_micros if by_apply else group.body.cpc_bid_micros,
        markdown_ppm=_first(
            group.body.override.markdown_ppm,
            campaign.body.override.markdown_ppm,
            client.body.markdown_ppm,
        ),
        least_markdown_ppm=(
            client.body.markdown_ppm if client.body.enforce_minimum_markdown else 0
        ),
        unit_micros=unit_micros(publisher.body.currency),
        caps=group.body.caps,
    )


def barred(client: Client, publisher: Publisher) -> Withheld | None:
    """Why a publisher gets none of a client's jobs, posted ones among them; None: it may."""
    return next(bars(client, publisher), None)


def bars(client: Client, publisher: Publisher) -> Iterator[Withheld]:
    """All that bars a publisher from a client's jobs, in the order in which it is told."""
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


def offer_of(
    terms: Terms, asked: Asked, today: date, paced: Paced | None = None
) -> Offer | Withheld:
    """The offer of one job on these terms, or why it is withheld. ``paced``: how far its bid is
    lowered for the sake of its budgets.

    The bid, not the price, is held against the publisher's least bid: it is what was checked when
    the placement was made (domain 1.6), and a client's markdown must not silently unlist what was
    accepted then. A flat price has no least bid.
    """
    if asked.paused:
        return Withheld.JOB_PAUSED
    settings = asked.settings
    own = _own(terms, asked)
    if not in_force(settings.setting.start_on, settings.setting.end_on, today):
        return Withheld.JOB_NOT_IN_FORCE
    if settings.publishers is not None and terms.publisher_id not in settings.publishers:
        return Withheld.JOB_EXCLUDES
    if own is not None and not own.active:
        return Withheld.JOB_EXCLUDES
    if terms.bid_type == "Organic":
        return Offer(0, 0, Source.ORGANIC)
    bid_micros, source = bid_of(terms, asked)
    if not bid_micros:
        return Withheld.NO_BID
    if source is not Source.FLAT and bid_micros < terms.min_bid_micros:
        return Withheld.BELOW_MIN_BID
    if paced is not None and source is not Source.FLAT:
        bid_micros = lowered(bid_micros, paced, terms.unit_micros)
    if _is_spent(terms.caps, settings.setting.caps, own, bid_micros):
        return Withheld.CAPPED
    price_micros = price_of(bid_micros, markdown_of(terms, asked), terms.unit_micros)
    if not price_micros and markdown_of(terms, asked) < PPM:
        return Withheld.BELOW_UNIT
    return Offer(bid_micros, price_micros, source)


def lowered(bid_micros: int, paced: Paced, whole_micros: int) -> int:
    """A bid by the factor of its job group at its publisher, to the nearest whole step: never below
    the least bid there, nor above what was set.
    """
    if paced.factor_ppm >= PPM:
        return bid_micros
    if bid_micros == paced.base_micros:
        return paced.bid_micros
    wanted = share_down(bid_micros, paced.factor_ppm)
    whole = (2 * wanted + whole_micros - 1) // (2 * whole_micros) * whole_micros
    floor = max(paced.floor_micros, whole_micros)
    least = -(-floor // whole_micros) * whole_micros
    return min(max(whole, least), bid_micros)


def _is_spent(each: Caps, caps: Caps, own: JobPlacement | None, bid_micros: int) -> bool:
    """Whether the job's caps do not even pay for its first click or apply."""
    budgets = (each.job_budget, caps.budget, own.budget if own else None)
    counts = (each.job_clicks, each.job_applies, caps.clicks, caps.applies)
    return any(cap is not None and cap.value < bid_micros for cap in budgets) or any(
        cap is not None and cap.value == 0 for cap in counts
    )


def price_of(bid_micros: int, markdown_ppm: int, unit_micros: int) -> int:
    """What the publisher is shown and charges: the bid less markdown, rounded down to an amount
    that an invoice in the currency can state.
    """
    return bid_micros * (PPM - markdown_ppm) // (PPM * unit_micros) * unit_micros


def markdown_of(terms: Terms, asked: Asked) -> int:
    """The share that is kept back of a bid, in parts per million; a job's own goes first. None is
    less than the client's where that is its minimum.
    """
    own = _first(asked.settings.setting.markdown_ppm, terms.markdown_ppm)
    return max(own, terms.least_markdown_ppm)


def bid_of(terms: Terms, asked: Asked) -> tuple[int, Source]:
    """The strongest bid that was said. A 0 that could have been left out is meant; the job
    group's 0 is only its default, so that the feed's own bid still counts.
    """
    if terms.bid_type == "Organic":
        return 0, Source.ORGANIC
    own = _own(terms, asked)
    if terms.bid_type == "FLAT_CPC":
        return terms.flat_micros or 0, Source.FLAT
    by_apply = terms.bid_type == "CPA"
    setting = asked.settings.setting
    said = (
        (
            _by(by_apply, own.cpc_bid_micros, own.cpa_bid_micros) if own else None,
            Source.JOB_PLACEMENT,
        ),
        (terms.placement_micros, Source.PLACEMENT),
        (_by(by_apply, setting.cpc_bid_micros, setting.cpa_bid_micros), Source.JOB),
        (terms.group_micros or None, Source.GROUP),
        (None if by_apply else asked.feed_micros, Source.FEED),
    )
    for bid_micros, source in said:
        if bid_micros is not None:
            return bid_micros, source
    return 0, Source.FEED


def _own(terms: Terms, asked: Asked) -> JobPlacement | None:
    """What the job says of this publisher."""
    own = asked.settings.placements
    return next((p for p in own if p.publisher_id == terms.publisher_id), None)


def _by(by_apply: bool, cpc_micros: int | None, cpa_micros: int | None) -> int | None:
    return cpa_micros if by_apply else cpc_micros


def _first(*micros: int | None) -> int:
    return next((value for value in micros if value is not None), 0)
