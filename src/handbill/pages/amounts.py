"""Amounts and other numbers as people type them."""

import re
from decimal import Decimal

_AMOUNT = re.compile(
    r"-?(?:[0-9]{1,18}|[0-9]{1,3}([ ,])[0-9]{3}(?:\1[0-9]{3}){0,4})(?:\.[0-9]{1,18})?"
)
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
"""Also numbers that are too small, too large or too exact: the API says which."""


def amount(text: str) -> Decimal | str:
    """An amount to send, also with its thousands apart: 1,500.00. What is none is sent as it is, so
    that the API says what is wrong: 1,50 is not 150.
    """
    if not _AMOUNT.fullmatch(text):
        return text
    return Decimal(text.replace(",", "").replace(" ", ""))


def plain_number(text: str) -> Decimal | str:
    """A rate, a percentage or a count, likewise, without thousands apart: 1,085 is not 1085."""
    return Decimal(text) if _NUMBER.fullmatch(text) else text
