"""What reports say of events: raw counts, which may be summed, and ratios, which may not.

A new metric is one row here. **Source**: domain 9.1, contract 4.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from handbill.core.judging import BOT, COUNTED, DUPLICATE, FOREIGN, LATENT, OVER_CAP, VALID
from handbill.kit.money import MICROS, number_of, ratio

Number = Decimal | int


class Raw(NamedTuple):
    """A sum over entries of one kind (None: of any) and some dispositions.

    ``amount``: the column that is summed; "" counts the entries.
    """

    name: str
    kind: str | None
    dispositions: tuple[str, ...]
    amount: str = ""


class Ratio(NamedTuple):
    """A quotient of two raw sums, times a whole factor; computed last, at every level anew."""

    name: str
    over: str
    under: str
    factor: int = 1


_COUNTS = (COUNTED, OVER_CAP)
RAW: Final[tuple[Raw, ...]] = (
    Raw("clicks", "CLICK", (VALID,)),
    Raw("botClicks", "CLICK", (BOT,)),
    Raw("duplicateClicks", "CLICK", (DUPLICATE,)),
    Raw("foreignClicks", "CLICK", (FOREIGN,)),
    Raw("latentClicks", "CLICK", (LATENT,)),
    Raw("overCapClicks", "CLICK", (OVER_CAP,)),
    Raw("views", "VIEW", _COUNTS),
    Raw("applyStarts", "APPLY_START", _COUNTS),
    Raw("applies", "APPLY", _COUNTS),
    Raw("hires", "HIRE", (COUNTED,)),
    Raw("spent", None, (), "spend_micros"),
    Raw("netSpent", None, (), "charge_micros"),
)
RATIOS: Final[tuple[Ratio, ...]] = (
    Ratio("cpc", "spent", "clicks"),
    Ratio("cpa", "spent", "applies"),
    Ratio("cph", "spent", "hires"),
    Ratio("cta", "applies", "clicks", 100),
    Ratio("ath", "hires", "applies", 100),
)
MONEY: Final = frozenset(raw.name for raw in RAW if raw.amount)
NAMES: Final = tuple(raw.name for raw in RAW) + tuple(made.name for made in RATIOS)


def _ratio_of(made: Ratio) -> Callable[[Sequence[int]], Number]:
    places = {raw.name: place for place, raw in enumerate(RAW)}
    over, under = places[made.over], places[made.under]
    scale = MICROS if made.over in MONEY else 1
    return lambda sums: ratio(sums[over] * made.factor, sums[under] * scale)


_RATIO_OF: Final = tuple(_ratio_of(made) for made in RATIOS)
_IS_MONEY: Final = tuple(raw.name in MONEY for raw in RAW)


def finished(sums: Sequence[int]) -> list[Number]:
    """All metrics in the order of NAMES, from the raw sums in the order of RAW.

    **Units**: money in whole units of its currency; ratios to six decimals, 0 where nothing
    divides; cta and ath in percent.
    """
    raw: list[Number] = [
        number_of(amount) if money else amount
        for amount, money in zip(sums, _IS_MONEY, strict=True)
    ]
    return raw + [of(sums) for of in _RATIO_OF]


def named(sums: Sequence[int]) -> Mapping[str, Number]:
    return dict(zip(NAMES, finished(sums), strict=True))
