"""Jobs by their figures: the largest first, or those that cost and bring nothing.

**Source**: core.metrics; stats tell the same figures.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from handbill.access import service as access
from handbill.core.metrics import Sums
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.stats.answering import Answering, ThingFilter
from handbill.stats.questions import Filters, planned
from handbill.store.records import Tx

Show = Literal["ALL", "SPENT", "NO_APPLY"]
Sort = Literal["spent", "clicks", "applies"]
_SHOWN: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "ALL": ((), ()),
    "SPENT": (("spent",), ()),
    "NO_APPLY": (("clicks",), ("applies",)),
}
_MEMORY_MB: Final = 256


class JobFigures(NamedTuple):
    """A job's raw sums. Without reference and title: it is no longer kept."""

    id: str
    ref: str
    title: str
    sums: Sums


class JobsByFigures(NamedTuple):
    """``in_all``: how many were asked for, also on other pages."""

    currency: str
    first: date
    last: date
    jobs: Sequence[JobFigures]
    in_all: int


def jobs_by_figures(
    tx: Tx,
    answering: Answering,
    client: Client,
    days: int,
    show: Show,
    sort: Sort,
    sums: Collection[str],
    skip: int,
    limit: int,
    now: Instant,
) -> JobsByFigures:
    """A client's jobs with any event in the last days, today included, the largest first; of each
    the raw sums that are asked for, and 0 for others.
    """
    last = day_of(now, zone_of(client.zone))
    first = last - timedelta(days=days - 1)
    plan = planned(tx, client, Filters(first.isoformat(), last.isoformat()), ["JOB"], now)
    some, none = _SHOWN[show]
    count, figures = answering.largest(
        plan, ThingFilter(sort, some, none, sums), skip, limit, _MEMORY_MB
    )
    return JobsByFigures(
        access.agency_by_number(tx, client.agency_no).currency,
        date.fromisoformat(plan.first_on),
        last,
        [JobFigures(id_, ref, title, sums) for (id_, ref, title), sums in figures],
        count,
    )
