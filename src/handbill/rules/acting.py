"""Does the acts of rules, through the rooms whose nouns they change, and takes them back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.changes import with_changes
from handbill.core.nouns import Campaign, Caps, Client, Group, JobSettings, Placement
from handbill.core.rules.acts import Act
from handbill.core.standing.tree import HeldByRule
from handbill.groups import service as groups
from handbill.host.ids import Ids
from handbill.jobs import editing
from handbill.jobs import service as jobs
from handbill.kit.faults import Refused
from handbill.kit.instants import Instant
from handbill.rules import holding
from handbill.store.records import Tx

_BIDS: Final = {"cpc bid": "cpc_bid_micros", "cpa bid": "cpa_bid_micros"}
_GONE = "it is not there any more"


def do(tx: Tx, ids: Ids, now: Instant, client: Client, by: tuple[int, str], act: Act) -> None:
    """Do an act. ``by``: the number of the rule, and the id of its run.

    **Refuses** what the room of its noun refuses.
    """
    if act.what == "pause":
        holding.hold(tx, ids, now, client, *by, act)
        clients.wake_listings(tx, client, now)
    elif act.what == "resume":
        held = holding.holds_on(tx, client.no, act.kind, act.entity)
        holding.lift(tx, now, client, held)
    else:
        assert act.after is not None, "an amount becomes another one"
        _set(tx, now, client, act, act.after)


def lift_gone(tx: Tx, now: Instant, client: Client) -> int:
    """Lift the holds on what was deleted; how many there were."""
    return holding.lift(tx, now, client, held_of_gone(tx, client))


def held_of_gone(tx: Tx, client: Client) -> list[HeldByRule]:
    """The holds on campaigns and job groups that were deleted, and on placements in these. A job
    may come back under its id, and is then still held.
    """
    return _of_gone(tx, client, holding.holds_of(tx, client.no))


def _of_gone(tx: Tx, client: Client, some: Sequence[HeldByRule]) -> list[HeldByRule]:
    if not some:
        return []
    known = {one.no for one in campaigns.campaigns_of(tx, client.no)}
    groups_ = {one.no for one in groups.groups_of(tx, client.no) if one.campaign_no in known}
    live = {"campaign": known, "group": groups_, "placement": groups_}
    return [
        one
        for one in some
        if one.kind in live and int(one.entity.partition("/")[0]) not in live[one.kind]
    ]


def take_back(tx: Tx, now: Instant, client: Client, run_id: str, act: Act) -> str:
    """Set back what an act has changed, if nobody has changed it since; else returns why not."""
    if act.what == "pause":
        holds = [
            one
            for one in holding.holds_on(tx, client.no, act.kind, act.entity)
            if one.run_id == run_id
        ]
        holding.lift(tx, now, client, holds)
        if _of_gone(tx, client, holds):
            return _GONE
        return "" if holds else "it is not held any more"
    if act.what == "resume":
        return "a hold that was lifted is not laid again: its rule does that"
    try:
        stands = amount(tx, client, act)
        if stands != act.after:
            return "it was changed since"
        assert act.before is not None, "there was an amount"
        _set(tx, now, client, act, act.before)
    except Refused as refused:
        why = "; ".join(one.message for one in refused.faults)
        return _GONE if refused.status == 404 else why or refused.message
    return ""


def amount(tx: Tx, client: Client, act: Act) -> int | None:
    """The present amount. **Refuses** (404) what is gone."""
    of_budget = act.what == "budget"
    if act.kind == "job":
        job = jobs.job_of(tx, client.no, act.name)
        setting = (job.body.settings or JobSettings()).setting
        return _of(setting, act) if not of_budget else _budget(setting.caps)
    noun = _noun(tx, client, act)
    if act.kind == "placement":
        for one in noun.body.placements if isinstance(noun, Group) else ():
            if one.publisher_id == act.publisher_id:
                budget = one.budget.value if one.budget else None
                return budget if of_budget else one.bid_micros
        return None
    return _budget(noun.body.caps) if of_budget else _of(noun.body, act)


def _of(holder: Any, act: Act) -> int | None:
    bid_micros: int | None = getattr(holder, _BIDS[act.what])
    return bid_micros


def _budget(caps: Caps) -> int | None:
    return caps.budget.value if caps.budget else None


def _noun(tx: Tx, client: Client, act: Act) -> Client | Campaign | Group:
    """The noun in its present state. **Refuses** (404) one that is gone."""
    if act.kind == "client":
        return clients.client_of(tx, client.agency_no, client.id)
    if act.kind == "campaign":
        return campaigns.campaign_of(tx, client.no, act.id)
    return groups.group_of(tx, client.no, act.id)


def _set(tx: Tx, now: Instant, client: Client, act: Act, value: int) -> None:
    if act.kind == "job":
        job = editing.job_to_change(tx, client, act.name)
        setting = (job.body.settings or JobSettings()).setting
        changes = _changed(setting.caps, act, value)
        editing.update(tx, now, client, job, {"setting": changes})
        return
    noun = _noun(tx, client, act)
    if isinstance(noun, Client):
        clients.update(tx, now, noun, _changed(noun.body.caps, act, value))
    elif isinstance(noun, Campaign):
        campaigns.update(tx, now, client, noun, _changed(noun.body.caps, act, value))
    elif act.kind == "group":
        groups.update(tx, now, client, noun, _changed(noun.body.caps, act, value))
    else:
        placed = [_placed(one, act, value) for one in noun.body.placements]
        groups.update(tx, now, client, noun, {"placements": placed})


def _changed(caps: Caps, act: Act, value: int) -> Mapping[str, Any]:
    if act.what != "budget":
        return {_BIDS[act.what]: value}
    assert caps.budget is not None, "there is a budget"
    return {"caps": {"budget": msgspec.structs.replace(caps.budget, value=value)}}


def _placed(one: Placement, act: Act, value: int) -> Placement:
    if one.publisher_id != act.publisher_id:
        return one
    if act.what != "budget":
        return with_changes(one, {"bid_micros": value})
    assert one.budget is not None, "there is a budget"
    return with_changes(one, {"budget": msgspec.structs.replace(one.budget, value=value)})
