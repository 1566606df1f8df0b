"""Postings on the wire: the purchase's body in, its list form and its get form out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field as Row

from handbill.kit.faults import Fault
from handbill.wire.date_patterns import (
    MOST_PATTERN,
    NotDate,
    NotPattern,
    Read,
    read_date,
    steps_of,
)  # fmt: skip
from handbill.wire.fields import AnyCase, Whole
from handbill.wire.queries import Paged, Query
from handbill.wire.shapes import (
    Choice,
    Faults,
    Field,
    Integer,
    ListOf,
    Money,
    Object,
    Schema,
    Shape,
    Text,
)
from handbill.wire.spelling import (
    FLAG,
    INSTANT,
    NUMBER,
    STATUS,
    TEXT,
    WHOLE,
    described,
    listed,
    mapped,
    whole,
)

DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ssZ"
MOST_SLOTS = 10_000
MOST_DAYS = 3_650
MOST_CLIENTS = 100
BILLING = ("PREPAID", "POSTPAID")
PURCHASE = ("ClientBilled", "AgencyBilled", "JoveoBilled")


@dataclass(frozen=True)
class _Named(Shape):
    """A word, or an object that names it, as the list form has it: ``{"name": "PREPAID"}``."""

    words: tuple[str, ...]

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, dict):
            return Choice(self.words).read(value.get("name"), f"{at}/name", faults)
        return Choice(self.words).read(value, at, faults)

    def schema(self) -> Schema:
        word = Choice(self.words).schema()
        word["description"] = "The word itself, in any case."
        named = {"type": "object", "properties": {"name": word}, "required": ["name"]}
        return {"oneOf": [word, named]}


@dataclass(frozen=True)
class _Pattern(Shape):
    """A Java-style pattern of dates."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.append(Fault(at, "must be a string"))
            return DATE_FORMAT
        try:
            steps_of(value)
        except NotPattern as bad:
            faults.append(Fault(at, str(bad)))
        return value

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": MOST_PATTERN}


_DATE = Text(1, 60)


