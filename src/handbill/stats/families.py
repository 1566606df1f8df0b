"""What the publishers of one family brought by day, and what may be invoiced for it; and how their
feeds are fetched. Nothing here tells whose jobs it was for, what was bid, or what was added to it.

**Source**: the sums that the judge keeps; publisher reports tell the same figures.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from handbill.access import service as access
from handbill.core.metrics import Sums
from handbill.core.nouns import Publisher
from handbill.kit.instants import Instant, moment_of
from handbill.ledger import daily_sums
from handbill.listings import copies
from handbill.listings.copies import Copy
from handbill.publishers.service import publishers_by_number
from handbill.stats.overviews import by_day
from handbill.store.records import Tx

MOST_FEEDS: Final = 50
"""Of one publisher: it may have one for each client."""


class PublisherDays(NamedTuple):
    """A publisher's raw sums of each day, oldest first. ``copies``: of its files, those that were
    not fetched in time first, at most 50; ``files``: how many it has, ``lost``: how many were not
    fetched in time. ``currency``: of its agency, in which amounts are booked.
    """

    publisher: Publisher
    agency_id: str
    currency: str
    days: Sequence[Sums]
    copies: Sequence[Copy]
    files: int
    lost: int


class FamilyDays(NamedTuple):
    """``in_all``: how many publishers the family has, also on other pages."""

    first: date
    last: date
    publishers: Sequence[PublisherDays]
    in_all: int


def figures_of(
    tx: Tx, family_no: int, days: int, skip: int, limit: int, now: Instant
) -> FamilyDays:
    """A family's last days, today in UTC included, each in the zone of its client; some of its
    publishers, oldest first, with deleted ones: what they brought may still be invoiced.
    """
    last = moment_of(now).date()
    first = last - timedelta(days=days - 1)
    every = publishers_by_number(tx, access.family_publishers(tx, family_no))
    shown = [every[no] for no in sorted(every)][skip : skip + limit]
    nos = [one.no for one in shown]
    sums = daily_sums.of_publishers(tx, nos, first.isoformat())
    held = _by_publisher(copies.copies_of(tx, nos, now))
    agencies = {no: access.agency_by_number(tx, no) for no in {one.agency_no for one in shown}}
    return FamilyDays(
        first,
        last,
        [
            PublisherDays(
                one,
                agencies[one.agency_no].id,
                agencies[one.agency_no].currency,
                by_day(sums.get(one.no, {}), first, last),
                held.get(one.no, [])[:MOST_FEEDS],
                len(held.get(one.no, ())),
                sum(copy.held.lost for copy in held.get(one.no, ())),
            )
            for one in shown
        ],
        len(every),
    )


def _by_publisher(some: Iterable[Copy]) -> dict[int, list[Copy]]:
    by_publisher: dict[int, list[Copy]] = {}
    for copy in sorted(
        some, key=lambda one: (not one.held.lost, -one.held.fetched_at, one.client_no)
    ):
        by_publisher.setdefault(copy.publisher_no, []).append(copy)
    return by_publisher
