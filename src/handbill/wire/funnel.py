"""Funnel events on the wire: one or an array, keyed in one of three ways, stamped in many."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from handbill.core.funnel_stages import DISPOSITIONS, STAGES, folded
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant, instant_of, moment_of
from handbill.wire.shapes import (
    Choice,
    Day,
    Faults,
    Field,
    MapOf,
    Money,
    Nullable,
    Object,
    OneOrMany,
    Schema,
    Shape,
    Text,
    read_day,
)
from handbill.wire.spelling import (
    FLAG,
    INSTANT,
    TEXT,
    WHOLE,
    described,
    listed,
    mapped,
    nullable,
    whole,
)

MOST_STATUSES = 1_000
_MOST_CUSTOM = 50
_FIRST, _END = (datetime(year, 1, 1, tzinfo=UTC) for year in (1971, 2200))
_EPOCH_MS = 10**11  # seconds reach it in the year 5138, milliseconds did in 1973
_SPACED = re.compile(r"(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}(?::\d{2})?))?")
_PERSONAL = frozenset({
    "name", "firstname", "lastname", "fullname", "candidatename", "email", "mail", "emailaddress",
    "phone", "phonenumber", "mobile", "telephone",
})  # fmt: skip
_MAIL = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")  # from the sign, so that each text is read once


class Item(msgspec.Struct, kw_only=True):
    """One event as it was sent. ``stamp`` is naive where it named no zone."""

    application_id: str = ""
    candidate_id: str = ""
    job_reference: str = ""
    click_id: str = ""
    status: str
    stamp: datetime
    details: dict[str, Any] = {}

    def at(self, zone: tzinfo) -> Instant:
        """The instant; without a zone of its own the stamp is in the client's."""
        stamp = self.stamp
        return instant_of(stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=zone))


class Batch(NamedTuple):
    """``many``: the body was an array, so that faults point into it."""

    many: bool
    items: list[Item]

    def pointer(self, place: int, name: str) -> str:
        return f"/{place}/{name}" if self.many else f"/{name}"


def read_stamp(value: Any) -> datetime | None:
    """A moment in any of the contract's forms; None when it is in none of them."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{9,14}", value.strip()):
        value = int(value)
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            found = moment_of(value * (1_000 if abs(value) >= _EPOCH_MS else 1_000_000))
        elif isinstance(value, str) and len(value) <= 40:
            found = _by_text(value.strip())
        else:
            return None
    except (ValueError, OverflowError):
        return None
    within = _FIRST <= (found if found.tzinfo is not None else found.replace(tzinfo=UTC)) < _END
    return found if within else None


def _by_text(text: str) -> datetime:
    spaced = _SPACED.fullmatch(text)
    if spaced is None:
        return datetime.fromisoformat(text)
    day = read_day(spaced[1])
    if day is None:
        raise ValueError
    return datetime.fromisoformat(f"{day}T{spaced[2] or '00:00'}")


@dataclass(frozen=True)
class Stamp(Shape):
    """When it happened."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        found = read_stamp(value)
        if found is None:
            faults.append(Fault(at, "must be a date and time as ISO 8601, mm/dd/yyyy or epoch"))
        return found

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "maxLength": 40}


@dataclass(frozen=True)
class _Id(Shape):
    """An id of the ATS: a string; a whole number is taken as its digits."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        text = Text(0, 200).read(value, at, faults)
        return text.strip() if isinstance(text, str) else text

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "maxLength": 200}


def _impersonal(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Names, addresses and numbers of people are not needed, and so not taken (domain 14.29)."""
    for name, text in (found.get("custom") or {}).items():
        bare = re.sub(r"[^a-z]", "", name.casefold())
        if bare in _PERSONAL or _MAIL.search(text):
            faults.append(Fault(f"{at}/custom", "must not hold names, addresses or phone numbers"))
            return


_SALARY = Object(
    {
        "amount": Field(Money(), "Per year or as agreed, 0 or more.", required=True),
        "currency": Field(Text(3, 3), "ISO 4217 code.", required=True),
    }
)
_KEYS = {
    "candidateId": Field(_Id(), "The candidate in the ATS; beside jobReference."),
    "jobReference": Field(Text(0, 1_000), "The job's refNumber; beside candidateId."),
    "clickId": Field(Text(0, 256), "The jClickId that the candidate came with."),
}
DETAILS = Object(
    {
        **_KEYS,
        "jobId": Field(Text(0, 64), "The job's id."),
        "source": Field(Text(0, 200), "Where the candidate came from."),
        "reason": Field(Text(0, 1_000), "Why the stage changed."),
        "hireDate": Field(Day(), "The first day at work."),
        "salary": Field(_SALARY, "What was agreed."),
        "custom": Field(MapOf(Text(most=500), _MOST_CUSTOM), "Anything but personal particulars."),
    },
    check=_impersonal,
)


