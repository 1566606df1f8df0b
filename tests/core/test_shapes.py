from decimal import Decimal
from typing import Any

import pytest

from handbill.kit.faults import Fault
from handbill.wire import shapes as s


def read(shape: s.Shape, value: Any) -> tuple[Any, list[str]]:
    faults: list[Fault] = []
    found = shape.read(value, "", faults)
    return found, [f"{fault.field} {fault.message}" for fault in faults]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("07/30/2020", "2020-07-30"),
        ("30/07/2020", "2020-07-30"),
        ("04/05/2020", "2020-04-05"),
        ("2020-07-30", "2020-07-30"),
        ("2020-07-30T10:00:00.000Z", "2020-07-30"),
        ("13/13/2020", None),
        ("02/30/2020", None),
        ("2020-02-30", None),
        ("tomorrow", None),
    ],
)
def test_days(text: str, day: str | None) -> None:
    assert s.read_day(text) == day
    if day:
        assert s.read_day(s.spell_day(day)) == day


def test_every_fault_is_gathered_and_named() -> None:
    shape = s.Object(
        {
            "name": s.Field(s.Text(1, 10), required=True),
            "size": s.Field(s.Integer(0, 5)),
            "kind": s.Field(s.Choice(("A", "P"))),
            "tags": s.Field(s.ListOf(s.Text(), 0, 3, unique=True)),
            "a/b": s.Field(s.MapOf(s.Money())),
        }
    )
    value = {
        "size": 6, "kind": "x", "tags": ["a", 1, "a"], "a/b": {"~": -1}, "unknown": object(),
    }  # fmt: skip
    _, faults = read(shape, value)
    assert faults == [
        "/name is required",
        "/size must be between 0 and 5",
        "/kind must be one of A, P",
        "/tags/1 must be a string",
        "/tags/2 is there twice",
        "/a~1b/~0 must not be negative",
    ]


def test_absent_stays_absent_null_is_told_unknown_is_ignored() -> None:
    shape = s.Object({"a": s.Field(s.Text(), aliases=("A",)), "b": s.Field(s.Text())})
    assert read(shape, {"A": "x", "id": 7}) == ({"a": "x"}, [])
    assert read(shape, {"b": None}) == ({"b": None}, [])


@pytest.mark.parametrize(
    ("shape", "bad"),
    [
        (s.Text(), 1), (s.Text(most=2), "abc"), (s.Text(1), " "), (s.Integer(), True),
        (s.Integer(), "1"), (s.Integer(), Decimal("1.5")), (s.Money(), "1"), (s.Money(), True),
        (s.Percent(), 101), (s.Percent(), Decimal("1.00001")), (s.Flag(), 1), (s.Day(), 20200101),
        (s.Zone(), "Mars/Base"), (s.Zone(), 3),
        (s.ListOf(s.Text()), {}), (s.ListOf(s.Text(), 1), []), (s.MapOf(s.Text()), []),
        (s.Object(), []), (s.Object(), None), (s.TextOrNumber(), Decimal("1.5")),
        (s.TextOrNumber(), True),
    ],
)  # fmt: skip
def test_refused(shape: s.Shape, bad: Any) -> None:
    assert read(shape, bad)[1]


def test_queries_are_read_from_text() -> None:
    shape = s.Object({"page": s.Field(s.Integer(0), required=True), "on": s.Field(s.Flag())})
    faults: list[Fault] = []
    assert shape.read_query([("page", "3"), ("on", "TRUE"), ("x", "y")], faults) == {
        "page": 3, "on": True,
    }  # fmt: skip
    assert not faults
    for pairs in ([("page", "3"), ("page", "4")], [("page", "9" * 30)], [("page", "")], []):
        faults = []
        shape.read_query(pairs, faults)
        assert faults
