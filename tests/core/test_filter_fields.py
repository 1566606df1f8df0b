"""Misspelt fields of a filter are found, with what was meant."""

import pytest

from handbill.contract.filters import read_filter
from handbill.core.filter_fields import MOST_WARNED, unknown_fields
from handbill.core.nouns import Branch
from handbill.kit.faults import Fault


def tree(*fields: str) -> Branch:
    rules = [{"field": name, "operator": "EQUAL", "data": "1"} for name in fields]
    nested = {"operator": "OR", "rules": rules[1:]} if rules[1:] else rules[0]
    return read_filter({"operator": "AND", "rules": [rules[0], nested]})


def test_ours_and_the_clients_own_are_known() -> None:
    assert unknown_fields(tree("title", "zip", "shift", "cif1", "cpcBid"), ["shift"]) == []


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("titel", "; did you mean title?"),
        ("Title", "; did you mean title?"),
        ("SHIFT", "; did you mean shift?"),
        ("posteddate", "; did you mean postedDate?"),
        ("refnumbr", "; did you mean refNumber?"),
        ("qqqq", ""),
        ("cif2", ""),
    ],
)
def test_what_is_unknown_is_named_at_its_place(field: str, hint: str) -> None:
    told = unknown_fields(tree("city", "state", field), ["shift"])
    says = f"no job of the client has a field {field}{hint}"
    assert told == [Fault("filters.rules.1.rules.1.field", says)]


def test_not_more_are_told_than_can_be_read() -> None:
    rules = [{"field": f"x{n}", "operator": "EQUAL", "data": ""} for n in range(99)]
    groups = [{"operator": "OR", "rules": rules} for _ in range(2)]
    read = read_filter({"operator": "AND", "rules": groups})
    assert len(unknown_fields(read, [])) == MOST_WARNED
