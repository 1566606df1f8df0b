"""Employers and publishers as the agency of a simulation knows them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from handbill.core.charging import Measure, Scope
from handbill.kit.instants import Instant
from handbill.kit.zones import Period, day_of, zone_of
from handbill.simulate.held import Thing
from handbill.simulate.sites import Careers

Body = dict[str, Any]


class CapOf(NamedTuple):
    """Whose cap it is: the ids of the entities that ``scope`` names."""

    scope: Scope
    ids: tuple[str, ...]
    measure: Measure


class CapSet(NamedTuple):
    """A cap as requested. **Units**: micros, or a count."""

    period: Period
    value: int


@dataclass(kw_only=True)
class GroupOf:
    """A job group. It should advertise from ``first`` to ``last``, while it is active."""

    id: str
    path: str
    client: "Employer"
    category: str
    publishers: list[str]
    first: date
    last: date
    active: bool = True
    changed_at: Instant = 0
    budget_micros: int
    period: Period
    bid_micros: int
    bids_micros: dict[str, int]
    """The bids of placements that have their own, by publisher."""
    targets: dict[str, int] = field(default_factory=dict)
    """The maximum bid, in micros, by what is paid for."""

    def holders(self, publisher: str) -> tuple[Thing, ...]:
        """All that can be held so that a publisher is not shown its jobs."""
        client, campaign = self.client.id, self.client.campaign.rpartition("/")[2]
        return (
            ("CLIENT", client, ""),
            ("CAMPAIGN", campaign, ""),
            ("JOBGROUP", self.id, ""),
            ("PLACEMENT", self.id, publisher),
        )


@dataclass(kw_only=True)
class Employer:
    """A client, its careers page, and what it pays for."""

    id: str
    name: str
    zone: str
    pixel_id: str
    window_days: int
    url: str
    careers: Careers
    campaign: str
    groups: list[GroupOf] = field(default_factory=list)
    own_jobs: list[str] = field(default_factory=list)
    """References of jobs that were added by the API."""
    markup_percent: int = 0

    def day(self, at: Instant) -> date:
        return day_of(at, zone_of(self.zone))


@dataclass(kw_only=True)
class Outlet:
    """A publisher as the agency knows it."""

    id: str
    bid_type: str
    currency: str
    feed_path: str
    paths: dict[str, str] = field(default_factory=dict)
    """Of the file of each client, by its id, where clients have files of their own."""
