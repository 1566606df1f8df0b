"""A client, its campaigns and its job groups together: creating them, and listing what is below."""

from collections.abc import Iterable

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.nouns import Campaign, Client, ClientBody
from handbill.groups import service as groups
from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.store.records import Tx


def found_client(
    tx: Tx, ids: Ids, now: Instant, agency_no: int, body: ClientBody, zone: str = "UTC"
) -> Client:
    """Create a client (``clients.create``), with its default campaign and job group."""
    client = clients.create(tx, ids, now, agency_no, body, zone)
    campaign = campaigns.create_default(tx, now, client)
    groups.create_default(tx, now, client, campaign)
    clients.wake_listings(tx, client, now)
    return client


def campaigns_below(tx: Tx, found: Iterable[Client]) -> dict[int, list[Campaign]]:
    """The live campaigns of each of these clients, oldest first (domain 14.4, 14.5)."""
    below: dict[int, list[Campaign]] = {client.no: [] for client in found}
    for one in campaigns.campaigns_of_clients(tx, below):
        below[one.client_no].append(one)
    return below
