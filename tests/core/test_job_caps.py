"""Caps of jobs, and budgets that are reserved: never passed, and nothing refused for no reason."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.charging import (
    CounterKey,
    EventUse,
    Limit,
    Place,
    compared_on,
    key_of,
    keyed,
    reserving,
    summed,
)
from handbill.core.job_caps import (
    Count,
    TakenOfJob,
    caps_of_job,
    count_of,
    counters_under,
    each_job,
    folded_jobs,
    job_limits,
)
from handbill.core.nouns import Cap, Caps, JobPlacement, JobSetting, JobSettings, Placement
from handbill.core.spending import Spending

DAY = date(2026, 12, 30)
JOBS = ("aa", "bb")
NUMBERS = {"A": 1, "B": 2, "C": 3}
PERIODS = st.sampled_from(("Weekly", "Monthly", "Lifetime"))
CAPS = st.none() | st.builds(Cap, PERIODS, st.integers(0, 20))
SETTINGS = st.builds(
    lambda caps, budgets: JobSettings(
        JobSetting(caps=Caps(**dict(zip(Caps.__struct_fields__, caps, strict=False)))),
        tuple(JobPlacement(name, budget=cap) for name, cap in budgets.items() if cap),
    ),
    st.tuples(CAPS, CAPS, CAPS),
    st.dictionaries(st.sampled_from("ABC"), CAPS),
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from(JOBS),
        st.integers(0, 4),
        st.builds(EventUse, st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)),
    ),
    max_size=60,
)
Events = list[tuple[str, str, int, EventUse]]


def limits_at(publisher: str, job: str, each: Caps, own: JobSettings) -> tuple[Limit, ...]:
    caps = caps_of_job(own)
    return job_limits(1, NUMBERS[publisher], job, each_job(each), caps, publisher)


def ran(
    events: Events, each: Caps, own: JobSettings, used: dict[CounterKey, int]
) -> tuple[Spending, list[TakenOfJob]]:
    spending, taken = Spending(used), []
    for publisher, job, after, need in events:
        place, day = Place(1, 1, 1, NUMBERS[publisher]), DAY + timedelta(days=after)
        of_job = limits_at(publisher, job, each, own)
        if spending.till(place, day, (), of_job).take(need) is None:
            taken.append(
                TakenOfJob(
                    1, 1, NUMBERS[publisher], job, day, (need.budget, need.clicks, need.applies)
                )
            )
    return spending, taken


@given(EVENTS, st.tuples(CAPS, CAPS, CAPS), SETTINGS, st.integers(0, 60))
def test_no_cap_of_a_job_is_passed(
    events: Events, group: Sequence[Cap | None], own: JobSettings, split: int
) -> None:
    """In two batches or one, and the counters are what a fold of what was taken says."""
    each = Caps(job_budget=group[0], job_clicks=group[1], job_applies=group[2])
    first, taken = ran(events[:split], each, own, {})
    before = {
        key: value for key, value in keyed(first.additions()).items() if key.scope != "client"
    }
    limits = {
        one for publisher in NUMBERS for job in JOBS for one in limits_at(publisher, job, each, own)
    }
    days = [DAY + timedelta(days=after) for after in range(5)]
    compared = [key_of(limit, day) for limit in limits for day in days]
    second, more = ran(events[split:], each, own, summed(before, compared))
    added = keyed(second.additions())
    total = {key: before.get(key, 0) + added.get(key, 0) for key in before | added}
    used = summed(total, compared)
    for limit in limits:
        for day in days:
            assert used.get(key_of(limit, day), 0) <= limit.most
    counts = {count_of(limit) for limit in limits}
    of_jobs = {key: value for key, value in total.items() if "job" in key.scope}
    assert of_jobs == folded_jobs([*taken, *more], counts)
    assert set(counters_under(of_jobs, counts)) == of_jobs.keys()
    assert counters_under(of_jobs, ()) == []


LOCKS = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.booleans()), min_size=3, max_size=3
)


@given(EVENTS, st.integers(0, 40), LOCKS)
def test_what_is_reserved_is_there_for_whom_it_is(
    events: Events, value: int, said: list[tuple[int, bool, bool]]
) -> None:
    """Where all that is locked fits in, a locked placement is only stopped by its own budget."""
    placements, room = [], value
    for name, (budget, wants, active) in zip("ABC", said, strict=True):
        locked = wants and active and budget <= room
        room -= budget if locked else 0
        cap = Cap("Monthly", budget, locked=locked)
        placements.append(Placement(name, budget=cap, active=active))
    own = {one.publisher_id: one for one in placements}
    spending, spent = Spending({}), dict.fromkeys("ABC", 0)
    for publisher, _, _, need in events:
        limits = [
            reserving(
                Limit("group", "1", "budget", "Monthly", value), placements, 1, publisher, NUMBERS
            )
        ]
        of_placement = own[publisher].budget
        assert of_placement is not None
        if of_placement.locked:
            entity = f"1/{NUMBERS[publisher]}"
            limits.append(Limit("placement", entity, "budget", "Monthly", of_placement.value))
        full = spending.till(Place(1, 1, 1, NUMBERS[publisher]), DAY, limits).take(need)
        if full is None:
            spent[publisher] += need.budget
        elif of_placement.locked:
            assert spent[publisher] + need.budget > of_placement.value
        assert sum(spent.values()) <= value


def test_what_is_compared_names_what_is_reserved() -> None:
    placements = [
        Placement("A", budget=Cap("Monthly", 5, locked=True)),
        Placement("B", budget=Cap("Weekly", 5, locked=True)),
        Placement("C", budget=Cap("Monthly", 5, locked=True), active=False),
    ]
    plain = Limit("group", "1", "budget", "Monthly", 9)
    limit = reserving(plain, placements, 1, "D", NUMBERS)
    assert limit.reserved == (("1/1", 5),), "of the group's own period, and at work"
    group = CounterKey("group", "1", "budget", "M2026-12")
    placement = CounterKey("placement", "1/1", "budget", "M2026-12")
    assert compared_on((limit,), DAY) == ((group, 0, limit, ((placement, 5),)),)
    assert reserving(plain, placements, 1, "A", NUMBERS).reserved == ()
    clicks = plain._replace(measure="clicks")
    assert reserving(clicks, placements, 1, "D", NUMBERS) == clicks


def test_whose_counts_there_are() -> None:
    own = JobSettings(JobSetting(caps=Caps(budget=Cap("Lifetime", 1))))
    each = Caps(job_clicks=Cap("Weekly", 2))
    assert [count_of(limit) for limit in limits_at("A", "aa", each, own)] == [
        Count("group_job", "1", "clicks"),
        Count("job", "aa", "budget"),
    ]
    assert caps_of_job(JobSettings()) is None
    assert each_job(Caps(budget=Cap("Monthly", 1))) is None
