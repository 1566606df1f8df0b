"""What needs a client, its campaigns and its job groups together: founding, showing, deleting."""

from collections.abc import Iterable
from typing import Any

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.nouns import Campaign, Client
from handbill.groups import service as groups
from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.wire.clients import spell_child


def found_client(tx: Tx, ids: Ids, now: Instant, agency_no: int, given: dict[str, Any]) -> Client:
    """A client of what ``wire.clients.CREATE`` read, with its default campaign and job group."""
    client = clients.create(tx, ids, now, agency_no, given)
    campaign = campaigns.create_default(tx, now, client)
    groups.create_default(tx, now, client, campaign)
    clients.wake_listings(tx, client, now)
    return client


def children_of_client(tx: Tx, client: Client) -> dict[str, Any]:
    """The client's campaigns by id, as its page shows them (domain 14.5)."""
    return {one.id: spell_child(one) for one in campaigns.campaigns_of(tx, client.no)}


def names_below(tx: Tx, found: Iterable[Client]) -> dict[int, dict[str, Any]]:
    """Of each client its campaigns by id, with id and name alone (domain 14.4)."""
    below: dict[int, dict[str, Any]] = {client.no: {} for client in found}
    for one in campaigns.campaigns_of_clients(tx, below):
        below[one.client_no][one.id] = {"id": one.id, "name": one.body.name}
    return below


def children_of_campaigns(tx: Tx, found: Iterable[Campaign]) -> dict[int, dict[str, Any]]:
    """Of each campaign its job groups by id (domain 14.8)."""
    below = groups.children_of(tx, [campaign.no for campaign in found])
    return {no: {one.id: spell_child(one) for one in own} for no, own in below.items()}


def meta(tx: Tx, client: Client) -> list[dict[str, Any]]:
    """Every campaign of a client with its job groups (domain 14.27)."""
    found = campaigns.campaigns_of(tx, client.no)
    below = groups.children_of(tx, [campaign.no for campaign in found])
    return [
        spell_child(campaign) | {"jobGroups": [spell_child(one) for one in below[campaign.no]]}
        for campaign in found
    ]
