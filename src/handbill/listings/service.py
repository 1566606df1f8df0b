"""What can be asked of listings: where a publisher fetches its feed, and to write feeds again."""

from collections.abc import Collection, Mapping

from handbill.host.ids import Ids, new_name
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.listings import rows
from handbill.store.records import Tx
from handbill.work.queue import enqueue

PUBLISH = "listings.publish"
ASSEMBLE = "listings.assemble"
ALL_CLIENTS = 0


def feed_url(
    tx: Tx, settings: Settings, publisher_no: int, client_no: int = ALL_CLIENTS, *,
    gzipped: bool = False,
) -> str | None:  # fmt: skip
    """The address of a publisher's file, for all clients or for one; None before ``ensure_file``.

    It is random, and the same for life: knowing it is being allowed to read it.
    """
    file = rows.file_of(tx, publisher_no, client_no)
    if file is None:
        return None
    return f"{settings.public_edge}/f/{file.name}.xml{'.gz' if gzipped else ''}"


def ensure_file(
    tx: Tx, ids: Ids, publisher_no: int, now: Instant, client_no: int = ALL_CLIENTS
) -> None:
    """Let a publisher have a file, and have it written: empty but well-formed while there is no
    job for it. Safe to call when it has one.
    """
    if rows.file_of(tx, publisher_no, client_no) is None:
        rows.add_file(tx, publisher_no, client_no, new_name(ids))
        enqueue(tx, ASSEMBLE, str(publisher_no), now)


def publish(tx: Tx, client_id: str, now: Instant) -> None:
    """Have a client's listings decided again: after any change of bids, states, dates, placements.

    A change of which jobs a group has goes through ``groups.rematch``, which asks for this too.
    """
    enqueue(tx, PUBLISH, client_id, now)


def republish(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have a publisher's files decided again: after a change of its state, schema or least bid."""
    for client_id in rows.clients_with_part(tx, publisher_no):
        enqueue(tx, PUBLISH, client_id, now)
    enqueue(tx, ASSEMBLE, str(publisher_no), now)


def departures(tx: Tx, wanted: Mapping[int, Collection[bytes]]) -> dict[tuple[int, bytes], Instant]:
    """Of listings, by publisher and job id, since when those that left all feeds are gone."""
    return rows.departures_of(tx, wanted)


def forget_departures(tx: Tx, before: Instant, most: int) -> int:
    """Drop so many departures that are older; how many there were."""
    return rows.forget_departures(tx, before, most)
