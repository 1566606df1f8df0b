"""What would mend a cause, as a request that is ready to be sent."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from handbill.contract.caps import Budget, CountCap, PlacementCaps
from handbill.contract.jobgroups.models import placed
from handbill.contract.jobs.answers import placed as job_placed
from handbill.contract.jobs.models import JobSetting as Setting
from handbill.core.bids import BidSource
from handbill.core.nouns import (
    Campaign,
    Cap,
    Client,
    Group,
    JobPlacement,
    JobSetting,
    JobSettings,
    Placement,
)
from handbill.core.standing.reasons import Fix, Level, Reason
from handbill.groups.placing import least_budget
from handbill.listings.resolving import AroundEntity
from handbill.wire.models import spelled
from handbill.wire.values import spell_day

Request = dict[str, Any]
_Placed = TypeVar("_Placed", Placement, JobPlacement)
_IN_GROUP: Final = {
    "jobBudget": "job_budget",
    "jobClicks": "job_clicks",
    "jobApplies": "job_applies",
}


def request_of(around: AroundEntity, reason: Reason) -> Request | None:
    """The request that would mend it, with what stands there now; None where there is none."""
    fix = reason.fix
    if fix is not None and fix.kind == "lift":
        lift = f"/clients/{around.client.id}/holds/{fix.text}/lift"
        return {"method": "PUT", "path": lift, "body": None}
    path = _path(around, reason)
    if fix is None or path is None:
        return None
    if around.job is not None and reason.level is Level.JOB and not around.job.valid:
        return None  # it cannot be changed
    if fix.kind == "enable":
        return {"method": "PUT", "path": f"{path}/enable", "body": None}
    body = _BODIES[fix.kind](around, reason, fix)
    return None if body is None else {"method": "PUT", "path": path, "body": body}


def _path(around: AroundEntity, reason: Reason) -> str | None:
    """The address of what is to be changed: of a placement, its job group."""
    client = f"/clients/{around.client.id}"
    if reason.level is Level.CLIENT:
        return client
    if reason.level is Level.PUBLISHER:
        return f"/publishers/{quote(reason.entity_id, safe='')}"
    of_group = reason.level in {Level.GROUP, Level.PLACEMENT} or reason.params.cap in _IN_GROUP
    if reason.level is Level.JOB and not of_group:
        return f"{client}/jobs/{quote(around.job.body.ref, safe='')}" if around.job else None
    if around.campaign is None or (of_group and around.group is None):
        return None
    campaign = f"{client}/campaigns/{around.campaign.id}"
    assert not of_group or around.group is not None, "what is above is known"
    return f"{campaign}/jobgroups/{around.group.id}" if of_group and around.group else campaign


def _begun(around: AroundEntity, reason: Reason, fix: Fix) -> Request:  # noqa: ARG001
    return {"jobSetting": {"startDate": spell_day(fix.text)}}


def _extended(around: AroundEntity, reason: Reason, fix: Fix) -> Request:  # noqa: ARG001
    """Of a job, the end of its settings or, where the cause names no day, its own."""
    last = spell_day(fix.text)
    if reason.level is not Level.JOB:
        return {"endDate": last}
    return {"jobSetting": {"endDate": last}} if reason.params.on else {"endAtDate": last}


def _opened(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:  # noqa: ARG001
    group = around.group
    return None if group is None else {"daysToSchedule": sorted({*group.body.days, fix.value})}


def _raised(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:
    """A cap with a value that is enough; with a placement's, as much of its job group's budget."""
    name = reason.params.cap
    if reason.level is Level.PLACEMENT:
        return _placement_cap(around, reason, fix)
    if reason.level is Level.CAMPAIGN and reason.params.publisher_id:
        return _campaign_placement(around, reason, fix)
    if reason.level is Level.JOB and name not in _IN_GROUP:
        return _job_cap(around, reason, fix)
    owner: Client | Campaign | Group | None = {
        Level.CLIENT: around.client,
        Level.CAMPAIGN: around.campaign,
    }.get(reason.level, around.group)
    cap = None if owner is None else getattr(owner.body.caps, _IN_GROUP.get(name, name))
    return None if cap is None else {"caps": {name: _cap(name, cap, fix.value)}}


def _job_cap(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:
    name = reason.params.cap
    if reason.params.publisher_id:
        return _job_placed_anew(around, reason, lambda one: _with_budget(one, fix.value))
    cap = getattr(_settings(around).setting.caps, name)
    return None if cap is None else {"jobSetting": {"caps": {name: _cap(name, cap, fix.value)}}}


def _settings(around: AroundEntity) -> JobSettings:
    return (around.job.body.settings if around.job else None) or JobSettings()


def _campaign_placement(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:
    """All of them: an update replaces the whole map."""
    if around.campaign is None:
        return None
    caps = dict(around.campaign.body.placement_caps)
    name = reason.params.publisher_id
    if name in caps:
        caps[name] = msgspec.structs.replace(caps[name], value=fix.value)
    by_id = {key: spelled(PlacementCaps.of(budget=cap)) for key, cap in caps.items()}
    return {"placementCaps": by_id} if name in caps else None


def _activated(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:  # noqa: ARG001
    if reason.level is Level.JOB:
        return _allowed(around, reason)
    return _placed_anew(around, reason, lambda one: msgspec.structs.replace(one, active=True))


def _allowed(around: AroundEntity, reason: Reason) -> Request | None:
    """What lets a job to a publisher: its settings there, and its list of publishers."""
    at, settings = reason.params.publisher_id, _settings(around)
    request: Request = {}
    if around.job is not None and settings.publishers is not None and at not in settings.publishers:
        allowed = {"publishers": [*settings.publishers, at]}
        request["publisherFields"] = around.job.body.publisher_nodes | allowed
    if any(one.publisher_id == at and not one.active for one in settings.placements):
        request |= _job_placed_anew(
            around, reason, lambda one: msgspec.structs.replace(one, active=True)
        )
    return request or None


def _bid(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:
    """Of a placement, in the agency's currency. None where each job's own bid is stronger."""
    if reason.level is Level.JOB:
        name = "cpa_bid_micros" if fix.by_apply else "cpc_bid_micros"
        if fix.source is BidSource.JOB_PLACEMENT:
            bid = {name: fix.value, "currency": ""}
            return _job_placed_anew(around, reason, lambda one: msgspec.structs.replace(one, **bid))
        setting = msgspec.structs.replace(JobSetting(), **{name: fix.value})
        return {"jobSetting": spelled(Setting.of(setting, caps=None))}
    if fix.source is BidSource.JOB_PLACEMENT:
        return None
    changed = {"bid_micros": fix.value, "currency": ""}
    return _placed_anew(around, reason, lambda one: msgspec.structs.replace(one, **changed))


def _job_placed_anew(
    around: AroundEntity, reason: Reason, change: Callable[[JobPlacement], JobPlacement]
) -> Request:
    """All settings of a job for publishers, as an update replaces them, with one changed."""
    at = reason.params.publisher_id
    rows = [
        job_placed(change(one) if one.publisher_id == at else one)
        for one in _settings(around).placements
    ]
    return {"placementSettings": rows}


def _admitted(around: AroundEntity, reason: Reason, fix: Fix) -> Request:  # noqa: ARG001
    body = around.client.body
    lists = {
        "excludedPublishers": body.excluded_publishers,
        "globallyExcludedPublishers": body.globally_excluded_publishers,
    }
    out = reason.params.publisher_id
    return {name: [one for one in ids if one != out] for name, ids in lists.items() if out in ids}


def _placed_anew(
    around: AroundEntity, reason: Reason, change: Callable[[Placement], Placement]
) -> Request | None:
    """The whole list of placements, as an update replaces it, with one of them changed."""
    if around.group is None:
        return None
    at = reason.params.publisher_id
    rows = [
        spelled(placed(change(one) if one.publisher_id == at else one))
        for one in around.group.body.placements
    ]
    return {"placements": rows}


def _placement_cap(around: AroundEntity, reason: Reason, fix: Fix) -> Request | None:
    """A placement's budget, and its job group's where that would be less."""
    at, group = reason.params.publisher_id, around.group
    request = _placed_anew(around, reason, lambda one: _with_budget(one, fix.value))
    whole = group.body.caps.budget if group else None
    if group is None or request is None or whole is None:
        return request
    every = [
        _with_budget(one, fix.value) if one.publisher_id == at else one
        for one in group.body.placements
    ]
    value = max(least_budget(every, whole.period), whole.value)
    caps = {"budget": _cap("budget", whole, value)} if value > whole.value else {}
    return request | ({"caps": caps} if caps else {})


def _with_budget(one: _Placed, value: int) -> _Placed:
    budget = one.budget and msgspec.structs.replace(one.budget, value=value)
    return msgspec.structs.replace(one, budget=budget)


def _cap(name: str, cap: Cap, value: int) -> Request:
    kind = Budget if name.lower().endswith("budget") else CountCap
    request: Request = spelled(kind.of(msgspec.structs.replace(cap, value=value)))
    return request


_BODIES: Final[dict[str, Callable[[AroundEntity, Reason, Fix], Request | None]]] = {
    "begin": _begun,
    "extend": _extended,
    "open_day": _opened,
    "raise": _raised,
    "activate": _activated,
    "bid": _bid,
    "admit": _admitted,
}
