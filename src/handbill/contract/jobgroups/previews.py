"""What a job group would take, asked and told: an addition to the contract; nothing is kept."""

from collections import Counter
from collections.abc import Mapping

from pydantic import Field

from handbill.contract.envelopes import ChildName, IsDefaultGroup, Warned
from handbill.contract.filters import JobTree
from handbill.contract.jobgroups.models import NewJobGroup
from handbill.core import nouns
from handbill.groups import previewing
from handbill.wire.fields import Id
from handbill.wire.models import Model, partial
from handbill.wire.pointers import pointers

_Some = partial(
    NewJobGroup,
    "JobGroupSome",
    only=("priority", "placements", "cpc_bid_micros", "cpa_bid_micros"),
)


class NewJobGroupPreview(_Some):  # type: ignore[misc, valid-type]
    filters: JobTree = Field(description="Decides which jobs it would take.")
    group_id: Id | None = Field(
        None,
        alias="jobGroupId",
        description="The job group that would be changed this way. Default: a new one.",
    )

    def body(self) -> nouns.GroupBody:
        given = self.given()
        rows = ("filters", "placements", "cpc_bid_micros", "cpa_bid_micros")
        return nouns.GroupBody("", **{name: given[name] for name in rows if given.get(name)})


class JobsCounted(ChildName):
    """Jobs of one job group."""

    is_default: IsDefaultGroup
    jobs: int = Field(description="Number of jobs.")


class JobGroupPreview(Model):
    """Jobs that a job group would take, and their current groups."""

    looked_at: int = Field(
        alias="lookedAt", description="Live, valid jobs of the client that were examined."
    )
    complete: bool = Field(
        description="Whether all jobs were examined; at most the first 500,000 are."
    )
    matched: int = Field(description="Jobs that the filter matches.")
    taken: int = Field(description="Jobs that the job group would have.")
    given_up: int = Field(alias="givenUp", description="Jobs that it has now and would lose.")
    taken_from: list[JobsCounted] = Field(
        alias="takenFrom", description="Current job groups of these jobs, most jobs first."
    )
    kept_by: list[JobsCounted] = Field(
        alias="keptBy",
        description="Higher ranked job groups that keep jobs which the filter matches.",
    )
    refs: list[str] = Field(
        alias="refNumbers", description="The first 100 jobs that it would have."
    )
    warnings: list[Warned] = Field(
        description="Settings that are accepted but have no effect: fields that no job of the "
        "client has, and placements for which the job group's bid is too low."
    )


def preview_told(
    found: previewing.GroupPreview, groups: Mapping[int, nouns.Group]
) -> JobGroupPreview:
    """``groups``: all that are counted, by number."""

    def counted(counts: Counter[int]) -> list[JobsCounted]:
        return [
            JobsCounted.of(groups[no], name=groups[no].body.name, jobs=jobs)
            for no, jobs in counts.most_common()
        ]

    taken = found.taken_from.total()
    return JobGroupPreview.of(
        found,
        matched=taken + found.kept_by.total(),
        taken=taken,
        taken_from=counted(found.taken_from),
        kept_by=counted(found.kept_by),
        warnings=pointers(NewJobGroupPreview, found.warnings),
    )
