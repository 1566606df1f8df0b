"""Where the marks of pictures are: whole numbers of a grid, for templates to draw as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from handbill.pages.wording import Number

WIDE = 1_000
HIGH = 200
_MOST_COLOURS = 8
Values = Sequence[Number]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A rectangle. ``colour``: the place of its series, which its class names."""

    x: int
    y: int
    width: int
    height: int
    colour: int


@dataclass(frozen=True)
class Picture:
    """Bars of each day, and at most one level across. ``peak``: the value at the top."""

    bars: Sequence[Bar]
    peak: Number
    level: int | None = None


def points(values: Values, wide: int = WIDE, high: int = HIGH) -> str:
    """A line through the values, lowest at the bottom, as SVG says points."""
    peak = max(values, default=0) or 1
    last = max(len(values) - 1, 1)
    return " ".join(
        f"{place * wide // last},{high - _up(value, peak, high)}"
        for place, value in enumerate(values)
    )


def stacked(series: Sequence[Values], level: Number | None = None) -> Picture:
    """A bar for each day, in which each series has its part. ``level``: drawn across all days."""
    days = len(series[0]) if series else 0
    sums = [sum(values[day] for values in series) for day in range(days)]
    peak = max([*sums, level or 0], default=0) or 1
    bars = []
    for day in range(days):
        left, right = WIDE * day // days, WIDE * (day + 1) // days
        gap = max(1, (right - left) // 8)
        under: Number = 0
        for place, values in enumerate(series):
            over = under + values[day]
            bottom, top = _up(under, peak, HIGH), _up(over, peak, HIGH)
            if top > bottom:
                bars.append(
                    Bar(
                        x=left,
                        y=HIGH - top,
                        width=max(1, right - left - gap),
                        height=top - bottom,
                        colour=min(place, _MOST_COLOURS - 1),
                    )
                )
            under = over
    return Picture(bars, peak, None if level is None else HIGH - _up(level, peak, HIGH))


def _up(value: Number, peak: Number, high: int) -> int:
    return max(0, int(value * high // peak))
