"""Places for work are shared by owner: round robin, within bounds, and none is ever lost."""

from hypothesis import given
from hypothesis import strategies as st

from handbill.http.turns import Bounds, OwnerTurns

_SOME = Bounds(places=2, each=1, waiting_each=3, waiting=5)


def _drained(turns: OwnerTurns[str], owner: str, count: int) -> list[str]:
    """Who comes next when the owner's place, and then each that was given, is left."""
    told = []
    for _ in range(count):
        turns.leave(owner)
        following = turns.next()
        assert following is not None
        owner, one = following
        told.append(one)
    return told


def test_each_owner_that_waits_has_a_turn_before_any_has_a_second_one() -> None:
    turns: OwnerTurns[str] = OwnerTurns(Bounds(1, 1, 1_000, 1_000))
    assert turns.enter("a")
    for n in range(500):
        assert turns.wait("a", f"a{n}")
    assert turns.wait("b", "b0")
    assert turns.wait("b", "b1")
    assert turns.wait("c", "c0")
    assert _drained(turns, "a", 6) == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_nobody_has_all_places() -> None:
    turns: OwnerTurns[str] = OwnerTurns(_SOME)
    assert turns.enter("a")
    assert not turns.enter("a")
    assert turns.wait("a", "a0")
    assert turns.next() is None, "one place is free, and not for this owner"
    assert turns.enter("b")
    turns.leave("b")
    assert turns.next() is None
    turns.leave("a")
    assert turns.next() == ("a", "a0")


def test_too_many_are_refused_of_one_and_in_all() -> None:
    turns: OwnerTurns[str] = OwnerTurns(_SOME)
    assert [turns.wait("a", f"a{n}") for n in range(4)] == [True, True, True, False]
    assert [turns.wait("b", f"b{n}") for n in range(3)] == [True, True, False]


def test_who_gives_up_is_not_called() -> None:
    turns: OwnerTurns[str] = OwnerTurns(_SOME)
    for one in ("a0", "a1"):
        turns.wait("a", one)
    turns.wait("b", "b0")
    turns.give_up("a", "a0")
    turns.give_up("a", "a0")
    turns.give_up("b", "b0")
    assert turns.next() == ("a", "a1")
    assert turns.next() is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["come", "leave", "give up"]))))
def test_bounds_hold_and_no_place_is_lost(deeds: list[tuple[str, str]]) -> None:
    turns: OwnerTurns[tuple[str, int]] = OwnerTurns(_SOME)
    working: list[str] = []
    waiting: list[tuple[str, int]] = []
    for number, (owner, deed) in enumerate(deeds):
        if deed == "come":
            if turns.enter(owner):
                working.append(owner)
            elif turns.wait(owner, (owner, number)):
                waiting.append((owner, number))
        elif deed == "leave" and owner in working:
            working.remove(owner)
            turns.leave(owner)
        elif deed == "give up" and any(one[0] == owner for one in waiting):
            one = next(one for one in waiting if one[0] == owner)
            waiting.remove(one)
            turns.give_up(owner, one)
        while (called := turns.next()) is not None:
            working.append(called[0])
            waiting.remove(called[1])
        assert len(working) <= _SOME.places
        assert all(working.count(name) <= _SOME.each for name in "abc")
        assert len(waiting) <= _SOME.waiting
        free = _SOME.places - len(working)
        assert not free or all(name in working for name, _ in waiting), "a place is left unused"
