"""Use cases of job groups: reading, creating, changing, deleting."""

from collections.abc import Iterable, Mapping
from typing import Any

from handbill.campaigns import service as campaigns
from handbill.clients.service import end_faults
from handbill.core.changes import fixed_faults, settled
from handbill.core.nouns import Campaign, Client, Group, GroupBody, Placement
from handbill.groups import rows
from handbill.groups.placing import bid_faults, placement_faults
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, year_after, zone_of
from handbill.rates import service as rates
from handbill.store.records import Records, Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

DEFAULT_NAME = "Default JobGroup"
MOST_GROUPS = 5_000
DELETED_AT_ONCE = 200
_PRIORITY = 1
_MATCHING = ("filters", "end_on")
"""The parts of a body that decide which jobs are in the group; its priority does too."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def group_of(tx: Tx, client_no: int, group_id: str) -> Group:
    """The live job group with that id. **Refuses** any other id alike (404)."""
    group = rows.find(tx, client_no, group_id)
    if group is None:
        raise not_found()
    return group


def group_under(tx: Tx, campaign: Campaign, group_id: str) -> Group:
    """The live job group with that id in that campaign. **Refuses** any other alike (404)."""
    group = group_of(tx, campaign.client_no, group_id)
    if group.campaign_no != campaign.no:
        raise not_found()
    return group


def number_ever(tx: Tx, client_no: int, group_id: str) -> int:
    """The row number of a job group that is or was the client's, deleted ones included, for
    questions about its past. **Refuses** any other id alike (404).
    """
    no = rows.number_ever(tx, client_no, group_id)
    if no is None:
        raise not_found()
    return no


def groups_of(tx: Tx, client_no: int) -> list[Group]:
    """All live ones, oldest first."""
    return rows.every(tx, client_no)


def groups_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Group]:
    """By row number, deleted ones included; for rooms that store numbers (ledger, listings)."""
    return {group.no: group for group in rows.by_numbers(tx, sorted(set(nos)))}


def page(tx: Tx, client_no: int, skip: int, limit: int) -> tuple[list[Group], int]:
    """Some live ones of a client, oldest first, and how many there are in all."""
    return rows.page(tx, client_no, skip, limit), rows.count(tx, client_no)


def page_of_campaign(tx: Tx, campaign_no: int, skip: int, limit: int) -> tuple[list[Group], int]:
    """Some live ones of a campaign, oldest first, and how many there are in all."""
    groups = rows.page_of_campaign(tx, campaign_no, skip, limit)
    return groups, rows.count_of_campaign(tx, campaign_no)


def children_of(tx: Tx, campaign_nos: Iterable[int]) -> dict[int, list[Group]]:
    """The live groups of each of these campaigns, oldest first."""
    by_campaign: dict[int, list[Group]] = {no: [] for no in campaign_nos}
    for group in rows.of_campaigns(tx, list(by_campaign)):
        by_campaign[group.campaign_no].append(group)
    return by_campaign


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def create(
    tx: Tx,
    ids: Ids,
    now: Instant,
    client: Client,
    campaign: Campaign,
    body: GroupBody,
    priority: int = _PRIORITY,
) -> Group:
    """Create a job group. Default dates: from today, for a year after its start (domain 1.5).

    **Refuses** (400) an end before the start, and placements with faults (``placing``).
    """
    body.start_on = body.start_on or day_of(now, zone_of(client.zone)).isoformat()
    body.end_on = body.end_on or year_after(body.start_on)
    body.iid = rows.count_ever(tx, client.no)
    faults = end_faults(body.start_on, body.end_on)
    exchange = rates.exchange_of(tx, client, now)
    faults += placement_faults(tx, client, exchange, body, new=True)
    faults += bid_faults(tx, client, exchange, body)
    if faults:
        raise bad_request(faults)
    if rows.count(tx, client.no) >= MOST_GROUPS:
        raise refused_state("", f"there are {MOST_GROUPS} job groups already")
    group = Group(
        no=0,
        id=new_uuid(ids),
        client_no=client.no,
        campaign_no=campaign.no,
        status="A",
        is_default=False,
        priority=priority,
        body=body,
        created_at=now,
        updated_at=now,
    )
    group.no = rows.add(tx, group)
    campaigns.wake(tx, client, now, matching=True)
    return group


def create_default(tx: Tx, now: Instant, client: Client, campaign: Campaign) -> Group:
    """Create the client's default job group: paused, for the jobs that no other one matches."""
    group = Group(
        no=0,
        id=f"{client.id}$jobgroup$default",
        client_no=client.no,
        campaign_no=campaign.no,
        status="P",
        is_default=True,
        priority=_PRIORITY,
        body=GroupBody(DEFAULT_NAME),
        created_at=now,
        updated_at=now,
    )
    group.no = rows.add(tx, group)
    return group


