"""How figures are written for people: exact numbers in, text out. Nothing is added up here."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

Number = Decimal | int
NONE: Final = "–"
"""Where there is no figure."""
_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
_CENT: Final = Decimal("0.01")


def money(value: Number | None, currency: str) -> str:
    """An amount to the cent; prices of fractions of a cent keep their digits."""
    if value is None:
        return NONE
    exact = Decimal(value)
    digits = exact.quantize(_CENT, ROUND_HALF_EVEN)
    if abs(exact) < 1 and digits != exact:
        digits = exact.quantize(Decimal("0.0001"), ROUND_HALF_EVEN).normalize()
        digits = digits if digits.as_tuple().exponent <= -2 else digits.quantize(_CENT)  # type: ignore[operator]
    sign = "−" if digits < 0 else ""
    mark = _SIGNS.get(currency, f"{currency} ")
    return f"{sign}{mark}{abs(digits):,f}"


def average(value: Number | None, currency: str) -> str:
    """A price that was worked out, to the cent."""
    return money(
        None if value is None else Decimal(value).quantize(_CENT, ROUND_HALF_EVEN), currency
    )


def number(value: Number | None, places: int = 0) -> str:
    """A count, or a number with at most so many decimals."""
    if value is None:
        return NONE
    exact = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{abs(exact):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"−{text}" if exact < 0 else text


def counted(count: Number | None, one: str, many: str = "") -> str:
    """So many of a thing: 1 job, 2 jobs. ``many``: where the plural is not made by an s."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def change(now: Number | None, before: Number | None) -> str:
    """The difference to a former figure, in percent of it."""
    if now is None or not before:
        return NONE
    percents = 100 * (Decimal(now) - Decimal(before)) / Decimal(before)
    text = number(percents, 0)
    return f"+{text} %" if percents >= 0 else f"{text} %"
