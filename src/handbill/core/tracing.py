"""Why a filter holds for a job, or does not: its bar, and the comparisons that decided it.

``filter_code`` alone defines what a comparison means. Only the joining by AND and OR is repeated
here, and tested to be the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from handbill.core.feed_text import ALSO, AND
from handbill.core.filter_code import FIELDS, compile_leaves, field_of, names_of
from handbill.core.nouns import Branch, Leaf


class Compared(NamedTuple):
    """One comparison, the job's value (None: no date or bid), and whether it holds."""

    leaf: Leaf
    value: str | int | None
    holds: bool


class Trace(NamedTuple):
    """``deciding``: enough comparisons to know the bar, whatever the others say.

    For an AND that fails, and an OR that holds, the first one; otherwise those behind each rule.
    """

    holds: bool
    deciding: tuple[Compared, ...]


def trace(filters: Branch, facts: Sequence[Any], today: date, places: Mapping[str, int]) -> Trace:
    """The result of a filter for a job (``filter_code.Facts``) on a day of the client."""
    leaves = list(_leaves_of(filters))
    says = compile_leaves(leaves, today, places)(facts)
    names = names_of(places)
    compared = iter(
        Compared(leaf, _value_of(leaf, facts, names), holds)
        for leaf, holds in zip(leaves, says, strict=True)
    )
    return _joined(filters, compared)


def _leaves_of(rule: Branch | Leaf) -> Iterator[Leaf]:
    if isinstance(rule, Leaf):
        yield rule
        return
    for inner in rule.rules:
        yield from _leaves_of(inner)


def _joined(rule: Branch | Leaf, compared: Iterator[Compared]) -> Trace:
    """Takes the comparisons of the rule from the front of ``compared``."""
    if isinstance(rule, Leaf):
        one = next(compared)
        return Trace(one.holds, (one,))
    traces = [_joined(inner, compared) for inner in rule.rules]
    decides = not rule.all_of
    first = next((one for one in traces if one.holds is decides), None)
    if first is not None:
        return first
    return Trace(not decides, tuple(one for inner in traces for one in inner.deciding))


def _value_of(leaf: Leaf, facts: Sequence[Any], names: Mapping[str, str]) -> str | int | None:
    field = field_of(leaf, names)
    if field not in FIELDS:
        return str(facts[len(FIELDS)].get(field, "")).replace(ALSO, AND)
    value: str | int | None = facts[FIELDS.index(field)]
    return value.replace(ALSO, AND) if isinstance(value, str) else value