def update(tx: Tx, now: Instant, client: Client, group: Group, changes: Mapping[str, Any]) -> None:
    """Change the given parts of its body, or its priority; nothing given changes nothing.

    **Refuses** (400) the default group, another start date, an end before the start, clearing what
    is required, and placements with faults (``placing``).
    """
    _refuse_default(group)
    of_body = {name: value for name, value in changes.items() if name != "priority"}
    faults = fixed_faults(group.body, changes, ["start_on"])
    body = settled(group.body, of_body, faults)
    faults += _faults_of_changed(tx, now, client, group.body, body, changes)
    if faults:
        raise bad_request(faults)
    body.former_placements = _left_out(group.body, body)
    priority = group.priority
    if "priority" in changes:
        priority = _PRIORITY if changes["priority"] is None else changes["priority"]
    moves = priority != group.priority or any(
        getattr(body, name) != getattr(group.body, name) for name in _MATCHING
    )
    if moves or body != group.body:
        group.priority, group.body = priority, body
        rows.save(tx, group, now)
        campaigns.wake(tx, client, now, matching=moves)


def _faults_of_changed(
    tx: Tx,
    now: Instant,
    client: Client,
    before: GroupBody,
    body: GroupBody,
    changes: Mapping[str, Any],
) -> list[Fault]:
    """The faults of a changed body. ``body``: with the changes made."""
    faults = [
        Fault(name, "cannot be cleared")
        for name in ("filters", "placements")
        if name in changes and changes[name] is None
    ]
    if "caps" in changes and body.caps.budget is None:
        faults.append(Fault("caps.budget", "cannot be cleared"))
    faults += end_faults(body.start_on, body.end_on)
    exchange = rates.exchange_of(tx, client, now)
    if {"placements", "caps"} & changes.keys():
        new, stand = "placements" in changes, before.placements
        faults += placement_faults(tx, client, exchange, body, new=new, stand=stand)
    if {"placements", "cpc_bid_micros", "cpa_bid_micros"} & changes.keys():
        faults += bid_faults(tx, client, exchange, body)
    return faults


def switch(tx: Tx, now: Instant, client: Client, group: Group, status: str) -> None:
    """Pause (P) or enable (A); already so: no change. **Refuses** the default group (400)."""
    _refuse_default(group)
    if group.status != status:
        group.status = status
        rows.save(tx, group, now)
        campaigns.wake(tx, client, now, matching=True)


def delete(tx: Tx, now: Instant, client: Client, group: Group) -> None:
    """Delete it; its jobs go to other groups. **Refuses** the default group (400)."""
    _refuse_default(group)
    group.status = "I"
    rows.save(tx, group, now, deleted_at=now)
    campaigns.wake(tx, client, now, matching=True)


def delete_campaign(tx: Tx, now: Instant, client: Client, campaign: Campaign) -> None:
    """Delete the campaign and its job groups for all readers. **Refuses** the default one (400).

    If there are very many, most are deleted later, so as not to keep other writers waiting.
    """
    if campaign.is_default:
        raise refused_state("", "The default campaign cannot be deleted")
    if rows.delete_of_campaign(tx, campaign.no, now, DELETED_AT_ONCE):
        enqueue(tx, kinds.DELETE_REST, str(campaign.no), now, {"at": now, "by": tx.occasion})
    campaigns.delete(tx, now, client, campaign)


def delete_rest(records: Records, campaign_no: int, at: Instant) -> None:
    """Delete the remaining job groups of a campaign that was deleted at that instant."""
    is_more = True
    while is_more:
        with records.write() as tx:
            is_more = rows.delete_of_campaign(tx, campaign_no, at, DELETED_AT_ONCE)
        records.give_way()


def _left_out(before: GroupBody, after: GroupBody) -> list[Placement]:
    """Keep what updates have removed, now or before: a cap applies as long as links are in use."""
    placed = {placement.publisher_id for placement in after.placements}
    return [known for known in before.all_placements if known.publisher_id not in placed]


def _refuse_default(group: Group) -> None:
    if group.is_default:
        raise refused_state("", "The default job group cannot be changed")
