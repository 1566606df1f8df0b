"""Which markups apply to an event: the agency's, by place and instant, and settingsOverride's.

An agency's markup on its customers' spend is dated. The most specific entity with one in force
wins: a job group before a campaign before a client, each first at one publisher and then at all.
Among equals, the one that came into force last wins, and among those the newest row.
**Source**: domain 4.2, docs/decisions/0013.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from handbill.core.charging import Factors, Place
from handbill.kit.instants import Instant

Level = Literal["Client", "Campaign", "JobGroup"]
Steps = tuple[tuple[Instant, int], ...]
"""The agency's markup in ppm and the instant it starts, in order; before the first it is 0."""


class Markup(msgspec.Struct, kw_only=True):
    """``entities``: where it applies; a number of 0 means all."""

    no: int
    id: str
    agency_no: int
    name: str = ""
    from_at: Instant
    ppm: int
    entities: tuple[Place, ...]
    created_at: Instant
    updated_at: Instant


class MarkupScopeIds(NamedTuple):
    """Where a markup applies, by ids. Without a ``publisher_id``: at every publisher."""

    client_id: str
    entity_id: str
    level: Level
    publisher_id: str | None = None


class DatedMarkup(NamedTuple):
    """A markup at one entity. In ``where`` a 0 means all; a higher ``no`` is newer."""

    where: Place
    from_at: Instant
    no: int
    ppm: int


class Marking(NamedTuple):
    """All markups on the spend of one place; equal ones mark alike."""

    steps: Steps
    override_ppm: int

    def at(self, at: Instant) -> Factors:
        """The markups for an event at this instant."""
        place = bisect_right(self.steps, at, key=_from_at)
        return Factors(self.steps[place - 1][1] if place else 0, self.override_ppm)


def _from_at(step: tuple[Instant, int]) -> Instant:
    return step[0]


def level_of(where: Place) -> Level:
    """The level of the entity that a place with zeros names."""
    if where.group_no:
        return "JobGroup"
    return "Campaign" if where.campaign_no else "Client"


def entities_over(place: Place) -> tuple[Place, ...]:
    """Every entity whose markups may apply at a place, from the least specific to the most."""
    client, campaign, group, publisher = place
    every = (
        Place(client, 0, 0, 0),
        Place(client, 0, 0, publisher),
        Place(client, campaign, 0, 0),
        Place(client, campaign, 0, publisher),
        Place(client, campaign, group, 0),
        Place(client, campaign, group, publisher),
    )
    return tuple(dict.fromkeys(every))  # a posting's place has no campaign or job group


def steps_of(places: Iterable[Place], markups: Iterable[DatedMarkup]) -> dict[Place, Steps]:
    """The steps of the agency's markup at each place, in the shortest form: equal markups give
    equal steps, however they came about.
    """
    at_entity: dict[Place, list[DatedMarkup]] = {}
    for one in markups:
        at_entity.setdefault(one.where, []).append(one)
    if not at_entity:
        return dict.fromkeys(places, ())
    known: dict[tuple[Place, ...], Steps] = {}  # most places share everything that applies there
    at_place: dict[Place, Steps] = {}
    for place in places:
        entities = tuple(entity for entity in entities_over(place) if entity in at_entity)
        if entities not in known:
            known[entities] = _merged([at_entity[entity] for entity in entities])
        at_place[place] = known[entities]
    return at_place


def _merged(by_weight: Sequence[Sequence[DatedMarkup]]) -> Steps:
    """The steps of entities from the least specific to the most."""
    ranked = [
        (one.from_at, weight, one.no, one.ppm)
        for weight, markups in enumerate(by_weight)
        for one in markups
    ]
    ppm_from: dict[Instant, int] = {}
    best = (-1, 0, 0, 0)
    for from_at, weight, no, ppm in sorted(ranked):
        best = max(best, (weight, from_at, no, ppm))
        ppm_from[from_at] = best[3]
    steps: list[tuple[Instant, int]] = []
    for step in ppm_from.items():
        if step[1] != (steps[-1][1] if steps else 0):
            steps.append(step)
    return tuple(steps)


def override_ppm(campaign: int | None, group: int | None) -> int:
    """settingsOverride.markup of the job group, else of its campaign, else none."""
    if group is not None:
        return group
    return campaign if campaign is not None else 0
