"""What a copy offers: never more than was set, within its bounds, and to be worked out again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.bids import BidLine, Binding, Inputs, PacedBid, decided
from handbill.core.pacing.caps import Days, DeliveryMode, mark_of
from handbill.core.pacing.demand import bid_for, spend_let
from handbill.core.pacing.plans import (
    Ahead,
    CapInputs,
    ChildDemand,
    CopyDemand,
    Want,
    filled,
    least_of,
    want_of,
    weighed,
)
from handbill.core.pacing.targets import TargetRate
from handbill.core.pacing.thinning import turn_of, window_of
from handbill.core.rates import PICOS
from handbill.kit.money import PPM

CENT = 10_000
AMOUNT = st.integers(0, 10**9)
PART = st.integers(0, PPM)
NOTHING = Ahead()


def view(
    value: int,
    used: int = 0,
    ahead: Ahead = NOTHING,
    *,
    name: str = "group/budget",
    delivery: DeliveryMode = DeliveryMode.EVEN,
    threshold_ppm: int = 800_000,
) -> CapInputs:
    cap = Cap("Daily", value, threshold_ppm=threshold_ppm)
    mark = mark_of(cap, value, used, used, Days((1,), (1,), renews=True), delivery)
    return CapInputs(name, mark, ahead)


def step(*views: CapInputs, **changes: Any) -> Inputs:
    found = Inputs(
        base_micros=100 * CENT,
        source="JOBGROUP",
        min_bid_micros=0,
        whole_micros=CENT,
        markdown_ppm=0,
        unit_micros=CENT,
        former_micros=0,
        rule_ppm=PPM,
        target=None,
        views=views,
        life=CopyDemand(1_000 * CENT, 0),
        elasticity_ppm=1_200_000,
        matching_jobs=50,
        start_ppm=0,
    )
    return found._replace(**changes)


targets = st.none() | st.builds(
    TargetRate, st.integers(1, 10**9), PART, st.integers(700_000, 1_150_000), AMOUNT
)
views = st.builds(
    lambda value, used, ahead, delivery, threshold: view(
        value, used, ahead, delivery=delivery, threshold_ppm=threshold
    ),
    AMOUNT,
    AMOUNT,
    st.builds(Ahead, AMOUNT, AMOUNT, AMOUNT, AMOUNT),
    st.sampled_from(DeliveryMode),
    PART,
)
steps = st.builds(
    Inputs,
    base_micros=st.integers(1, 500).map(lambda cents: cents * CENT),
    source=st.just("FEED"),
    min_bid_micros=st.integers(0, 300_000),
    whole_micros=st.just(CENT),
    markdown_ppm=st.integers(0, 900_000),
    unit_micros=st.just(CENT),
    former_micros=AMOUNT,
    rule_ppm=st.sampled_from([PPM, 800_000]),
    target=targets,
    views=st.lists(views, max_size=4).map(tuple),
    life=st.builds(CopyDemand, AMOUNT, AMOUNT),
    elasticity_ppm=st.integers(0, 3_000_000),
    matching_jobs=st.integers(0, 1_000),
    start_ppm=st.integers(0, 10**9),
    rate_picos=st.just(PICOS),
    said_micros=st.just(0),
)


@given(steps)
def test_bounds(inputs: Inputs) -> None:
    bid = decided(inputs)
    most = inputs.base_micros * inputs.rule_ppm // PPM
    quarter = most // 4 if not {Binding.CPA, Binding.CPC} & set(bid.binding) else 0
    goal = most if bid.target_bid_micros is None else bid.target_bid_micros
    lowest = max(inputs.min_bid_micros, CENT)
    least = min(most, max(lowest, min(quarter, goal // CENT * CENT)))
    assert least <= bid.bid_micros <= most, "never above what was set, never below the least"
    assert bid.bid_micros <= max(goal, lowest) + CENT, "nor above the target, but for its rounding"
    assert 0 <= bid.listed_ppm <= PPM
    assert 0 <= bid.let_ppm <= PPM
    assert 0 <= bid.price_micros <= bid.bid_micros
    whole = bid.bid_micros % CENT == 0
    assert whole or bid.bid_micros in {most, inputs.former_micros}, "whole cents"
    if Binding.DEAD_BAND in bid.binding:
        assert bid.bid_micros == inputs.former_micros
    assert (bid.cap == "") or Binding.BUDGET in bid.binding
    assert BidLine(inputs, bid).is_true, "to the micro, from itself"
    assert not BidLine(inputs._replace(base_micros=inputs.base_micros + CENT), bid).is_true


def test_without_a_cap_or_with_plenty_the_bid_is_as_it_was_set() -> None:
    for inputs in (step(), step(view(10**9, 0, Ahead(0, 10**8, 0, 10**8)))):
        bid = decided(inputs)
        assert (bid.bid_micros, bid.factor_ppm, bid.listed_ppm) == (100 * CENT, PPM, PPM)
        assert bid.binding == ()
        assert bid.let_ppm == PPM


def test_half_the_spend_is_wanted() -> None:
    """1,000 to spend, 2,000 open: the bid goes to where half the spend is expected."""
    bid = decided(step(view(1_000 * CENT, 0, Ahead(0, 2_000 * CENT, 0, 1))))
    assert bid.bid_micros == 73 * CENT
    assert abs(bid.let_ppm - 500_000) < 10_000
    assert (bid.cap, bid.binding) == ("group/budget", (Binding.BUDGET,))


def test_below_the_least_bid_fewer_jobs_are_listed() -> None:
    bid = decided(step(view(20 * CENT, 0, Ahead(0, 2_000 * CENT, 0, 1))))
    assert bid.bid_micros == 25 * CENT
    assert bid.binding == (Binding.BUDGET, Binding.FLOOR)
    assert abs(bid.let_ppm - 10_000) < 100
    assert bid.window.jobs == 50 * bid.listed_ppm // PPM
    dear = decided(step(view(20 * CENT, 0, Ahead(0, 2_000 * CENT, 0, 1)), min_bid_micros=90 * CENT))
    assert dear.bid_micros == 90 * CENT
    assert abs(dear.let_ppm - 10_000) < 100


def test_asap_keeps_the_bid_and_brakes_by_listings() -> None:
    ahead = Ahead(500 * CENT, 5_000 * CENT, 0, 1)
    free = decided(step(view(1_000 * CENT, 200 * CENT, ahead, delivery=DeliveryMode.ASAP)))
    assert (free.bid_micros, free.listed_ppm) == (100 * CENT, PPM), "not at the line yet"
    braked = decided(step(view(1_000 * CENT, 400 * CENT, ahead, delivery=DeliveryMode.ASAP)))
    assert (braked.bid_micros, braked.listed_ppm) == (100 * CENT, 100_000)
    never = view(1_000 * CENT, 400 * CENT, ahead, delivery=DeliveryMode.ASAP, threshold_ppm=PPM)
    assert decided(step(never)).listed_ppm == PPM, "no brake"
    spent = view(1_000 * CENT, 1_000 * CENT, delivery=DeliveryMode.ASAP, threshold_ppm=PPM)
    assert decided(step(spent)).listed_ppm == 0, "the wall holds all the same"


def test_the_dead_band() -> None:
    half = view(1_000 * CENT, 0, Ahead(0, 2_000 * CENT, 0, 1))
    near = decided(step(half, former_micros=70 * CENT))
    assert (near.bid_micros, near.binding) == (70 * CENT, (Binding.BUDGET, Binding.DEAD_BAND))
    assert decided(step(half, former_micros=60 * CENT)).bid_micros == 73 * CENT
    full = decided(step(former_micros=95 * CENT))
    assert full.bid_micros == 100 * CENT, "nothing holds it below what was set"


def test_the_lower_of_budget_and_goal() -> None:
    half = view(1_000 * CENT, 0, Ahead(0, 2_000 * CENT, 0, 1))
    low = decided(step(half, target=TargetRate(1_000 * CENT, 50_000, PPM, 0)))
    assert (low.bid_micros, low.target_bid_micros) == (50 * CENT, 50 * CENT)
    assert low.binding == (Binding.CPA,)
    high = decided(step(half, target=TargetRate(1_000 * CENT, 90_000, PPM, 0)))
    assert (high.bid_micros, high.binding) == (73 * CENT, (Binding.BUDGET,))
    little = view(CENT, 0, Ahead(0, 2_000 * CENT, 0, 1))
    lowest = decided(step(little, target=TargetRate(1_000 * CENT, 9_000, PPM, 0)))
    assert (lowest.bid_micros, lowest.binding) == (9 * CENT, (Binding.BUDGET, Binding.FLOOR))
    assert lowest.listed_ppm < PPM, "the least bid of a budget, 25 cents, is above the target"
    kept = decided(
        step(half, former_micros=76 * CENT, target=TargetRate(750 * CENT, PPM // 10, PPM, 0))
    )
    assert kept.bid_micros == 73 * CENT, "no dead band reaches above the target"
    held = decided(step(target=TargetRate(1_000 * CENT, 50_000, PPM, 80 * CENT)))
    assert held.bid_micros == 64 * CENT, "a fifth at most"
    assert held.binding == (Binding.CPA, Binding.LEASH)


def test_markdown_is_said() -> None:
    bid = decided(step(markdown_ppm=200_000))
    assert (bid.price_micros, bid.binding) == (80 * CENT, (Binding.MARKDOWN,))


def test_the_least_over_the_cap_tree_counts() -> None:
    tree = (
        view(900, 0, Ahead(0, 1_000, 0, 1), name="client/budget"),
        view(300, 0, Ahead(0, 1_000, 0, 1), name="group/budget"),
        view(600, 0, Ahead(0, 1_000, 0, 1), name="campaign/budget"),
    )
    assert least_of(tree, CopyDemand(100, 0)) == (Want(300_000, PPM), "group/budget")


def test_a_copy_past_midnight_is_weighed_over_both_days() -> None:
    assert weighed(CopyDemand(1, 3), 200_000, 1_000_000) == 800_000
    assert weighed(CopyDemand(0, 0), 200_000, 1_000_000) == 200_000
    both = view(100, 90, Ahead(0, 100, 0, 100))
    assert want_of(both, CopyDemand(50, 50)).even_ppm == 550_000


@given(st.integers(0, 10**9), st.lists(st.builds(ChildDemand, AMOUNT, AMOUNT), max_size=8))
def test_children_that_cannot_reach_the_level_do_not_hold_others_back(
    left: int, parts: list[ChildDemand]
) -> None:
    rest, whole = filled(left, parts)
    if not whole:
        assert sum(part.most for part in parts if part.full) <= left, "all at their most"
        return
    spends = sum(min(part.most, part.full * rest // whole) for part in parts if part.full)
    assert left - len(parts) * 2 - sum(p.full // PPM + 1 for p in parts) <= spends
    assert spends <= left + sum(p.full // PPM + 1 for p in parts)


def test_one_that_is_spent_leaves_the_sums() -> None:
    assert filled(100, [ChildDemand(100, 0), ChildDemand(100, 100), ChildDemand(100, 100)]) == (
        100,
        200,
    )
    assert filled(100, [ChildDemand(100, 10), ChildDemand(100, 1_000)]) == (90, 100)


@given(st.integers(1, 300), st.lists(PART, min_size=1, max_size=40))
def test_jobs_take_turns(jobs: int, listed: list[int]) -> None:
    """Each is listed as often as any other, to within one turn, and as many as were asked for."""
    start, times = 0, [0] * jobs
    for part in listed:
        window = window_of(jobs, part, start)
        assert abs(window.jobs - jobs * part / PPM) < 1
        for place in range(jobs):
            times[place] += (place - window.first) % jobs < window.jobs
        start = window.next_ppm
    assert max(times) - min(times) <= 1
    assert sum(times) == jobs * sum(listed) // PPM if jobs else True


def test_the_order_of_jobs_is_mixed_and_fixed() -> None:
    names = [f"job-{number}" for number in range(100)]
    assert sorted(names, key=turn_of) == sorted(set(names), key=turn_of)
    assert sorted(names, key=turn_of) != sorted(names)
    assert window_of(0, PPM, 5) == (0, 0, 0)


@given(PART, st.integers(0, 3_000_000))
def test_bids_follow_spend_and_back(spend: int, elasticity: int) -> None:
    bid = bid_for(spend, elasticity)
    assert 0 <= bid <= PPM
    assert abs(spend_let(bid, elasticity) - spend) <= 4


def test_a_bid_is_a_value() -> None:
    assert isinstance(decided(step()), PacedBid)
