"""Jobs of postings, as they are read and told."""

from operator import not_
from typing import Annotated, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.postings.slots import Reason
from handbill.wire.fields import Instant
from handbill.wire.models import Model
from handbill.wire.queries import Paged, Query
from handbill.wire.words import AnyCase


class PostingJob(Model):
    """A job of a posting."""

    id: str = Field(description="Id of the posting's job.")
    client_id: str = Field(alias="clientId", description="Client that the job belongs to.")
    job_id: str = Field(alias="jobId", description="Id of the job itself.")
    publisher_id: str = Field(alias="placement", description="Id of the publisher.")
    ref: str = Field(alias="refNumber", description="The job's reference at its client.")
    posted: bool = Field(alias="isPosted", description="Whether it holds a slot.")
    pinned: bool = Field(alias="isPinned", description="Whether it is never rotated out.")
    paused: bool = Field(alias="isPaused", description="Whether it is paused in this posting.")
    updated_at: Instant = Field(
        alias="lastModified", description="When it was last changed in this posting."
    )
    created_at: Instant = Field(alias="createdOn", description="When it was added to the posting.")
    status: Literal["A", "P"] = Field(
        description="State of the job itself. A: it can be shown. P: it cannot."
    )


class PostingJobs(Page[PostingJob]):
    """A client's jobs of a posting."""


class PostedJob(PostingJob):
    """A job that holds a slot at a publisher."""

    posting_id: str = Field(alias="configId", description="Id of the posting that shows it.")


class PostedJobPage(Page[PostedJob]):
    """A client's jobs that hold a slot at a publisher."""


class ReferenceResult(Model):
    """Result for one reference."""

    success: bool = Field(description="Whether it was done.")
    id: str | None = Field(exclude_if=not_, description="Id of the posting's job.")
    reason: Reason | None = Field(
        exclude_if=not_, alias="message", description="Why it was not done."
    )


class Processed(Model):
    """Result for each reference."""

    result: dict[str, ReferenceResult] = Field(description="Result for each reference.")
    message: str = Field(description="Confirmation.")


class PinnedPage(Paged):
    pinned: bool | None = Field(None, description="Only pinned, or only unpinned jobs.")


class PostingJobFilter(Query):
    paused: bool | None = Field(
        None, alias="isPaused", description="Only jobs that are paused in this posting, or are not."
    )
    pinned: bool | None = Field(
        None, alias="isPinned", description="Only pinned, or only unpinned jobs."
    )
    posted: bool | None = Field(
        None, alias="isPosted", description="Only jobs that hold a slot, or only those that do not."
    )
    status: Annotated[Literal["A", "P"], AnyCase()] | None = Field(
        None, description="Only jobs that are active themselves, or only paused ones."
    )
