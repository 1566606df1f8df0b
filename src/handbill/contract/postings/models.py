"""Postings, as they are read and told. **Source**: contract 1 (39 to 48), domain 10."""

from typing import Annotated, Any, Final, Literal, Self

import msgspec
from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from handbill.contract.envelopes import STORED, Page
from handbill.core import postings as core
from handbill.core.nouns import Publisher
from handbill.core.posting_costs import hours_of, per_job_and_day, per_slot_and_hour
from handbill.core.postings import DATE_FORMAT, Billing, Purchase
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant as At
from handbill.postings import slots
from handbill.postings.service import MOST_CLIENTS
from handbill.wire.date_patterns import MOST_PATTERN, NotDate, read_date, steps_of
from handbill.wire.fields import Distinct, Instant, Money, Reference, Whole
from handbill.wire.models import Model, partial
from handbill.wire.queries import Paged
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.values import Schema
from handbill.wire.words import Named
from handbill.wire.wrong import WrongBeside

MOST_ROWS: Final = 1_000
_MOST_SLOTS: Final = 10_000
_MOST_DAYS: Final = 3_650
_MOST_DATE: Final = 60


def _pattern(text: str) -> str:
    steps_of(text)
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - a fault of the caller's
    if not value.strip() or len(value) > _MOST_DATE:
        raise ValueError(f"must have 1 to {_MOST_DATE} characters")
    return value


Days = Annotated[int, Whole(0, _MOST_DAYS)]
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NOT_BLANK)]
References = Annotated[Distinct[Reference], Field(min_length=1, max_length=1_000)]
Date = Annotated[
    Any,
    PlainValidator(_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _MOST_DATE}),
]
"""A date's text, until its pattern is known."""

# Rows that stand in more than one model.
ClientIds = Annotated[
    Distinct[ClientId],
    Field(
        alias="clientIds",
        max_length=MOST_CLIENTS,
        description="Clients that the purchase serves. The client of the path always is one.",
    ),
]
Cost = Annotated[
    Money,
    Field(alias="cost", description="Price of the whole purchase, in the agency's currency."),
]
DateFormat = Annotated[
    str,
    AfterValidator(_pattern),
    WithJsonSchema({"type": "string", "maxLength": MOST_PATTERN}),
    Field(
        alias="dateFormat",
        description=f"Java-style pattern of the dates. Default: {DATE_FORMAT}.",
    ),
]
Available = Annotated[
    int,
    Whole(1, _MOST_SLOTS),
    Field(alias="availableCount", description="Number of slots or credits bought."),
]
RotateDays = Annotated[
    Days,
    Field(
        alias="rotateFreqInDays",
        description="Number of days after which waiting jobs take turns; 0 for credits.",
    ),
]
StayDays = Annotated[
    int,
    Whole(1, _MOST_DAYS),
    Field(
        alias="jobDuration",
        description="Number of days that one job stays. Default: the whole purchase.",
    ),
]
LeastStayDays = Annotated[
    Days,
    Field(
        alias="minJobDurationInDays",
        description="Number of days before which a job is not rotated out. Default: 0.",
    ),
]
_BILLING: Final = f"Whether it is paid before or after. Default: PREPAID. {STORED}"
_PURCHASE: Final = f"Who pays. Default: ClientBilled. {STORED}"
StartAt = Annotated[Instant, Field(alias="startDate", description="When the posting begins.")]
EndAt = Annotated[
    Instant,
    Field(
        alias="endDate",
        description="When the posting ends. If no time was given: the end of the day.",
    ),
]
UsedCount = Annotated[
    int, Field(alias="usedCount", description="Slots in use now, or credits used.")
]
IsActive = Annotated[
    bool, Field(alias="isActive", description="Whether it is between its start and its end.")
]


class _Terms(Model):
    """What was bought; an update changes it."""

    cost_micros: Cost
    end: Date = Field(
        alias="endDate",
        description="End, by dateFormat or ISO 8601. A day without a time is included.",
    )
    date_format: DateFormat = DATE_FORMAT
    available: Available
    rotate_days: RotateDays = 0
    stay_days: StayDays = 0
    least_stay_days: LeastStayDays = 0
    client_ids: ClientIds = Field([])
    billing: Annotated[Billing, Named()] = Field(
        "PREPAID", alias="billingType", description=_BILLING
    )
    purchase: Annotated[Purchase, Named()] = Field(
        "ClientBilled", alias="purchaseType", description=_PURCHASE
    )


