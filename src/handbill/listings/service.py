"""What can be asked of listings: where a publisher fetches its feed, and to write feeds again."""

from handbill.host.ids import Ids, new_name
from handbill.host.settings import Settings
from handbill.kit.instants import MINUTE, Instant
from handbill.listings import delivery_rows, rows
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, enqueue

APART = 5 * MINUTE
"""Between deliveries that nobody has asked for; what has changed meanwhile goes with the next."""
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
        rows.add_file(tx, publisher_no, client_no, new_name(ids), now)
        enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def publish(tx: Tx, client_id: str, now: Instant) -> None:
    """Have a client's listings decided again: after any change of bids, states, dates, placements.

    A change of which jobs a group has goes through ``groups.rematch``, which asks for this too.
    """
    enqueue(tx, kinds.FOLLOW, client_id, now)


def republish(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have a publisher's files decided again: after a change of its state, schema or least bid."""
    enqueue(tx, kinds.REPUBLISH, str(publisher_no), now)
    enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def take_over_address(tx: Tx, settings: Settings, now: Instant) -> tuple[str, int] | None:
    """Have all that is published written again when the edge's public address is another one than
    links were last written with: the former address, and of how many clients; else None.

    The links that are out already stay as good as their address.
    """
    former, address = rows.link_address(tx), settings.public_edge
    if former == address:
        return None
    rows.put_link_address(tx, address, now)
    if former is None:
        return None
    return former, publish_again(tx, now)


def publish_again(tx: Tx, now: Instant) -> int:
    """Have all that is published written again, with links as they are made now; of how many
    clients. There may be very many: a task asks for each.
    """
    enqueue(tx, kinds.PUBLISH, EVERYBODY, now)
    return len(rows.clients_in_files(tx))


def rewrite_files(tx: Tx, now: Instant) -> None:
    """Have every file of every publisher written again, whatever stands there."""
    for publisher_no in rows.forget_files(tx):
        enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def missing_files(tx: Tx, settings: Settings) -> int:
    """How many of the files that were written last are not where the edge reads them."""
    feeds = settings.nearby_folder / "feeds"
    names = rows.last_written(tx, _MOST_LOOKED_AT)
    return sum(not (feeds / f"{name}.xml").exists() for name in names)


def forget_departures(tx: Tx, before: Instant, most: int) -> int:
    """Drop so many ends of prices that are older; how many there were."""
    return rows.forget_ends(tx, before, most)


def deliver_in_time(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have a publisher's files delivered after one of them was written: now, or when the last try
    is long enough ago.
    """
    tried_at = delivery_rows.last_tried(tx, publisher_no)
    due_at = now if tried_at is None else max(now, tried_at + APART)
    enqueue(tx, kinds.DELIVER, str(publisher_no), now, due_at=due_at)


def deliver_all(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have all of a publisher's files delivered now, whatever is there already."""
    delivery_rows.forget_what_is_there(tx, publisher_no)
    enqueue(tx, kinds.DELIVER, str(publisher_no), now)


def deliver_changes(tx: Tx, publisher_no: int, now: Instant) -> None:
    """Have delivered now what is not there as it is: after a change of where that is."""
    enqueue(tx, kinds.DELIVER, str(publisher_no), now)
