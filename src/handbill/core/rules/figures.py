"""What a rule compares: the figures of an entity in a window, exactly as stats return them."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, NamedTuple

from handbill.core.metrics import RAW, named
from handbill.core.rule_conditions import Condition
from handbill.kit.money import MICROS

Window = tuple[str, str]
"""First and last day."""
Asked = tuple[Window, tuple[str, ...]]
"""The days, and the publishers; none named: all."""
RATIOS: Final = {"cpc": "clicks", "cpa": "applies", "cta": "clicks"}
"""The quotients, each with its divisor."""
_COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "equals": eq,
    "not equals": ne,
    "greater than": gt,
    "less than": lt,
    "greater than equal to": ge,
    "less than equal to": le,
}


class Figures(NamedTuple):
    """In millionths: of a count, of a currency's unit, of a percent. None: the divisor is 0."""

    clicks: int = 0
    allClicks: int = 0  # noqa: N815 - the names of the parameters, as those of metrics
    applies: int = 0
    allApplies: int = 0  # noqa: N815
    spent: int = 0
    cpc: int | None = None
    cpa: int | None = None
    cta: int | None = None


NONE: Final = Figures()
ADDED: Final = tuple(raw for raw in RAW if raw.name in {"clicks", "applies", "allApplies", "spent"})
"""The raw sums that all figures are computed from."""
Sums = tuple[int, ...]


def figures_of(told: Mapping[str, Any]) -> Figures:
    """Figures from the metrics of a row of stats, by their names."""
    values = {
        name: int(Decimal(told[name]) * MICROS)
        for name in Figures._fields
        if name not in RATIOS or told[RATIOS[name]]
    }
    return Figures(**values)


@lru_cache(maxsize=100_000)
def figures_of_sums(sums: Sums) -> Figures:
    """Figures from raw sums, in the order of ``ADDED``; as stats compute them."""
    known = {raw.name: value for raw, value in zip(ADDED, sums, strict=True)}
    return figures_of(named([known.get(raw.name, 0) for raw in RAW]))


def seen(condition: Condition, figures: Figures, budget_micros: int | None) -> int | None:
    """The number that a condition looks at; None: there is none."""
    value: int | None = getattr(figures, condition.parameter)
    if condition.parameter == "spent" and condition.unit == "%":
        return None if not budget_micros else figures.spent * 100 * MICROS // budget_micros
    return value


def holds(condition: Condition, value: int | None) -> bool:
    """Whether a number satisfies a condition; None never does."""
    if value is None:
        return False
    return _COMPARED[condition.comparison](value, condition.value_millionths)


def which_hold(condition: Condition, values: Iterable[int | None]) -> list[bool]:
    """``holds`` for many numbers."""
    compared, limit = _COMPARED[condition.comparison], condition.value_millionths
    return [value is not None and compared(value, limit) for value in values]
