"""What can be asked of campaigns. Writing use cases follow the reads that other rooms rely on."""

from collections.abc import Iterable

from handbill.campaigns import rows
from handbill.core.nouns import Campaign
from handbill.kit.faults import not_found
from handbill.store.records import Tx


def campaign_of(tx: Tx, client_no: int, campaign_id: str) -> Campaign:
    """The live one of that id. **Refuses** any other id alike (404)."""
    campaign = rows.find(tx, client_no, campaign_id)
    if campaign is None:
        raise not_found()
    return campaign


def campaigns_of(tx: Tx, client_no: int) -> list[Campaign]:
    """All live ones, oldest first."""
    return rows.every(tx, client_no)


def campaigns_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Campaign]:
    """By row number, deleted ones too; for rooms that hold numbers (ledger, listings)."""
    return {campaign.no: campaign for campaign in rows.by_numbers(tx, sorted(set(nos)))}
