"""Inbound feeds and their runs, as they are read and told. **Source**: contract 1 (34 to 38)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from handbill.contract.envelopes import Page
from handbill.contract.feeds.mappings import Mappings, MappingsRow, PublisherNode
from handbill.contract.jobs.answers import Job
from handbill.core import feed_runs, feeds
from handbill.core.amounts import read_amount
from handbill.core.feed_mappings import CANONICAL, MANDATORY, STRUCTURE
from handbill.core.mapping import FIELD_NAME
from handbill.kit.faults import Fault, pointed
from handbill.kit.urls import NotUrl, page_url
from handbill.wire.fields import Distinct, Instant, Key, Matching, Url
from handbill.wire.models import Model, is_none, partial
from handbill.wire.queries import Query
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.wrong import Wrong


def _value_fault(name: str, text: str) -> str | None:
    """What is wrong with a value that stands for each job's own."""
    if name in STRUCTURE or name == "referencenumber":
        return "cannot be given a value"  # nobody's reference may be another job's
    if name not in CANONICAL and not FIELD_NAME.fullmatch(name):
        return "is not a field's name"
    if text.strip() and name == "cpc" and read_amount(text) is None:
        return "cannot be read as an amount"
    if text.strip() and name == "url":
        try:
            page_url(text)
        except NotUrl as bad:
            return str(bad)
    return None


def _known_fields(values: dict[str, str]) -> dict[str, str]:
    wrong = {name: _value_fault(name, text) for name, text in values.items()}
    faults = [Fault(f"/{pointed(name)}", says) for name, says in wrong.items() if says]
    if faults:
        raise Wrong(*faults)
    return values


def _canonical(name: str) -> str:
    if name not in CANONICAL:
        raise ValueError("must be a canonical field name")
    return name


Parameter = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NOT_BLANK)]
Value = Annotated[str, StringConstraints(max_length=4_000)]
Values = Annotated[dict[Key, Value], Field(max_length=100), AfterValidator(_known_fields)]
StrippedRow = Annotated[
    Distinct[Parameter],
    Field(
        alias="urlParamsToStrip",
        max_length=50,
        description="Query parameters that are removed from every job's URL. `utm_*`: all that "
        "begin so.",
    ),
]
OverridesRow = Annotated[
    Values,
    Field(
        alias="schemaValueOverrides",
        description="Maps a field to the value that replaces the feed's.",
    ),
]
DefaultsRow = Annotated[
    Values,
    Field(
        alias="schemaValueDefaults",
        description="Maps a field to the value that is used if the feed has none.",
    ),
]
MandatoryRow = Annotated[
    Distinct[Annotated[str, AfterValidator(_canonical)]],
    Field(
        alias="mandatoryFields",
        max_length=len(CANONICAL),
        description="Fields without which a job is kept, but is not valid. Default: "
        + ", ".join(MANDATORY)
        + ".",
    ),
]


class FeedLogin(Model):
    """Credentials for HTTP Basic."""

    username: Annotated[
        str,
        Matching(
            r"[^:]*", "must not contain a colon, which ends a user name in HTTP Basic", least=0
        ),
    ] = Field(description="User name of HTTP Basic.")
    password: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="The password. It is never returned."
    )


class FeedConfig(Model):
    """How a feed is fetched."""

    user_agent: (
        Annotated[str, Matching(r"[\x20-\x7e]+", "must be printable ASCII characters")] | None
    ) = Field(None, alias="userAgent", exclude_if=is_none, description="User-Agent of the request.")
    auth: FeedLogin | None = Field(
        None, exclude=True, description="Credentials for the feed's server; never shown again."
    )


class NewFeed(Model):
    url: Url = Field(alias="xmlFeedUrl", description="Address of the feed, http or https.")
    mappings: MappingsRow = Field({})
    publisher_node: PublisherNode = Field(
        None, alias="schemaMappingPublisher", description="The same as in schemaMappings."
    )
    url_params_to_strip: StrippedRow = Field([])
    value_overrides: OverridesRow = Field({})
    value_defaults: DefaultsRow = Field({})
    mandatory_fields: MandatoryRow = Field([])
    config: FeedConfig | None = Field(None, description="How the feed is fetched.")


FeedChange = partial(NewFeed, "FeedChange")


class Feed(Model):
    """An inbound feed: an XML file of jobs that a client publishes."""

    client_id: str = Field(alias="clientId", description="Client of the feed.")
    url: str = Field(alias="source", description="Address of the feed.")
    config: FeedConfig = Field(description="How the feed is fetched, without credentials.")
    created_at: Instant = Field(alias="createdOn", description="When it was created.")
    updated_at: Instant = Field(alias="lastUpdated", description="When it was last changed.")
    active: bool = Field(description="Whether it is fetched on schedule.")
    mappings: MappingsRow
    url_params_to_strip: StrippedRow
    id: str = Field(description="The feed's id.")
    deleted: Literal[False] = Field(description="Always false: deleted feeds are not returned.")
    value_overrides: OverridesRow
    value_defaults: DefaultsRow
    mandatory_fields: MandatoryRow


