"""Bids for a target cost of an apply: the amount times the rate at which clicks become applies.

The rate is estimated for each job group at each publisher from both, and shrunk. A click counts for
the part of its applies that should have come by its age. **Source**: domain 7.5, 11.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isqrt
from typing import Final, Literal, NamedTuple

from handbill.kit.money import PPM, share_down

Kind = Literal["cpa", "cpc"]

WEIGHT_APPLIES: Final = 25
"""The number of own applies at which a rate counts as much as what its two sides suggest."""
SIDE_APPLIES: Final = 11
"""The same for a side: sides differ from each other more than their pairs do from both."""
LEEWAY_PPM: Final = 100_000
MOST_CAUTION_PPM: Final = 110_000
MOST_STEP_PPM: Final = 200_000
DEAD_BAND_PPM: Final = 50_000
CORRECTION_STEP_PPM: Final = 15_000
"""Once a day."""
LEAST_CORRECTION_PPM: Final = 700_000
MOST_RAISE_PPM: Final = 70_000
RAISE_APPLIES: Final = 100
"""The number of applies from which half of the most by which a bid may be raised is allowed."""
SURE_APPLIES: Final = 5
"""Real costs correct nothing before so many applies."""


class TargetRate(NamedTuple):
    """``rate_ppm``: applies of a million clicks. ``is_prior``: no apply has come yet.
    ``former_micros`` 0: there was no bid for this target before. ``kind``: cpa, or cpc, the most
    that a click may cost.
    """

    target_micros: int
    rate_ppm: int
    correction_ppm: int
    former_micros: int
    is_prior: bool = False
    kind: Kind = "cpa"


class Got(NamedTuple):
    """Results of a job group at a publisher; ``clicks_ppm``: mature ones, in millionths."""

    clicks_ppm: int
    applies: int


def at_most(micros: int, *, kind: Kind) -> TargetRate:
    """A target that only limits the bid: for a click (cpc), or for an apply (cpa) if applies are
    what is bid for.
    """
    return TargetRate(micros, PPM, PPM, 0, kind=kind)


def target_bid(target: TargetRate, most_micros: int) -> tuple[int, bool]:
    """The bid for a target, at most the bid as set; and whether it was limited to one step. Within
    the dead band it is kept.
    """
    wanted = share_down(share_down(target.target_micros, target.rate_ppm), target.correction_ppm)
    former = target.former_micros
    if not former:
        return min(wanted, most_micros), False
    if abs(wanted - former) * PPM <= former * DEAD_BAND_PPM:
        return min(former, most_micros), False
    step = share_down(former, MOST_STEP_PPM)
    held = min(max(wanted, former - step), former + step)
    return min(held, most_micros), held != wanted


def corrected(correction_ppm: int, spend_micros: int, due_ppm: int, target_micros: int) -> int:
    """The correction after one more step: lower if an apply has cost more than the target, higher
    if less, unchanged while the difference may be chance. The fewer applies, the less it may raise
    a bid. ``due_ppm``: applies come and to come from the paid clicks, in millionths.
    """
    if due_ppm < SURE_APPLIES * PPM:
        return correction_ppm
    aim = target_micros * due_ppm
    off = spend_micros * PPM - aim
    if off * off * due_ppm < aim * aim * PPM:
        return correction_ppm
    step = share_down(correction_ppm, CORRECTION_STEP_PPM)
    moved = correction_ppm - step if off > 0 else correction_ppm + step
    most = PPM + MOST_RAISE_PPM * due_ppm // (due_ppm + RAISE_APPLIES * PPM)
    return min(max(moved, LEAST_CORRECTION_PPM), most)


def rates_of(
    got: Mapping[tuple[int, int], Got], prior_ppm: int, weight: int = WEIGHT_APPLIES
) -> dict[tuple[int, int], int]:
    """The rate of each job group at each publisher (in this order in the key), in applies of a
    million clicks.

    It starts with what all have in common. Then publishers are compared with what their groups
    lead to expect, groups with what their publishers do, both once more, and each pair with both.
    Each time the expectation counts for so many applies (``weight`` for a pair). Whole numbers,
    rounded down.
    """
    clicks = sum(one.clicks_ppm for one in got.values())
    applies = sum(one.applies for one in got.values())
    shared = _shrunk(applies, clicks, max(1, prior_ppm), weight)
    factors: list[dict[int, int]] = [{}, {}]
    for side in (1, 0, 1, 0):
        factors[side] = _factors(got, shared, side, factors[1 - side])
    groups, publishers = factors
    return {
        pair: _shrunk(
            one.applies,
            one.clicks_ppm,
            max(1, share_down(share_down(shared, publishers[pair[1]]), groups[pair[0]])),
            weight,
        )
        for pair, one in got.items()
    }


def _factors(
    got: Mapping[tuple[int, int], Got], shared_ppm: int, side: int, others: Mapping[int, int]
) -> dict[int, int]:
    """How much better each of one side does than expected, given the other side's factors."""
    due: dict[int, int] = defaultdict(int)
    came: dict[int, int] = defaultdict(int)
    for pair, one in got.items():
        expected = share_down(one.clicks_ppm, shared_ppm)
        due[pair[side]] += share_down(expected, others.get(pair[1 - side], PPM))
        came[pair[side]] += one.applies
    return {
        of: PPM * PPM * (came[of] + SIDE_APPLIES) // (expected + SIDE_APPLIES * PPM)
        for of, expected in due.items()
    }


def cautious(rate_ppm: int, applies: int) -> int:
    """The rate, lowered so far that an error of one and a half times its standard error leaves an
    apply at 110 % of its target; at most by 11 %. ``applies``: those of the job group.
    """
    error_ppm = isqrt(PPM * PPM * 9 // (4 * (applies + SIDE_APPLIES)))
    return rate_ppm - share_down(rate_ppm, min(max(0, error_ppm - LEEWAY_PPM), MOST_CAUTION_PPM))


def mature_ppm(aged: Iterable[tuple[int, int]], come_ppm: Sequence[int]) -> int:
    """The sum of clicks (age, clicks), each weighted by the part of its applies that has come by
    that age.
    """
    last = len(come_ppm) - 1
    return sum(clicks * come_ppm[min(age, last)] for age, clicks in aged)


def usual_delays(window_days: int, a_day: int = 1) -> tuple[int, ...]:
    """The part of the applies that has come by each age, in days or ``a_day`` steps, before any
    window of a client has closed: two thirds on the day of the click, the rest ever slower.
    """
    return (*(PPM - 350_000 // (1 + age // a_day) for age in range(window_days * a_day)), PPM)


def delay_curve(
    applies_by_age: Sequence[int], prior_ppm: Sequence[int], weight: int = WEIGHT_APPLIES
) -> tuple[int, ...]:
    """The part of the applies that has come by each age, from the client's own closed windows,
    shrunk to a prior curve. It never falls, and ends at the whole.
    """
    assert prior_ppm[-1] == PPM, "in the end all have come"
    whole = sum(applies_by_age[: len(prior_ppm)])
    come, curve = 0, []
    for age, before in enumerate(prior_ppm):
        come += applies_by_age[age] if age < len(applies_by_age) else 0
        curve.append((come * PPM + weight * before) // (whole + weight))
    return tuple(curve)


def _shrunk(applies: int, clicks_ppm: int, prior_ppm: int, weight: int) -> int:
    """Applies of a million clicks, with ``weight`` more applies at the prior's rate."""
    rate = (applies + weight) * PPM * PPM // (clicks_ppm + weight * PPM * PPM // prior_ppm)
    return min(max(1, rate), PPM)
