"""Rates of exchange: the value of an amount in another currency in the agency's.

**Units**: a rate is a whole number of picos, 10^-12: the value of one unit of the other currency in
units of the agency's. No float touches it. **Source**: docs/decisions/0048.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

PICOS: Final = 10**12
MOST_PICOS: Final = 10**18
"""A million: up to it, a rate fits into 64 bits."""

KEPT_DAYS: Final = 7
"""How long a rate also holds for later days without their own."""


class NotRate(ValueError):
    """The number cannot be a rate; the message says why, fit for an answer."""


def picos_of(number: Decimal | int) -> int:
    """Turn a number into picos, exactly.

    **Refuses** 0 and less, more than a million, and more than 12 decimals (NotRate).
    """
    decimal = Decimal(number)
    if not decimal.is_finite() or not 0 < decimal <= 10**6:
        raise NotRate("must be more than 0 and at most 1000000")
    if decimal.as_tuple().exponent < -12 and decimal % Decimal("1e-12"):  # type: ignore[operator]
        raise NotRate("must have at most 12 decimals")
    return int(decimal * PICOS)


def rate_number(picos: int) -> Decimal | int:
    """A rate as a JSON number: 2 rather than 2.000000000000."""
    whole, rest = divmod(picos, PICOS)
    return Decimal(picos).scaleb(-12).normalize() if rest else whole


def rate_text(picos: int) -> str:
    """A rate as text, without an exponent."""
    return f"{Decimal(rate_number(picos)):f}"


# ── which one counts ────────────────────────────────────────────────────────────────────────────
class DatedRate(NamedTuple):
    """One unit of ``source`` is so much of ``target`` on a day. ``is_own``: set by the agency;
    otherwise it is the house's.
    """

    on: date
    source: str
    target: str
    picos: int
    is_own: bool = False


_Table = dict[tuple[str, str], int]


class Exchange:
    """Other currencies' values in an agency's on one day: by its own rates, else the house's."""

    def __init__(self, currency: str, today: date, rates: Iterable[DatedRate] = ()) -> None:
        self.currency = currency
        self.today = today
        first = today - timedelta(days=KEPT_DAYS)
        tables: dict[tuple[bool, date], _Table] = {}
        for on, source, target, picos, is_own in rates:
            if first <= on <= today:
                tables.setdefault((is_own, on), {})[source, target] = picos
        self._tables = [tables[key] for key in sorted(tables, reverse=True)]
        self._known: dict[str, int | None] = {"": 0, currency: 0}

    @property
    def content(self) -> tuple[Any, ...]:
        """All that conversion follows from, in plain values."""
        return self.currency, self.today, [sorted(table.items()) for table in self._tables]

    def picos(self, currency: str) -> int | None:
        """The rate of a currency; None if there is none, and 0 for the agency's own (also given by
        an empty text): nothing is converted.
        """
        if currency not in self._known:
            rates = (_rate_in(table, currency, self.currency) for table in self._tables)
            self._known[currency] = next((picos for picos in rates if picos is not None), None)
        return self._known[currency]

    def __contains__(self, currency: object) -> bool:
        """Whether a currency can be converted, or is the agency's own."""
        return isinstance(currency, str) and self.picos(currency) is not None


def _rate_in(rates: _Table, source: str, target: str) -> int | None:
    """A rate as given, else the inverse of the opposite one, else one computed from the rates of a
    third currency in both; computed rates are rounded to the pico, half even.
    """
    rate = rates.get((source, target))
    if rate is not None:
        return rate
    turned = rates.get((target, source))
    if turned is not None:
        return _quotient(PICOS * PICOS, turned)
    bases = sorted(base for base, to in rates if to == source and (base, target) in rates)
    if not bases:
        return None
    return _quotient(rates[bases[0], target] * PICOS, rates[bases[0], source])


def _quotient(over: int, under: int) -> int | None:
    whole, rest = divmod(over, under)
    picos = whole + (2 * rest > under or (2 * rest == under and whole % 2))
    return picos if 0 < picos <= MOST_PICOS else None


# ── what an entry keeps ─────────────────────────────────────────────────────────────────────────
class Quote(NamedTuple):
    """The conversions that a link freezes. ``price_picos``: the rate of its price, which is in the
    publisher's currency. ``bid_picos``: the rate at which its bid was converted from ``bid_micros``
    of the currency numbered ``bid_in``. 0s: nothing is converted.
    """

    price_picos: int = 0
    bid_picos: int = 0
    bid_micros: int = 0
    bid_in: int = 0


UNQUOTED: Final = Quote()


class Quoted(NamedTuple):
    """An original amount in another currency than the agency's, and its rate."""

    micros: int = 0
    currency: str = ""
    rate_picos: int = 0


OWN: Final = Quoted()
"""The amount was given in the agency's currency: nothing is converted."""


class Quotes(NamedTuple):
    """What an event's spend (the bid) and charge (the price) were converted from."""

    bid: Quoted = OWN
    price: Quoted = OWN


UNCONVERTED: Final = Quotes()


def number_of(currency: str) -> int:
    """A currency as a number, for a link; 0 for none."""
    return int.from_bytes(currency.encode("ascii"), "big")


def numbered(number: int) -> str:
    return number.to_bytes(3, "big").decode("ascii") if number else ""


def quotes_of(quote: Quote, price_micros: int, currency: str, *, bid_stands: bool) -> Quotes:
    """An entry's conversions. ``currency``: the publisher's. ``bid_stands``: the bid is the one
    that the link froze, and not a lower one from elsewhere.
    """
    price_picos, bid_picos, bid_micros, bid_in = quote
    return Quotes(
        Quoted(bid_micros, numbered(bid_in), bid_picos) if bid_picos and bid_stands else OWN,
        Quoted(price_micros, currency, price_picos) if price_picos else OWN,
    )


def converted(micros: int, rate_picos: int) -> int:
    """An amount at a rate, rounded down, so that nobody pays more than was agreed."""
    assert micros >= 0 < rate_picos, "there is no rate of 0, and none is 1 in silence"
    return micros * rate_picos // PICOS


def in_other(micros: int, rate_picos: int) -> int:
    """An amount in the agency's currency, in the other one at its rate, rounded down. A rate of 0:
    it is the same currency.
    """
    return micros * PICOS // rate_picos if rate_picos else micros


def charge_at(bid_micros: int, price_micros: int, rate_picos: int) -> int:
    """A price in the publisher's currency, converted to the agency's: at its rate, and at most the
    bid. A rate of 0: the price is in the agency's currency.
    """
    return min(bid_micros, converted(price_micros, rate_picos)) if rate_picos else price_micros
