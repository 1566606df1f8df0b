"""All that decides the standing of a client's entities, gathered by whoever may read it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from handbill.core.bids import JobBids
from handbill.core.charging import Scope
from handbill.core.nouns import Campaign, Client, Group, Placement, Publisher
from handbill.core.pacing.copies import ShownCopy
from handbill.core.rates import Exchange
from handbill.core.standing.capping import CapKey, Capped, CappedEntity
from handbill.core.standing.reasons import Code, Fix, Level, Params, Reason, Resolved, resolved
from handbill.kit.instants import Instant
from handbill.kit.zones import days_later

_EXTENDED_DAYS: Final = 30
Kind = Literal["client", "campaign", "group", "placement", "job", "job_placement"]


class Let(NamedTuple):
    """What the decision in force lets through at a placement, and the cap that decided it."""

    let_ppm: int
    cap: CapKey | None


class Locked(NamedTuple):
    """``kept``: the part reserved for others; ``cheapest``: the cost of one more."""

    kept: int
    cheapest: int


class HeldByRule(NamedTuple):
    """What a rule keeps from being listed: the key of its standing, and the ids to report."""

    kind: Scope
    entity: str
    entity_id: str
    publisher_id: str
    id: str
    run_id: str
    since_at: Instant
    rule_no: int
    rule_id: str
    rule_name: str


class CappedJob(NamedTuple):
    """A live job with its own cap, a cap of its job group for each job, or a rule's hold."""

    id: str
    ref: str
    title: str
    group_no: int


class StandingTree(NamedTuple):
    """All that decides the standing of a client's entities.

    ``groups``: all but the default one, which has no placements. ``publishers``: the agency's, by
    id. ``jobs``: by job group, what its listable jobs bring to a bid, and how many bring the same.
    ``caps``: their state. By number of job group and publisher: ``lets``, and ``locked``, what is
    reserved for other placements of the job group. ``held``: by publisher number. ``selling``:
    where at least one job is known to be offered. ``exchange``: today's. ``posted``: the number of
    posted jobs. ``holds``: what rules hold.
    """

    client: Client
    campaigns: Sequence[Campaign]
    groups: Sequence[Group]
    publishers: Mapping[str, Publisher]
    jobs: Mapping[int, Sequence[tuple[JobBids, int]]]
    exchange: Exchange
    caps: Mapping[CapKey, Capped] = {}
    lets: Mapping[tuple[int, int], Let] = {}
    selling: Collection[tuple[int, int]] = ()
    locked: Mapping[tuple[int, int], Locked] = {}
    capped_jobs: Sequence[CappedJob] = ()
    held: Mapping[int, ShownCopy] = {}
    posted: int = 0
    holds: Mapping[tuple[Scope, str], Sequence[HeldByRule]] = {}


class Spot(NamedTuple):
    """A placement, with the entities around it."""

    campaign: Campaign
    group: Group
    placement: Placement
    publisher: Publisher


def reason(
    code: Code,
    owner: CappedEntity,
    words: str,
    params: Params | None = None,
    *,
    blocking: bool = True,
    fix: Fix | None = None,
) -> Reason:
    """A cause at its owner."""
    its_params = params or Params(publisher_id=owner.publisher_id, group_id=owner.group_id)
    return Reason(
        code=code,
        level=owner.level,
        entity_id=owner.id,
        name=owner.name,
        words=words,
        blocking=blocking,
        params=its_params,
        fix=fix,
    )


def extended(today: date) -> Fix:
    """Let it end some time from today."""
    return Fix(kind="extend", text=days_later(today.isoformat(), _EXTENDED_DAYS))


def standing_of_default(group: Group) -> Resolved:
    """The standing of a client's default job group."""
    owner = CappedEntity(Level.GROUP, group.id, group.body.name, "job group")
    paused = reason(Code.PAUSED, owner, "the default job group has no placements", Params())
    return resolved(Level.GROUP, group.id, [paused])
