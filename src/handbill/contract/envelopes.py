"""What answers have in common: what was done, pages, ids and dates, and what lies below."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from handbill.core.nouns import Campaign, Group
from handbill.kit.faults import Fault
from handbill.wire.fields import Day, Instant
from handbill.wire.models import Model, together
from handbill.wire.wrong import Wrong

_T = TypeVar("_T", bound=Model)
Status = Literal["A", "P"]
STATUS = "A: active, P: paused."
STORED = "Stored; nothing acts on it."


class Done(Model):
    """Confirmation."""

    result: Literal[True] = Field(True, description="Always true. The change is durable.")
    message: str = Field(description="Confirmation.")


def done(message: str) -> Done:
    return Done.of(result=True, message=message)


class Made(Model):
    """Confirmation, with the id of the new resource."""

    result: str = Field(description="The id of what was made.")
    message: str = Field(description="Confirmation.")


class Page(Model, Generic[_T]):
    """One page of a list."""

    rows: list[_T] = Field(
        alias="data",
        description="The records of this page, at most limit; empty after the last page.",
    )


class Identified(Model):
    id: str = Field(description="The id.")


class Dated(Model):
    created_at: Instant = Field(alias="createdOn", description="When it was created.")
    updated_at: Instant = Field(alias="lastUpdated", description="When it was last changed.")


class ChildName(Identified):
    """A campaign, where clients are listed."""

    name: str = Field(description="The name.")


IsDefaultGroup = Annotated[
    bool,
    Field(
        alias="isDefault",
        description="Whether it is the default job group, which holds the jobs that no other one "
        "matches.",
    ),
]


class Child(ChildName):
    """A campaign or job group, as its parent shows it."""

    status: Status = Field(alias="activeStatus", description=STATUS)
    is_default: bool = Field(alias="isDefault", description="Whether it is the default one.")


class Warned(Model):
    """A setting that is accepted but has no effect."""

    field: str = Field(description="JSON pointer to the value.")
    message: str = Field(description="Description of the warning.")


StartDay = Annotated[
    Day,
    Field(
        alias="startDate", description="First day, mm/dd/yyyy. Default: today. Fixed at creation."
    ),
]
EndDay = Annotated[
    Day,
    Field(alias="endDate", description="Last day, mm/dd/yyyy. Default: a year after the first."),
]


@together("start_on", "end_on")
def in_order(made: Any) -> None:
    """**Refuses** (Wrong) an end before the start, where both are said."""
    if made.start_on and made.end_on and made.end_on < made.start_on:
        raise Wrong(Fault("/endDate", "must not be before the start date"))


def child_told(one: Campaign | Group) -> Child:
    return Child.of(one, name=one.body.name)
