"""Which markup holds, and what it makes of an amount."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.charging import Factors, Place, priced
from handbill.core.markups import (
    DatedMarkup,
    Marking,
    Steps,
    entities_over,
    level_of,
    override_ppm,
    steps_of,
)
from handbill.kit.money import plus_shares

HERE = Place(1, 2, 3, 4)
BY_WEIGHT = [
    Place(1, 0, 0, 0),
    Place(1, 0, 0, 4),
    Place(1, 2, 0, 0),
    Place(1, 2, 0, 4),
    Place(1, 2, 3, 0),
    Place(1, 2, 3, 4),
]
"""What may hold here, from the least specific to the most."""
ELSEWHERE = [
    Place(9, 0, 0, 0),
    Place(1, 9, 0, 0),
    Place(1, 2, 9, 0),
    Place(1, 0, 0, 9),
    Place(1, 2, 3, 9),
    Place(1, 2, 0, 9),
]
SHARES = st.integers(0, 10_000_000)
MARKUPS = st.lists(
    st.builds(
        DatedMarkup,
        st.sampled_from(BY_WEIGHT + ELSEWHERE),
        st.integers(0, 20),
        st.just(0),
        st.integers(0, 5),
    ),
    max_size=20,
).map(lambda found: [one._replace(no=no) for no, one in enumerate(found, 1)])


def here(markups: Iterable[DatedMarkup]) -> Steps:
    return steps_of([HERE], markups)[HERE]


def test_the_most_specific_entity_wins() -> None:
    for weight in range(1, len(BY_WEIGHT) + 1):
        known = [DatedMarkup(where, 0, no, 100 + no) for no, where in enumerate(BY_WEIGHT[:weight])]
        assert here(known) == ((0, 99 + weight),)
        assert here(reversed(known)) == ((0, 99 + weight),)
    assert [level_of(where) for where in BY_WEIGHT[::2]] == ["Client", "Campaign", "JobGroup"]


def test_a_specific_one_holds_only_from_its_instant_on() -> None:
    known = [DatedMarkup(BY_WEIGHT[0], 5, 1, 10), DatedMarkup(BY_WEIGHT[4], 8, 2, 20)]
    marking = Marking(here(known), 7)
    told = [marking.at(at) for at in (4, 5, 7, 8, 9)]
    assert told == [(0, 7), (10, 7), (10, 7), (20, 7), (20, 7)]


def test_among_equals_the_newest_then_the_newest_row() -> None:
    where = BY_WEIGHT[2]
    known = [
        DatedMarkup(where, 5, 1, 10),
        DatedMarkup(where, 5, 3, 30),
        DatedMarkup(where, 4, 9, 40),
    ]
    assert here(known) == ((4, 40), (5, 30))


def test_a_markup_of_nothing_ends_one() -> None:
    known = [DatedMarkup(BY_WEIGHT[0], 5, 1, 10), DatedMarkup(BY_WEIGHT[0], 8, 2, 0)]
    assert here(known) == ((5, 10), (8, 0))


def test_places_are_told_each_for_itself() -> None:
    known = [DatedMarkup(BY_WEIGHT[0], 1, 1, 10), DatedMarkup(Place(1, 2, 9, 0), 2, 2, 20)]
    others = [HERE, Place(1, 2, 9, 4), Place(1, 7, 7, 7), Place(8, 2, 9, 4), Place(1, 0, 0, 4)]
    assert steps_of(others, known) == {
        HERE: ((1, 10),),
        others[1]: ((1, 10), (2, 20)),
        others[2]: ((1, 10),),
        others[3]: (),
        others[4]: ((1, 10),),
    }
    assert list(entities_over(HERE)) == BY_WEIGHT


def test_the_nearest_override_holds() -> None:
    told = [override_ppm(*both) for both in ((None, None), (1, None), (None, 2), (1, 2), (1, 0))]
    assert told == [0, 1, 2, 2, 0]


@given(MARKUPS)
def test_steps_say_what_the_rule_says(markups: list[DatedMarkup]) -> None:
    """At every instant, by the rule as it is worded."""
    marking = Marking(here(markups), 0)
    for at in range(22):
        held = [one for one in markups if one.where in BY_WEIGHT and one.from_at <= at]
        best = max(held, default=None, key=lambda m: (BY_WEIGHT.index(m.where), m.from_at, m.no))
        assert marking.at(at) == Factors(best.ppm if best else 0, 0)


@given(MARKUPS)
def test_steps_are_said_as_shortly_as_can_be(markups: list[DatedMarkup]) -> None:
    steps = here(markups)
    assert all(one[0] < two[0] and one[1] != two[1] for one, two in pairwise(steps))
    assert not steps or steps[0][1] != 0
    assert here(markups[::-1]) == steps
    assert here([one for one in markups if one.where in BY_WEIGHT]) == steps


@given(st.integers(0, 10**18), SHARES, SHARES)
def test_marked_up_once_half_even_and_never_below_the_spend(
    micros: int, agency: int, override: int
) -> None:
    exact = Fraction(micros) * (10**6 + agency) * (10**6 + override) / 10**12
    marked = plus_shares(micros, agency, override)
    assert marked == round(exact)  # fractions round half to even, too
    assert marked >= micros
    assert marked == plus_shares(micros, override, agency)
    assert plus_shares(micros) == plus_shares(micros, 0, 0) == micros


def test_halves_go_to_the_even_micro() -> None:
    assert [plus_shares(micros, 500_000) for micros in (1, 3, 5, 7)] == [2, 4, 8, 10]


@given(st.integers(0, 10**12), st.integers(0, 10**6), SHARES, SHARES)
def test_a_price_has_its_three_amounts_in_order(
    spend: int, markdown: int, agency: int, override: int
) -> None:
    charge = spend - spend * markdown // 10**6
    price = priced(spend, charge, Factors(agency, override))
    assert 0 <= price.charge_micros <= price.spend_micros <= price.marked_micros
