"""What a change is told as: the fields that differ, in bounded size."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Branch, Cap, Caps, GroupBody, Leaf, Placement
from handbill.core.trail import (
    MOST_FIELDS,
    MOST_TOLD,
    MOST_VALUE,
    Changed,
    act_of,
    changed,
    fields_of,
)

ABSENT = msgspec.UNSET


def body(**more: object) -> dict[str, object]:
    return fields_of(GroupBody("g", **more), whole=True)  # type: ignore[arg-type]


def test_a_field_is_named_by_its_pointer() -> None:
    before = body(caps=Caps(budget=Cap("Monthly", 5)), ad_words={"a/b": 1, "~": 2})
    after = body(caps=Caps(budget=Cap("Monthly", 7, pacing=True)), ad_words={"a/b": 2, "c": 3})
    assert changed(before, after) == (
        Changed("/caps/budget/value", 5, 7),
        Changed("/caps/budget/pacing", False, True),
        Changed("/ad_words/a~1b", 1, 2),
        Changed("/ad_words/~0", 2),
        Changed("/ad_words/c", after=3),
    )
    assert changed(before, before) == ()


def test_a_list_of_the_same_length_is_told_by_place_another_whole() -> None:
    one, two = Placement("a", 5), Placement("b", 6)
    same = changed(body(placements=[one, two]), body(placements=[one, Placement("b", 7)]))
    assert same == (Changed("/placements/1/bid_micros", 6, 7),)
    (other,) = changed(body(placements=[one, two]), body(placements=[two]))
    assert other.field == "/placements"
    assert [len(side) for side in (other.before, other.after)] == [2, 1]


def test_a_filter_says_what_it_is() -> None:
    leaf = Leaf("title", "IN", ("a",))
    (one,) = changed(body(filters=None), body(filters=Branch(all_of=True, rules=(leaf,))))
    assert msgspec.convert(one.after, Branch) == Branch(all_of=True, rules=(leaf,))


def test_what_is_new_or_gone_tells_no_defaults() -> None:
    made = fields_of(GroupBody("g", cpc_bid_micros=5), whole=False)
    assert changed({}, made) == (Changed("/name", after="g"), Changed("/cpc_bid_micros", after=5))
    assert changed(made, {}) == (Changed("/name", "g"), Changed("/cpc_bid_micros", 5))
    assert [act_of({}, made), act_of(made, {}), act_of(made, made)] == [
        "CREATE",
        "DELETE",
        "CHANGE",
    ]


_LONG = st.integers(0, 20_000).map("x".__mul__)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _LONG,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=9,
)
_STATES = st.dictionaries(st.text(max_size=3), _VALUES, max_size=9)


@given(_STATES, _STATES)
def test_a_change_is_bounded_and_misses_nothing(
    before: dict[str, object], after: dict[str, object]
) -> None:
    found = changed(before, after)
    assert bool(found) == (before != after)
    assert len({one.field for one in found}) == len(found) <= MOST_FIELDS + 1
    sizes = [
        sum(
            len(msgspec.json.encode(side)) for side in (one.before, one.after) if side is not ABSENT
        )
        for one in found
        if not one.cut
    ]
    assert sum(sizes) <= MOST_TOLD
    assert all(size <= 2 * MOST_VALUE for size in sizes)


def test_thousands_of_fields_are_told_at_the_top() -> None:
    many = {f"k{n}": n for n in range(5_000)}
    (one,) = changed({"map": many}, {"map": {name: -n for name, n in many.items()}})
    assert (one.field, one.cut) == ("/map", True)
    flat = changed(many, {name: n + 1 for name, n in many.items()})
    assert len(flat) == MOST_FIELDS + 1
    assert flat[-1].cut
