"""How many listings of a client, or of some job groups, each publisher's file shows now."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from handbill.core.nouns import Client, Publisher
from handbill.listings import rosters, rows
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

MOST_LOOKED_AT: Final = 1_000_000
"""The most listings of one client that are read to count by job group."""


class ShownListings(NamedTuple):
    """``listings`` None: the client's part is too large to be read, or damaged."""

    publisher: Publisher
    listings: int | None


def shown(
    tx: Tx,
    blobs: Blobs,
    client: Client,
    some: Iterable[Publisher],
    group_nos: Collection[int] | None = None,
) -> list[ShownListings]:
    """How many listings each of these publishers' files shows. ``group_nos``: of these job groups
    only.
    """
    parts = rows.parts_of_client(tx, client.no)
    room = MOST_LOOKED_AT
    shown = []
    for publisher in some:
        part = parts.get(publisher.no)
        count: int | None = part.job_count if part else 0
        if part is not None and group_nos is not None:
            room -= part.job_count
            roster = rosters.read(blobs, part) if room >= 0 else None
            by_group = roster.count_by_group() if roster else None
            count = None if by_group is None else sum(by_group[no] for no in group_nos)
        shown.append(ShownListings(publisher, count))
    return shown
