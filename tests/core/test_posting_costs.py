"""What a posting costs, to the micro."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.posting_costs import (
    days_of,
    hours_of,
    next_part,
    per_job_and_day,
    per_slot_and_hour,
    shared,
)
from handbill.kit.instants import DAY, HOUR, instant_of_iso
from handbill.kit.zones import zone_of

COSTS = st.integers(0, 10**18)


def test_the_two_rates() -> None:
    assert per_job_and_day(220_000_000, 100, 10) == 220_000
    assert per_slot_and_hour(240_000_000, 10, 240) == 100_000
    assert per_slot_and_hour(1, 1, 2) == 0, "half a micro is rounded to even"
    assert per_slot_and_hour(3, 1, 2) == 2
    assert per_slot_and_hour(220_000_000, 100, 0) == 0


def test_hours() -> None:
    assert hours_of(0, 10 * DAY) == 240
    assert hours_of(0, 10 * DAY - 1_000) == 240
    assert hours_of(0, 1) == 1
    assert hours_of(HOUR, 0) == hours_of(5, 5) == 0


def test_days_are_the_clients() -> None:
    start, end = (instant_of_iso(f"2026-10-{d}Z") for d in ("24T23:30:00", "26T00:30:00"))
    utc, london = zone_of("UTC"), zone_of("Europe/London")
    assert days_of(start, end, london) == (date(2026, 10, 25), date(2026, 10, 26))
    assert days_of(start, end, utc) == (date(2026, 10, 24), date(2026, 10, 26))
    assert days_of(end, start, utc) == (date(2026, 10, 26), date(2026, 10, 26))


def test_a_purchase_that_ends_at_midnight_has_no_part_of_the_next_day() -> None:
    first, end = (instant_of_iso(f"2026-{day}T00:00:00-03:00") for day in ("11-01", "12-01"))
    santiago = zone_of("America/Santiago")
    assert hours_of(first, end) == 30 * 24
    assert days_of(first, end, santiago) == (date(2026, 11, 1), date(2026, 11, 30))
    assert days_of(first, end - 1_000, santiago) == days_of(first, end, santiago)
    assert days_of(first, end + 1_000, santiago)[1] == date(2026, 12, 1)
    assert days_of(end, end, santiago) == (date(2026, 12, 1), date(2026, 12, 1))


@given(COSTS, st.lists(st.integers(0, 10_000), min_size=1, max_size=20))
def test_shares_sum_to_the_whole(micros: int, weights: list[int]) -> None:
    parts = shared(micros, weights)
    assert sum(parts) == micros
    total = sum(weights) or len(weights)
    for part, weight in zip(parts, weights if sum(weights) else [1] * len(weights), strict=True):
        assert abs(part - Fraction(micros * weight, total)) < 1
        assert weight or part == 0


def test_nobody_cannot_share() -> None:
    with pytest.raises(ValueError, match="nobody"):
        shared(1, [])


@given(st.integers(0, 10**15), st.integers(1, 400))
def test_an_unchanged_purchase_is_spent_evenly_and_wholly(cost: int, days: int) -> None:
    parts: list[int] = []
    for left in range(days, 0, -1):
        parts.append(next_part(cost, sum(parts), left))
    assert sum(parts) == cost
    assert max(parts) - min(parts) <= 1
    assert next_part(cost, cost + 1, 3) == 0
