"""A publisher family's own figures and feeds, as they are told to it."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.contract.overview.models import MOST_COMPARED, Value
from handbill.contract.publishers.models import FetchRows, fetch_rows
from handbill.core.metrics import Number, Sums, finished_as
from handbill.listings.copies import Copy
from handbill.stats import families
from handbill.stats.overviews import summed
from handbill.wire.fields import Day, Instant, Whole
from handbill.wire.models import Model
from handbill.wire.queries import Paged

FIGURES: Final[dict[str, Callable[[Sums], Number]]] = {
    name: finished_as(metric)
    for name, metric in {
        "clicks": "clicks",
        "botClicks": "botClicks",
        "duplicateClicks": "duplicateClicks",
        "foreignClicks": "foreignClicks",
        "latentClicks": "latentClicks",
        "overCapClicks": "overCapClicks",
        "applyStarts": "applyStarts",
        "applies": "applies",
        "grossSpend": "netSpent",
    }.items()
}
"""What a partner is told, and what makes it of raw sums: nothing of what others pay or earn."""
_NAMES: Final = (
    "clicks (the valid ones), botClicks, duplicateClicks, foreignClicks, latentClicks, "
    "overCapClicks (a cap was used up: nobody pays for them), applyStarts, applies, and "
    "grossSpend, the amount that may be invoiced."
)


class FamilyFiguresAsked(Paged):
    days: Annotated[int, Whole(1, MOST_COMPARED)] = Field(
        30, description=f"Number of days, today included, 1 to {MOST_COMPARED}. Default: 30."
    )


class FetchedFeed(FetchRows):
    """A feed of the publisher, and how it is fetched."""

    feed_url: str | None = Field(alias="feedUrl", description="Its address.")
    job_count: int = Field(alias="jobCount", description="Number of jobs in it.")
    written_at: Instant | None = Field(
        alias="writtenAt", description="When it was written last. Null: not yet."
    )


class PublisherOfFamily(Model):
    """One of the family's publishers, with what it brought."""

    id: str = Field(alias="publisherId", description="Its id.")
    name: str = Field(description="Its name.")
    agency_id: str = Field(alias="agencyId", description="The agency that it works for.")
    status: Literal["A", "P", "I"] = Field(
        alias="activeStatus", description="A: active. P: paused. I: deleted."
    )
    currency: str = Field(description="Currency of its amounts.")
    values: dict[str, list[Value]] = Field(
        description=f"By figure, the value of each day, oldest first: {_NAMES}"
    )
    total: dict[str, Value] = Field(description="By figure, the value of all days.")
    feeds: list[FetchedFeed] = Field(
        description=f"Its feeds, at most {families.MOST_FEEDS}: those not fetched in time first."
    )
    feed_count: int = Field(alias="feedCount", description="Number of its feeds.")
    lost_count: int = Field(
        alias="notFetchedCount", description="Number of its feeds that were not fetched in time."
    )


class FamilyFigures(Page[PublisherOfFamily]):
    """The family's publishers, oldest first."""

    first_on: Day = Field(alias="startDate", description="First day.")
    last_on: Day = Field(alias="endDate", description="Last day: today in UTC.")
    count: int = Field(
        alias="total", description="Number of publishers, also of those on other pages."
    )


def figures_told(
    found: families.FamilyDays, url_of: Callable[[families.PublisherDays, Copy], str | None]
) -> FamilyFigures:
    return FamilyFigures.of(
        rows=[_publisher(one, url_of) for one in found.publishers],
        first_on=found.first.isoformat(),
        last_on=found.last.isoformat(),
        count=found.in_all,
    )


def _publisher(
    one: families.PublisherDays, url_of: Callable[[families.PublisherDays, Copy], str | None]
) -> PublisherOfFamily:
    feeds = [
        FetchedFeed.of(
            feed_url=url_of(one, copy),
            job_count=copy.job_count,
            written_at=copy.written_at,
            **fetch_rows(copy.held),
        )
        for copy in one.copies
    ]
    return PublisherOfFamily.of(
        id=one.publisher.id,
        name=one.publisher.body.name,
        agency_id=one.agency_id,
        status=one.publisher.status,
        currency=one.currency,
        values={name: list(map(of, one.days)) for name, of in FIGURES.items()},
        total=_total(summed(one.days)),
        feeds=feeds,
        feed_count=one.files,
        lost_count=one.lost,
    )


def _total(sums: Sums) -> dict[str, Any]:
    return {name: of(sums) for name, of in FIGURES.items()}
