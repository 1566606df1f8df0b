"""Money is a whole number of micros: one millionth of the currency's unit. No float touches it."""

from decimal import ROUND_HALF_EVEN, Decimal

MICROS = 1_000_000
MOST_UNITS = 10**12
PPM = 1_000_000


class NotMoney(ValueError):
    """The number cannot be an amount of money; the message says why, fit for an answer."""


def micros_of(number: Decimal | int) -> int:
    """Turn a JSON number into micros, exactly.

    **Refuses** negative amounts, more than 6 decimals, more than 10^12 units (NotMoney).
    **Source**: contract 3, money.
    """
    decimal = Decimal(number)
    if not decimal.is_finite():
        raise NotMoney("must be a finite number")
    if decimal < 0:
        raise NotMoney("must not be negative")
    if decimal > MOST_UNITS:
        raise NotMoney("must be at most 10^12")
    micros = decimal.scaleb(6)
    whole = int(micros)
    if whole != micros:
        raise NotMoney("must have at most 6 decimals")
    return whole


def number_of(micros: int) -> Decimal | int:
    """The micros as the JSON number that was given: 2 rather than 2.000000."""
    whole, rest = divmod(micros, MICROS)
    if rest == 0:
        return whole
    return Decimal(micros).scaleb(-6).normalize()


def share_down(micros: int, ppm: int) -> int:
    """The part of an amount, in parts per million; rounded down, so that it never exceeds."""
    return micros * ppm // PPM


def nearest(micros: int, whole_micros: int) -> int:
    """The nearest multiple; a half is rounded down."""
    return (2 * micros + whole_micros - 1) // (2 * whole_micros) * whole_micros


def raised_to(micros: int, whole_micros: int) -> int:
    """The amount, raised to the next multiple if it is none."""
    return -(-micros // whole_micros) * whole_micros


def plus_shares(micros: int, *ppms: int) -> int:
    """The amount with each share added in turn, rounded once, half even, to the micro (markups,
    domain 4.2). Whole numbers throughout: no product is too long for them.
    """
    over, under = micros, 1
    for ppm in ppms:
        over, under = over * (PPM + ppm), under * PPM
    whole, rest = divmod(over, under)
    return whole + (2 * rest > under or (2 * rest == under and whole % 2))


def ratio(numerator: int, denominator: int, places: int = 6) -> Decimal | int:
    """A quotient for a report, rounded half even to so many decimals; 0 if the denominator is 0."""
    if denominator == 0:
        return 0
    quotient = Decimal(numerator) / Decimal(denominator)
    rounded = quotient.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    if rounded == rounded.to_integral_value():
        return int(rounded)
    return rounded.normalize()
