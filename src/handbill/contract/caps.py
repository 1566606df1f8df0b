"""Caps, as they are read and told: both spellings in, the public one out.

**Source**: domain 2.1, 2.2, 14.1.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, PlainValidator, WithJsonSchema, model_validator

from handbill.core.nouns import Cap
from handbill.core.nouns import Caps as Kept
from handbill.kit.faults import Fault
from handbill.kit.zones import Period
from handbill.wire.fields import Money, Percent, Whole
from handbill.wire.models import Model, is_none
from handbill.wire.words import AnyCase
from handbill.wire.wrong import Wrong


def _row(about: str) -> Any:
    return Field("Monthly", alias="cap", validation_alias=_CAP, description=about)


_CAP = AliasChoices("cap", "freq")
_PERIOD = "Period of the cap. Default: Monthly."
_VALUE = (
    "Maximum per period, 0 or more: money in the agency's currency, or a whole number. Nothing is "
    "charged beyond it. When the rest does not pay for one more, the listings leave the feeds "
    "until the next period, or until it is raised."
)


def _cap(value: int, period: Period = "Monthly", **more: Any) -> Cap:
    return Cap(period, value, **more)


class _Cap(Model):
    makes = staticmethod(_cap)
    period: Annotated[Period, AnyCase()] = _row(_PERIOD)
    value: Any
    pacing: bool = Field(
        False,
        description="Monthly caps only. Gives each day a share of what is left of the month, by "
        "the traffic of the weekdays that are left. Bids are lowered to meet it, and no day takes "
        "more than 1.2 shares (or another number set by the operator), or one click or apply that "
        "is due. On caps of jobs it is stored; nothing acts on it.",
    )
    threshold_ppm: Annotated[int, Percent()] = Field(
        800_000,
        alias="thresholdP",
        validation_alias=AliasChoices("thresholdP", "threshold"),
        description="Brake line, in percent of the value, or of the day's share where the cap is "
        "paced. Once what is used and what publishers are still expected to spend has reached it, "
        "only as many jobs are listed as fit into the rest. It stops nothing by itself. 0: from "
        "the start. 100: never. Default: 80. On caps of jobs it is stored; nothing acts on it.",
    )
    locked: bool = Field(
        False,
        description="On a placement's budget in a job group: reserves what is left of it, so that "
        "other placements cannot spend it. Requires the period of the job group's budget. "
        "Elsewhere it is stored; nothing acts on it.",
    )

    @model_validator(mode="after")
    def _paced_by_month(self) -> Self:
        if self.pacing and self.period != "Monthly":
            raise Wrong(Fault("/pacing", "is only possible with a Monthly cap"))
        return self


class Budget(_Cap):
    """A cap of money."""

    value: Money = Field(description=_VALUE)


class CountCap(_Cap):
    """A cap of clicks or of applies."""

    value: Annotated[int, Whole()] = Field(description=_VALUE)


class GroupBudget(Budget):
    """The budget of a job group."""

    period: Annotated[Literal["Daily", "Weekly", "Monthly"], AnyCase()] = _row(_PERIOD)


class GroupCountCap(CountCap):
    """A cap of clicks or of applies of a job group."""

    period: Annotated[Literal["Weekly", "Monthly"], AnyCase()] = _row(_PERIOD)


class LongBudget(Budget):
    """A budget of a placement or of a single job; it cannot be Daily."""

    period: Annotated[Literal["Weekly", "Monthly", "Lifetime"], AnyCase()] = _row(_PERIOD)


class LongCountCap(CountCap):
    """A cap of clicks or applies of a single job: not daily."""

    period: Annotated[Literal["Weekly", "Monthly", "Lifetime"], AnyCase()] = _row(_PERIOD)


class _Caps(Model):
    makes = Kept
    merged = True


class Caps(_Caps):
    """The caps of a client or campaign."""

    budget: Budget | None = Field(None, exclude_if=is_none, description="Maximum spend per period.")
    clicks: CountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of valid clicks per period."
    )
    applies: CountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of counted applies per period."
    )


class GroupCaps(_Caps):
    """The caps of a job group, and of each of its jobs."""

    budget: GroupBudget | None = Field(
        None, exclude_if=is_none, description="Maximum spend per period."
    )
    clicks: GroupCountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of valid clicks per period."
    )
    applies: GroupCountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of counted applies per period."
    )
    job_budget: LongBudget | None = Field(
        None, alias="jobBudget", exclude_if=is_none, description="Maximum spend on each job."
    )
    job_clicks: LongCountCap | None = Field(
        None,
        alias="jobClicks",
        exclude_if=is_none,
        description="Maximum number of clicks on each job.",
    )
    job_applies: LongCountCap | None = Field(
        None,
        alias="jobApplies",
        exclude_if=is_none,
        description="Maximum number of counted applies to each job.",
    )


class JobCaps(_Caps):
    """The caps of a single job, in whichever job group it is."""

    budget: LongBudget | None = Field(
        None, exclude_if=is_none, description="Maximum spend on the job."
    )
    clicks: LongCountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of valid clicks on the job."
    )
    applies: LongCountCap | None = Field(
        None, exclude_if=is_none, description="Maximum number of counted applies to the job."
    )


class NewCaps(Caps):
    budget: Budget = Field(description="Maximum spend per period.")


class NewGroupCaps(GroupCaps):
    budget: GroupBudget = Field(description="Maximum spend per period.")


class PlacementCaps(Model):
    """The cap of a publisher within a campaign, job group or job: a budget."""

    budget: LongBudget | None = Field(
        None, exclude_if=is_none, description="Maximum spend at this publisher."
    )


def _never(value: Any) -> None:
    if value is not None:
        raise ValueError("is not possible here: only a budget is")


Never = Annotated[None, PlainValidator(_never), WithJsonSchema({"type": "null"})]
"""What cannot be capped at this level. It is refused, so that callers do not rely on it."""


class NewPlacementCaps(PlacementCaps):
    makes = staticmethod(lambda budget=None, **_: budget)
    clicks: Never = Field(None, description="Refused: a publisher's clicks cannot be capped.")
    applies: Never = Field(None, description="Refused: a publisher's applies cannot be capped.")