def _keyed(found: dict[str, Any], at: str, faults: Faults) -> None:
    if not (
        found.get("jobApplicationId")
        or _key(found, "clickId")
        or (_key(found, "candidateId") and _key(found, "jobReference"))
    ):
        faults.append(Fault(
            f"{at}/jobApplicationId",
            "is required unless candidateId and jobReference, or clickId, are given",
        ))  # fmt: skip


def _key(found: dict[str, Any], name: str) -> str:
    """A key that may stand in the item or in its details."""
    return found.get(name) or (found.get("additionalDetails") or {}).get(name) or ""


def _item(found: dict[str, Any]) -> Item:
    details = found.get("additionalDetails") or {}
    return Item(
        application_id=found.get("jobApplicationId") or "",
        candidate_id=_key(found, "candidateId"), job_reference=_key(found, "jobReference"),
        click_id=_key(found, "clickId"), status=found["candidateStatus"].strip(),
        stamp=found["timestamp"],
        details={name: value for name, value in details.items() if value is not None},
    )  # fmt: skip


_ITEM = Object(
    {
        "jobApplicationId": Field(_Id(), "The application, as the pixel or S2S event named it."),
        "candidateStatus": Field(
            Text(1, 200), "The stage that the application moved to.", required=True
        ),
        "timestamp": Field(
            Stamp(),
            "When it moved there: ISO 8601, yyyy-MM-dd or MM/dd/yyyy with a time or without, or "
            "epoch seconds or milliseconds. Without a zone it is the client's time.",
            required=True,
        ),
        "additionalDetails": Field(DETAILS, "Other keys, and what else there is to say."),
        **_KEYS,
    },
    check=_keyed,
    make=_item,
)


@dataclass(frozen=True)
class _Funnel(Shape):
    """One item, or an array of 1 to 1,000; any fault refuses the whole."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        return Batch(isinstance(value, list), OneOrMany(_ITEM).read(value, at, faults))

    def schema(self) -> Schema:
        return OneOrMany(_ITEM).schema()


FUNNEL = _Funnel()
ACCEPTED: Schema = whole(
    {
        "success": described(FLAG, "Stored."),
        "failure": described(FLAG, "Always false: what fails answers 400."),
        "value": described(TEXT, "The batch's id; GET /funnel/{batchId} tells of each item."),
    }
)
_BECAME: Schema = whole(
    {
        "index": described(WHOLE, "The place in the array, from 0."),
        "jobApplicationId": described(nullable(TEXT), "As it was sent; null where it was not."),
        "candidateStatus": described(TEXT, "As it was sent."),
        "stage": described(
            nullable(Choice(STAGES).schema()), "What the status stands for; null: nothing yet."
        ),
        "timestamp": described(INSTANT, "When the application moved there."),
        "disposition": described(Choice(DISPOSITIONS).schema(), "What became of the item."),
        "reason": described(nullable(TEXT), "Why it does not count; null where it does."),
    }
)
BATCH: Schema = whole(
    {
        "batchId": described(TEXT, "The batch's id."),
        "receivedOn": described(INSTANT, "When it came."),
        "counts": described(mapped(WHOLE), "How many items became what."),
        "items": described(listed(_BECAME), "Each item, in the order of the array."),
    }
)


def _distinct(found: dict[str, Any], at: str, faults: Faults) -> None:
    seen: dict[str, str] = {}
    for text in found.get("stageMap") or {}:
        name = folded(text)
        if name in seen:
            faults.append(Fault(f"{at}/stageMap", f"has {text} and {seen[name]}, which are alike"))
        seen[name] = text


STAGE_MAP = Object(
    {
        "stageMap": Field(
            MapOf(Nullable(Choice(STAGES)), MOST_STATUSES, r"[^\x00]{1,200}"),
            "Status text to stage. It replaces the map as a whole; null leaves a text out. Case "
            "and blanks say nothing.",
            required=True,
        )
    },
    check=_distinct,
)
STAGE_MAP_ANSWER: Schema = whole(
    {
        "stageMap": described(mapped(TEXT), "The client's own map."),
        "stages": described(listed(TEXT), "Every stage; its own name always stands for it."),
        "unmapped": described(mapped(WHOLE), "Texts that name no stage yet, and how many items."),
    }
)
