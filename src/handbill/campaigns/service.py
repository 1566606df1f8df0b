"""Use cases of campaigns."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from handbill.campaigns import rows
from handbill.clients.service import end_faults, wake_listings
from handbill.core.changes import fixed_faults, settled
from handbill.core.nouns import Campaign, CampaignBody, Client
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found, step_of
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, year_after, zone_of
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

DEFAULT_NAME = "Default Campaign"


def campaign_of(tx: Tx, client_no: int, campaign_id: str) -> Campaign:
    """The live campaign with that id. **Refuses** any other id alike (404)."""
    campaign = rows.find(tx, client_no, campaign_id)
    if campaign is None:
        raise not_found()
    return campaign


def number_ever(tx: Tx, client_no: int, campaign_id: str) -> int:
    """The row number of a campaign that is or was the client's, for questions about its past.
    **Refuses** any other id alike (404).
    """
    no = rows.number_ever(tx, client_no, campaign_id)
    if no is None:
        raise not_found()
    return no


def campaigns_of(tx: Tx, client_no: int) -> list[Campaign]:
    """All live ones, oldest first."""
    return rows.every(tx, client_no)


def campaigns_of_clients(tx: Tx, client_nos: Iterable[int]) -> list[Campaign]:
    """All live ones of these clients, oldest first."""
    return rows.of_clients(tx, list(client_nos))


def campaigns_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Campaign]:
    """By row number, deleted ones included; for rooms that store numbers (ledger, listings)."""
    return {campaign.no: campaign for campaign in rows.by_numbers(tx, sorted(set(nos)))}


def page(tx: Tx, client_no: int, skip: int, limit: int) -> tuple[list[Campaign], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, client_no, skip, limit), rows.count(tx, client_no)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def create(tx: Tx, ids: Ids, now: Instant, client: Client, body: CampaignBody) -> Campaign:
    """Create a campaign. Default dates: from today, for a year after its start (domain 1.4).

    **Refuses** (400) an end before the start, and caps of unknown publishers.
    """
    body.start_on = body.start_on or day_of(now, zone_of(client.zone)).isoformat()
    body.end_on = body.end_on or year_after(body.start_on)
    faults = end_faults(body.start_on, body.end_on)
    faults += _settle_placement_caps(tx, client, body, ())
    if faults:
        raise bad_request(faults)
    campaign = _added(tx, now, client, new_uuid(ids), body)
    wake_listings(tx, client, now)
    return campaign


def create_default(tx: Tx, now: Instant, client: Client) -> Campaign:
    """Create the client's default campaign; active if the client says so (domain 1.3, 1.4)."""
    body = CampaignBody(DEFAULT_NAME, start_on=client.body.start_on)
    status = "A" if client.body.start_default_campaign else "P"
    return _added(tx, now, client, f"{client.id}$campaign$default", body, status, is_default=True)


def update(
    tx: Tx, now: Instant, client: Client, campaign: Campaign, changes: Mapping[str, Any]
) -> None:
    """Change what is given; nothing given changes nothing.

    **Refuses** (400) another start date, an end before the start, unknown publishers, no name.
    """
    faults = fixed_faults(campaign.body, changes, ["start_on"])
    body = settled(campaign.body, changes, faults)
    faults += end_faults(body.start_on, body.end_on)
    if "placement_caps" in changes:
        faults += _settle_placement_caps(tx, client, body, campaign.body.placement_caps)
    if faults:
        raise bad_request(faults)
    if body != campaign.body:
        dates_moved = body.end_on != campaign.body.end_on
        campaign.body = body
        rows.save(tx, campaign, now)
        wake(tx, client, now, matching=dates_moved)


def switch(tx: Tx, now: Instant, client: Client, campaign: Campaign, status: str) -> None:
    """Pause (P) or enable (A); already so: no change."""
    if campaign.status != status:
        campaign.status = status
        rows.save(tx, campaign, now)
        wake(tx, client, now, matching=True)


def delete(tx: Tx, now: Instant, client: Client, campaign: Campaign) -> None:
    """Delete it for all readers; the room above deletes its job groups."""
    campaign.status = "I"
    rows.save(tx, campaign, now, deleted_at=now)
    wake(tx, client, now, matching=True)


def wake(tx: Tx, client: Client, now: Instant, *, matching: bool) -> None:
    """Have the client's jobs matched again if that may change, and its feeds written again."""
    if matching:
        enqueue(tx, kinds.REMATCH, client.id, now)  # which publishes them afterwards
    else:
        wake_listings(tx, client, now)


def _added(
    tx: Tx,
    now: Instant,
    client: Client,
    campaign_id: str,
    body: CampaignBody,
    status: str = "A",
    *,
    is_default: bool = False,
) -> Campaign:
    campaign = Campaign(
        no=0,
        id=campaign_id,
        client_no=client.no,
        status=status,
        is_default=is_default,
        body=body,
        created_at=now,
        updated_at=now,
    )
    campaign.no = rows.add(tx, campaign)
    return campaign


def _settle_placement_caps(
    tx: Tx, client: Client, body: CampaignBody, stood: Collection[str]
) -> list[Fault]:
    """Remove publishers without a cap; a fault for each unknown one, except those that ``stood``
    there and were deleted since.
    """
    if not body.placement_caps:
        return []
    known = {publisher.id for publisher in publishers.publishers_of(tx, client.agency_no)}
    faults = [
        Fault(f"placement_caps.{step_of(id_)}", "is not a publisher of the agency")
        for id_ in body.placement_caps
        if id_ not in known and id_ not in stood
    ]
    body.placement_caps = {id_: cap for id_, cap in body.placement_caps.items() if cap is not None}
    return faults
