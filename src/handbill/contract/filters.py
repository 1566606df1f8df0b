"""Job filters, as they are read, told and described: a closed grammar, checked once into a tree.

Which fields and operators there are, and what they mean, is known to ``core.filters`` and
``core.filter_code``. **Source**: contract 3, job group filters; domain 3.1 to 3.3, 14.9.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
)

from handbill.core.filters import AGES, LISTS, OPERATORS, Kind, kind_of
from handbill.core.nouns import Branch, Leaf
from handbill.kit.faults import Fault
from handbill.kit.money import NotMoney, micros_of
from handbill.wire.fields import digits_in
from handbill.wire.models import Model
from handbill.wire.values import read_day, spell_day
from handbill.wire.wrong import Wrong, WrongWithin

MOST_DEPTH: Final = 3
MOST_RULES: Final = 100
MOST_LEAVES: Final = 1_000
MOST_TERMS: Final = 1_000
MOST_TEXT: Final = 1_000
MOST_NAME: Final = 100
MOST_DAYS: Final = 36_500

Spelling = Literal["AND_OR", "ALL_ANY"]
_ALL_OF = {"AND": True, "ALL": True, "OR": False, "ANY": False}
_SPELLED: dict[Spelling, dict[bool, str]] = {
    "AND_OR": {True: "AND", False: "OR"},
    "ALL_ANY": {True: "ALL", False: "ANY"},
}
_NUMBER = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?")
_DAYS = re.compile(r"[0-9]{1,5}")


# ── read ────────────────────────────────────────────────────────────────────────────────────────
def read_filter(value: Any) -> Branch:
    """A filter as it came in JSON, in any case. **Refuses** (WrongWithin) with every fault."""
    found = _group(value, 1)
    if isinstance(found, Branch) and leaves_in(found) > MOST_LEAVES:
        found = [Fault("", f"must have at most {MOST_LEAVES} comparisons")]
    if isinstance(found, list):
        raise WrongWithin(*found)
    return found


def leaves_in(branch: Branch) -> int:
    return sum(leaves_in(rule) if isinstance(rule, Branch) else 1 for rule in branch.rules)


def _group(value: Any, depth: int) -> Branch | list[Fault]:
    if not isinstance(value, dict):
        return [Fault("", "must be an object with operator and rules")]
    if depth > MOST_DEPTH:
        return [Fault("", f"is nested deeper than {MOST_DEPTH} groups")]
    operator, rules = value.get("operator"), value.get("rules")
    all_of = _ALL_OF.get(operator.upper()) if isinstance(operator, str) else None
    faults: list[Fault] = []
    if all_of is None:
        faults.append(Fault("/operator", "must be AND, OR, ALL or ANY"))
    if not isinstance(rules, list) or not 1 <= len(rules) <= MOST_RULES:
        return [*faults, Fault("/rules", f"must be a list of 1 to {MOST_RULES} rules")]
    read: list[Branch | Leaf] = []
    for n, rule in enumerate(rules):
        found = _rule(rule, depth)
        if isinstance(found, list):
            faults += [Fault(f"/rules/{n}{one.field}", one.message) for one in found]
        else:
            read.append(found)
    return faults or Branch(bool(all_of), tuple(read))


def _rule(value: Any, depth: int) -> Branch | Leaf | list[Fault]:
    if not isinstance(value, dict):
        return [Fault("", "must be an object with field, operator and data")]
    return _group(value, depth + 1) if "rules" in value else _comparison(value)


def _comparison(value: dict[str, Any]) -> Leaf | list[Fault]:
    field, operator = value.get("field"), value.get("operator")
    kind = kind_of(field) if isinstance(field, str) and 1 <= len(field) <= MOST_NAME else None
    operator = operator.upper() if isinstance(operator, str) else ""
    faults = [] if kind else [Fault("/field", "must be the name of a field")]
    if kind and operator and operator not in OPERATORS[kind]:
        allowed = ", ".join(sorted(OPERATORS[kind]))
        faults.append(Fault("/operator", f"must, for a {kind}, be one of {allowed}"))
    elif not any(operator in some for some in OPERATORS.values()):
        faults.append(Fault("/operator", "must be the name of an operator"))
    if faults or kind is None:
        return faults if value.get("data") is not None else [*faults, Fault("/data", "is required")]
    try:
        return Leaf(str(field), operator, _terms(kind, operator, value.get("data")))
    except Wrong as wrong:
        return [Fault(f"/data{one.field}", one.message) for one in wrong.faults]


def _terms(kind: Kind, operator: str, given: Any) -> tuple[str, ...]:
    """The checked data of a comparison: one term, or as many as the operator takes."""
    read = _reader(kind, operator)
    if operator in LISTS:
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_TERMS:
            raise Wrong(Fault("", f"must be a list of 1 to {MOST_TERMS} texts"))
        return _each(read, given)
    if operator != "BETWEEN":
        return (read(given, ""),)
    if not isinstance(given, list) or len(given) != 2:
        raise Wrong(Fault("", "must be a list of two, the lower one first"))
    low, high = _each(read, given)
    if not (low <= high if kind == "date" else Decimal(low) <= Decimal(high)):
        raise Wrong(Fault("", "must have the lower one first"))
    return low, high


_Reader = Callable[[Any, str], str]


def _each(read: _Reader, given: list[Any]) -> tuple[str, ...]:
    faults: list[Fault] = []
    values = []
    for n, item in enumerate(given):
        try:
            values.append(read(item, f"/{n}"))
        except Wrong as wrong:
            faults += wrong.faults
    if faults:
        raise Wrong(*faults)
    return tuple(values)


def _reader(kind: Kind, operator: str) -> _Reader:
    if kind == "text":
        return _text if operator.removeprefix("NOT_") in {"EQUAL", "IN"} else _part
    if kind == "number":
        return _number
    return _days if operator in AGES else _day


def _text(given: Any, at: str) -> str:
    text = digits_in(given)  # a zip or a job's reference, which are read as integers too
    if isinstance(text, str) and len(text) <= MOST_TEXT:
        return text
    raise Wrong(Fault(at, f"must be a text of at most {MOST_TEXT} characters"))


def _part(given: Any, at: str) -> str:
    """A part of a text; the empty one is in every text and would say nothing."""
    if given == "":
        raise Wrong(Fault(at, "must not be empty"))
    return _text(given, at)


def _plain(given: Any) -> str:
    """A number's text; JSON numbers are taken as well as the documented text."""
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return format(Decimal(given), "f")
    return given if isinstance(given, str) else ""


