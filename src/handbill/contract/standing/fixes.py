"""What would mend a cause, as a request that is ready to be sent."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec

from handbill.contract.caps import Budget, CountCap, PlacementCaps
from handbill.contract.jobgroups.models import placed
from handbill.core.changes import with_changes
from handbill.core.nouns import Campaign, Cap, Client, Group, JobSettings, Placement
from handbill.core.standing.reasons import Fix, Level, Reason
from handbill.listings.resolving import Around
from handbill.wire.models import spelled
from handbill.wire.values import spell_day

Request = dict[str, Any]
_IN_GROUP: Final = {
    "jobBudget": "job_budget",
    "jobClicks": "job_clicks",
    "jobApplies": "job_applies",
}


def request_of(around: Around, reason: Reason) -> Request | None:
    """The request that would mend it, with what stands there now; None where there is none."""
    fix = reason.fix
    if fix is not None and fix.kind == "lift":
        lift = f"/clients/{around.client.id}/holds/{fix.text}/lift"
        return {"method": "PUT", "path": lift, "body": None}
    path = _path(around, reason)
    if fix is None or path is None:
        return None
    if fix.kind == "enable":
        return {"method": "PUT", "path": f"{path}/enable", "body": None}
    body = _BODIES[fix.kind](around, reason, fix)
    return None if body is None else {"method": "PUT", "path": path, "body": body}


def _path(around: Around, reason: Reason) -> str | None:
    """The address of what is to be changed: of a placement, its job group."""
    client = f"/clients/{around.client.id}"
    if reason.level is Level.CLIENT:
        return client
    if reason.level is Level.PUBLISHER:
        return f"/publishers/{quote(reason.entity_id, safe='')}"
    of_group = reason.level in {Level.GROUP, Level.PLACEMENT} or reason.params.cap in _IN_GROUP
    if reason.level is Level.JOB and not of_group:
        return f"{client}/jobs/{quote(around.ref, safe='')}" if around.ref else None
    if around.campaign is None or (of_group and around.group is None):
        return None
    campaign = f"{client}/campaigns/{around.campaign.id}"
    assert not of_group or around.group is not None, "what is above is known"
    return f"{campaign}/jobgroups/{around.group.id}" if of_group and around.group else campaign


def _extended(around: Around, reason: Reason, fix: Fix) -> Request:  # noqa: ARG001
    return {"endDate": spell_day(fix.text)}


def _opened(around: Around, reason: Reason, fix: Fix) -> Request | None:  # noqa: ARG001
    group = around.group
    return None if group is None else {"daysToSchedule": sorted({*group.body.days, fix.value})}


def _raised(around: Around, reason: Reason, fix: Fix) -> Request | None:
    """A cap with a value that is enough; of a placement, at most its job group's budget."""
    name = reason.params.cap
    if reason.level is Level.PLACEMENT:
        return _placed_anew(around, reason, lambda one: _with_budget(around, one, fix.value))
    if reason.level is Level.CAMPAIGN and reason.params.publisher_id:
        return _campaign_placement(around, reason, fix)
    if reason.level is Level.JOB and name not in _IN_GROUP:
        return None if reason.params.publisher_id else _job_cap(around, name, fix)
    owner: Client | Campaign | Group | None = {
        Level.CLIENT: around.client,
        Level.CAMPAIGN: around.campaign,
    }.get(reason.level, around.group)
    cap = None if owner is None else getattr(owner.body.caps, _IN_GROUP.get(name, name))
    return None if cap is None else {"caps": {name: _cap(name, cap, fix.value)}}


def _job_cap(around: Around, name: str, fix: Fix) -> Request | None:
    cap = getattr((around.settings or JobSettings()).setting.caps, name)
    return None if cap is None else {"jobSetting": {"caps": {name: _cap(name, cap, fix.value)}}}


def _campaign_placement(around: Around, reason: Reason, fix: Fix) -> Request | None:
    """All of them: an update replaces the whole map."""
    if around.campaign is None:
        return None
    caps = dict(around.campaign.body.placement_caps)
    name = reason.params.publisher_id
    if name in caps:
        caps[name] = msgspec.structs.replace(caps[name], value=fix.value)
    told = {key: spelled(PlacementCaps.of(budget=cap)) for key, cap in caps.items()}
    return {"placementCaps": told} if name in caps else None


def _activated(around: Around, reason: Reason, fix: Fix) -> Request | None:  # noqa: ARG001
    return _placed_anew(around, reason, lambda one: with_changes(one, {"active": True}))


def _bid(around: Around, reason: Reason, fix: Fix) -> Request | None:
    return _placed_anew(around, reason, lambda one: with_changes(one, {"bid_micros": fix.value}))


def _admitted(around: Around, reason: Reason, fix: Fix) -> Request:  # noqa: ARG001
    body = around.client.body
    lists = {
        "excludedPublishers": body.excluded_publishers,
        "globallyExcludedPublishers": body.globally_excluded_publishers,
    }
    out = reason.params.publisher_id
    return {name: [one for one in ids if one != out] for name, ids in lists.items() if out in ids}


def _placed_anew(
    around: Around, reason: Reason, change: Callable[[Placement], Placement | None]
) -> Request | None:
    """The whole list of placements, as an update replaces it, with one of them changed."""
    if around.group is None:
        return None
    told = []
    for one in around.group.body.placements:
        changed = change(one) if one.publisher_id == reason.params.publisher_id else one
        if changed is None:
            return None
        told.append(spelled(placed(changed)))
    return {"placements": told}


def _with_budget(around: Around, one: Placement, value: int) -> Placement | None:
    """None where no more is possible: a placement's budget is at most its job group's."""
    whole = around.group.body.caps.budget if around.group else None
    if one.budget is None:
        return None
    if whole is not None and whole.period == one.budget.period:
        others = sum(
            it.budget.value
            for it in (around.group.body.placements if around.group else [])
            if one.budget.locked and it is not one and it.budget and it.budget.locked
        )
        value = min(value, whole.value - others)
    if value <= one.budget.value:
        return None
    budget = msgspec.structs.replace(one.budget, value=value)
    return msgspec.structs.replace(one, budget=budget)


def _cap(name: str, cap: Cap, value: int) -> Request:
    kind = Budget if name.lower().endswith("budget") else CountCap
    told: Request = spelled(kind.of(msgspec.structs.replace(cap, value=value)))
    return told


_BODIES: Final[dict[str, Callable[[Around, Reason, Fix], Request | None]]] = {
    "extend": _extended,
    "open_day": _opened,
    "raise": _raised,
    "activate": _activated,
    "bid": _bid,
    "admit": _admitted,
}
