"""Links that are tests: sealed as such, without a bid, so that no click on them is charged."""

from handbill.access import keys
from handbill.core.listing_tokens import Listing, token_to_test
from handbill.core.nouns import Group, Job, Publisher
from handbill.host.settings import Settings
from handbill.store.records import Tx


def link_to_test(tx: Tx, settings: Settings, group: Group, publisher: Publisher, job: Job) -> str:
    """The address of a job's test link at a placement; always the same while the key is."""
    kid, key = max(keys.secret(tx, "listing").items())
    listing = Listing(
        client_no=group.client_no,
        campaign_no=group.campaign_no,
        group_no=group.no,
        publisher_no=publisher.no,
        job_id=bytes.fromhex(job.id),
        bid_type=publisher.body.bid_type,
        bid_micros=0,
        price_micros=0,
    )
    return f"{settings.public_edge}/c/{token_to_test(listing, kid, key)}"