def _number(given: Any, at: str) -> str:
    text = _plain(given)
    if not _NUMBER.fullmatch(text):
        raise Wrong(Fault(at, "must be a number of at most 6 decimals, as text"))
    try:
        micros_of(Decimal(text))
    except NotMoney as bad:
        raise Wrong(Fault(at, str(bad))) from bad
    return text


def _days(given: Any, at: str) -> str:
    text = _plain(given)
    if not _DAYS.fullmatch(text) or int(text) > MOST_DAYS:
        raise Wrong(Fault(at, f"must be a number of days, 0 to {MOST_DAYS}, as text"))
    return str(int(text))


def _day(given: Any, at: str) -> str:
    day = read_day(given) if isinstance(given, str) and len(given) <= 40 else None
    if day is None:
        raise Wrong(Fault(at, "must be a date MM/dd/yyyy"))
    return day


# ── told ────────────────────────────────────────────────────────────────────────────────────────
def spell(branch: Branch, spelling: Spelling) -> dict[str, Any]:
    """The filter as JSON, in one of the two spellings of its group operators."""
    return {
        "operator": _SPELLED[spelling][branch.all_of],
        "rules": [
            spell(rule, spelling)
            if isinstance(rule, Branch)
            else {"operator": rule.operator, "field": rule.field, "data": spelled_terms(rule)}
            for rule in branch.rules
        ],
    }


def spelled_terms(leaf: Leaf) -> str | list[str]:
    """What a field is compared with, as JSON."""
    is_day = kind_of(leaf.field) == "date" and leaf.operator not in AGES
    terms = [spell_day(term) if is_day else term for term in leaf.terms]
    many = leaf.operator in LISTS or leaf.operator == "BETWEEN"
    return terms if many else terms[0]


# ── described ───────────────────────────────────────────────────────────────────────────────────
_TERM = {"type": ["string", "number"], "maxLength": MOST_TEXT}
Words = Annotated[
    Any,
    WithJsonSchema({"oneOf": [_TERM, {"type": "array", "items": _TERM, "maxItems": MOST_TERMS}]}),
]


class Comparison(Model):
    """Compares one field of a job."""

    operator: str = Field(
        description="Text: EQUAL, NOT_EQUAL, IN, NOT_IN, BEGINS_WITH, NOT_BEGINS_WITH, CONTAINS, "
        "NOT_CONTAINS, ENDS_WITH, NOT_ENDS_WITH. Dates: GREATER_THAN, LESS_THAN (age in days), ON, "
        "BEFORE, AFTER, BETWEEN. Numbers: EQUAL, GREATER_THAN, LESS_THAN, GREATER_THAN_EQUAL, "
        "LESS_THAN_EQUAL, BETWEEN."
    )
    field: str = Field(
        max_length=MOST_NAME,
        description="category, country, state, city, zip, type, title, company, refNumber, "
        "postedDate, cpcBid, or one of the client's own fields. If a feed repeats a node, a "
        "comparison holds if it does for one of its values, or for the whole text.",
    )
    terms: Words = Field(
        alias="data",
        description="Value to compare the field with; a list for IN, NOT_IN and BETWEEN. Text; "
        "numbers and ages in days may be JSON numbers.",
    )


class _Group(Model):
    operator: Literal["AND", "OR", "ALL", "ANY"] = Field(
        description="How the rules combine: ALL is the same as AND, ANY as OR."
    )


class FilterInnermost(_Group):
    """A group of comparisons at the third level."""

    rules: list[Comparison] = Field(min_length=1, max_length=MOST_RULES, description="Comparisons.")


class FilterInner(_Group):
    """A group of rules at the second level."""

    rules: list[Comparison | FilterInnermost] = Field(
        min_length=1, max_length=MOST_RULES, description="Comparisons, or groups of them."
    )


class Filter(_Group):
    """Decides which jobs match. Groups nest at most 3 deep; 1,000 comparisons in all."""

    rules: list[Comparison | FilterInner] = Field(
        min_length=1, max_length=MOST_RULES, description="Comparisons, or groups of them."
    )


class _Described:
    """By a reference to the model of that shape."""

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> Any:
        many = handler(TypeAdapter(list[Filter]).core_schema)  # alone it would be written out here
        if handler.mode == "validation":
            return many["items"]
        return {"anyOf": [many["items"], {"type": "object", "maxProperties": 0}]}


def _told_as(spelling: Spelling) -> PlainSerializer:
    return PlainSerializer(lambda tree: {} if tree is None else spell(tree, spelling))


JobTree = Annotated[Any, PlainValidator(read_filter), _told_as("AND_OR"), _Described()]
"""A filter, as a tree; none is told as an empty object."""

JobTreeOfAll = Annotated[Any, PlainValidator(read_filter), _told_as("ALL_ANY"), _Described()]
"""The same, told with ALL and ANY."""
