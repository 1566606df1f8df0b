"""When traffic comes: its shape over the week, and a day of it on the clock.

A **shape** has a weight for each quarter hour of the week, in local time, from Monday 0:00. A week
sums to 7, so that traffic is counted in average days. These are statistics, in floats.
"""

from collections.abc import Sequence
from datetime import date, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import QUARTER, bounds_of, offsets_within, start_of

OF_DAY: Final = 96
OF_WEEK: Final = 7 * OF_DAY
SMALLEST: Final = 0.02
"""No quarter hour counts as emptier than this, in average quarter hours."""


KEEP: Final = 0.8
"""The part that a week leaves of what was seen before it."""


class TrafficShape(NamedTuple):
    weights: tuple[float, ...]


class Curve(NamedTuple):
    """A day: ``sums[n]`` is the traffic until the end of ``n`` of its quarter hours."""

    start_at: Instant
    end_at: Instant
    sums: tuple[float, ...]

    @property
    def whole(self) -> float:
        return self.sums[-1]


FLAT: Final = TrafficShape((1 / OF_DAY,) * OF_WEEK)


def shape_of(weights: Sequence[float]) -> TrafficShape:
    """A shape from any weights by quarter hour."""
    assert len(weights) == OF_WEEK, "a week has 672 quarter hours"
    least = SMALLEST * sum(weights) / OF_WEEK
    lifted = [max(weight, least) for weight in weights]
    scale = 7 / sum(lifted)
    return TrafficShape(tuple(weight * scale for weight in lifted))


def learned(seen: Sequence[float], prior: TrafficShape, strength: float) -> TrafficShape:
    """The shape of what was seen by quarter hour, shrunk to a prior one. ``strength``: the average
    days that the prior counts for; few if many clicks were seen.

    Each click must be weighted by the inverse of what was let through at its time, or pacing would
    learn its own shape. Neighbours are averaged: traffic has no edges at quarters.
    """
    whole = sum(seen)
    if whole <= 0:
        return prior
    smooth = [(seen[at - 1] + 2 * seen[at] + seen[(at + 1) % OF_WEEK]) / 4 for at in range(OF_WEEK)]
    return shape_of(
        [
            weight + strength * before / 7
            for weight, before in zip(smooth, prior.weights, strict=True)
        ]
    )


def with_day(
    seen: Sequence[float], day: date, clicks: Sequence[float], usual: float
) -> list[float]:
    """What was seen, in average days, with one more day of clicks by its quarter hours.

    Counts are divided by those of an average day (``usual``), so that a growing market does not
    look like a growing week. Only the same weekday is faded: if all were faded by age, weekdays
    seen longer ago would weigh less.
    """
    first = day.weekday() * OF_DAY
    quarters = list(seen)
    for at, count in enumerate(clicks):
        quarters[first + at] = quarters[first + at] * KEEP + count / max(usual, 1.0)
    return quarters


def day_weights(shape: TrafficShape) -> tuple[int, ...]:
    """The weight of each weekday, in parts per million of an average day, Monday first."""
    return tuple(
        max(1, round(1_000_000 * sum(shape.weights[day * OF_DAY : (day + 1) * OF_DAY])))
        for day in range(7)
    )


@lru_cache(maxsize=4_096)
def curve_of(shape: TrafficShape, day: date, zone: tzinfo) -> Curve:
    """The day's traffic. A day of 23 or 25 hours has as much as any other of its weekday."""
    start_at, end_at = bounds_of(day, day, zone)
    first = day.weekday() * OF_DAY
    spans = offsets_within(start_at, end_at, zone)
    midnight = start_of(day, zone) + spans[0][1]
    weights: list[float] = []
    for at in range(start_at, end_at, QUARTER):
        offset = next(by for since, by in reversed(spans) if since <= at)
        quarter = min(max((at + offset - midnight) // QUARTER, 0), OF_DAY - 1)
        weights.append(shape.weights[first + quarter])
    scale = sum(shape.weights[first : first + OF_DAY]) / sum(weights)
    sums, total = [0.0], 0.0
    for weight in weights:
        total += weight * scale
        sums.append(total)
    return Curve(start_at, end_at, tuple(sums))


def come_by(curve: Curve, at: Instant) -> float:
    """How much of the day's traffic has come by an instant."""
    past, sums = at - curve.start_at, curve.sums
    if past <= 0:
        return 0.0
    quarter = past // QUARTER
    if quarter >= len(sums) - 1:
        return sums[-1]
    before = sums[quarter]
    rest = past - quarter * QUARTER
    return before + (sums[quarter + 1] - before) * rest / QUARTER if rest else before


assert DAY == OF_DAY * QUARTER
