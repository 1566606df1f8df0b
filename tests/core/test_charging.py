"""Charges and caps: no cap is passed, whatever the order of events."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.charging import (
    FREE,
    MEASURES,
    UNMARKED,
    CounterKey,
    EventUse,
    Factors,
    Limit,
    Measure,
    Place,
    Price,
    Scope,
    budget_limit,
    entities_of,
    folded,
    key_of,
    keyed,
    limits_of,
    price_of_apply,
    price_of_click,
    priced,
    summed,
)
from handbill.core.nouns import Cap, Caps
from handbill.core.spending import Spending, Used, add_used
from handbill.kit.zones import PERIODS, Period

DAY = date(2026, 12, 30)
PAID = Price(7, 5, 7, UNMARKED)
PLACES = [
    Place(1, campaign, group, publisher)
    for campaign, group in ((1, 1), (1, 2), (2, 3))
    for publisher in (1, 2)
]


@pytest.mark.parametrize(
    ("bid_type", "click", "apply"),
    [
        ("CPC", PAID, FREE),
        ("FLAT_CPC", PAID, FREE),
        ("CPA", FREE, PAID),
        ("Organic", FREE, FREE),
        ("PPP", FREE, FREE),
    ],
)
def test_what_is_paid_for(bid_type: str, click: Price, apply: Price) -> None:
    assert price_of_click(bid_type, 7, 5, UNMARKED) == click
    assert price_of_apply(bid_type, 7, 5, UNMARKED) == apply


def test_the_worked_example_of_three_spends() -> None:
    """Bid 1.00, markdown 20 %, agency markup 10 % (domain 4.2)."""
    price = price_of_click("CPC", 1_000_000, 800_000, Factors(100_000, 0))
    assert price == Price(1_000_000, 800_000, 1_100_000, Factors(100_000, 0))
    both = priced(1_000_000, 800_000, Factors(100_000, 50_000))
    assert both.marked_micros == 1_155_000
    assert priced(0, 0, Factors(100_000, 50_000)) == FREE, "what costs nothing is not marked up"


def test_caps_become_limits() -> None:
    caps = Caps(budget=Cap("Daily", 5), applies=Cap("Lifetime", 6), job_budget=Cap("Weekly", 7))
    assert list(limits_of("group", "3", caps)) == [
        Limit("group", "3", "budget", "Daily", 5),
        Limit("group", "3", "applies", "Lifetime", 6),
    ]
    assert list(budget_limit("placement", "3/1", None)) == []


def test_a_need_is_met_whole_or_not_at_all() -> None:
    limits = [
        Limit("client", "1", "budget", "Daily", 10),
        Limit("group", "1", "clicks", "Daily", 1),
    ]
    spending = Spending({})
    till = spending.till(PLACES[0], DAY, limits)
    assert till.take(EventUse(11, 1, 0)) == limits[0]
    assert till.take(EventUse(4, 1, 0)) is None
    assert till.take(EventUse(4, 1, 0)) == limits[1]
    # What needs nothing of a measure passes its caps, even where they are overdrawn.
    assert till.take(EventUse(6, 0, 1)) is None
    assert till.taken == [10, 1, 1]


def test_an_overdrawn_cap_lets_through_what_is_free() -> None:
    limit = Limit("client", "1", "budget", "Monthly", 5)
    used = {key_of(limit, DAY): 9}
    till = Spending(used).till(PLACES[0], DAY, [limit])
    assert till.take(EventUse(0, 1, 0)) is None
    assert till.take(EventUse(1, 1, 0)) == limit


def test_the_tighter_of_two_caps_on_one_counter_holds() -> None:
    limits = [Limit("client", "1", "budget", "Daily", value) for value in (9, 3)]
    assert Spending({}).till(PLACES[0], DAY, limits).take(EventUse(4, 1, 0)) == limits[1]


def test_no_till_is_opened_once_what_is_used_has_been_read() -> None:
    limit = Limit("client", "1", "budget", "Monthly", 5)
    used: Used = {}
    spending = Spending(used=used)
    till = spending.till(PLACES[0], DAY, [limit])
    add_used(used, {key_of(limit, DAY)._replace(period=f"D{DAY}"): 3})
    spending.is_read = True
    assert till.take(EventUse(3, 1, 0)) == limit
    assert spending.till(PLACES[1], DAY, [limit]).take(EventUse(2, 1, 0)) is None
    with pytest.raises(AssertionError, match="before what is used is read"):
        spending.till(PLACES[0], DAY, [limit], [Limit("job", "a", "clicks", "Daily", 9)])


def limit_lists() -> st.SearchStrategy[list[Limit]]:
    entities: list[tuple[Scope, str]] = sorted(
        {pair for place in PLACES for pair in entities_of(place)}
    )
    return st.lists(
        st.builds(
            lambda pair, measure, period, most: Limit(pair[0], pair[1], measure, period, most),
            st.sampled_from(entities),
            st.sampled_from(MEASURES),
            st.sampled_from(PERIODS),
            st.integers(0, 40),
        ),
        max_size=12,
    )


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.integers(0, 4),
        st.builds(EventUse, st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)),
    ),
    max_size=80,
)
Events = list[tuple[Place, int, EventUse]]


def ran(events: Events, limits: Sequence[Limit], used: dict[CounterKey, int]) -> Spending:
    spending = Spending(used)
    for place, after, need in events:
        held = [limit for limit in limits if (limit.scope, limit.entity) in entities_of(place)]
        spending.till(place, DAY + timedelta(days=after), held).take(need)
    return spending


@given(EVENTS, limit_lists(), st.integers(0, 80))
def test_no_cap_is_ever_passed(events: Events, limits: list[Limit], split: int) -> None:
    """In any order, over week, month and year's end, and judged in two batches or one."""
    first = keyed(ran(events[:split], limits, {}).additions())
    days = [DAY + timedelta(days=after) for after in range(5)]
    compared = [key_of(limit, day) for limit in limits for day in days]
    second = keyed(ran(events[split:], limits, summed(first, compared)).additions())
    total = {key: first.get(key, 0) + second.get(key, 0) for key in first.keys() | second.keys()}
    used = summed(total, compared)
    for limit in limits:
        for day in days:
            assert used.get(key_of(limit, day), 0) <= limit.most
    assert total == keyed(ran(events, limits, {}).additions())


