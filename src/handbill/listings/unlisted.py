"""Which jobs of a client no publisher's file lists now."""

from collections.abc import Iterator
from typing import Final

from handbill.core.nouns import Client
from handbill.jobs import service as jobs
from handbill.jobs.service import JobLine, JobOrder
from handbill.kit.faults import refused_state
from handbill.listings import rosters, rows
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

MOST_LISTINGS: Final = 20_000_000
"""The most listings of one client that are looked at."""


def unlisted(
    tx: Tx, blobs: Blobs, client: Client, order: JobOrder, after: str | None
) -> Iterator[JobLine]:
    """The client's live jobs that are in no publisher's file, in an order, from behind a job on.

    **Refuses** (400) a client with more than 20,000,000 listings, and one whose listings at a
    publisher cannot be read.
    """
    listed = _listed(tx, blobs, client)
    for line in jobs.lines(tx, client.no, order, after):
        if bytes.fromhex(line.id) not in listed:
            yield line


def _listed(tx: Tx, blobs: Blobs, client: Client) -> set[bytes]:
    parts = rows.parts_of_client(tx, client.no).values()
    if sum(part.job_count for part in parts) > MOST_LISTINGS:
        raise refused_state("show", f"there are more than {MOST_LISTINGS} listings to look at")
    found: set[bytes] = set()
    for part in parts:
        roster = rosters.read(blobs, part)
        if roster is None:
            raise refused_state("show", "what a publisher's feed lists cannot be read at present")
        found.update(roster.ids())
    return found
