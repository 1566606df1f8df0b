"""The part of the settings that is in force, as control decides it and all others read it."""

from collections.abc import Mapping
from typing import NamedTuple

from handbill.core.charging import Measure, Scope
from handbill.core.pacing.thinning import JobWindow
from handbill.kit.instants import Instant

Thing = tuple[Scope, str]
"""The key of a standing: its scope, and its entity as counters spell it."""
Key = tuple[int, int]
"""Job group and publisher."""


class Evaluation(NamedTuple):
    """``number``: how many there were; ``day_on``: the client's day."""

    number: int
    evaluated_at: Instant
    day_on: str


class Standing(NamedTuple):
    """``resolved``: JSON of its report; ``capped``: its listings are left out."""

    kind: Scope
    entity: str
    status: str
    delivery: str
    capped: int
    resolved: str
    since_at: Instant
    until_at: Instant | None


class Paced(NamedTuple):
    """What a job group offers a publisher: ``factor_ppm`` of each bid (``bid_micros`` instead of
    ``base_micros``, shown to the publisher as ``price_micros`` of its own currency), at least
    ``floor_micros``; and ``jobs`` of its ``matching`` jobs, from ``first`` on in their mixed order.
    ``let_ppm``, ``clicks_ppm``: the part of the full spend and of the clicks that this lets
    through; ``held_``: the same of the publisher's current copy.
    """

    group_no: int
    publisher_no: int
    base_micros: int
    bid_micros: int
    price_micros: int
    factor_ppm: int
    floor_micros: int
    matching: int
    first: int
    jobs: int
    start_ppm: int
    next_ppm: int
    let_ppm: int
    clicks_ppm: int
    held_let_ppm: int
    held_clicks_ppm: int
    decided_at: Instant
    cap: str
    """The cap that is binding; empty: none."""

    @property
    def window(self) -> JobWindow | None:
        """The listed jobs; None: all."""
        if self.jobs >= self.matching:
            return None
        return JobWindow(self.first, self.jobs, self.next_ppm)

    @property
    def is_ended(self) -> bool:
        """Whether nothing is offered any more, and only the publisher's copy is still told."""
        return not self.matching


class Ceiling(NamedTuple):
    """The most that a day takes of a paced cap, and since when that is in force."""

    scope: Scope
    entity: str
    measure: Measure
    day_on: str
    most: int
    since_at: Instant


class InForce(NamedTuple):
    """The decisions that listings follow. ``stopped``: the entities whose listings are left out."""

    stopped: frozenset[Thing]
    paced: Mapping[Key, Paced]
