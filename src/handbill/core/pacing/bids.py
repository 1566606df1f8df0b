"""What a copy offers: how the published bid follows from the bid as set, step by step.

A **step** (``Inputs``) holds everything that its outcome depends on, in whole numbers. So a line of
the bid log can be computed again from itself: ``decided(inputs)`` gives it to the micro.
**Source**: domain 4.1, 4.2, docs/decisions/0046.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from handbill.core.bids import price_of
from handbill.core.pacing.demand import bid_for, spend_let
from handbill.core.pacing.plans import CapInputs, CopyDemand, Want, least_of
from handbill.core.pacing.targets import TargetRate, target_bid
from handbill.core.pacing.thinning import JobWindow, window_of
from handbill.core.rates import PICOS
from handbill.kit.money import PPM, nearest, raised_to, share_down

LEAST_FACTOR_PPM: Final = 250_000
DEAD_BAND_PPM: Final = 100_000


class Binding(StrEnum):
    """What determined a bid."""

    RULE = "RULE"
    CPA = "CPA"
    CPC = "CPC"
    LEASH = "LEASH"
    BUDGET = "BUDGET"
    FLOOR = "FLOOR"
    DEAD_BAND = "DEAD_BAND"
    MARKDOWN = "MARKDOWN"


class Inputs(NamedTuple):
    """``former_micros`` 0: there was no former bid, or it had other terms. ``start_ppm``: where the
    window over the jobs begins. ``whole_micros``: bids are multiples of it. ``rate_picos``: the
    publisher's currency in the agency's. Only ``unit_micros`` and ``said_micros`` are in the
    publisher's: the latter is the bid as said in it, if all jobs have that one, else 0.
    """

    base_micros: int
    source: str
    min_bid_micros: int
    whole_micros: int
    markdown_ppm: int
    unit_micros: int
    former_micros: int
    rule_ppm: int
    target: TargetRate | None
    views: tuple[CapInputs, ...]
    life: CopyDemand
    elasticity_ppm: int
    matching_jobs: int
    start_ppm: int
    rate_picos: int = PICOS
    said_micros: int = 0


class PacedBid(NamedTuple):
    """``factor_ppm``: the bid factor. ``listed_ppm``: the part of the jobs that is listed.
    ``let_ppm``: the resulting part of the full spend. ``cap``: the name of the binding cap.
    """

    bid_micros: int
    price_micros: int
    factor_ppm: int
    listed_ppm: int
    let_ppm: int
    target_bid_micros: int | None
    window: JobWindow
    cap: str
    binding: tuple[Binding, ...]


class BidLine(NamedTuple):
    """One line of the bid log."""

    inputs: Inputs
    bid: PacedBid

    @property
    def is_true(self) -> bool:
        """Whether its bid can be computed again from its inputs."""
        return decided(self.inputs) == self.bid


def decided(step: Inputs) -> PacedBid:
    """The bid of a copy, the jobs it lists, and what was binding.

    The bid as set (or as changed by a rule) is lowered to what the budget allows, or to the target
    if that is lower. It is never below the least bid (for a budget, a quarter of the bid as set, if
    the target allows that), nor above the bid as set. Within the dead band it stays. If the least
    bid is still too high, or a cap brakes, fewer jobs are listed.
    """
    assert step.base_micros > 0, "what has no bid is not listed, and not decided on"
    binding: list[Binding] = []
    most = max(1, share_down(step.base_micros, step.rule_ppm))
    if step.rule_ppm != PPM:
        binding.append(Binding.RULE)
    want, cap = least_of(step.views, step.life)
    wanted = share_down(most, bid_for(want.even_ppm, step.elasticity_ppm))
    target, by_budget = None, True
    if step.target is not None:
        target, leashed = target_bid(step.target, most)
        if target < wanted:
            wanted = target
            binding += [Binding(step.target.kind.upper()), *([Binding.LEASH] if leashed else ())]
            by_budget = False
    top = _top(step, most, target)
    least = min(top, _least(step, most, LEAST_FACTOR_PPM if by_budget else 0))
    if wanted < most and by_budget:
        binding.append(Binding.BUDGET)
    bid = most if wanted == most else min(nearest(wanted, step.whole_micros), top)
    if bid < least:
        bid = least
        binding.append(Binding.FLOOR)
    if by_budget and bid < top and _is_near(step.former_micros, bid, least, top):
        bid = step.former_micros
        binding.append(Binding.DEAD_BAND)
    listed = _listed(step, want, bid, most, least)
    if listed < PPM and Binding.BUDGET not in binding:
        binding.append(Binding.BUDGET)
    if step.markdown_ppm:
        binding.append(Binding.MARKDOWN)
    factor = bid * PPM // step.base_micros
    return PacedBid(
        bid_micros=bid,
        price_micros=_price(step, bid),
        factor_ppm=factor,
        listed_ppm=listed,
        let_ppm=share_down(spend_let(factor, step.elasticity_ppm), listed),
        target_bid_micros=target,
        window=window_of(step.matching_jobs, listed, step.start_ppm),
        cap=cap if Binding.BUDGET in binding else "",
        binding=tuple(binding),
    )


def _price(step: Inputs, bid: int) -> int:
    """The price shown for a bid; an unchanged bid is not converted to another currency and back."""
    if step.said_micros and bid == step.base_micros:
        return price_of(step.said_micros, step.markdown_ppm, step.unit_micros)
    return price_of(bid, step.markdown_ppm, step.unit_micros, step.rate_picos)


def _top(step: Inputs, most: int, target: int | None) -> int:
    """The highest bid: the bid as set, or that for the target, at least the publisher's minimum."""
    if target is None or target >= most:
        return most
    return min(most, max(nearest(target, step.whole_micros), _least(step, most, 0)))


def _least(step: Inputs, most: int, factor_ppm: int) -> int:
    """The least bid in whole steps: a part of the bid as set, at least the publisher's minimum."""
    floor = max(share_down(most, factor_ppm), step.min_bid_micros, step.whole_micros)
    return min(raised_to(floor, step.whole_micros), most)


def _is_near(former: int, bid: int, least: int, top: int) -> bool:
    """Whether the former bid may stay: allowed, and within the dead band."""
    return (
        least <= former <= top
        and former != bid
        and abs(bid - former) * PPM <= former * DEAD_BAND_PPM
    )


def _listed(step: Inputs, want: Want, bid: int, most: int, least: int) -> int:
    """The part of the jobs to list: all, unless a cap brakes or the bid cannot be lowered."""
    spends = max(1, spend_let(bid * PPM // most, step.elasticity_ppm))
    listed = PPM
    if want.even_ppm < spends and bid == least:
        listed = want.even_ppm * PPM // spends
    return min(listed, want.fit_ppm * PPM // spends)