class FeedPage(Page[Feed]):
    """A client's feeds, oldest first."""


class RunCounts(Model):
    """Result for a feed's items."""

    total: int = Field(description="Items in the feed.")
    added: int = Field(description="New jobs.")
    changed: int = Field(description="Jobs whose content differs from before.")
    unchanged: int = Field(description="Jobs whose content is the same.")
    revived: int = Field(description="Jobs that were missing before and are back.")
    left: int = Field(description="Jobs that the feed no longer contains.")
    invalid: int = Field(description="Jobs that are stored, but are not valid.")
    duplicates: int = Field(
        description="Items whose reference occurs again later in the feed; the last one counts."
    )
    skipped: int = Field(description="Items without a usable reference.")
    api_owned: int = Field(
        description="Items whose reference belongs to a job that was added by API."
    )
    other_feed: int = Field(description="Items whose reference belongs to another feed's job.")
    deleted: int = Field(
        description="Items whose job was deleted here. It stays deleted until the feed drops it, "
        "or it is added by API."
    )


class RunFault(Model):
    """A fault of one job of a feed."""

    job: str = Field(description="Reference of the job.")
    field: str = Field(description="Canonical name of the field.")
    line: int = Field(description="Line at which the job begins. 0: unknown.")
    reason: str = Field(description="Code of the fault.")
    message: str = Field(description="Description of the fault.")


Reason = Annotated[str, Field(description="Code of the failure. Empty: none.")]
Message = Annotated[str, Field(description="Further details.")]
Line = Annotated[int, Field(description="Line of the feed at which it failed. 0: none.")]
Bytes = Annotated[int, Field(description="Bytes read, after decompression.")]
FaultCounts = Annotated[
    dict[str, int],
    Field(alias="faultCounts", description="Number of faults of single jobs, by reason."),
]
Faults = Annotated[list[RunFault], Field(description="The first 100 of these faults.")]


class Run(Model):
    """One import of a feed."""

    id: str = Field(description="The run's id.")
    state: Literal["QUEUED", "RUNNING", "SUCCESS", "FAILED"] = Field(
        alias="status", description="State of the run. After FAILED the former jobs remain."
    )
    percent: int = Field(description="Share of the feed that was read, by its last known size.")
    reason: Reason
    message: Message
    line: Line
    created_at: Instant = Field(alias="createdOn", description="When it was requested.")
    ended_at: Instant | None = Field(alias="endedOn", description="When it ended.")
    bytes: Bytes
    counts: RunCounts = Field(description="Result for the items.")
    fault_counts: FaultCounts
    faults: Faults


class RunPage(Page[Run]):
    """A feed's runs, newest first."""


class RunQuery(Query):
    force: bool = Field(
        False, description="Import the feed even if it is empty or lost more than half its jobs."
    )


class PreviewCounts(Model):
    """Result for the items that were read."""

    total: int = Field(description="Items in the part that was read.")
    valid: int = Field(description="Jobs that are valid.")
    invalid: int = Field(description="Jobs that would be kept, but are not valid.")
    duplicates: int = Field(
        description="Items whose reference occurs again later in the feed; the last one counts."
    )
    skipped: int = Field(description="Items without a usable reference.")


class FeedPreview(Model):
    """Result of reading the beginning of a feed. Nothing is saved."""

    status: Literal["SUCCESS", "FAILED"] = Field(description="Whether a run could import it.")
    reason: Reason
    message: Message
    line: Line
    stopped: Literal["END", "ITEMS", "BYTES", "FETCH"] = Field(
        alias="stoppedBy",
        description="Why reading stopped: the feed's end, 500 items, 5 MB, or a download that "
        "broke off or took longer than 10 seconds.",
    )
    bytes: Bytes
    counts: PreviewCounts = Field(description="Result for the items.")
    fault_counts: FaultCounts
    faults: Faults
    mappings: MappingsRow
    proposal: Mappings | None = Field(
        alias="proposedMappings",
        description="The mapping that the feed's beginning suggests. Null: its format is not "
        "known.",
    )
    nodes: list[str] = Field(description="Nodes of its first item, at most 200.")
    fields: list[str] = Field(description="Fields of the client's own that were found.")
    jobs: list[Job] = Field(description="The first 3 jobs, as they would be kept.")


def feed_told(feed: feeds.Feed, client_id: str) -> Feed:
    body = feed.body
    return Feed.of(
        body,
        id=feed.id,
        client_id=client_id,
        created_at=feed.created_at,
        updated_at=feed.updated_at,
        active=feed.status == "A",
        deleted=False,
        config=FeedConfig.of(user_agent=body.config.get("user_agent")),
        mandatory_fields=body.mandatory_fields or list(MANDATORY),
    )


def run_told(run: feed_runs.FeedRun) -> Run:
    counts = {name: run.body.counts.get(name, 0) for name in RunCounts.names}
    return Run.of(
        run.body,
        id=run.id,
        state=run.state,
        percent=run.percent,
        created_at=run.created_at,
        ended_at=run.ended_at,
        counts=RunCounts.of(**counts),
    )
