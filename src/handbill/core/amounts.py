"""Amounts as people write them: "1.50", ".50", "US$ 1.00", "1.234,50 EUR"; and their currency."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from handbill.core.currencies import named_by
from handbill.kit.money import MICROS, NotMoney, micros_of

_AMOUNT = re.compile(
    r"(?P<before>[^\d.,]*?\.??)\s*(?P<figures>[.,]?[0-9][0-9.,\s']*?)\s*(?P<after>[^\d.,]*\.??)"
)

_CURRENCY = ("currency", "currency_code", "currencyCode")
_PAY = ("salary", "pay", "wage", "compensation", "remuneration")


class Amount(NamedTuple):
    """``currencies``: those that it may be in; None: it names none."""

    micros: int
    currencies: frozenset[str] | None

    def may_be_in(self, currency: str, said: str) -> bool:
        """Whether it can be in that currency; ``said``: what another node says of it, if any."""
        own = self.currencies is None or currency in self.currencies
        return own and (not said or currency in (named_by(said) or ()))


def read_amount(text: str) -> Amount | None:
    """The amount of a text, rounded down to the micro; None: the text is none.

    A lone comma or dot before exactly three figures groups thousands only where another one says
    so; it is a decimal mark.
    """
    # One space at most: with many of them in a row the expression would try every way to part them.
    found = _AMOUNT.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    currencies: frozenset[str] | None = None
    for sign in (found["before"], found["after"]):
        if sign:
            named = named_by(sign)
            if named is None:
                return None
            currencies = named if currencies is None else currencies & named
    figures = re.sub(r"[\s']", "", found["figures"])
    if figures.rfind(",") > figures.rfind("."):
        figures = figures.replace(".", "").replace(",", ".")
    else:
        figures = figures.replace(",", "")
    try:
        number = Decimal(figures)
        return Amount(micros_of(Decimal(int(number * MICROS)) / MICROS), currencies)
    except (NotMoney, InvalidOperation):
        return None


def currency_nodes(node: str) -> tuple[str, ...]:
    """The nodes of an item that can say which currency an amount's node is in: beside it where both
    have a parent of their own (``bid/amount``, ``bid/currency_code``), at it, or under its name.
    """
    if not node:
        return ()
    parent = node.rpartition("/")[0]
    beside = [f"{parent}/{prefix}{name}" for prefix in ("", "@") for name in _CURRENCY if parent]
    own = [f"{node}{between}{name}" for between in ("/@", "_", "") for name in _CURRENCY]
    own += [f"{node}/@cur", f"{node}/@ccy"]
    return (*beside, *own, f"{node}Currency")


def currency_of_item(fields: Mapping[str, str]) -> str:
    """What an item says of its currency in a node of its own; nothing where that may be the
    currency of what the job pays.
    """
    said = next((fields[name] for name in _CURRENCY if fields.get(name)), "")
    if said and any(word in node.lower() for node in fields for word in _PAY):
        return ""
    return said
