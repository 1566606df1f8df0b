"""Values of the contract, each read by its type."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from handbill.wire.fields import Day, Distinct, Money, Percent, Text, TextOrDigits, Whole, Zone
from handbill.wire.values import read_day, spell_day

_Short = Annotated[str, StringConstraints(max_length=2)]
_Integer = Annotated[int, Whole(0, 2**53)]
_Percent = Annotated[int, Percent()]
_Digits = Annotated[str, TextOrDigits(32)]


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
    assert read_day(text) == day
    if day:
        assert read_day(spell_day(day)) == day


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (Text, 1),
        (_Short, "abc"),
        (_Integer, True),
        (_Integer, "1"),
        (_Integer, Decimal("1.5")),
        (Money, "1"),
        (Money, True),
        (Money, -1),
        (_Percent, 101),
        (_Percent, Decimal("1.00001")),
        (bool, 1),
        (Day, 20200101),
        (Day, "tomorrow"),
        (Zone, "Mars/Base"),
        (Zone, "localtime"),
        (Zone, "posix/Europe/Berlin"),
        (Zone, 3),
        (list[Text], {}),
        (Distinct[Text], ["a", "a"]),
        (dict[str, Text], []),
        (_Digits, Decimal("1.5")),
        (_Digits, True),
    ],
)
def test_refused(kind: Any, bad: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(bad)
