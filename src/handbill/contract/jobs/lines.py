"""A client's jobs in brief: all, those that no publisher's feed lists, or never listed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.contract.jobs.answers import JobStatus, status_of
from handbill.jobs import service
from handbill.jobs.service import JobOrder
from handbill.kit.instants import Instant as At
from handbill.wire.fields import Matching, Whole
from handbill.wire.models import Model
from handbill.wire.queries import Query
from handbill.wire.words import AnyCase

_NO_PLACE: Final = "must be next of a previous answer"
MOST_LINES: Final = 10_000
ShownJobs = Literal["ALL", "UNLISTED", "NEVER_LISTED"]


class JobLinesAsked(Query):
    show: Annotated[ShownJobs, AnyCase()] = Field(
        "ALL",
        description="ALL; UNLISTED: only jobs that no publisher's feed lists now; NEVER_LISTED: "
        "only jobs that none has ever listed. Default: ALL.",
    )
    sort: Annotated[JobOrder, AnyCase()] = Field(
        "ADDED", description="ADDED: oldest first. TITLE: by title. Default: ADDED."
    )
    limit: Annotated[int, Whole(1, MOST_LINES)] = Field(
        50, description=f"Number of jobs, 1 to {MOST_LINES}. Default: 50."
    )
    cursor: Annotated[str, Matching(r"[0-9a-f]{32}", _NO_PLACE, most=32)] | None = Field(
        None, description="Continues a list: next of the previous answer."
    )


class JobInBrief(Model):
    """A job in brief."""

    id: str = Field(alias="jobId", description="Its id.")
    ref: str = Field(alias="refNumber", description="Its reference.")
    title: str = Field(description="Title.")
    company: str = Field(description="Company name.")
    city: str = Field(description="City.")
    state: str = Field(description="State.")
    country: str = Field(description="Country.")
    status: JobStatus = Field(description="State of the job itself.")
    valid: bool = Field(
        description="Whether it has all mandatory fields. Otherwise it is not published."
    )
    missing: list[str] = Field(
        alias="missingFields", description="Mandatory fields that are empty."
    )


class JobLines(Page[JobInBrief]):
    """Jobs in brief."""

    next: str | None = Field(description="Cursor of the next page. Null: there is none.")


def lines_told(
    some: Iterable[service.JobLine], lacking: Mapping[str, Sequence[str]], now: At
) -> list[JobInBrief]:
    """``lacking``: what jobs that are not valid lack, by id."""
    return [
        JobInBrief.of(
            one,
            status=status_of(one, now),
            valid=bool(one.valid),
            missing=list(lacking.get(one.id, ())),
        )
        for one in some
    ]