class NewPosting(_Terms):
    start: Date = Field(alias="startDate", description="Start, by dateFormat or ISO 8601.")

    @model_validator(mode="after")
    def _read_dates(self) -> Self:
        """Turn the texts into dates, by the pattern of the same body."""
        faults = []
        for name, row in (("start", "startDate"), ("end", "endDate")):
            if name not in self.model_fields_set:
                continue
            try:
                setattr(self, name, read_date(getattr(self, name), self.date_format))
            except NotDate as bad:
                faults.append(Fault(f"/{row}", str(bad)))
        if self.stay_days and self.least_stay_days > self.stay_days:
            says = "must not be more than jobDuration"
            faults.append(Fault("/minJobDurationInDays", says))
        if faults:
            raise WrongBeside(*faults, of="/dateFormat")
        return self


PostingChange = partial(_Terms, "PostingChange")


class _Bought(Model):
    id: str = Field(description="Id of the posting.")
    agency_id: str = Field(alias="agencyId", description="Id of the agency that bought it.")
    client_ids: ClientIds
    publisher_id: str = Field(alias="placement", description="Id of the publisher.")
    publisher_name: str = Field(alias="placementName", description="Name of the publisher.")
    cost_micros: Cost


class PostingRow(_Bought):
    """A posting in a list: slots or durations bought at a publisher."""

    job_day_micros: Money = Field(
        alias="costPerJobPerDay", description="cost / availableCount / jobDuration."
    )
    slot_hour_micros: Money = Field(
        alias="costPerSlotPerHour", description="cost / availableCount / duration."
    )
    start_at: StartAt
    end_at: EndAt
    hours: int = Field(alias="duration", description="Hours from start to end.")
    available: Available
    rotate_days: RotateDays
    used: UsedCount
    turned_at: Instant = Field(
        alias="lastRotated",
        description="Time of the last rotation. Before the first, time of creation.",
    )
    active: IsActive
    updated_at: Instant = Field(alias="lastUpdated", description="When it was last changed.")
    created_at: Instant = Field(alias="createdOn", description="When it was created.")
    stay_days: StayDays
    ever: int = Field(alias="postedJobsCount", description="Number of jobs ever posted.")
    kind: Literal["SLOT", "DURATION"] = Field(
        alias="configType",
        description="SLOT: slots are used again. DURATION: each posted job uses one credit.",
    )
    least_stay_days: LeastStayDays
    billing: Annotated[Billing, Named()] = Field(alias="billingType", description=_BILLING)
    purchase: Annotated[Purchase, Named()] = Field(alias="purchaseType", description=_PURCHASE)


class PostingPage(Page[PostingRow]):
    """A client's postings, oldest first."""


class NewestPosting(PostingRow):
    """The newest posting at a publisher and, in data, every posting of the page, oldest first.
    Without postings it contains only an empty data.
    """

    rows: list[PostingRow] = Field(
        alias="data", description="The postings of this page, oldest first."
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> Schema:
        schema = super().__get_pydantic_json_schema__(core, handler)
        handler.resolve_ref_schema(schema)["required"] = ["data"]
        return schema


class Posting(_Bought):
    """One posting: slots or durations bought at a publisher."""

    start_at: StartAt
    end_at: EndAt
    date_format: DateFormat
    available: Available
    rotate_days: RotateDays
    stay_days: StayDays
    least_stay_days: LeastStayDays
    billing: Billing = Field(alias="billingType", description=_BILLING)
    purchase: Purchase = Field(alias="purchaseType", description=_PURCHASE)
    active: IsActive
    used: UsedCount


class OptionalPage(Paged):
    page: Annotated[int, Whole(0, 2**40)] = Field(0, description="Page number. Default: 0.")
    limit: Annotated[int, Whole(1, MOST_ROWS)] = Field(
        MOST_ROWS, description=f"Number of records per page. Default: {MOST_ROWS}."
    )


def row_told(bought: core.Posting, agency_id: str, publisher: Publisher, now: At) -> PostingRow:
    """A posting as a list has it; in the contract's order."""
    return PostingRow.of(bought, **_rows(bought, agency_id, publisher, now))


def posting_told(bought: core.Posting, agency_id: str, publisher: Publisher, now: At) -> Posting:
    return Posting.of(bought, **_rows(bought, agency_id, publisher, now))


def _rows(bought: core.Posting, agency_id: str, publisher: Publisher, now: At) -> dict[str, Any]:
    """Rows that are no attributes of a posting."""
    stay, hours = slots.stay_days(bought), hours_of(bought.start_at, bought.end_at)
    cost, available = bought.body.cost_micros, bought.body.available
    return msgspec.structs.asdict(bought.body) | {
        "agency_id": agency_id,
        "publisher_id": publisher.id,
        "publisher_name": publisher.body.name,
        "job_day_micros": per_job_and_day(cost, available, stay),
        "slot_hour_micros": per_slot_and_hour(cost, available, hours),
        "hours": hours,
        "stay_days": stay,
        "used": slots.used(bought),
        "active": bought.start_at <= now <= bought.end_at,
        "kind": "SLOT" if slots.is_slots(bought) else "DURATION",
    }
