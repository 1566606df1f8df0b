"""What reports say about events: raw sums, sums of them, and ratios, which must not be summed.

A new metric is one row here. **Source**: domain 9.1 and 4.2, contract 4.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from handbill.core.judging import (
    BOT,
    COUNTED,
    DUPLICATE,
    FOREIGN,
    FURTHER,
    LATENT,
    ORGANIC,
    OVER_CAP,
    VALID,
)
from handbill.kit.money import MICROS, number_of, ratio

Number = Decimal | int


class Raw(NamedTuple):
    """A sum over entries of one kind (None: of any) with some dispositions.

    ``amount``: the column that is summed; "" counts the entries.
    """

    name: str
    kind: str | None
    dispositions: tuple[str, ...]
    amount: str = ""


class Total(NamedTuple):
    """A sum of raw sums, all of them counts or all money; others may be subtracted."""

    name: str
    of: tuple[str, ...]
    less: tuple[str, ...] = ()


class Ratio(NamedTuple):
    """A quotient of two sums, times a whole factor; computed last, and anew at every level."""

    name: str
    over: str
    under: str
    factor: int = 1


_COUNTS = (COUNTED, OVER_CAP)
_ALL = (COUNTED, OVER_CAP, ORGANIC, FURTHER)
METRICS: Final[tuple[Raw | Total | Ratio, ...]] = (
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
    Ratio("cpc", "spent", "clicks"),
    Ratio("cpa", "spent", "applies"),
    Ratio("cph", "spent", "hires"),
    Ratio("cta", "applies", "clicks", 100),
    Ratio("ath", "hires", "applies", 100),
    # The columns above keep their places; new ones are added after them.
    Raw("markedUpSpent", None, (), "marked_micros"),
    Total("profit", ("markedUpSpent",), ("netSpent",)),
    Ratio("averageMargin", "profit", "markedUpSpent", 100),
    Total("invalidClicks", ("botClicks", "duplicateClicks", "foreignClicks", "latentClicks")),
    # Clicks at Organic publishers are in clicks and botClicks already; other organic visits are
    # never seen, except for their conversions.
    Total("allClicks", ("clicks",)),
    Total("allBotClicks", ("botClicks",)),
    Raw("allViews", "VIEW", _ALL),
    Raw("allApplyStarts", "APPLY_START", _ALL),
    Raw("allApplies", "APPLY", _ALL),
    Raw("allHires", "HIRE", _ALL),
    Ratio("ctas", "applyStarts", "clicks", 100),
)
"""Every metric, in the order of a report's columns."""

NAMES: Final = tuple(metric.name for metric in METRICS)
RAW: Final = tuple(metric for metric in METRICS if isinstance(metric, Raw))
RATIOS: Final = tuple(metric for metric in METRICS if isinstance(metric, Ratio))
_TOTALS: Final = {metric.name: metric for metric in METRICS if isinstance(metric, Total)}
_PLACES: Final = {raw.name: place for place, raw in enumerate(RAW)}
_PAID: Final = frozenset(raw.name for raw in RAW if raw.amount)
MONEY: Final = _PAID | {total.name for total in _TOTALS.values() if _PAID.issuperset(total.of)}
DECIMALS: Final = MONEY | {made.name for made in RATIOS}
"""The metrics that need not be whole numbers."""

Sums = Sequence[int]


@cache
def gains(kind: str, disposition: str) -> Mapping[int, str]:
    """The raw sums that an entry adds to, by their position in RAW, each with the name of the
    amount that is added; an empty name adds the entry's sign.
    """
    return {
        place: raw.amount
        for place, raw in enumerate(RAW)
        if raw.kind in {None, kind} and (not raw.dispositions or disposition in raw.dispositions)
    }


def _sum_of(name: str) -> Callable[[Sums], int]:
    """A function that computes a raw sum or a total from the raw sums."""
    if name in _PLACES:
        place = _PLACES[name]
        return lambda sums: sums[place]
    of, less = ([_PLACES[one] for one in some] for some in _TOTALS[name][1:])
    return lambda sums: sum([sums[n] for n in of]) - sum([sums[n] for n in less])


def _finish_of(metric: Raw | Total | Ratio) -> Callable[[Sums], Number]:
    if not isinstance(metric, Ratio):
        total = _sum_of(metric.name)
        return (lambda sums: number_of(total(sums))) if metric.name in MONEY else total
    over, under, factor = _sum_of(metric.over), _sum_of(metric.under), metric.factor
    scale = MICROS if metric.over in MONEY and metric.under not in MONEY else 1
    return lambda sums: ratio(over(sums) * factor, under(sums) * scale)


_FINISH: Final = tuple(map(_finish_of, METRICS))


def made_of(name: str) -> frozenset[str]:
    """The raw sums that a metric depends on."""
    metric = METRICS[NAMES.index(name)]
    if isinstance(metric, Raw):
        return frozenset({name})
    parts = metric[1:3] if isinstance(metric, Ratio) else (*metric.of, *metric.less)
    return frozenset().union(*map(made_of, parts))


def finished_as(name: str) -> Callable[[Sums], Number]:
    """A function that computes one metric from the raw sums."""
    return _FINISH[NAMES.index(name)]


FOR_EMPLOYERS: Final = frozenset(
    ("spent", "clicks", "applies", "hires", "views", "applyStarts", "cpa", "cph", "cta", "ath")
)
"""The metrics that an employer may see: none tells a price or what the agency earns."""
COUNTS_FOR_EMPLOYERS: Final = frozenset(
    name for name in FOR_EMPLOYERS if "spent" not in made_of(name)
)
"""Those of them that an employer may see of a single job: its spend would tell its price."""
LEVELS_FOR_EMPLOYERS: Final = frozenset(("none", "campaign"))
"""By what an employer may see figures: below a campaign, they would tell what is bid, and by
publisher, what each one costs."""


def finished_for_employers(name: str) -> Callable[[Sums], Number]:
    """``finished_as``, with the marked-up spend as the spend."""
    of, spent, marked = finished_as(name), _PLACES["spent"], _PLACES["markedUpSpent"]
    return lambda sums: of([*sums[:spent], sums[marked], *sums[spent + 1 :]])


def finished(sums: Sums) -> list[Number]:
    """All metrics in the order of NAMES, from the raw sums in the order of RAW.

    **Units**: money in whole units of its currency; ratios to six decimals, 0 where nothing
    divides; cta, ath, ctas and averageMargin in percent.
    """
    return [of(sums) for of in _FINISH]


def named(sums: Sums) -> Mapping[str, Number]:
    return dict(zip(NAMES, finished(sums), strict=True))
