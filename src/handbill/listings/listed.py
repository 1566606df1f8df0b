"""How many listings of a client, or of job groups of it, each publisher's file shows right now."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from handbill.core.nouns import Client, Publisher
from handbill.listings import rosters, rows
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

MOST_LOOKED_AT: Final = 1_000_000
"""Listings of one client that are looked through for job groups."""


class Shown(NamedTuple):
    """``listings`` None: the client's part is too large to be looked through, or damaged."""

    publisher: Publisher
    listings: int | None


def shown(
    tx: Tx,
    blobs: Blobs,
    client: Client,
    some: Iterable[Publisher],
    group_nos: Collection[int] | None = None,
) -> list[Shown]:
    """Of each of these publishers, how many listings its file shows. ``group_nos``: of these job
    groups alone.
    """
    parts = rows.parts_of_client(tx, client.no)
    room = MOST_LOOKED_AT
    found = []
    for publisher in some:
        part = parts.get(publisher.no)
        count: int | None = part.job_count if part else 0
        if part is not None and group_nos is not None:
            room -= part.job_count
            roster = rosters.read(blobs, part) if room >= 0 else None
            by_group = roster.count_by_group() if roster else None
            count = None if by_group is None else sum(by_group[no] for no in group_nos)
        found.append(Shown(publisher, count))
    return found
