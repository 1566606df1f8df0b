"""Rates of exchange: what an amount in another currency counts in the agency's.

**Units**: a rate is a whole number of picos, 10^-12: what one unit of the other currency is in
units of the agency's. No float touches it. **Source**: docs/decisions/0048.
"""

from decimal import Decimal
from typing import Final, NamedTuple

PICOS: Final = 10**12
MOST_PICOS: Final = 10**18
"""A million: with it, a rate fits into 64 bits."""


class Quote(NamedTuple):
    """What a link freezes of conversions. ``price_picos``: the rate of its price, which is in the
    publisher's currency. ``bid_picos``: the rate at which its bid was converted out of
    ``bid_micros`` of the currency numbered ``bid_in``. 0s: nothing is converted there.
    """

    price_picos: int = 0
    bid_picos: int = 0
    bid_micros: int = 0
    bid_in: int = 0


UNQUOTED: Final = Quote()


class Quoted(NamedTuple):
    """An amount as it was said, in another currency than the agency's, and its rate."""

    micros: int = 0
    currency: str = ""
    rate_picos: int = 0


OWN: Final = Quoted()
"""The amount was said in the agency's currency: nothing is converted."""


class Quotes(NamedTuple):
    """Out of what an event's spend (the bid) and charge (the price) were converted."""

    bid: Quoted = OWN
    price: Quoted = OWN


UNCONVERTED: Final = Quotes()


def number_of(currency: str) -> int:
    """A currency as a number, for a link; 0 for none."""
    return int.from_bytes(currency.encode("ascii"), "big")


def numbered(number: int) -> str:
    return number.to_bytes(3, "big").decode("ascii") if number else ""


def quotes_of(quote: Quote, price_micros: int, currency: str, *, bid_stands: bool) -> Quotes:
    """What an entry says of conversions. ``currency``: the publisher's. ``bid_stands``: it counts
    as the link froze it, and not at a lower one that was said elsewhere.
    """
    price_picos, bid_picos, bid_micros, bid_in = quote
    return Quotes(
        Quoted(bid_micros, numbered(bid_in), bid_picos) if bid_picos and bid_stands else OWN,
        Quoted(price_micros, currency, price_picos) if price_picos else OWN,
    )


def converted(micros: int, rate_picos: int) -> int:
    """An amount at a rate, rounded down, so that nobody pays more than was said."""
    assert micros >= 0 < rate_picos, "there is no rate of 0, and none is 1 in silence"
    return micros * rate_picos // PICOS


def charge_at(bid_micros: int, price_micros: int, rate_picos: int) -> int:
    """What a price in the publisher's currency is in the agency's: at its rate, and no more than
    the bid. 0: the price is in the agency's currency.
    """
    return min(bid_micros, converted(price_micros, rate_picos)) if rate_picos else price_micros


def rate_number(picos: int) -> Decimal | int:
    """A rate as a JSON number: 2 rather than 2.000000000000."""
    whole, rest = divmod(picos, PICOS)
    return Decimal(picos).scaleb(-12).normalize() if rest else whole
