"""What control has noted, for those who ask; nothing is decided here."""

from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from handbill.control import rows
from handbill.core.nouns import Publisher
from handbill.core.pacing.bids import BidLine
from handbill.kit.instants import Instant
from handbill.store.records import Tx


class PublishedChange(NamedTuple):
    """A change of a published bid. ``version``: of the first file with it that was fetched."""

    at: Instant
    publisher_id: str
    line: BidLine
    version: Instant | None


def bids_of(
    tx: Tx, group_no: int, publishers: Iterable[Publisher], first: Instant, end: Instant
) -> list[PublishedChange]:
    """The changes of a job group's bids at these publishers in some time, newest first."""
    ids = {one.no: one.id for one in publishers}
    changes = [
        PublishedChange(one.at, ids[no], one.line, one.version)
        for no, one in rows.logged(tx, group_no, ids, first, end)
    ]
    return sorted(changes, key=attrgetter("at", "publisher_id"), reverse=True)
