"""What was before a run: acts of earlier runs, what is held, and what was heard already."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from handbill.core.rule_conditions import RuleBody
from handbill.kit.instants import DAY, HOUR, Instant

Of = tuple[str, str, str]
"""A kind, an entity of it, and what of that is acted on."""
_LEAST_REACH: Final = 2 * DAY
"""Acts of today are counted, however long the day is."""


class Done(NamedTuple):
    """An act of before."""

    rule_no: int
    kind: str
    entity: str
    what: str
    pull: int
    at: Instant


Thing = tuple[str, str]
"""A kind, and which entity of it."""


def done_to(some: Iterable[Done]) -> dict[Thing, list[Done]]:
    """Acts, by what they were done to."""
    found: dict[Thing, list[Done]] = defaultdict(list)
    for one in some:
        found[one.kind, one.entity].append(one)
    return found


def reach_of(some: Iterable[RuleBody]) -> Instant:
    """How far back the acts are that hold these rules back."""
    return max(
        _LEAST_REACH,
        *(max(one.repeat_days * DAY, one.guards.cooldown_hours * HOUR) for one in some),
    )


class Memory(NamedTuple):
    """What was before. ``done``: to each thing, the oldest first. ``truths``: entities that an
    administration rule held for, and was heard. ``held``: the targets that this rule holds;
    ``any_held``: that any rule does. ``now``: what rules before it have done in this run, by what
    they acted on: their names and pulls.
    """

    rule_no: int = 0
    truths: frozenset[str] = frozenset()
    done: Mapping[Thing, Sequence[Done]] = {}
    held: frozenset[Thing] = frozenset()
    any_held: frozenset[Thing] = frozenset()
    now: Mapping[Of, tuple[str, int]] = {}
