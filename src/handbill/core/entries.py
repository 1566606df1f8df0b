"""Entries of the ledger: the result and cost of an event, and the facts that are known about it.

Three functions make them: for a click, a conversion (also a hire), and a posting's cost.
"""

from typing import Any, Final, NamedTuple

import msgspec

from handbill.core.charging import FREE, Price
from handbill.core.click_definitions import Location
from handbill.core.closing import Booked
from handbill.core.judging import COUNTED, TAKES_ROOM, Kind
from handbill.core.rates import UNCONVERTED, Quotes, charge_at, converted
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.kit.instants import Instant

OF_POSTING: Final = "posting/"
"""The source of a posting's entries begins with this; its id follows."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger. The fields are the columns of a segment, in this order.

    ``at`` is the time of receipt, which dates the entry. Where a field does not apply, a number is
    0 and a text empty. ``marked_micros`` is the spend with the two markups beside it. If the bid
    and the price were converted, their original amounts stand beside the spend and the charge.
    ``listed_at``: since when the publisher's file had shown a click's listing at its bid.

    For a click: ``definition`` is the version of the rules that classed it; ``opened_at`` is when
    the duplicate window that it met was opened; ``seen`` is the evidence (``core.sightings``).

    ``sign`` is 1, or -1 if the entry cancels another one, with all its amounts below 0.
    ``corrects`` is the entry that is cancelled, or that this one replaces. Empty: it is no
    correction. So sums of amounts are right, and sums of signs where entries are counted.
    """

    id: bytes
    at: Instant
    kind: str
    disposition: str
    reason: str
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: str
    bid_type: str
    charge_micros: int
    spend_micros: int
    currency: str
    marked_micros: int
    agency_ppm: int
    override_ppm: int
    click_at: Instant
    click_id: bytes
    visitor: bytes
    ip: str
    agent: str
    source: str
    candidate_id: str
    application_id: str
    country: str = ""
    city: str = ""
    bid_micros: int = 0
    bid_currency: str = ""
    bid_rate_picos: int = 0
    price_micros: int = 0
    price_currency: str = ""
    price_rate_picos: int = 0
    listed_at: Instant = 0
    definition: str = ""
    opened_at: Instant = 0
    seen: bytes = b""
    sign: int = 1
    corrects: bytes = b""

    def __post_init__(self) -> None:
        assert len(self.id) == 16, "an entry has an id"
        sign = self.sign
        assert sign == 1 or (sign == -1 and self.corrects), "what is taken back was there"
        charge, spend = sign * self.charge_micros, sign * self.spend_micros
        marked = sign * self.marked_micros
        assert 0 <= charge <= spend <= marked, "a publisher gets at most what a customer pays"
        assert self.agency_ppm >= 0 <= self.override_ppm, "a markup is added, never taken off"
        assert not marked or self.disposition in TAKES_ROOM, "what does not count is free"
        assert not marked or self.currency, "an amount has a currency"
        rate, price_rate = self.bid_rate_picos, self.price_rate_picos
        assert bool(rate) == bool(self.bid_currency), "another currency has a rate"
        assert bool(price_rate) == bool(self.price_currency), "another currency has a rate"
        bid = sign * self.bid_micros
        assert not rate or spend == converted(bid, rate), "a bid is as its rate says"
        if price_rate:
            paid = charge_at(spend, sign * self.price_micros, price_rate)
            assert charge == paid, "a charge is what its rate makes of the price"


class Classed(NamedTuple):
    """What a click was classed by: see ``Entry``."""

    definition: str = ""
    opened_at: Instant = 0
    seen: bytes = b""


UNCLASSED: Final = Classed()


def _quoted(quotes: Quotes) -> dict[str, Any]:
    bid, price = quotes
    return {
        "bid_micros": bid.micros,
        "bid_currency": bid.currency,
        "bid_rate_picos": bid.rate_picos,
        "price_micros": price.micros,
        "price_currency": price.currency,
        "price_rate_picos": price.rate_picos,
    }


