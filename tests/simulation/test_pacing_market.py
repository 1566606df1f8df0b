"""Markets over weeks: no cap is passed, budgets are used, and every bid can be worked out again."""

from dataclasses import replace
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.bids import BidLine
from handbill.core.pacing.caps import DeliveryMode
from handbill.simulate.market import MarketRow
from handbill.simulate.played import Played
from handbill.simulate.playing import Market
from handbill.simulate.tables import AT_ONCE, BESIDE, EVENLY, ODD, PACED, row_of
from handbill.simulate.targets import play_targets

HELD = [PACED, *ODD, *EVENLY, AT_ONCE, *(world for world in BESIDE if world.policy == "wall")]


@cache
def market(world: MarketRow, groups: int = 4, seed: int = 7) -> Played:
    return Market(world, groups, seed, log=True).play()


def test_a_month_is_used_evenly_and_hardly_a_click_is_unbilled() -> None:
    row = row_of([market(PACED, 8)])
    assert row.bound >= 4
    assert row.used > 0.985
    assert row.unbilled < 0.005
    assert row.days_near > 0.85
    assert 0.45 < row.half < 0.55
    assert row.worst_day <= 1.2
    assert row.over == 0


@pytest.mark.parametrize("world", HELD, ids=lambda world: world.name)
def test_no_cap_is_passed_on_any_day(world: MarketRow) -> None:
    found = market(world._replace(days=min(world.days, 9)))
    assert found.over == 0
    assert found.days
    for day in found.days:
        assert 0 <= day.used <= day.most, "the wall, or the day's ceiling"
        assert day.most <= max(day.share * 12 // 10, day.share), "1.2 shares"
    for group in found.groups:
        by_period = [day.used for day in found.days if day.group == group.no]
        if world.cap.period == "Monthly":
            assert sum(by_period) <= group.value_micros * found.world.days
        else:
            assert max(by_period) <= group.value_micros


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    paced=st.booleans(),
    delivery=st.sampled_from(DeliveryMode),
    threshold=st.integers(0, 1_000_000),
    rhythms=st.lists(st.integers(1, 24), min_size=1, max_size=4),
    noise=st.floats(0, 1),
    elasticity=st.floats(0, 3),
)
def test_no_cap_is_passed_in_any_market(
    seed: int,
    paced: bool,
    delivery: DeliveryMode,
    threshold: int,
    rhythms: list[int],
    noise: float,
    elasticity: float,
) -> None:
    cap = Cap("Monthly" if paced else "Daily", 0, pacing=paced, threshold_ppm=threshold)
    world = MarketRow(
        "any",
        cap,
        delivery,
        tuple(rhythms),
        days=2,
        day_noise=noise,
        elasticity=elasticity,
        drift=noise / 5,
        irregular=noise,
    )
    found = Market(world, 1, seed, log=True).play()
    assert found.over == 0
    assert all(day.used <= day.most for day in found.days)
    for inputs, bid in found.lines:
        assert inputs.base_micros / 4 <= bid.bid_micros <= inputs.base_micros
        assert bid.bid_micros % inputs.whole_micros == 0


def test_what_nobody_holds_back_is_passed() -> None:
    """The market does press on its caps: dropped when spent, they would be passed."""
    found = market(BESIDE[0]._replace(days=3))
    assert sum(day.used > day.most for day in found.days) > 3


@pytest.mark.parametrize(
    ("cap", "delivery"),
    [
        (Cap("Daily", 0, threshold_ppm=0), DeliveryMode.ASAP),
        (Cap("Daily", 0, threshold_ppm=1_000_000), DeliveryMode.ASAP),
        (Cap("Daily", 0, threshold_ppm=0), DeliveryMode.EVEN),
        (Cap("Monthly", 0, pacing=True, threshold_ppm=1_000_000), DeliveryMode.EVEN),
        (Cap("Monthly", 0), DeliveryMode.ASAP),
    ],
    ids=str,
)
def test_any_brake_line_keeps_the_wall(cap: Cap, delivery: DeliveryMode) -> None:
    row = row_of([market(MarketRow(str(cap), cap, delivery, (4,) * 5, days=5))])
    assert row.over == 0
    assert row.used > 0.9


def test_a_brake_saves_clicks_that_nobody_would_pay() -> None:
    def unbilled(threshold_ppm: int) -> float:
        cap = Cap("Daily", 0, threshold_ppm=threshold_ppm)
        return row_of(
            [market(MarketRow("brake", cap, DeliveryMode.ASAP, (4,) * 5, days=7))]
        ).unbilled

    assert unbilled(0) <= unbilled(800_000) < unbilled(1_000_000) / 2


def test_a_flight_of_one_day_is_paced() -> None:
    found = market(PACED._replace(days=1), 8)
    bound = [day for day in found.days if day.full > 1.5 * day.share]
    assert bound
    for day in bound:
        by_noon = day.by_hour[12] / day.share
        assert 0.05 < by_noon < 0.75, "neither at once nor not at all"
        assert day.used <= day.share


def test_the_same_seed_plays_the_same_market() -> None:
    world = PACED._replace(days=3)
    first, again, other = (Market(world, 3, seed).play() for seed in (1, 1, 2))
    assert replace(first, groups=[]) == replace(again, groups=[])
    assert first.days != other.days
    assert play_targets(10, 5, 3) == play_targets(10, 5, 3)


def test_each_line_of_the_bid_log_can_be_worked_out_again() -> None:
    """To the micro, from what was written down of it."""
    lines = [line for world in (PACED, AT_ONCE) for line in market(world._replace(days=9)).lines]
    assert len(lines) > 1_000
    for line in lines:
        written = msgspec.json.encode(line)
        assert msgspec.json.decode(written, type=BidLine).is_true
    assert {"BUDGET", "FLOOR", "DEAD_BAND"} <= {by for line in lines for by in line.bid.binding}


def test_bids_for_a_target_come_near_an_oracles() -> None:
    found = play_targets(15, 28, 8)
    assert 0.8 < found.applies / found.oracle_applies < 1.2
    assert found.within / found.warm > 0.7
