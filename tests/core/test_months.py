"""A month beside its plan: what is left of it is expected to bring the average of late."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.months import MonthPace, MonthSpend, month_of, sum_of_paces
from handbill.kit.zones import Period

TENTH = date(2026, 11, 10)
AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("period", "planned"),
    [("Monthly", 700), ("Daily", 21_000), ("Weekly", 3_000), ("Lifetime", None)],
)
def test_a_budget_is_a_plan_of_the_month(period: Period, planned: int | None) -> None:
    assert month_of(Cap(period, 700), TENTH, MonthSpend(), 7).planned == planned


def test_each_day_left_brings_the_average() -> None:
    assert month_of(None, TENTH, MonthSpend(1_000, 20, 700), 7) == MonthPace(
        1_000, None, 1_000 + 80 + 2_000
    )
    assert month_of(None, TENTH, MonthSpend(1_000, 150, 700), 7).projected == 3_000
    assert month_of(None, TENTH, MonthSpend(20, 20, 0), 0).projected is None


@given(AMOUNTS, st.data(), st.dates(date(2024, 1, 1)), st.integers(1, 7), AMOUNTS)
def test_a_plan_is_never_passed_and_spend_never_undone(
    used: int, data: st.DataObject, today: date, days_over: int, cap: int
) -> None:
    spent = MonthSpend(used, data.draw(st.integers(0, used)), data.draw(AMOUNTS))
    found = month_of(Cap("Monthly", cap), today, spent, days_over)
    assert found.projected is not None
    assert used <= found.projected <= max(cap, used)


def test_no_more_is_expected_than_is_left_of_a_lifetime_budget() -> None:
    spent, cap = MonthSpend(1_000, 20, 700), Cap("Lifetime", 5_000)
    found = [month_of(cap, TENTH, spent, 7, in_all).projected for in_all in (1_000, 4_900, 5_100)]
    assert found == [1_000 + 80 + 2_000, 1_000 + 100, 1_000]


def test_all_together_leave_out_what_is_not_known() -> None:
    some = [MonthPace(1, None, None), MonthPace(2, 10, None), MonthPace(3, 20, 15)]
    assert sum_of_paces(some) == MonthPace(6, 30, 15)
    assert sum_of_paces(some[:1]) == MonthPace(1, None, None)
    assert sum_of_paces([]) == MonthPace(0, None, None)
