"""Filter fields that no job has: a misspelt one silently matches nothing, or everything.

They cause warnings and no refusal: a field may come with a client's next feed.
"""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

from handbill.core.filters import DATE_FIELD, NUMBER_FIELD, TEXT_FIELDS
from handbill.core.nouns import Branch, Leaf
from handbill.kit.faults import Fault

MOST_WARNED: Final = 100
_OURS: Final = (*TEXT_FIELDS, DATE_FIELD, NUMBER_FIELD)


def unknown_fields(filters: Branch, own: Collection[str], at: str = "filters") -> list[Fault]:
    """A warning at each comparison whose field is neither ours nor one of the client's ``own``,
    with the nearest names; the first 100 of them. ``at``: where the filter is.
    """
    known = {*_OURS, *own, *(f"cif{place}" for place in range(1, len(own) + 1))}
    folded = {name.casefold(): name for name in [*own, *_OURS]}
    faults: list[Fault] = []
    for place, field in _fields(filters, at):
        if field in known or len(faults) == MOST_WARNED:
            continue
        near = [folded[name] for name in get_close_matches(field.casefold(), folded, 3, 0.7)]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        faults.append(Fault(place, f"no job of the client has a field {field}{hint}"))
    return faults


def _fields(rule: Branch | Leaf, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(rule, Leaf):
        yield f"{at}.field", rule.field
        return
    for n, inner in enumerate(rule.rules):
        yield from _fields(inner, f"{at}.rules.{n}")