def _read_dates(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Turn the texts into dates, by the pattern of the same body."""
    pattern = found.get("dateFormat") or DATE_FORMAT
    for name in ("startDate", "endDate"):
        if found.get(name) is not None:
            found[name] = date_of(found[name], pattern, f"{at}/{name}", faults)


def date_of(text: str, pattern: str, at: str, faults: Faults) -> Read | None:
    """A date by a pattern; a fault where it is none."""
    try:
        return read_date(text, pattern)
    except NotDate as bad:
        faults.append(Fault(at, str(bad)))
        return None


def _days_in_order(found: dict[str, Any], at: str, faults: Faults) -> None:
    least, most = found.get("minJobDurationInDays"), found.get("jobDuration")
    if least is not None and most is not None and least > most:
        faults.append(Fault(f"{at}/minJobDurationInDays", "must not be more than jobDuration"))


def _create_check(found: dict[str, Any], at: str, faults: Faults) -> None:
    _read_dates(found, at, faults)
    _days_in_order(found, at, faults)


def _fields(*, create: bool) -> dict[str, Field]:
    return {
        "cost": Field(Money(), "Price of the whole purchase.", required=create),
        "endDate": Field(
            _DATE, "End, by dateFormat or ISO 8601; a day alone is meant whole.", required=create
        ),
        "dateFormat": Field(_Pattern(), f"Java-style pattern of the dates; {DATE_FORMAT}."),
        "availableCount": Field(
            Integer(1, MOST_SLOTS), "How many slots or credits were bought.", required=create
        ),
        "rotateFreqInDays": Field(
            Integer(0, MOST_DAYS), "Every so many days waiting jobs take turns; 0: credits."
        ),
        "jobDuration": Field(
            Integer(1, MOST_DAYS), "Days that one job stays; the whole purchase if absent."
        ),
        "minJobDurationInDays": Field(
            Integer(0, MOST_DAYS), "Days before which a job is not rotated out; 0."
        ),
        "clientIds": Field(
            ListOf(Text(1, 64), 0, MOST_CLIENTS, unique=True),
            "Further clients that the purchase serves; the client of the path always is one.",
        ),
        "billingType": Field(
            _Named(BILLING), "PREPAID or POSTPAID; PREPAID. Kept; nothing acts on it."
        ),
        "purchaseType": Field(
            _Named(PURCHASE), "Who pays; ClientBilled. Kept; nothing acts on it."
        ),
    }


_START = Field(_DATE, "Start, by dateFormat or ISO 8601.", required=True)
CREATE = Object({"startDate": _START, **_fields(create=True)}, check=_create_check)
UPDATE = Object(_fields(create=False), check=_days_in_order)

REFERENCES = ListOf(Text(1, 1_000), 1, 1_000, unique=True)


class OptionalPage(Paged):
    page: Annotated[int, Whole(0, 2**40)] = Row(0, description="Page number; 0 if absent.")
    limit: Annotated[int, Whole(1, 1_000)] = Row(
        1_000, description="Number of records per page; 1000 if absent."
    )


class PinnedPage(Paged):
    pinned: bool | None = Row(None, description="Only pinned, or only unpinned jobs.")


class JobFilter(Query):
    paused: bool | None = Row(
        None, alias="isPaused", description="Only jobs that are paused in this posting, or are not."
    )
    pinned: bool | None = Row(
        None, alias="isPinned", description="Only pinned, or only unpinned jobs."
    )
    posted: bool | None = Row(
        None, alias="isPosted", description="Only jobs that hold a slot, or only those that do not."
    )
    status: Annotated[Literal["A", "P"], AnyCase()] | None = Row(
        None, description="Only jobs that are active or paused themselves."
    )


_HEAD = {
    "id": described(TEXT, "The config's id."),
    "agencyId": described(TEXT, "The agency that bought it."),
    "clientIds": described(listed(TEXT), "The clients that the purchase serves."),
    "placement": described(TEXT, "The publisher's id."),
    "placementName": described(TEXT, "The publisher's display name."),
    "cost": described(NUMBER, "Price of the whole purchase, in the agency's currency."),
}
_START_AT = described(INSTANT, "From when it is active.")
_END_AT = described(INSTANT, "Until when it is active; a day given alone is meant whole.")
_AVAILABLE = described(WHOLE, "How many slots or credits were bought.")
_ROTATE = described(WHOLE, "Every so many days waiting jobs take turns; 0: credits.")
_USED = described(WHOLE, "Slots held now, or credits used up.")
_ACTIVE = described(FLAG, "Whether now lies between start and end.")
_STAY = described(WHOLE, "Days that one job stays.")
_LEAST_STAY = described(WHOLE, "Days before which a job is not rotated out.")
_BILLING = described(Choice(BILLING).schema(), "Whether it is paid before or after.")
_PURCHASE = described(Choice(PURCHASE).schema(), "Who pays.")
LISTED: Schema = whole(
    _HEAD
    | {
        "costPerJobPerDay": described(NUMBER, "cost / availableCount / jobDuration."),
        "costPerSlotPerHour": described(NUMBER, "cost / availableCount / duration."),
        "startDate": _START_AT,
        "endDate": _END_AT,
        "duration": described(WHOLE, "Hours from start to end."),
        "availableCount": _AVAILABLE,
        "rotateFreqInDays": _ROTATE,
        "usedCount": _USED,
        "lastRotated": described(INSTANT, "The last rotation; the creation before the first."),
        "isActive": _ACTIVE,
        "lastUpdated": described(INSTANT, "When it was last changed."),
        "createdOn": described(INSTANT, "When it was created."),
        "jobDuration": _STAY,
        "postedJobsCount": described(WHOLE, "Jobs ever posted."),
        "configType": described(
            Choice(("SLOT", "DURATION")).schema(),
            "SLOT: slots are used again. DURATION: each posted job uses up a credit.",
        ),
        "minJobDurationInDays": _LEAST_STAY,
        "billingType": described(whole({"name": _BILLING}), "How it is paid."),
        "purchaseType": described(whole({"name": _PURCHASE}), "Who pays it."),
    }
)
GOT: Schema = whole(
    _HEAD
    | {
        "startDate": _START_AT,
        "endDate": _END_AT,
        "dateFormat": described(TEXT, "The pattern by which its dates were read."),
        "availableCount": _AVAILABLE,
        "rotateFreqInDays": _ROTATE,
        "jobDuration": _STAY,
        "minJobDurationInDays": _LEAST_STAY,
        "billingType": _BILLING,
        "purchaseType": _PURCHASE,
        "isActive": _ACTIVE,
        "usedCount": _USED,
    }
)
NEWEST_AND_ALL: Schema = {
    "type": "object",
    "properties": LISTED["properties"]
    | {"data": described(listed(LISTED), "Every one of this page, oldest first.")},
    "required": ["data"],
}
_JOB = {
    "id": described(TEXT, "The posting job's id."),
    "clientId": described(TEXT, "The client that the job belongs to."),
    "jobId": described(TEXT, "The job's id."),
    "placement": described(TEXT, "The publisher's id."),
    "refNumber": described(TEXT, "The job's reference in its client."),
    "isPosted": described(FLAG, "It holds a slot."),
    "isPinned": described(FLAG, "It is never rotated out."),
    "isPaused": described(FLAG, "It is kept off the publisher in this posting."),
    "lastModified": described(INSTANT, "When anything of it here was last changed."),
    "createdOn": described(INSTANT, "When it was added to the config."),
    "status": described(STATUS, "Of the job itself: A when it can be shown, else P."),
}
POSTING_JOB: Schema = whole(_JOB)
POSTED_JOB: Schema = whole(_JOB | {"configId": described(TEXT, "The config that it is posted by.")})
REASONS = ("JOB_NOT_FOUND", "JOB_INVALID", "ALREADY_POSTED", "NO_SLOT", "CONFIG_INACTIVE")
RESULTS: Schema = whole(
    {
        "result": described(
            mapped(
                whole(
                    {
                        "success": described(FLAG, "Whether it was done."),
                        "id": described(TEXT, "The posting job's id."),
                        "message": described(Choice(REASONS).schema(), "Why it was not done."),
                    },
                    ("id", "message"),
                )
            ),
            "What became of each reference.",
        ),
        "message": described(TEXT, "What was done, in the words of the reference."),
    }
)


def spell_results(results: Sequence[tuple[str, str, str]]) -> dict[str, dict[str, Any]]:
    """What became of each reference: (reference, posting job's id, reason); empty: none."""
    spelled = {}
    for ref, posting_id, reason in results:
        one: dict[str, Any] = {"success": not reason}
        if posting_id:
            one["id"] = posting_id
        if reason:
            one["message"] = reason
        spelled[ref] = one
    return spelled
