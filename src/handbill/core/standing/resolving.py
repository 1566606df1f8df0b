"""From a client's tree of nouns, as it is today, to the standing of each entity in it.

Own causes come first, then those of what is above, then what can be sold: places, jobs, bids.
Causes below an entity do not stop it, unless they leave nothing of it.
**Source**: domain 1.1, 1.5, 2.4, 4.1, docs/decisions/0052.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from operator import attrgetter
from typing import Literal, TypeVar

from handbill.core.charging import Scope
from handbill.core.nouns import Campaign, Client, Group
from handbill.core.pacing.caps import Felt
from handbill.core.standing.capping import (
    OF_EACH_JOB,
    CapKey,
    CappedEntity,
    Moment,
    cap_reasons,
    code_of,
    locked_reason,
    pacing_reason,
)
from handbill.core.standing.reasons import (
    CAPPED,
    Code,
    Fix,
    Level,
    Params,
    Reason,
    Resolved,
    resolved,
    seen_at_places,
    seen_below,
)
from handbill.core.standing.selling import owner_of, sold
from handbill.core.standing.switches import own_stops, owner_of_trader
from handbill.core.standing.tree import CappedJob, Kind, Let, Spot, StandingTree, reason
from handbill.core.states import may_match
from handbill.kit.figures import counted
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, zone_of

_T = TypeVar("_T")
_K = TypeVar("_K")


def resolve(tree: StandingTree, now: Instant) -> dict[tuple[Kind, str], Resolved]:
    """The standing of every entity, by kind and number (of a job: its id); of jobs and placements
    of jobs, only those stopped by a cap. It has no dates: ``kept_since`` adds since when.
    """
    return _Resolving(tree, now).whole()


class _Resolving:
    """One evaluation of a tree."""

    def __init__(self, tree: StandingTree, now: Instant) -> None:
        self.tree = tree
        zone = zone_of(tree.client.zone)
        self.when = Moment(day_of(now, zone), zone)
        self.today: date = self.when.today
        self.found: dict[tuple[Kind, str], Resolved] = {}
        self.owners: dict[tuple[Scope, str], CappedEntity] = {}
        self.groups = _by(tree.groups, attrgetter("campaign_no"))
        self.lets = _by(tree.lets.items(), lambda one: one[0][0])
        self.jobs = _by(tree.capped_jobs, attrgetter("group_no"))
        places = (entity for scope, entity, _ in tree.caps if scope == "job_placement")
        self.ids = {f"{one.no}": one.id for one in tree.publishers.values()}
        self.places = _by(places, lambda entity: entity.partition("/")[0])

    def whole(self) -> dict[tuple[Kind, str], Resolved]:
        tree = self.tree
        client = tree.client
        top = owner_of_trader(client)
        self.owners["client", f"{client.no}"] = top
        own = self._trading("client", f"{client.no}", top, client)
        below = self._campaigns(seen_below(own))
        own += self._paced(tree.lets.values(), "client", f"{client.no}")
        if below and not tree.posted and all(one.delivery is Felt.STOPPED for one in below):
            own.append(_none_below(top, "campaign"))
        self.found["client", f"{client.no}"] = resolved(Level.CLIENT, client.id, own)
        return self.found

    def _campaigns(self, above: list[Reason]) -> list[Resolved]:
        standings = []
        for campaign in self.tree.campaigns:
            entity = f"{campaign.no}"
            owner = owner_of_trader(campaign)
            self.owners["campaign", entity] = owner
            own = self._trading("campaign", entity, owner, campaign)
            groups = self.groups.get(campaign.no, [])
            trading = [*seen_below(own), *above]
            below = [self._group(campaign, group, trading) for group in groups]
            lets = [let for group in groups for _, let in self.lets.get(group.no, ())]
            every = [*own, *above, *self._paced(lets, "campaign", entity)]
            if all(one.delivery is Felt.STOPPED for one in below):
                every.append(_none_below(owner, "job group"))
            standings.append(resolved(Level.CAMPAIGN, campaign.id, every))
            self.found["campaign", entity] = standings[-1]
        return standings

    def _group(self, campaign: Campaign, group: Group, above: list[Reason]) -> Resolved:
        entity = f"{group.no}"
        owner = owner_of_trader(group)
        self.owners["group", entity] = owner
        own = self._trading("group", entity, owner, group)
        is_open = may_match(group, campaign, self.today)
        jobs = list(self._jobs(group, owner)) if is_open else []
        trading = [*seen_below(own), *above]
        spots = [
            Spot(campaign, group, one, self.tree.publishers[one.publisher_id])
            for one in group.body.placements
            if one.publisher_id in self.tree.publishers
        ]
        stopped = [one for one in jobs if one.blocking]
        places = [self._placement(spot, trading, stopped) for spot in spots]
        paced = self._paced((let for _, let in self.lets.get(group.no, ())), "group", entity)
        every = [*own, *above, *paced, *jobs, *_of_places(owner, places)]
        standing = self.found["group", entity] = resolved(Level.GROUP, group.id, every)
        return standing

    def _trading(
        self,
        scope: Literal["client", "campaign", "group"],
        entity: str,
        owner: CappedEntity,
        one: Client | Campaign | Group,
    ) -> list[Reason]:
        """What stops or brakes it by itself: its switch, dates, days, caps."""
        reasons = own_stops(owner, one, self.when)
        reasons += self._held(scope, entity, owner)
        reasons += cap_reasons(scope, entity, owner, self.tree.caps, self.when)
        return reasons

    def _held(self, scope: Scope, entity: str, owner: CappedEntity) -> Iterator[Reason]:
        """The rules that hold it."""
        for one in self.tree.holds.get((scope, entity), ()):
            yield Reason(
                code=Code.HELD_BY_RULE,
                level=owner.level,
                entity_id=owner.id,
                name=owner.name,
                words=f"the rule {one.rule_name} holds the {owner.what}",
                params=Params(
                    publisher_id=owner.publisher_id,
                    group_id=owner.group_id,
                    rule_id=one.rule_id,
                    run_id=one.run_id,
                    hold_id=one.id,
                ),
                fix=Fix(kind="lift", text=one.id),
            )

    def _jobs(self, group: Group, owner: CappedEntity) -> Iterator[Reason]:
        """What the jobs of a group mean for it as a whole; those that are capped are reported."""
        count = sum(many for _, many in self.tree.jobs.get(group.no, ()))
        if not count:
            words = "the job group has no job that may be listed"
            yield reason(Code.NO_JOBS, owner, words, Params(jobs=0))
        stopped = [reasons for job in self.jobs.get(group.no, ()) if (reasons := self._stops(job))]
        capped = len(stopped)
        if count and capped:
            words = f"{capped} of {counted(count, 'job')} at a cap of their own"
            if any(("job", job.id) in self.tree.holds for job in self.jobs[group.no]):
                words = f"a cap or a rule stops {capped} of {counted(count, 'job')}"
            cap, fix = _raised_for_all(stopped)
            params = Params(jobs=count, capped_jobs=capped, cap=cap)
            yield reason(Code.JOBS_CAPPED, owner, words, params, blocking=capped >= count, fix=fix)

    def _stops(self, job: CappedJob) -> list[Reason]:
        """What stops a job everywhere: its own caps, its job group's for each job, and rules."""
        owner = CappedEntity(Level.JOB, job.id, job.title or job.ref, "job")
        caps, when = self.tree.caps, self.when
        reasons = [
            *self._held("job", job.id, owner),
            *cap_reasons("group_job", f"{job.group_no}/{job.id}", owner, caps, when),
            *cap_reasons("job", job.id, owner, caps, when),
        ]
        for entity in self.places.get(job.id, ()):
            publisher_id = self.ids.get(entity.partition("/")[2], "")
            there = owner._replace(publisher_id=publisher_id)
            stopped = list(cap_reasons("job_placement", entity, there, caps, when))
            if stopped:
                self.found["job_placement", entity] = resolved(Level.JOB, job.id, stopped)
        if reasons:
            self.found["job", job.id] = resolved(Level.JOB, job.id, reasons)
        return [one for one in reasons if one.blocking]

    def _placement(self, spot: Spot, trading: list[Reason], stopped: list[Reason]) -> list[Reason]:
        """What keeps a group from one of its publishers, apart from causes above the group.
        ``stopped``: because of its jobs.
        """
        campaign, publisher = spot.campaign, spot.publisher
        entity, above = f"{spot.group.no}/{publisher.no}", f"{campaign.no}/{publisher.no}"
        owner = owner_of(spot)
        over = CappedEntity(
            level=Level.CAMPAIGN,
            id=campaign.id,
            name=campaign.body.name,
            what="campaign",
            publisher_id=publisher.id,
        )
        self.owners["placement", entity] = owner
        self.owners["campaign_placement", above] = over
        own: list[Reason] = []
        if not spot.placement.active:
            words = "the placement is switched off"
            own.append(reason(Code.PLACEMENT_PAUSED, owner, words, fix=Fix(kind="activate")))
        own += self._held("placement", entity, owner)
        own += cap_reasons("placement", entity, owner, self.tree.caps, self.when)
        own += cap_reasons("campaign_placement", above, over, self.tree.caps, self.when)
        own += self._locked(spot)
        selling = list(sold(self.tree, spot, self.today))
        let = self.tree.lets.get((spot.group.no, publisher.no))
        paced = self._paced([let] if let else [], "placement", entity)
        every = [*own, *trading, *paced, *stopped, *selling]
        self.found["placement", entity] = resolved(Level.PLACEMENT, publisher.id, every)
        return [*own, *selling]

    def _locked(self, spot: Spot) -> Iterator[Reason]:
        """The part of the job group's budget that is reserved for other placements."""
        group, publisher = spot.group, spot.publisher
        locked = self.tree.locked.get((group.no, publisher.no))
        capped = self.tree.caps.get(("group", f"{group.no}", "budget"))
        if locked is not None and capped is not None and code_of(capped) not in CAPPED:
            owner = self.owners["group", f"{group.no}"]._replace(publisher_id=publisher.id)
            cause = locked_reason(capped, owner, *locked, self.when)
            yield from [] if cause is None else [cause]

    def _paced(self, lets: Iterable[Let], scope: Scope, entity: str) -> list[Reason]:
        """The caps that lower bids at any of these placements: for a client or campaign only its
        own, for what is below all that apply to it.
        """
        least: dict[CapKey, int] = {}
        for let in lets:
            if let.cap is not None and let.let_ppm < PPM:
                least[let.cap] = min(let.let_ppm, least.get(let.cap, PPM))
        reasons = []
        for (of, own, measure), let_ppm in least.items():
            owner = self.owners.get((of, own))
            capped = self.tree.caps.get((of, own, measure))
            is_seen = (of, own) == (scope, entity) or scope in {"group", "placement"}
            if owner is not None and capped is not None and is_seen:
                reasons.append(pacing_reason(of, measure, owner, capped, let_ppm))
        return reasons


def _of_places(owner: CappedEntity, places: list[list[Reason]]) -> Iterator[Reason]:
    """The reasons of the placements for their group, or that it has none."""
    if not places:
        yield reason(Code.NO_PLACEMENT, owner, "the job group has no publisher", Params())
        return
    yield from seen_at_places(places)


def _raised_for_all(stopped: list[list[Reason]]) -> tuple[str, Fix | None]:
    """The job group's cap for each job that alone stops all of these jobs, and its raise; otherwise
    each job has a cause of its own.
    """
    caps = {one.params.cap for reasons in stopped for one in reasons}
    cap = caps.pop() if len(caps) == 1 else ""
    if cap not in OF_EACH_JOB:
        return "", None
    most = max(one.fix.value for reasons in stopped for one in reasons if one.fix)
    return cap, Fix(kind="raise", value=most)


def _none_below(owner: CappedEntity, what: str) -> Reason:
    return reason(Code.NONE_BELOW, owner, f"none of its {what}s is listed", Params())


def _by(every: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    by_key: dict[_K, list[_T]] = {}
    for one in every:
        by_key.setdefault(key(one), []).append(one)
    return by_key
