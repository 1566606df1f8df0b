"""A figure beside its limit, and how figures are shown."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Figure:
    """One thing measured. ``limit`` is text, such as ``>= 0.40``; empty if there is none."""

    name: str
    value: float
    unit: str
    limit: str
    met: bool
    note: str = ""


def show(figures: Sequence[Figure]) -> None:
    """Print the figures as an aligned table."""
    rows = [("figure", "value", "unit", "limit", "", "")]
    rows += [
        (one.name, _spelled(one.value), one.unit, one.limit, _verdict(one), one.note)
        for one in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1])]
        cells += [row[column].ljust(widths[column]) for column in range(2, 5)]
        print("  ".join([*cells, row[5]]).rstrip())


def _verdict(figure: Figure) -> str:
    if not figure.limit:
        return ""
    return "met" if figure.met else "MISSED"


def _spelled(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
