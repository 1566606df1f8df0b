"""Jobs, as they are told: a thousand at a time. **Source**: domain 1.7, 14.16 to 14.19."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from pydantic import Field

from handbill.contract.jobs.models import JobPlacement, JobSetting, PublisherFields, Zip
from handbill.core import nouns
from handbill.kit.instants import Instant as At
from handbill.kit.instants import instant_of_iso, iso_of
from handbill.wire.fields import Instant
from handbill.wire.models import Model, spelled, written_as

JobStatus = Literal["ACTIVE", "PAUSED", "EXPIRED"]
"""A job's own state (contract 3)."""


class Job(Model):
    """A job: its content, its settings and its own state."""

    ref: str = Field(alias="refNumber", description="Reference number, unique in the client.")
    title: str = Field(description="Title.")
    company: str = Field(description="Company name.")
    description: str = Field(description="Description, text or HTML.")
    category: str = Field(description="Category.")
    city: str = Field(description="City.")
    state: str = Field(description="State.")
    country: str = Field(description="Country.")
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = Field(
        alias="jobId", description="The job's id. It never changes."
    )
    zip: Zip = Field(description="Zip code, as received.")
    created_at: Instant = Field(alias="createdAtDate", description="When it was first received.")
    updated_at: Instant = Field(alias="updatedAtDate", description="When it was last changed.")
    published_at: Instant | None = Field(
        alias="pubDate", description="Time of publication. Null: unknown."
    )
    posted_at: Instant | None = Field(
        alias="postedDate", description="When the job was posted. Null: unknown."
    )
    modified_at: Instant | None = Field(
        alias="modifiedDate", description="When the source last changed the job. Null: unknown."
    )
    type: str = Field(description="Type of job, such as FULL_TIME.")
    additional: dict[str, str] = Field(
        alias="additionalFields", description="The client's own fields."
    )
    publisher_fields: PublisherFields = Field(
        alias="publisherFields",
        description="Publishers that may carry the job, and additional nodes by publisher.",
    )
    setting: JobSetting = Field(
        alias="jobSetting", description="Bids, markdown, caps and dates of this job alone."
    )
    placements: list[JobPlacement] = Field(
        alias="placementSettings", description="Settings of this job for single publishers."
    )
    client_id: str = Field(alias="clientId", description="Id of its client.")
    valid: bool = Field(
        description="Whether it has all mandatory fields. Otherwise it is not published."
    )
    status: JobStatus = Field(description="State of the job itself.")
    url: str = Field(description="URL of the job, where clicks go.")
    alternate_url: str = Field(
        alias="alternateURL", description="Target of clicks if there is no url."
    )
    end_at: Instant | None = Field(alias="endAtDate", description="End. Null: never.")
    missing: list[str] = Field(
        alias="missingFields", description="Mandatory fields that are empty."
    )
    is_from_feed: bool = Field(
        alias="fromFeed",
        description="Whether the job comes from a feed. Otherwise it was added by API.",
    )


class JobPage(Model):
    """Jobs, oldest first."""

    rows: list[Job] = Field(alias="data", description="The jobs of the page.")
    live: int = Field(
        alias="summary", description="Number of the client's jobs, without expired ones."
    )


_Written: Any = written_as(Job)
"""A job as it is written as JSON: a thousand of these are written several times as fast as models
that pydantic's serializer has turned into dicts.
"""
_NOTHING: Final[dict[str, Any]] = {}
_FIRST: Final = attrgetter(*Job.names[: Job.names.index("id")])


class _Ends(Protocol):
    """A job, whole or in brief."""

    @property
    def status(self) -> str: ...

    def expired(self, now: At) -> bool: ...


def status_of(job: _Ends, now: At) -> JobStatus:
    """A job's own state (contract 3)."""
    if job.expired(now):
        return "EXPIRED"
    return "ACTIVE" if job.status == "A" else "PAUSED"


class _Isos(dict[At | None, str | None]):
    """Instants as they are written, each once: those of a job, or of an import, are much alike."""

    def __missing__(self, at: At) -> str:
        self[at] = text = iso_of(at)
        return text


def jobs_told(jobs: Iterable[nouns.Job], client_id: str, now: At) -> list[Any]:
    """Jobs of a client as they are written: the rows of ``Job``, in its order."""
    iso = _Isos({None: None})
    rows = []
    for job in jobs:
        body = job.body
        one = _Written(
            *_FIRST(body),
            job.id,
            body.zip,
            iso[job.created_at],
            iso[job.updated_at],
            iso[body.published_at],
            iso[body.posted_at],
            iso[body.modified_at],
            body.type,
            body.additional,
            body.publisher_nodes,
            _NOTHING,
            (),
            client_id,
            job.valid,
            status_of(job, now),
            body.url,
            body.alternate_url,
            iso[body.end_at],
            body.missing,
            job.feed_no is not None,
        )
        if body.settings is not None:
            _tell_settings(one, body, body.settings)
        rows.append(one)
    return rows


def _tell_settings(one: Any, body: nouns.JobBody, settings: nouns.JobSettings) -> None:
    if settings.publishers is not None:
        one.publisher_fields = body.publisher_nodes | {"publishers": settings.publishers}
    setting = settings.setting
    caps = setting.caps if setting.caps != nouns.Caps() else None
    one.setting = spelled(JobSetting.of(setting, caps=caps))
    one.placements = list(map(placed, settings.placements))


def placed(one: nouns.JobPlacement) -> dict[str, Any]:
    """A job's settings for a publisher, in the form in which they can be sent back."""
    settings: dict[str, Any] = spelled(JobPlacement.of(one, caps=one if one.budget else None))
    return settings


def example() -> dict[str, Any]:
    """A job as the document shows it; names and values are those of the reference's sample."""
    at = instant_of_iso("2019-11-29T10:00:00Z")
    body = nouns.JobBody(
        ref="test-job-ref-number-19",
        title="test title",
        company="test company",
        description="apply for this single job",
        category="Maintenance",
        city="Eluru",
        state="Telangana",
        country="US",
        zip=500081,
        type="FULL_TIME",
        published_at=at,
        posted_at=at,
        modified_at=at,
        url="https://jobs.example.com/19",
        additional={"external-data": "a12"},
    )
    job = nouns.Job(
        no=0,
        id="e13cd1d459a7be781712aa2636a9580c",
        client_no=0,
        feed_no=None,
        status="A",
        valid=True,
        created_at=at,
        updated_at=at,
        body=body,
    )
    (row,) = jobs_told([job], "40194b3f-7b49-41e8-b235-4d93a50330f3", at)
    sample: dict[str, Any] = msgspec.to_builtins(row)
    return sample
