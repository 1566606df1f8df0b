"""Where a cap is going: forecasts, what was missed, for how long it held, and why some is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.caps import CapMark, Days, DeliveryMode, mark_of
from handbill.core.pacing.demand import ELASTICITY_PPM, clicks_let, spend_let
from handbill.core.pacing.outlook import (
    DayUsed,
    Forecast,
    Limited,
    Unspent,
    forecast,
    in_budget_ppm,
    limited,
    missed,
    pace_ppm,
    unspent,
)
from handbill.kit.money import PPM, share_down

WHOLE = Days((PPM,) * 10, (PPM,) * 9, renews=False)


def mark(value: int, used: int, today: int = 0) -> CapMark:
    return mark_of(Cap("Monthly", value), value, used, today, WHOLE, DeliveryMode.EVEN)


def test_on_the_first_day_nothing_is_known() -> None:
    assert forecast(mark(100, 3, 3), [], [PPM] * 30) is None
    assert pace_ppm(mark(100, 3, 3), 0, 0.5, [PPM] * 30) is None


def test_days_off_tell_nothing() -> None:
    assert forecast(mark(100, 0), [DayUsed(0, 0)] * 2, [PPM]) is None


def test_days_alike_go_on_alike() -> None:
    told = forecast(mark(1_000, 100), [DayUsed(PPM, 10)] * 10, [PPM] * 20)
    assert told == Forecast(end=300, low=300, high=300)


def test_days_that_differ_leave_a_range() -> None:
    told = forecast(mark(1_000, 100), [DayUsed(PPM, 5), DayUsed(PPM, 15)] * 5, [PPM] * 20)
    assert told is not None
    assert told.low < told.end == 300 < told.high


def test_a_weekend_weighs_as_it_does() -> None:
    days = [DayUsed(PPM, 100), DayUsed(PPM // 2, 50)]
    told = forecast(mark(10_000, 150), days, [PPM // 2, PPM])
    assert told is not None
    assert told.end == 300


def test_what_is_used_today_is_not_unused_again() -> None:
    told = forecast(mark(1_000, 160, 60), [DayUsed(PPM, 10)] * 10, [PPM])
    assert told is not None
    assert told.end == 160


@given(
    st.integers(1, 10**12),
    st.lists(st.tuples(st.integers(1, 2 * PPM), st.integers(0, 10**11))),
    st.lists(st.integers(0, 2 * PPM), max_size=31),
    st.integers(0, 10**11),
)
def test_it_is_never_less_than_used_nor_more_than_the_value(
    value: int, days: list[tuple[int, int]], left: list[int], today: int
) -> None:
    used = sum(one for _, one in days) + today
    told = forecast(mark(value, used, today), [DayUsed(*one) for one in days], left)
    if told is None:
        assert not days or not left
    else:
        assert used <= told.low <= told.end <= told.high <= max(value, used)


def test_pace_is_against_an_even_use_by_now() -> None:
    """Ten days of thirty and half of the eleventh: 10.5 thirtieths of the value are due."""
    assert pace_ppm(mark(3_000, 1_050), 10 * PPM, 0.5, [PPM] * 20) == PPM
    assert pace_ppm(mark(3_000, 525), 10 * PPM, 0.5, [PPM] * 20) == PPM // 2
    assert pace_ppm(mark(0, 0), 10 * PPM, 0.5, [PPM] * 20) is None


@given(st.integers(250_000, PPM), st.integers(10_000, PPM))
def test_what_did_not_come_is_told_apart(bid_ppm: int, listed_ppm: int) -> None:
    """From what is let through of the spend and of the clicks alone."""
    let = share_down(spend_let(bid_ppm, ELASTICITY_PPM), listed_ppm)
    clicks = share_down(clicks_let(bid_ppm, ELASTICITY_PPM), listed_ppm)
    by_bid, by_listing = missed(1_000, let, clicks)
    assert by_listing == pytest.approx(1_000 * (PPM - listed_ppm) / PPM, abs=2)
    assert by_bid + by_listing == pytest.approx(1_000 * (PPM - clicks) / PPM, abs=1e-6)


def test_where_nothing_is_listed_all_is_missed_by_it() -> None:
    assert missed(40, 0, 0) == (0.0, 40)
    assert missed(40, PPM, PPM) == (0.0, 0.0)


def test_a_cap_is_out_for_as_long_as_it_held() -> None:
    start, now = 1_000, 2_000
    held = limited(Limited(), "M1", start, 1_200, holds=True)
    assert held == Limited("M1", 0, 1_200)
    assert limited(held, "M1", start, 1_300, holds=True) == held
    assert in_budget_ppm(held, start, 1_600) == PPM // 3
    freed = limited(held, "M1", start, 1_700, holds=False)
    assert freed == Limited("M1", 500, None)
    assert in_budget_ppm(freed, start, now) == PPM // 2
    assert in_budget_ppm(freed, start, start) is None


def test_a_new_period_begins_anew_but_what_lasts_lasts() -> None:
    held = Limited("M1", 500, 1_900)
    assert limited(held, "M2", 2_000, 2_100, holds=True) == Limited("M2", 0, 2_000)
    assert limited(held, "M2", 2_000, 2_100, holds=False) == Limited("M2", 100, None)
    assert limited(Limited("M1", 500, None), "M2", 2_000, 2_100, holds=False) == Limited("M2")


def test_a_clock_set_back_takes_nothing_away() -> None:
    assert limited(Limited("M1", 5, 900), "M1", 0, 800, holds=False) == Limited("M1", 5, None)


def test_why_some_is_left() -> None:
    half, now = Forecast(50, 40, 60), mark(100, 10)
    assert unspent(now, half, []) == [Unspent.NO_DEMAND]
    two = [Unspent.PACED, Unspent.CAPPED_BELOW]
    assert unspent(now, half, two) == [Unspent.CAPPED_BELOW, Unspent.PACED]
    assert unspent(now, Forecast(99, 98, 100), two) == []
    assert unspent(now, None, two) == []


def test_a_late_start_is_a_cause_and_may_not_be_the_only_one() -> None:
    half, now = Forecast(50, 40, 60), mark(100, 10)
    assert unspent(now, half, [], PPM // 2) == [Unspent.LATE_START], "a whole period would have"
    assert unspent(now, half, [], PPM - 1) == [Unspent.LATE_START, Unspent.NO_DEMAND]
    assert unspent(now, half, [Unspent.PACED], PPM - 1) == [Unspent.LATE_START, Unspent.PACED]
