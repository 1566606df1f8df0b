"""What a job is offered for to a publisher: the bid and the price, or why it is not offered.

**Units**: a bid is the trader's own (counted by caps and ``spent``), in the agency's currency. A
price is what the publisher is shown and charges, in its own currency: the bid less markdown. A
publisher's least bid and flat bid are in its currency. **Source**: domain 4.1, 4.2, 6.1,
docs/decisions/0048.
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
    Cap,
    Caps,
    Client,
    Group,
    JobPlacement,
    JobSettings,
    Placement,
    Publisher,
)
from handbill.core.rates import (
    OWN,
    PICOS,
    UNQUOTED,
    Exchange,
    Quote,
    Quoted,
    converted,
    number_of,
)
from handbill.core.states import in_force
from handbill.kit.money import MICROS, MOST_UNITS, PPM, nearest, raised_to, share_down

PLAIN_JOB = JobSettings()


class BidSource(StrEnum):
    """The source of a bid, strongest first (domain 4.1)."""

    FLAT = "FLAT_CPC"
    JOB_PLACEMENT = "JOB_PLACEMENT"
    PLACEMENT = "PLACEMENT"
    JOB = "JOB"
    GROUP = "JOBGROUP"
    FEED = "FEED"
    ORGANIC = "ORGANIC"
    POSTING = "POSTING"


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
        rate = self.exchange.picos(self.currency)
        return 0 if rate is None else -(-self.min_bid_micros * (rate or PICOS) // PICOS)


class Bid(NamedTuple):
    """A bid as it was given, and its amount in the agency's currency: None without a rate."""

    micros: int | None
    source: BidSource
    said: Quoted = OWN


class Offer(NamedTuple):
    bid_micros: int
    price_micros: int
    source: BidSource
    quote: Quote = UNQUOTED


POSTED = Offer(0, 0, BidSource.POSTING)
"""A posted job is paid by its slot, and not by click or apply."""


