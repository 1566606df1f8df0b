"""A noun with its changes, by its own names."""

import msgspec
import pytest

from handbill.core.changes import fixed_faults, settled, with_changes
from handbill.kit.faults import Fault, Refused


class _Inner(msgspec.Struct, frozen=True):
    must: str
    may: int = 1
    many: list[str] = msgspec.field(default_factory=list)


class _Outer(msgspec.Struct, frozen=True):
    name: str
    inner: _Inner
    other: _Inner | None = None


OUTER = _Outer("n", _Inner("m", 2, ["x"]))


def test_what_is_not_named_stays() -> None:
    assert with_changes(OUTER, {}) == OUTER
    assert with_changes(OUTER, {"name": "o"}) == _Outer("o", OUTER.inner)


def test_none_goes_back_to_the_default_a_new_one_each_time() -> None:
    one = with_changes(OUTER, {"inner": {"may": None, "many": None}}).inner
    assert one == _Inner("m")
    assert one.many is not with_changes(OUTER, {"inner": {"many": None}}).inner.many


def test_a_noun_within_is_changed_one_by_one_or_as_a_whole() -> None:
    assert with_changes(OUTER, {"inner": {"may": 3}}).inner == _Inner("m", 3, ["x"])
    assert with_changes(OUTER, {"inner": _Inner("z")}).inner == _Inner("z")
    assert with_changes(OUTER, {"other": _Inner("z")}).other == _Inner("z")


def test_what_has_no_default_cannot_be_cleared_and_every_fault_is_told() -> None:
    with pytest.raises(Refused) as refused:
        with_changes(OUTER, {"name": None, "inner": {"must": None, "may": 5}})
    assert refused.value.status == 400
    assert refused.value.faults == [
        Fault("name", "cannot be cleared"),
        Fault("inner.must", "cannot be cleared"),
    ]
    faults: list[Fault] = []
    found = settled(OUTER, {"name": None, "inner": {"must": None, "may": 5}}, faults)
    assert (found.name, found.inner) == ("n", _Inner("m", 5, ["x"])), "what can be changed is"
    assert faults == refused.value.faults


def test_what_is_fixed_may_be_said_again_and_not_otherwise() -> None:
    names = ("name", "inner")
    assert fixed_faults(OUTER, {"name": "n", "other": None}, names) == []
    found = fixed_faults(OUTER, {"name": "o", "inner": {"may": 1}}, names)
    assert found == [Fault("name", "cannot be changed"), Fault("inner", "cannot be changed")]
    assert fixed_faults(OUTER, {"other": 1}, names) == []
