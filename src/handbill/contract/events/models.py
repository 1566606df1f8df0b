"""Conversions, as they are reported and told. **Source**: contract 5."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from handbill.ledger.recent import Recent
from handbill.wire.bodies import OneOrMany
from handbill.wire.fields import Instant, TextOrDigits, Whole, whole_in
from handbill.wire.models import Model
from handbill.wire.queries import Query
from handbill.wire.schemas import NOT_BLANK

ACCEPTED: Final = "Successfully sent s2s conversion event for further processing."
_MOST_ID: Final = 256
_MOST_REF: Final = 1_024
_USUAL: Final = 100
_MOST: Final = 1_000
_ACTIONS: Final = {"1": 1, "2": 2, "3": 3}


def _action(value: Any) -> int:
    value = whole_in(value)
    text = str(value) if type(value) is int else value
    text = text.strip() if isinstance(text, str) else text
    if not isinstance(text, str) or text not in _ACTIONS:
        raise ValueError('must be "1" (VIEW), "2" (APPLY_START) or "3" (APPLY)')
    return _ACTIONS[text]


ClickId = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_ID, pattern=NOT_BLANK)]
Action = Annotated[
    int,
    PlainValidator(_action),
    WithJsonSchema({"type": ["string", "integer"], "enum": ["1", "2", "3", 1, 2, 3]}),
]


class ReportedEvent(Model):
    """A conversion that a server reports."""

    click_id: ClickId = Field(
        alias="clickId",
        description="The value of the jClickId parameter that was appended to the job's URL.",
    )
    action: Action = Field(alias="a", description="The conversion: 1 VIEW, 2 APPLY_START, 3 APPLY.")
    candidate_id: Annotated[str, TextOrDigits(_MOST_ID)] = Field(
        "", alias="candidateId", description="The candidate's id in the ATS."
    )
    application_id: Annotated[str, TextOrDigits(_MOST_ID)] = Field(
        "",
        alias="jobApplicationId",
        description="The application's id, by which repeated events are recognised. Surrounding "
        "blanks are ignored.",
    )


EVENTS: Final = OneOrMany(ReportedEvent)


class EventsAccepted(Model):
    """The conversions are stored."""

    status: Literal[200] = Field(200, alias="statusCode", description="Always 200.")
    body: Literal["Successfully sent s2s conversion event for further processing."] = Field(
        ACCEPTED, description="Always this text."
    )


class RecentQuery(Query):
    limit: Annotated[int, Whole(1, _MOST)] = Field(
        _USUAL, description=f"Number of events at most. Default: {_USUAL}."
    )


class RecentEvent(Model):
    """A recently received conversion or test click with its state."""

    at: Instant = Field(alias="receivedOn", description="When the event was received.")
    kind: Literal["VIEW", "APPLY_START", "APPLY", "CLICK"] = Field(
        description="Type of the event. CLICK: a click on a test link."
    )
    source: Literal["pixel", "s2s", "edge"] = Field(
        description="Source of the event. edge: a test link."
    )
    disposition: str = Field(
        description="State of the event: waiting (not judged yet), parked (its click is not yet "
        "known), counted, further, over_cap, organic, duplicate, late, invalid or "
        "dead."
    )
    reason: str | None = Field(description="Further details of the state. Null: none.")
    job_id: str | None = Field(alias="jobId", description="The job, if it is known.")
    has_click: bool = Field(
        alias="sponsored", description="Whether the event had a valid click id."
    )
    application_id: str | None = Field(
        alias="jobApplicationId", description="The application's id, as sent."
    )
    candidate_id: str | None = Field(
        alias="candidateId", description="The candidate's id, as sent."
    )
    click_id: str | None = Field(
        alias="clickId",
        description="The click that it names, as GET /clicks/{click_id}/explain "
        "takes it. Null: none.",
    )


class RecentEvents(Model):
    """The newest conversions and test clicks of a client."""

    rows: list[RecentEvent] = Field(alias="data", description="The events, newest first.")

    @classmethod
    def told(cls, events: Iterable[Recent]) -> Self:
        maybe = ("reason", "job_id", "application_id", "candidate_id", "click_id")
        return cls.of(
            rows=[
                RecentEvent.of(one, **{name: getattr(one, name) or None for name in maybe})
                for one in events
            ]
        )


class JobToTest(Model):
    """The job whose link is to be tested."""

    ref: Annotated[str, StringConstraints(min_length=1, max_length=_MOST_REF)] = Field(
        alias="refNumber", description="The job's reference number."
    )


class LinkToTest(Model):
    """A link to test."""

    url: str = Field(description="Follow it as a visitor would.")
