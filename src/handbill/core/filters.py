"""Job filters: a closed grammar, checked once into a tree, spelled back as it was documented.

Fields, operators and data are those of domain 3.1 to 3.3. A name that is no field of ours is one
of the client's own fields (domain 14.15), compared as text; ``cif3`` stands for the third of them.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from handbill.core.nouns import Branch, Leaf
from handbill.kit.faults import Fault
from handbill.kit.money import NotMoney, micros_of

MOST_DEPTH = 3
MOST_RULES = 100
MOST_LEAVES = 1_000
MOST_TERMS = 1_000
MOST_TEXT = 1_000
MOST_NAME = 100
MOST_DAYS = 36_500

Faults = list[Fault]
Kind = Literal["text", "date", "number"]
Spelling = Literal["AND_OR", "ALL_ANY"]

TEXT_FIELDS = (
    "category", "country", "state", "city", "zip", "type", "title", "company", "refNumber",
)  # fmt: skip
DATE_FIELD = "postedDate"
NUMBER_FIELD = "cpcBid"

_LISTS = frozenset({"IN", "NOT_IN"})
_OPERATORS: dict[Kind, frozenset[str]] = {
    "text": frozenset({
        "EQUAL", "NOT_EQUAL", "IN", "NOT_IN", "BEGINS_WITH", "NOT_BEGINS_WITH", "CONTAINS",
        "NOT_CONTAINS", "ENDS_WITH", "NOT_ENDS_WITH",
    }),
    "date": frozenset({"GREATER_THAN", "LESS_THAN", "ON", "BEFORE", "AFTER", "BETWEEN"}),
    "number": frozenset({
        "EQUAL", "GREATER_THAN", "LESS_THAN", "GREATER_THAN_EQUAL", "LESS_THAN_EQUAL", "BETWEEN",
    }),
}  # fmt: skip
AGES = frozenset({"GREATER_THAN", "LESS_THAN"})
"""The operators of a date that compare its age in days, so that their answer moves with today."""
_ALL_OF = {"AND": True, "ALL": True, "OR": False, "ANY": False}
_SPELLED = {
    ("AND_OR", True): "AND", ("AND_OR", False): "OR",
    ("ALL_ANY", True): "ALL", ("ALL_ANY", False): "ANY",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?")
_DAYS = re.compile(r"[0-9]{1,5}")


def kind_of(field: str) -> Kind:
    """What a field is compared as."""
    if field == DATE_FIELD:
        return "date"
    return "number" if field == NUMBER_FIELD else "text"


def read_filter(value: Any, at: str, faults: Faults) -> Branch | None:
    """Check a filter as it came in JSON; None when any fault was found, and all are gathered.

    **Shape**: ``{operator: AND|OR|ALL|ANY, rules: [group or {field, operator, data}]}``, in any
    case, at most 3 groups deep, 1 to 100 rules each, 1,000 comparisons in all.
    **Source**: contract 3, job group filters; domain 3, 14.9.
    """
    before = len(faults)
    branch = _branch(value, at, faults, 1)
    if len(faults) == before and branch is not None and _leaves(branch) > MOST_LEAVES:
        faults.append(Fault(at, f"must have at most {MOST_LEAVES} comparisons"))
    return branch if len(faults) == before else None


def spell(branch: Branch, spelling: Spelling) -> dict[str, Any]:
    """The filter as JSON, in one of the two spellings of its group operators."""
    return {
        "operator": _SPELLED[spelling, branch.all_of],
        "rules": [
            spell(rule, spelling) if isinstance(rule, Branch) else _spelled_leaf(rule)
            for rule in branch.rules
        ],
    }


def asks_age(branch: Branch) -> bool:
    """Whether the answer may change from one day to the next while the job stays the same."""
    return any(
        asks_age(rule)
        if isinstance(rule, Branch)
        else rule.field == DATE_FIELD and rule.operator in AGES
        for rule in branch.rules
    )


def _leaves(branch: Branch) -> int:
    return sum(_leaves(rule) if isinstance(rule, Branch) else 1 for rule in branch.rules)


def _branch(value: Any, at: str, faults: Faults, depth: int) -> Branch | None:
    if not isinstance(value, dict):
        faults.append(Fault(at, "must be an object with operator and rules"))
        return None
    if depth > MOST_DEPTH:
        faults.append(Fault(at, f"is nested deeper than {MOST_DEPTH} groups"))
        return None
    operator = value.get("operator")
    all_of = _ALL_OF.get(operator.upper()) if isinstance(operator, str) else None
    if all_of is None:
        faults.append(Fault(f"{at}/operator", "must be AND, OR, ALL or ANY"))
    rules = value.get("rules")
    if not isinstance(rules, list) or not 1 <= len(rules) <= MOST_RULES:
        faults.append(Fault(f"{at}/rules", f"must be a list of 1 to {MOST_RULES} rules"))
        return None
    read = [_rule(rule, f"{at}/rules/{n}", faults, depth) for n, rule in enumerate(rules)]
    return Branch(bool(all_of), tuple(rule for rule in read if rule is not None))


def _rule(value: Any, at: str, faults: Faults, depth: int) -> Branch | Leaf | None:
    if isinstance(value, dict) and "rules" in value:
        return _branch(value, at, faults, depth + 1)
    if not isinstance(value, dict):
        faults.append(Fault(at, "must be an object with field, operator and data"))
        return None
    return _leaf(value, at, faults)


def _leaf(value: dict[str, Any], at: str, faults: Faults) -> Leaf | None:
    field, operator = value.get("field"), value.get("operator")
    known_field = isinstance(field, str) and 1 <= len(field) <= MOST_NAME
    if not known_field:
        faults.append(Fault(f"{at}/field", "must be the name of a field"))
    if not isinstance(operator, str):
        faults.append(Fault(f"{at}/operator", "must be the name of an operator"))
        return None
    if not known_field:
        return None
    assert isinstance(field, str), "checked above"
    kind, operator = kind_of(field), operator.upper()
    if operator not in _OPERATORS[kind]:
        allowed = ", ".join(sorted(_OPERATORS[kind]))
        faults.append(Fault(f"{at}/operator", f"must, for a {kind}, be one of {allowed}"))
        return None
    terms = _terms(kind, operator, value.get("data"), f"{at}/data", faults)
    return None if terms is None else Leaf(field, operator, terms)


def _terms(
    kind: Kind, operator: str, given: Any, at: str, faults: Faults
) -> tuple[str, ...] | None:
    """The checked data of a comparison: one term, or as many as the operator takes."""
    read = _term_reader(kind, operator)
    if operator in _LISTS:
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_TERMS:
            faults.append(Fault(at, f"must be a list of 1 to {MOST_TERMS} texts"))
            return None
        found = [read(item, f"{at}/{n}", faults) for n, item in enumerate(given)]
    elif operator == "BETWEEN":
        if not isinstance(given, list) or len(given) != 2:
            faults.append(Fault(at, "must be a list of two, the lower one first"))
            return None
        found = [read(item, f"{at}/{n}", faults) for n, item in enumerate(given)]
    else:
        found = [read(given, at, faults)]
    terms = tuple(term for term in found if term is not None)
    if len(terms) < len(found):
        return None
    if operator == "BETWEEN" and not _in_order(kind, *terms):
        faults.append(Fault(at, "must have the lower one first"))
        return None
    return terms


def _in_order(kind: Kind, low: str, high: str) -> bool:
    return low <= high if kind == "date" else Decimal(low) <= Decimal(high)


_Reader = Callable[[Any, str, Faults], str | None]


def _term_reader(kind: Kind, operator: str) -> _Reader:
    if kind == "text":
        return _text if operator.removeprefix("NOT_") in {"EQUAL", "IN"} else _some_text
    if kind == "number":
        return _number
    return _days if operator in AGES else _day


def _text(given: Any, at: str, faults: Faults) -> str | None:
    if isinstance(given, str) and len(given) <= MOST_TEXT:
        return given
    faults.append(Fault(at, f"must be a text of at most {MOST_TEXT} characters"))
    return None


def _some_text(given: Any, at: str, faults: Faults) -> str | None:
    """A part of a text; the empty one is in every text and would say nothing."""
    if given == "":
        faults.append(Fault(at, "must not be empty"))
        return None
    return _text(given, at, faults)


def _plain(given: Any) -> str | None:
    """A number's text; JSON numbers are taken as well as the documented text."""
    if isinstance(given, bool):
        return None
    if isinstance(given, int | Decimal):
        return format(Decimal(given), "f")
    return given if isinstance(given, str) else None


