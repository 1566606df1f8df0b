"""Use cases of listings: the address of a publisher's feed, and having feeds written again."""

from handbill.host.ids import Ids, new_name
from handbill.host.settings import Settings
from handbill.kit.instants import MINUTE, Instant
from handbill.listings import delivery_rows, end_rows, rows
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, enqueue

APART = 5 * MINUTE
"""Between automatic deliveries; what changes meanwhile goes with the next one."""
ALL_CLIENTS = 0
_MOST_LOOKED_AT = 1_000


def feed_url(
    tx: Tx,
    settings: Settings,
    publisher_no: int,
    client_no: int = ALL_CLIENTS,
    *,
    gzipped: bool = False,
) -> str | None:
    """The address of a publisher's file, for all clients or for one; None before ``ensure_file``.

    It is random and never changes: whoever knows it may read the file.
    """
    file = rows.file_of(tx, publisher_no, client_no)
    if file is None:
        return None
    return f"{settings.public_edge}/f/{file.name}.xml{'.gz' if gzipped else ''}"


def ensure_file(
    tx: Tx, ids: Ids, publisher_no: int, now: Instant, client_no: int = ALL_CLIENTS
) -> None:
    """Create a publisher's file, and have it written: empty but well-formed while there is no job
    for it. Does nothing if it exists.
    """
    if rows.file_of(tx, publisher_no, client_no) is None:
        rows.add_file(tx, publisher_no, client_no, new_name(ids), now)
        enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def publish(tx: Tx, client_id: str, now: Instant) -> None:
    """Have a client's listings decided again: after any change of bids, states, dates, placements.

    After a change of a group's jobs, ``groups.rematch`` does this too.
    """
    enqueue(tx, kinds.FOLLOW, client_id, now)


def republish(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have a publisher's files decided again: after changes of its state, schema or least bid."""
    enqueue(tx, kinds.REPUBLISH, str(publisher_no), now)
    enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def take_over_address(tx: Tx, settings: Settings, now: Instant) -> tuple[str, int] | None:
    """If the edge's public address is not the one that links were last written with, have
    everything published again; returns the former address and the number of clients, else None.

    Links that are in use already work only as long as their own address does.
    """
    former, address = rows.link_address(tx), settings.public_edge
    if former == address:
        return None
    rows.put_link_address(tx, address, now)
    if former is None:
        return None
    return former, publish_again(tx, now)


def publish_again(tx: Tx, now: Instant) -> int:
    """Have everything published again, with links of the present form; returns of how many clients.
    There may be very many: a task for each is enqueued.
    """
    enqueue(tx, kinds.PUBLISH, EVERYBODY, now)
    return len(rows.clients_in_files(tx))


def rewrite_files(tx: Tx, now: Instant) -> None:
    """Have every file of every publisher written again, whatever it contains now."""
    for publisher_no in rows.forget_files(tx):
        enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def missing_files(tx: Tx, settings: Settings) -> int:
    """How many of the files that were written last are missing where the edge reads them."""
    feeds = settings.nearby_folder / "feeds"
    names = rows.last_written(tx, _MOST_LOOKED_AT)
    return sum(not (feeds / f"{name}.xml").exists() for name in names)


def forget_departures(tx: Tx, before: Instant, most: int) -> int:
    """Delete up to so many ends of prices that are older; how many there were."""
    return end_rows.forget_ends(tx, before, most)


def deliver_in_time(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have a publisher's files delivered after one of them was written: now, or when enough time
    has passed since the last try.
    """
    tried_at = delivery_rows.last_tried(tx, publisher_no)
    due_at = now if tried_at is None else max(now, tried_at + APART)
    enqueue(tx, kinds.DELIVER, str(publisher_no), now, due_at=due_at)


def deliver_all(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have all of a publisher's files delivered now, even if they are there already."""
    delivery_rows.forget_what_is_there(tx, publisher_no)
    enqueue(tx, kinds.DELIVER, str(publisher_no), now)


def deliver_changes(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have delivered now what is not there in its present form: after a change of the place."""
    enqueue(tx, kinds.DELIVER, str(publisher_no), now)
