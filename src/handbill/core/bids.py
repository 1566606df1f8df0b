"""What a job is offered for to a publisher: the bid and the price, or why it is not offered.

**Units**: a bid is the trader's own (counted by caps and ``spent``), in the agency's currency. A
price is what the publisher is shown and charges, in its own currency: the bid less markdown. A
publisher's least bid and flat bid are in its currency. **Source**: domain 4.1, 4.2, 6.1,
docs/decisions/0048.
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from handbill.core.in_force import Paced
from handbill.core.nouns import Caps, JobPlacement, JobSettings
from handbill.core.rates import OWN, PICOS, UNQUOTED, Quote, Quoted, converted, number_of
from handbill.core.states import in_force
from handbill.core.terms import PlacementTerms, Withheld, first_set
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
    own = first_set(asked.settings.setting.markdown_ppm, terms.markdown_ppm)
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