def _number(given: Any, at: str, faults: Faults) -> str | None:
    text = _plain(given)
    if text is not None and _NUMBER.fullmatch(text):
        try:
            micros_of(Decimal(text))
        except (NotMoney, InvalidOperation) as bad:
            faults.append(Fault(at, str(bad)))
            return None
        return text
    faults.append(Fault(at, "must be a number of at most 6 decimals, as text"))
    return None


def _days(given: Any, at: str, faults: Faults) -> str | None:
    text = _plain(given)
    if text is not None and _DAYS.fullmatch(text) and int(text) <= MOST_DAYS:
        return str(int(text))
    faults.append(Fault(at, f"must be a number of days, 0 to {MOST_DAYS}, as text"))
    return None


def _day(given: Any, at: str, faults: Faults) -> str | None:
    day = _day_of(given) if isinstance(given, str) else None
    if day is None:
        faults.append(Fault(at, "must be a date MM/dd/yyyy"))
        return None
    return day.isoformat()


def _day_of(text: str) -> date | None:
    """MM/dd/yyyy; dd/MM/yyyy only where that is impossible; ISO too (contract 3, dates)."""
    for form in ("%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            continue
    return None


def _spelled_leaf(leaf: Leaf) -> dict[str, Any]:
    kind = kind_of(leaf.field)
    is_day = kind == "date" and leaf.operator not in AGES
    terms = [_spelled_day(term) if is_day else term for term in leaf.terms]
    many = leaf.operator in _LISTS or leaf.operator == "BETWEEN"
    return {"operator": leaf.operator, "field": leaf.field, "data": terms if many else terms[0]}


def _spelled_day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{month}/{day}/{year}"