@given(EVENTS, limit_lists())
def test_nothing_is_refused_while_there_is_room(events: Events, limits: list[Limit]) -> None:
    """A naive till, which sums all that was taken anew at each event, decides alike."""
    spending = Spending({})
    taken: list[tuple[Place, date, EventUse]] = []
    for place, after, need in events:
        day = DAY + timedelta(days=after)
        held = [limit for limit in limits if (limit.scope, limit.entity) in entities_of(place)]
        room = all(
            not need[MEASURES.index(limit.measure)]
            or naive(taken, limit.scope, limit.entity, limit.measure, limit.period, day)
            + need[MEASURES.index(limit.measure)]
            <= limit.most
            for limit in held
        )
        refused = spending.till(place, day, held).take(need)
        assert (refused is None) == room
        if room:
            taken.append((place, day, need))
    assert keyed(spending.additions()) == folded(taken)


def naive(
    taken: list[tuple[Place, date, EventUse]],
    scope: Scope,
    entity: str,
    measure: Measure,
    period: Period,
    day: date,
) -> int:
    def same(other: date) -> bool:
        if period == "Daily":
            return other == day
        if period == "Weekly":
            return other.isocalendar()[:2] == day.isocalendar()[:2]
        return period == "Lifetime" or (other.year, other.month) == (day.year, day.month)

    return sum(
        need[MEASURES.index(measure)]
        for place, other, need in taken
        if (scope, entity) in entities_of(place) and same(other)
    )
