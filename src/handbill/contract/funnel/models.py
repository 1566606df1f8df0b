"""Funnel events and stage maps, as they are read and told. **Source**: contract 5, domain 8."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from handbill.core.funnel_stages import STAGES, Disposition, SentStage, Stage
from handbill.core.spellings import folded
from handbill.funnel.service import FunnelItem
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant as At
from handbill.wire.bodies import OneOrMany
from handbill.wire.fields import Day, Id, InCapitals, Instant, Money, Text, TextOrDigits
from handbill.wire.models import Model, together
from handbill.wire.stamps import read_stamp
from handbill.wire.words import AnyCase
from handbill.wire.wrong import Wrong, WrongBeside

_PERSONAL = frozenset(
    {
        "name",
        "firstname",
        "lastname",
        "fullname",
        "candidatename",
        "email",
        "mail",
        "emailaddress",
        "phone",
        "phonenumber",
        "mobile",
        "telephone",
    }
)
_MAIL = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")  # from the sign, so that each text is read once


def _stamp(value: Any) -> datetime:
    stamp = read_stamp(value)
    if stamp is None:
        raise ValueError("must be a date and time as ISO 8601, mm/dd/yyyy or epoch")
    return stamp


def _digits(value: Any) -> Any:
    """An id of the ATS: a whole number is taken as its digits."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Stamp = Annotated[
    datetime,
    PlainValidator(_stamp),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": 40}),
]
AtsId = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(str.strip),
    BeforeValidator(_digits),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": 200}),
]
Short = Annotated[str, StringConstraints(max_length=200)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Keys(Model):
    candidate_id: AtsId = Field(
        "",
        alias="candidateId",
        description="The candidate's id in the ATS, together with jobReference.",
    )
    job_reference: Annotated[str, TextOrDigits(1_000)] = Field(
        "", alias="jobReference", description="The job's refNumber, together with candidateId."
    )
    click_id: Annotated[str, StringConstraints(max_length=256)] = Field(
        "", alias="clickId", description="The jClickId that the candidate came with."
    )


class Salary(Model):
    amount: Money = Field(description="Amount, 0 or more.")
    currency: Annotated[str, InCapitals, StringConstraints(min_length=3, max_length=3)] = Field(
        description="ISO 4217 code."
    )


class FunnelDetails(_Keys):
    job_id: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", alias="jobId", description="The job's id."
    )
    source: Short = Field("", description="Origin of the candidate.")
    reason: Text = Field("", description="Why the stage changed.")
    hire_on: Day = Field("", alias="hireDate", description="The first day at work.")
    salary: Salary | None = Field(None, description="The agreed salary.")
    custom: dict[Key, Annotated[str, StringConstraints(max_length=500)]] = Field(
        {}, max_length=50, description="Any further data except personal data."
    )

    @model_validator(mode="after")
    def _impersonal(self) -> Self:
        """Names, addresses and numbers of people are not needed, and so not taken."""
        for name, text in self.custom.items():
            if re.sub(r"[^a-z]", "", name.casefold()) in _PERSONAL or _MAIL.search(text):
                says = "must not hold names, addresses or phone numbers"
                raise Wrong(Fault("/custom", says))
        return self


def _item(details: dict[str, Any] | None = None, **said: Any) -> SentStage:
    """An event whose keys may stand in it or in its details."""
    details = {name: value for name, value in (details or {}).items() if value is not None}
    for name in _Keys.names:
        said[name] = said.get(name) or details.get(name) or ""
    return SentStage(details=details, **said)


class FunnelEvent(_Keys):
    """A status change of an application."""

    makes = staticmethod(_item)
    application_id: AtsId = Field(
        "",
        alias="jobApplicationId",
        description="The application's id, as sent by the pixel or S2S event.",
    )
    status: Annotated[Id, AfterValidator(str.strip)] = Field(
        alias="candidateStatus", description="The stage that the application moved to."
    )
    stamp: Stamp = Field(
        alias="timestamp",
        description="Time of the change: ISO 8601, yyyy-MM-dd or MM/dd/yyyy with or without a "
        "time, or epoch seconds or milliseconds. Without a zone, the client's is "
        "used.",
    )
    details: FunnelDetails | None = Field(
        None, alias="additionalDetails", description="Other keys, and further details."
    )

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if not (
            self.application_id
            or self._key("click_id")
            or (self._key("candidate_id") and self._key("job_reference"))
        ):
            raise WrongBeside(
                Fault(
                    "/jobApplicationId",
                    "is required unless candidateId and jobReference, or clickId, are given",
                )
            )
        return self

    def _key(self, name: str) -> Any:
        """A key that may stand in the event or in its details."""
        return getattr(self, name) or getattr(self.details, name, "")


FUNNEL = OneOrMany(FunnelEvent)


class FunnelAccepted(Model):
    """The events are stored."""

    success: Literal[True] = Field(description="Stored.")
    failure: Literal[False] = Field(description="Always false: a failure is answered with 400.")
    batch_id: str = Field(
        alias="value",
        description="The batch's id. GET /funnel/{batchId} returns the state of each item.",
    )


class FunnelOutcome(Model):
    """State of one item."""

    place: int = Field(alias="index", description="Position in the array, from 0.")
    application_id: str | None = Field(
        alias="jobApplicationId", description="The value that was sent. Null: none."
    )
    status: str = Field(alias="candidateStatus", description="The value that was sent.")
    stage: Stage | None = Field(description="Stage of the status. Null: none yet.")
    event_at: Instant = Field(alias="timestamp", description="Time of the change.")
    disposition: Disposition = Field(description="State of the item.")
    reason: str | None = Field(description="Why the item does not count. Null if it does.")


class FunnelBatch(Model):
    """A batch of funnel events with the state of each."""

    batch_id: str = Field(alias="batchId", description="The batch's id.")
    received_at: Instant = Field(alias="receivedOn", description="When it was received.")
    counts: dict[str, int] = Field(description="Number of items by state.")
    items: list[FunnelOutcome] = Field(description="The items, in the order of the array.")


class NewStageMap(Model):
    stages: dict[Key, Annotated[Stage, AnyCase()] | None] = Field(
        alias="stageMap",
        max_length=1_000,
        description="Maps status texts to stages. Replaces the whole map; texts with null are "
        "omitted. Case and blanks are ignored.",
    )

    @together("stages")
    def _distinct(self) -> None:
        seen: dict[str, str] = {}
        faults = []
        for text in self.stages:
            name = folded(text)
            if name in seen:
                faults.append(Fault("/stageMap", f"has {text} and {seen[name]}, which are alike"))
            seen[name] = text
        if faults:
            raise Wrong(*faults)

    def named(self) -> dict[str, str]:
        """The texts that a stage is named for."""
        return {text: stage for text, stage in self.stages.items() if stage is not None}


class StageMap(Model):
    """Maps status texts of a client to stages."""

    stages: dict[str, str] = Field(alias="stageMap", description="The client's own map.")
    every: list[str] = Field(
        list(STAGES),
        alias="stages",
        description="All stages. The name of a stage always maps to it.",
    )
    unmapped: dict[str, int] = Field(description="Texts without a stage, with the number of items.")


def batch_told(batch_id: str, received_at: At, items: Iterable[FunnelItem]) -> FunnelBatch:
    items = list(items)
    return FunnelBatch.of(
        batch_id=batch_id,
        received_at=received_at,
        counts=dict(Counter(item.disposition for item in items)),
        items=[
            FunnelOutcome.of(
                item,
                application_id=item.body.application_id or None,
                stage=item.stage or None,
                reason=item.reason or None,
            )
            for item in items
        ],
    )