class JobBids(NamedTuple):
    """What a job itself contributes to its bid."""

    paused: bool = False
    feed_micros: int | None = None
    settings: JobSettings = PLAIN_JOB
    feed_in: str = ""
    """The currency of the feed's bid; empty: the agency's."""


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
        markdown_ppm=_first(
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


def offer_of(
    terms: PlacementTerms, asked: JobBids, today: date, paced: Paced | None = None
) -> Offer | Withheld:
    """The offer of one job on these terms, or why it is withheld. ``paced``: how far its bid is
    lowered because of its budgets.

    The publisher's least bid is compared with the bid, not the price: the bid was checked when the
    placement was made (domain 1.6), and a client's markdown must not silently unlist what was
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
        return Offer(0, 0, BidSource.ORGANIC)
    bid = bid_of(terms, asked)
    if not bid.micros and not bid.said.micros:
        return Withheld.NO_BID
    rate = terms.exchange.picos(terms.currency)
    if bid.micros is None or rate is None:
        return Withheld.NO_RATE
    shown, at = _in_its(terms, bid, rate)
    if bid.source is not BidSource.FLAT and is_below(shown, at, terms.min_bid_micros):
        return Withheld.BELOW_MIN_BID
    if paced is not None and bid.source is not BidSource.FLAT:
        bid = _paced(terms, bid, paced)
    if _is_spent(terms, settings.setting.caps, own, bid.micros or 0):
        return Withheld.CAPPED
    return _priced(terms, bid, rate, markdown_of(terms, asked))


def _paced(terms: PlacementTerms, bid: Bid, paced: Paced) -> Bid:
    """A lowered bid; it then no longer has an amount in another currency."""
    assert bid.micros is not None, "what has no rate is not offered"
    least = min(bid.micros, terms.least_micros)
    micros = max(lowered(bid.micros, paced, terms.whole_micros), least)
    return bid if micros == bid.micros else Bid(micros, bid.source)


def lowered(bid_micros: int, paced: Paced, whole_micros: int) -> int:
    """A bid times the factor of its job group at its publisher, to the nearest whole step: at least
    the minimum there, and at most the bid as set.
    """
    if paced.factor_ppm >= PPM:
        return bid_micros
    if bid_micros == paced.base_micros:
        return paced.bid_micros
    wanted = nearest(share_down(bid_micros, paced.factor_ppm), whole_micros)
    least = raised_to(max(paced.floor_micros, whole_micros), whole_micros)
    return min(max(wanted, least), bid_micros)


def _is_spent(terms: PlacementTerms, caps: Caps, own: JobPlacement | None, bid_micros: int) -> bool:
    """Whether budgets or the job's caps are too low for even its first click or apply."""
    each = terms.caps
    budgets = (*terms.budgets, each.job_budget, caps.budget, own.budget if own else None)
    counts = (each.job_clicks, each.job_applies, caps.clicks, caps.applies)
    return any(cap is not None and cap.value < bid_micros for cap in budgets) or any(
        cap is not None and cap.value == 0 for cap in counts
    )


def _in_its(terms: PlacementTerms, bid: Bid, rate: int) -> tuple[int, int]:
    """A bid to be priced in the publisher's currency, and the rate: one that was said in that
    currency is not converted back and forth.
    """
    if bid.said.currency == terms.currency:
        return bid.said.micros, 0
    return bid.micros or 0, rate


def _priced(terms: PlacementTerms, bid: Bid, rate: int, markdown_ppm: int) -> Offer | Withheld:
    """The offer at a bid."""
    if not bid.micros:
        return Withheld.BELOW_UNIT
    shown, at = _in_its(terms, bid, rate)
    price_micros = price_of(shown, markdown_ppm, terms.unit_micros, at or PICOS)
    if not price_micros and markdown_ppm < PPM:
        return Withheld.BELOW_UNIT
    if price_micros > MOST_UNITS * MICROS:
        return Withheld.NO_RATE
    quoted = bid.said
    quote = Quote(rate, quoted.rate_picos, quoted.micros, number_of(quoted.currency))
    return Offer(bid.micros, price_micros, bid.source, quote)


def is_below(bid_micros: int, rate_picos: int, least_micros: int) -> bool:
    """Whether a bid is below a publisher's minimum in its currency, at its rate; exact, without
    rounding. A rate of 0: they are in the same currency.
    """
    return bid_micros * PICOS < least_micros * (rate_picos or PICOS)


def price_of(bid_micros: int, markdown_ppm: int, unit_micros: int, rate_picos: int = PICOS) -> int:
    """What the publisher is shown and charges: the bid less markdown, in its currency at a rate,
    rounded down to an amount that an invoice in that currency can state.
    """
    less = bid_micros * (PPM - markdown_ppm) * PICOS
    return less // (PPM * unit_micros * rate_picos) * unit_micros


def markdown_of(terms: PlacementTerms, asked: JobBids) -> int:
    """The share of a bid that is kept back, in parts per million; a job's own has precedence. It is
    at least the client's if that is its minimum.
    """
    own = _first(asked.settings.setting.markdown_ppm, terms.markdown_ppm)
    return max(own, terms.least_markdown_ppm)


def bid_of(terms: PlacementTerms, asked: JobBids) -> Bid:
    """The strongest bid that was set. An optional 0 is meant as such; the job group's 0 is only its
    default, so that the feed's own bid still counts.
    """
    if terms.bid_type == "Organic":
        return Bid(0, BidSource.ORGANIC)
    own = _own(terms, asked)
    if terms.bid_type == "FLAT_CPC":
        return _converted(terms, terms.flat_micros or 0, terms.currency, BidSource.FLAT)
    by_apply = terms.bid_type == "CPA"
    setting = asked.settings.setting
    bids = (
        (
            _by(by_apply, own.cpc_bid_micros, own.cpa_bid_micros) if own else None,
            own.currency if own else "",
            BidSource.JOB_PLACEMENT,
        ),
        (terms.placement_micros, terms.placement_in, BidSource.PLACEMENT),
        (_by(by_apply, setting.cpc_bid_micros, setting.cpa_bid_micros), "", BidSource.JOB),
        (terms.group_micros or None, "", BidSource.GROUP),
        (None if by_apply else asked.feed_micros, asked.feed_in, BidSource.FEED),
    )
    for bid_micros, currency, source in bids:
        if bid_micros is not None:
            return _converted(terms, bid_micros, currency, source)
    return Bid(0, BidSource.FEED)


def heeds_feed(terms: PlacementTerms) -> bool:
    """Whether the bid of a job's feed can count on these terms: nothing stronger is set for all."""
    return terms.bid_type == "CPC" and terms.placement_micros is None and not terms.group_micros


def _converted(terms: PlacementTerms, micros: int, currency: str, source: BidSource) -> Bid:
    """A bid in the agency's currency, rounded down."""
    rate = terms.exchange.picos(currency)
    if rate == 0:
        return Bid(micros, source)
    if rate is None:
        return Bid(None, source, Quoted(micros, currency))
    bid_micros = converted(micros, rate)
    most = MOST_UNITS * MICROS
    return Bid(bid_micros if bid_micros <= most else None, source, Quoted(micros, currency, rate))


def _own(terms: PlacementTerms, asked: JobBids) -> JobPlacement | None:
    """What the job says about this publisher."""
    own = asked.settings.placements
    return next((p for p in own if p.publisher_id == terms.publisher_id), None)


def _by(by_apply: bool, cpc_micros: int | None, cpa_micros: int | None) -> int | None:
    return cpa_micros if by_apply else cpc_micros


def _first(*micros: int | None) -> int:
    return next((value for value in micros if value is not None), 0)
