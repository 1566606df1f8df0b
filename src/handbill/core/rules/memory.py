"""The past of a run: acts of earlier runs, what is held, and what was already acted on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from handbill.core.rule_conditions import RuleBody
from handbill.kit.instants import DAY, HOUR, Instant

Of = tuple[str, str, str]
"""A kind, an entity of it, and the part of it that is acted on."""
_LEAST_REACH: Final = 2 * DAY
"""Today's acts are counted, however long the day is."""


class EarlierAct(NamedTuple):
    """An earlier act."""

    rule_no: int
    kind: str
    entity: str
    what: str
    pull: int
    at: Instant

    @property
    def of(self) -> Of:
        """What was acted on, as of an act."""
        return of_act(self.kind, self.entity, self.what)


def of_act(kind: str, entity: str, what: str) -> Of:
    """A pause and a resume act on the same: the switch."""
    return kind, entity, "switch" if what in {"pause", "resume"} else what


Thing = tuple[str, str]
"""A kind, and an entity of it."""


def done_to(some: Iterable[EarlierAct]) -> dict[Thing, list[EarlierAct]]:
    """Acts by their thing."""
    by_thing: dict[Thing, list[EarlierAct]] = defaultdict(list)
    for one in some:
        by_thing[one.kind, one.entity].append(one)
    return by_thing


def reach_of(some: Iterable[RuleBody]) -> Instant:
    """How far back acts can still block these rules. Of days, one may have 25 hours."""
    return max(
        _LEAST_REACH,
        *(max(one.repeat_days * DAY + HOUR, one.guards.cooldown_hours * HOUR) for one in some),
    )


class Memory(NamedTuple):
    """The past. ``done``: to each thing, the oldest first. ``truths``: entities that an
    administration rule held for and has acted on. ``held``: the targets that this rule holds;
    ``any_held``: that any rule holds. ``now``: what earlier rules have done in this run, by what
    they acted on: their names and pulls.
    """

    rule_no: int = 0
    truths: frozenset[str] = frozenset()
    done: Mapping[Thing, Sequence[EarlierAct]] = {}
    held: frozenset[Thing] = frozenset()
    any_held: frozenset[Thing] = frozenset()
    now: Mapping[Of, tuple[str, int]] = {}
