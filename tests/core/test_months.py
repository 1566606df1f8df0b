"""A month beside its plan: what is left of it is expected to bring the average of late."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.months import MonthDays, MonthPace, MonthSpend, month_of, sum_of_paces
from handbill.kit.zones import Period

TENTH = date(2026, 11, 10)
WHOLE = MonthDays(30, 20, today=True)
AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("period", "planned"),
    [("Monthly", 700), ("Daily", 21_000), ("Weekly", 3_000), ("Lifetime", None)],
)
def test_a_budget_is_a_plan_of_the_month(period: Period, planned: int | None) -> None:
    assert month_of(Cap(period, 700), WHOLE, MonthSpend(), 7).planned == planned


def test_each_day_left_brings_the_average() -> None:
    assert month_of(None, WHOLE, MonthSpend(1_000, 20, 700), 7) == MonthPace(
        1_000, None, 1_000 + 80 + 2_000
    )
    assert month_of(None, WHOLE, MonthSpend(1_000, 150, 700), 7).projected == 3_000
    assert month_of(None, WHOLE, MonthSpend(20, 20, 0), 0).projected is None


@pytest.mark.parametrize(
    ("start_on", "end_on", "days"),
    [
        ("", "", WHOLE),
        ("2020-01-01", "2030-12-31", WHOLE),
        ("2026-11-05", "2026-11-14", MonthDays(10, 4, today=True)),
        ("2026-11-10", "2026-11-10", MonthDays(1, 0, today=True)),
        ("2026-11-11", "", MonthDays(20, 20, today=False)),
        ("", "2026-11-09", MonthDays(9, 0, today=False)),
        ("2026-12-01", "", MonthDays(0, 0, today=False)),
        ("", "2026-10-31", MonthDays(0, 0, today=False)),
    ],
)
def test_a_client_trades_from_its_start_to_its_end(
    start_on: str, end_on: str, days: MonthDays
) -> None:
    assert MonthDays.of(TENTH, start_on, end_on) == days


@pytest.mark.parametrize(
    ("cap", "days", "planned", "projected"),
    [
        (Cap("Daily", 700), MonthDays(10, 4, today=True), 7_000, 1_000 + 80 + 400),
        (Cap("Weekly", 1_400), MonthDays(10, 4, today=True), 2_000, 1_000 + 80 + 400),
        (Cap("Monthly", 700), MonthDays(9, 0, today=False), 700, 1_000),
        (Cap("Daily", 700), MonthDays(9, 0, today=False), 6_300, 1_000),
        (Cap("Monthly", 700), MonthDays(0, 0, today=False), 0, 1_000),
        (None, MonthDays(0, 0, today=False), None, 1_000),
    ],
)
def test_other_days_are_in_no_plan_and_nothing_is_expected_of_them(
    cap: Cap | None, days: MonthDays, planned: int | None, projected: int
) -> None:
    found = month_of(cap, days, MonthSpend(1_000, 20, 700), 7)
    assert found == MonthPace(1_000, planned, projected)


@given(AMOUNTS, st.data(), st.dates(date(2024, 1, 1)), st.integers(1, 7), AMOUNTS)
def test_a_plan_is_never_passed_and_spend_never_undone(
    used: int, data: st.DataObject, today: date, days_over: int, cap: int
) -> None:
    spent = MonthSpend(used, data.draw(st.integers(0, used)), data.draw(AMOUNTS))
    found = month_of(Cap("Monthly", cap), MonthDays.of(today, "", ""), spent, days_over)
    assert found.projected is not None
    assert used <= found.projected <= max(cap, used)


def test_no_more_is_expected_than_is_left_of_a_lifetime_budget() -> None:
    spent, cap = MonthSpend(1_000, 20, 700), Cap("Lifetime", 5_000)
    found = [month_of(cap, WHOLE, spent, 7, in_all).projected for in_all in (1_000, 4_900, 5_100)]
    assert found == [1_000 + 80 + 2_000, 1_000 + 100, 1_000]


def test_all_together_leave_out_what_is_not_known() -> None:
    some = [MonthPace(1, None, None), MonthPace(2, 10, None), MonthPace(3, 20, 15)]
    assert sum_of_paces(some) == MonthPace(6, 30, 15)
    assert sum_of_paces(some[:1]) == MonthPace(1, None, None)
    assert sum_of_paces([]) == MonthPace(0, None, None)
