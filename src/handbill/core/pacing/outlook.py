"""The forecast of a cap: its use at the end, the missed clicks, and why some will be left.

These are statistics, in floats, and decide nothing. Results are in whole numbers.
**Units**: as in ``caps``; missed clicks in millionths.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from typing import Final, NamedTuple

from handbill.core.pacing.caps import CapMark
from handbill.core.pacing.demand import ELASTICITY_PPM, clicks_let
from handbill.kit.instants import Instant
from handbill.kit.money import PPM

SURE: Final = 1.28
"""In four cases of five, the end lies within so many standard deviations."""
USED_UP_PPM: Final = 990_000
"""From this part on, a budget counts as used up."""


class DayUsed(NamedTuple):
    """A day that is over: its weight in its week, and its use."""

    weight: int
    used: int


class Forecast(NamedTuple):
    """The use expected by the end of the period, and the range in which it most likely lies."""

    end: int
    low: int
    high: int


class Missed(NamedTuple):
    """Clicks that did not come: due to lower bids, and due to fewer listed jobs."""

    by_bid: int = 0
    by_listing: int = 0


class Limited(NamedTuple):
    """How long a cap has stopped or braked in a period, in spells that are over. ``since_at``: the
    start of the current spell.
    """

    period: str = ""
    past: Instant = 0
    since_at: Instant | None = None


class Unspent(StrEnum):
    """Why a cap will not be used up, in order of evaluation."""

    NOT_TRADING = "NOT_TRADING"
    STOPPED_ABOVE = "STOPPED_ABOVE"
    PACED_ABOVE = "PACED_ABOVE"
    LATE_START = "LATE_START"
    CAPPED_BELOW = "CAPPED_BELOW"
    JOBS_CAPPED = "JOBS_CAPPED"
    TARGET = "TARGET"
    PACED = "PACED"
    NO_DEMAND = "NO_DEMAND"


def forecast(mark: CapMark, days: Sequence[DayUsed], left: Sequence[int]) -> Forecast | None:
    """The expected use. ``days``: some that are over; ``left``: the weights of those to come, today
    first. None if no day is over: nothing is known yet.
    """
    weights = sum(day.weight for day in days)
    if not weights or not left:
        return None
    rate = sum(day.used for day in days) / weights
    today, later = rate * left[0], rate * sum(left[1:])
    before = mark.used - mark.used_today
    end = before + max(mark.used_today, today) + later
    rest = sum(left)
    spread = sqrt(_variance(days, rate) * rest * (1 + rest / weights))
    return Forecast(
        end=_within(mark, end),
        low=_within(mark, end - SURE * spread),
        high=_within(mark, end + SURE * spread),
    )


def missed(clicks: float, let_ppm: int, clicks_ppm: int) -> tuple[float, float]:
    """How many clicks did not come, of so many at full bids and with all jobs: due to bids, and due
    to listings, given what was let through of the spend and of the clicks.

    A bid of ``x`` times the full one lets through ``x ** e`` of the clicks and ``x ** (1 + e)`` of
    the spend of the listed jobs: spend divided by clicks is the bid.
    """
    if not clicks_ppm:
        return 0.0, clicks
    bid_ppm = min(PPM, let_ppm * PPM // clicks_ppm)
    at_bid = max(1, clicks_let(bid_ppm, ELASTICITY_PPM))
    listed = min(PPM, clicks_ppm * PPM // at_bid)
    by_listing = clicks * (PPM - listed) / PPM
    return max(0.0, clicks - by_listing - clicks * clicks_ppm / PPM), by_listing


def limited(
    before: Limited, period: str, start_at: Instant, now: Instant, *, holds: bool
) -> Limited:
    """The state as of now, in a period that began at an instant. ``holds``: whether the cap stops
    or brakes from now on.
    """
    past = before.past if before.period == period else 0
    since = None if before.since_at is None else min(now, max(before.since_at, start_at))
    if holds:
        return Limited(period, past, now if since is None else since)
    return Limited(period, past + (0 if since is None else now - since), None)


def in_budget_ppm(one: Limited, begun_at: Instant, now: Instant) -> int | None:
    """The part of the time in which a cap neither stopped nor braked; None: no time has passed.
    ``one``: as of now.
    """
    passed = now - begun_at
    if passed <= 0:
        return None
    held = one.past + (0 if one.since_at is None else now - max(one.since_at, begun_at))
    return PPM * (passed - min(passed, held)) // passed


def pace_ppm(mark: CapMark, past: float, today: float, left: Sequence[int]) -> int | None:
    """The use so far, relative to a use that follows the traffic evenly; None if no day is over.
    ``past``: the weight of the days that are over; ``today``: the part of today's traffic that has
    come.
    """
    whole = past + sum(left)
    if not past or not left or not mark.value:
        return None
    return round(PPM * mark.used * whole / (mark.value * (past + today * left[0])))


def unspent(
    mark: CapMark, ahead: Forecast | None, causes: Sequence[Unspent], part_ppm: int = PPM
) -> list[Unspent]:
    """Why some of it will be left; nothing if it will be used up, or if nobody knows yet.
    ``causes``: known obstacles; without one, the cause is a lack of demand. ``part_ppm``: the part
    of the period since the start; less than the whole is a late start.
    """
    if ahead is None or _is_enough(mark, ahead.end):
        return []
    late = part_ppm < PPM
    all_causes = [*causes, *([Unspent.LATE_START] if late else [])]
    if not causes and not (late and _is_enough(mark, ahead.end * PPM // max(1, part_ppm))):
        all_causes.append(Unspent.NO_DEMAND)
    return sorted(set(all_causes), key=list(Unspent).index)


def _is_enough(mark: CapMark, end: int) -> bool:
    return end * PPM >= mark.value * USED_UP_PPM


def _variance(days: Sequence[DayUsed], rate: float) -> float:
    """The variance of a day's use per unit of weight; with a single day, as if it were half off."""
    if len(days) == 1:
        return (rate / 2) ** 2 * days[0].weight
    off = sum((day.used - rate * day.weight) ** 2 / max(1, day.weight) for day in days)
    return off / (len(days) - 1)


def _within(mark: CapMark, amount: float) -> int:
    """The amount, limited to the range from what is used to the value."""
    return min(max(round(amount), mark.used), max(mark.value, mark.used))