_QUOTED_NOTHING: Final = _quoted(UNCONVERTED)


def of_click(
    event: ReceivedClick,
    dated: Booked,
    disposition: str,
    price: Price,
    *,
    currency: str,
    visitor: bytes,
    ip: str,
    agent: str,
    location: Location,
    quotes: Quotes = UNCONVERTED,
    classed: Classed = UNCLASSED,
) -> Entry:
    """The entry of a click. ``ip`` and ``agent``: in the form that may be kept."""
    return Entry(
        id=event.random,
        at=dated.at,
        kind="CLICK",
        disposition=disposition,
        reason=dated.reason,
        client_no=event.client_no,
        campaign_no=event.campaign_no,
        group_no=event.group_no,
        publisher_no=event.publisher_no,
        job_id=event.job_id.hex(),
        bid_type=event.bid_type,
        charge_micros=price.charge_micros,
        spend_micros=price.spend_micros,
        currency=currency,
        marked_micros=price.marked_micros,
        agency_ppm=price.factors.agency_ppm,
        override_ppm=price.factors.override_ppm,
        click_at=event.at,
        click_id=event.random,
        visitor=visitor,
        ip=ip,
        agent=agent,
        source="edge",
        candidate_id="",
        application_id="",
        country=location.country,
        city=location.city,
        listed_at=event.listed_at,
        definition=classed.definition,
        opened_at=classed.opened_at,
        seen=classed.seen,
        **(_QUOTED_NOTHING if quotes is UNCONVERTED else _quoted(quotes)),
    )


def of_conversion(
    event: ReceivedConversion,
    dated: Booked,
    disposition: str,
    price: Price = FREE,
    *,
    entry_id: bytes,
    kind: Kind,
    currency: str,
    quotes: Quotes = UNCONVERTED,
) -> Entry:
    """``event``: the part that may be kept. ``entry_id``: the same each time it is made."""
    return Entry(
        id=entry_id,
        at=dated.at,
        kind=kind,
        disposition=disposition,
        reason=dated.reason,
        client_no=event.client_no,
        campaign_no=event.campaign_no,
        group_no=event.group_no,
        publisher_no=event.publisher_no,
        job_id=event.job_id.hex(),
        bid_type=event.bid_type,
        charge_micros=price.charge_micros,
        spend_micros=price.spend_micros,
        currency=currency,
        marked_micros=price.marked_micros,
        agency_ppm=price.factors.agency_ppm,
        override_ppm=price.factors.override_ppm,
        click_at=event.click_at,
        click_id=event.click_random,
        visitor=b"",
        ip="",
        agent="",
        source=event.source,
        candidate_id=event.candidate_id,
        application_id=event.application_id,
        **(_QUOTED_NOTHING if quotes is UNCONVERTED else _quoted(quotes)),
    )


def of_posting(
    posting_id: str,
    dated: Booked,
    price: Price,
    *,
    entry_id: bytes,
    client_no: int,
    publisher_no: int,
    currency: str,
) -> Entry:
    """The entry of a client's part of a purchase's cost on one day."""
    return Entry(
        id=entry_id,
        at=dated.at,
        kind="POSTING",
        disposition=COUNTED,
        reason=dated.reason,
        client_no=client_no,
        campaign_no=0,
        group_no=0,
        publisher_no=publisher_no,
        job_id="",
        bid_type="PPP",
        charge_micros=price.charge_micros,
        spend_micros=price.spend_micros,
        currency=currency,
        marked_micros=price.marked_micros,
        agency_ppm=price.factors.agency_ppm,
        override_ppm=price.factors.override_ppm,
        click_at=0,
        click_id=b"",
        visitor=b"",
        ip="",
        agent="",
        source=OF_POSTING + posting_id,
        candidate_id="",
        application_id="",
    )
