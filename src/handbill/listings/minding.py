"""Changes of publishers with their files: shared by the API and the commands."""

from collections.abc import Mapping
from typing import Any

from handbill.core.nouns import Publisher
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.faults import refused_state
from handbill.kit.instants import Instant
from handbill.listings import service
from handbill.listings.delivering import is_delivered
from handbill.listings.service import ALL_CLIENTS
from handbill.publishers import service as publishers
from handbill.store.records import Tx


def create(tx: Tx, ids: Ids, now: Instant, agency_no: int, **given: Any) -> Publisher:
    """Create a publisher with an empty file at an address of its own. **Refuses** as
    ``publishers.service.create`` does.
    """
    made = publishers.create(tx, now, agency_no, **given)
    service.ensure_file(tx, ids, made.no, now)
    service.republish(tx, made.no, now)
    return made


def update(tx: Tx, now: Instant, publisher: Publisher, changes: Mapping[str, Any]) -> None:
    """Change a publisher, and have its files decided, written and delivered again."""
    if publishers.update(tx, now, publisher, changes):
        service.republish(tx, publisher.no, now)
        if is_delivered(publisher):
            service.deliver_changes(tx, publisher.no, now)


def switch(tx: Tx, now: Instant, publisher: Publisher, status: str) -> None:
    """Pause (P) or enable (A); already so: nothing changes."""
    if publishers.switch(tx, now, publisher, status):
        service.republish(tx, publisher.no, now)


def delete(tx: Tx, now: Instant, publisher: Publisher) -> None:
    """Delete it for all readers; its files become empty, delivered ones too."""
    publishers.delete(tx, now, publisher)
    service.republish(tx, publisher.no, now)


def deliver(tx: Tx, now: Instant, publisher: Publisher) -> None:
    """Have all its files delivered now. **Refuses** (400) when none is to be delivered."""
    if not is_delivered(publisher):
        raise refused_state("/deliverFeedByFTP", "is false: there is no server to deliver to")
    service.deliver_all(tx, publisher.no, now)


def feed_url(
    tx: Tx,
    ids: Ids,
    settings: Settings,
    now: Instant,
    publisher: Publisher,
    client_no: int = ALL_CLIENTS,
) -> str | None:
    """The address of its file of all clients, or of one; the file is created on first request."""
    service.ensure_file(tx, ids, publisher.no, now, client_no)
    gzipped = publisher.body.compressed
    return service.feed_url(tx, settings, publisher.no, client_no, gzipped=gzipped)
