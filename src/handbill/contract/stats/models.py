"""Questions for stats, and how answers are told. **Source**: contract 4, domain 14.22 and 14.23."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from handbill.kit.faults import Fault
from handbill.stats import questions
from handbill.stats.questions import Format, Level
from handbill.wire.fields import Day, Reference, Zone
from handbill.wire.models import Model, is_none, together
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.words import AnyCase
from handbill.wire.wrong import Wrong, WrongBeside


def _day_text(day: str) -> str:
    if not day:
        raise ValueError("is required")
    return day


SaidDay = Annotated[Day, AfterValidator(_day_text)]
Ids = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NOT_BLANK)]],
    Field(max_length=1_000),
]
AnyLevel = Annotated[Level, AnyCase()]
_THEIRS = "including deleted ones. Others are 404."


class StatsFilters(Model):
    makes = questions.Filters
    start_on: SaidDay = Field(
        alias="startDate",
        description="The first day, at most 60 days back. Older days are left out, and so are days "
        "of which entries are not kept any more; the answer says so.",
    )
    end_on: SaidDay = Field(alias="endDate", description="The last day, included.")
    zone: Zone = Field(
        "",
        alias="timeZone",
        description="Time zone of the days. Default: the client's.",
    )
    campaign_ids: Ids = Field(
        [], alias="campaignIds", description=f"Only these campaigns, {_THEIRS}"
    )
    group_ids: Ids = Field([], alias="jobGroupIds", description=f"Only these job groups, {_THEIRS}")
    publisher_ids: Ids = Field(
        [], alias="publisherIds", description=f"Only these publishers, {_THEIRS}"
    )
    refs: Annotated[list[Reference], Field(max_length=1_000)] = Field(
        [],
        alias="refNumbers",
        description="Only the jobs with these references, including deleted ones. An integer is "
        "read as its digits. Unknown references match nothing.",
    )

    @together("start_on", "end_on")
    def _in_order(self) -> None:
        if self.start_on > self.end_on:
            raise Wrong(Fault("/endDate", "must not be before startDate"))


def _levels(primary: Level, secondary: Any = None, tertiary: Any = None) -> tuple[Level, ...]:
    return tuple(level for level in (primary, secondary, tertiary) if level is not None)


class StatsLevels(Model):
    makes = staticmethod(_levels)
    primary: AnyLevel = Field(alias="primaryLevel", description="First level of grouping.")
    secondary: AnyLevel | None = Field(
        None, alias="secondaryLevel", description="The second level of grouping."
    )
    tertiary: AnyLevel | None = Field(
        None, alias="tertiaryLevel", description="The third level of grouping. Requires the second."
    )

    @together("primary")
    def _distinct(self) -> None:
        if self.tertiary is not None and self.secondary is None:
            raise WrongBeside(Fault("/tertiaryLevel", "needs a secondaryLevel"))
        differs = "must differ from the other levels"
        if self.secondary == self.primary:
            raise Wrong(Fault("/secondaryLevel", differs))
        if self.tertiary is not None and self.tertiary in {self.primary, self.secondary}:
            raise Wrong(Fault("/tertiaryLevel", differs))


class StatsQuestion(Model):
    makes = questions.Question
    filters: StatsFilters = Field(description="Events that are counted.")
    levels: StatsLevels = Field(
        alias="aggregationLevel", description="Levels by which the report is grouped."
    )
    format: Annotated[Format, AnyCase()] = Field(
        "CSV", description="Format of the files. Default: CSV."
    )
    gzip: bool = Field(
        False, description="Whether CSV and JSONL files are compressed. Default: false."
    )


class StatsSubmitted(Model):
    """The request is valid. The report will be made."""

    task_id: str = Field(alias="taskId", description="Address to poll: GET /stats/{taskId}.")
    status: Literal["SUBMITTED"] = Field(
        description="The request is valid. The report will be made."
    )


class StatsStatus(Model):
    """State of a report, and the links to its files."""

    status: Literal["SUBMITTED", "IN_PROGRESS", "SUCCESS", "FAILED", "NO_RECORDS_FOUND"] = Field(
        description="State of the report."
    )
    location: list[str] = Field(
        description="Links to the files, one per 100,000 rows, valid for 24 hours."
    )
    message: str | None = Field(
        None,
        exclude_if=is_none,
        description="Why the report failed, or which days it omits because they are too old.",
    )


class StatsLine(Model):
    """A line of a streamed report."""

    number: int = Field(alias="streamNumber", description="Number of the line, from 1.")
    stats: list[dict[str, Any]] = Field(
        description="Rows with id and name of each level, followed by the metrics and by "
        "resolvedStatus and resolvedStatusDescription of the lowest level (empty for a job, a "
        "publisher or a day alone). Empty in lines without data."
    )
    message: str | None = Field(
        None,
        exclude_if=is_none,
        description="Only in the last line, and only if the report is incomplete.",
    )
