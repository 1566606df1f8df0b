"""What is in force of bids and jobs, and which days a cap has still to serve."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.bids import lowered
from handbill.core.in_force import Paced
from handbill.core.pacing.caps import Days
from handbill.core.pacing.days import days_of, end_of
from handbill.core.pacing.thinning import JobWindow, span_of, turn_of
from handbill.kit.money import PPM
from handbill.kit.zones import PERIODS

CENT = 10_000
WEEK = (1, 2, 3, 4, 5, 6, 7)


def paced(factor_ppm: int, base: int = 500_000, floor: int = 0) -> Paced:
    bid = max(base * factor_ppm // PPM, min(floor, base))
    return Paced(
        group_no=1,
        publisher_no=1,
        base_micros=base,
        bid_micros=bid,
        price_micros=bid,
        factor_ppm=factor_ppm,
        floor_micros=floor,
        matching=1,
        first=0,
        jobs=1,
        start_ppm=0,
        next_ppm=0,
        let_ppm=PPM,
        clicks_ppm=PPM,
        held_let_ppm=PPM,
        held_clicks_ppm=PPM,
        decided_at=0,
        cap="",
    )


@given(
    bid=st.integers(1, 10**12),
    factor=st.integers(250_000, PPM),
    floor=st.integers(0, 10**9),
    whole=st.sampled_from((1, 1_000, CENT, 1_000_000)),
)
def test_a_bid_is_lowered_to_a_whole_step_never_raised(
    bid: int, factor: int, floor: int, whole: int
) -> None:
    found = lowered(bid, paced(factor, floor=floor), whole)
    assert 0 < found <= bid
    assert found >= min(bid, floor)
    assert found == bid or found % whole == 0 or bid == 500_000
    assert factor < PPM or found == bid


def test_the_bid_that_was_decided_is_the_one_that_is_published() -> None:
    one = paced(333_333)._replace(bid_micros=170_000)
    assert lowered(500_000, one, CENT) == 170_000
    assert lowered(1_000_000, one, CENT) == 330_000


@given(count=st.integers(1, 40), first=st.integers(0, 100), jobs=st.integers(0, 50), data=st.data())
def test_a_span_holds_the_jobs_of_its_window(
    count: int, first: int, jobs: int, data: st.DataObject
) -> None:
    ids = [f"{data.draw(st.integers(0, 10**9))}-{number}" for number in range(count)]
    window = JobWindow(first % count, min(jobs, count), 0)
    span = span_of(window, sorted(map(turn_of, ids)))
    for place, job_id in enumerate(sorted(ids, key=turn_of)):
        assert (turn_of(job_id) in span) is ((place - window.first) % count < window.jobs)


def test_the_days_of_a_period() -> None:
    friday = date(2027, 2, 26)
    assert days_of("Daily", friday, WEEK) == Days((5,), (6,), renews=True)
    assert days_of("Weekly", friday, WEEK) == Days((5, 6, 7), (6, 7), renews=False)
    over = 3 * sum(WEEK) + sum(WEEK[:4])
    assert days_of("Monthly", friday, WEEK) == Days((5, 6, 7), (6, 7), renews=False, past=over)
    sunday = date(2027, 2, 28)
    assert days_of("Weekly", sunday, WEEK) == Days((7,), WEEK, renews=True)
    last_of_month = days_of("Monthly", sunday, WEEK)
    assert (last_of_month.renews, len(last_of_month.later)) == (True, 31)


def test_what_ends_sooner_than_its_period_has_no_day_after_it() -> None:
    friday = date(2027, 2, 26)
    last_day = days_of("Monthly", friday, WEEK, friday)
    assert last_day == Days((5,), (), renews=False, past=3 * sum(WEEK) + sum(WEEK[:4]))
    assert days_of("Monthly", friday, WEEK, date(2027, 2, 27)).weights == (5, 6)
    ended = days_of("Monthly", friday, WEEK, date(2027, 1, 1))
    assert (ended.weights, ended.later, ended.renews) == ((0,), (), False)
    assert len(days_of("Lifetime", friday, WEEK).weights) == 366


@pytest.mark.parametrize("period", PERIODS)
@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_period_ends_on_its_last_day(period: str, day: date) -> None:
    from handbill.kit.zones import period_key

    end = end_of(period, day)  # type: ignore[arg-type]
    if end is not None:
        assert period_key(period, end) == period_key(period, day)  # type: ignore[arg-type]
        after = date.fromordinal(end.toordinal() + 1)
        assert period_key(period, after) != period_key(period, day)  # type: ignore[arg-type]
