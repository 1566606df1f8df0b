"""Amounts as people type them."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?")


def amount(text: str) -> Decimal | str:
    """A number to send; what is none is sent as it is, so that the API says what is wrong."""
    plain = text.replace(",", "").replace(" ", "")
    return Decimal(plain) if _AMOUNT.fullmatch(plain) else text
