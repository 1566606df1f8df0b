"""Jobs on the wire. **Source**: contract 1 (11 to 18), domain 1.7, 14.15 to 14.19."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from handbill.core.nouns import JobPlacement
from handbill.kit.faults import Fault, pointed
from handbill.kit.urls import NotUrl, page_url
from handbill.wire.caps import cap_shape
from handbill.wire.changes import PLACEMENT_CAPS, caps_change_shape
from handbill.wire.date_patterns import When
from handbill.wire.shapes import (
    Day,
    Faults,
    Field,
    Flag,
    ListOf,
    MapOf,
    Money,
    Object,
    Percent,
    Schema,
    Shape,
    Text,
    TextOrNumber,
)


def dates_in_order(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Check startDate ≤ endDate, where both are given."""
    start, end = found.get("startDate"), found.get("endDate")
    if start and end and end < start:
        faults.append(Fault(f"{at}/endDate", "must not be before startDate"))


_OWN_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_NODE_NAME = r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_NOT_DAILY = ("Weekly", "Monthly", "Lifetime")
_LONG = 200_000


@dataclass(frozen=True)
class Url(Shape):
    """An address that we could send a visitor to; kept as given, but for its outer blanks."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        text = Text(most=8_192).read(value, at, faults)
        if isinstance(text, str) and (text := text.strip()):
            try:
                page_url(text)
            except NotUrl as bad:
                faults.append(Fault(at, str(bad)))
        return text

    def schema(self) -> Schema:
        return Text(most=8_192).schema()


@dataclass(frozen=True)
class Word(Shape):
    """The value of an own field: text; a number or a truth is taken as its JSON text."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            value = str(value)
        return Text(most=4_000).read(value, at, faults)

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"], "maxLength": 4_000}


@dataclass(frozen=True)
class PublisherFields(Shape):
    """Read as (allow-list or None, publisher id → node → text); an empty list allows all."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object"))
            return None, {}
        if len(value) > 200:
            faults.append(Fault(at, "must have at most 200 keys"))
            return None, {}
        allowed = value.get("publishers")
        if allowed is not None:
            ids = ListOf(Text(1, 100), most=1_000).read(allowed, f"{at}/publishers", faults)
            allowed = tuple(ids) or None
        nodes = {
            name: MapOf(Word(), 50, _NODE_NAME).read(own, f"{at}/{pointed(name)}", faults)
            for name, own in value.items()
            if name != "publishers"
        }
        return allowed, nodes

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {
                "publishers": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Only these publishers may carry the job.",
                }
            },
            "additionalProperties": {
                "type": "object",
                "additionalProperties": Word().schema(),
                "description": "By publisher id: nodes that the job has in that publisher's feed, "
                "in place of one of the same name; never the link, the bids and the reference.",
            },
            "maxProperties": 200,
        }


_ONE_CAP = cap_shape(money=True, periods=_NOT_DAILY)
_COUNT_CAP = cap_shape(money=False, periods=_NOT_DAILY)
_CAPS = replace(
    caps_change_shape(),
    fields={
        "budget": Field(_ONE_CAP, "Most to spend on the job."),
        "clicks": Field(_COUNT_CAP, "Most valid clicks on the job."),
        "applies": Field(_COUNT_CAP, "Most applies to the job."),
    },
)
SETTING = Object(
    {
        "cpcBid": Field(Money(), "CPC bid in place of the job group's."),
        "cpaBid": Field(Money(), "CPA bid in place of the job group's."),
        "markdown": Field(Percent(), "Percent taken off the bid that publishers see."),
        "caps": Field(_CAPS, "Caps of the job alone, in whichever job group it is; not Daily."),
        "startDate": Field(Day(), "First day on which it is advertised, mm/dd/yyyy."),
        "endDate": Field(Day(), "Last day on which it is advertised, mm/dd/yyyy."),
    },
    check=dates_in_order,
)
SETTING_NAMES = {
    "cpcBid": "cpc_bid_micros", "cpaBid": "cpa_bid_micros", "markdown": "markdown_ppm",
    "startDate": "start_on", "endDate": "end_on",
}  # fmt: skip


def _placement(found: dict[str, Any]) -> JobPlacement:
    active = found.get("isActive")
    return JobPlacement(
        publisher_id=found["value"],
        cpc_bid_micros=found.get("cpcBid"),
        cpa_bid_micros=found.get("cpaBid"),
        active=True if active is None else active,
        budget=found.get("caps"),
        currency=found.get("currency") or "",
    )


PLACEMENT = Object(
    {
        "value": Field(
            Text(1, 100), "Publisher id.", required=True, aliases=("pValue", "publisherId")
        ),
        "cpcBid": Field(Money(), "CPC bid of the job over this publisher."),
        "cpaBid": Field(Money(), "CPA bid of the job over this publisher."),
        "isActive": Field(
            Flag(), "False keeps the job off this publisher; true if absent.",
            aliases=("is_active",),
        ),
        "caps": Field(
            PLACEMENT_CAPS, "Its budget over this publisher, not Daily."
        ),
        "currency": Field(
            Text(most=3), "Only the publisher's own, ISO 4217: nothing is converted."
        ),
    },
    make=_placement,
)  # fmt: skip
_FIELDS = {
    "title": Field(Text(most=1_000), "Title of the job. Without one the job is not valid."),
    "company": Field(Text(most=500), "Company that offers the job."),
    "description": Field(
        Text(most=_LONG), "Description, text or HTML. Without one the job is not valid."
    ),
    "category": Field(Text(most=500), "Category, in the client's own words."),
    "url": Field(Url(), "Address of the job. Without it and alternateURL the job is not valid."),
    "alternateURL": Field(Url(), "Where clicks go if there is no url."),
    "city": Field(Text(most=300), "City of the workplace."),
    "state": Field(Text(most=300), "State or region of the workplace."),
    "country": Field(Text(most=300), "Country of the workplace."),
    "zip": Field(TextOrNumber(), "Zip code, a string or an integer; given back as it came."),
    "publishedDate": Field(
        When(),
        "When it was published: ISO 8601 or mm/dd/yyyy; now if absent. A day is its first moment, "
        "in the client's time zone, and so is a time without an offset.",
        aliases=("pubDate",),
    ),
    "endAtDate": Field(
        When(),
        "When it expires: ISO 8601 or mm/dd/yyyy. A day is its last moment, in the client's time "
        "zone. A past one is accepted.",
    ),
    "jobType": Field(
        Text(most=100), "FULL_TIME, PART_TIME, CONTRACTOR, or a word of yours.", aliases=("type",)
    ),
    "additionalFields": Field(
        MapOf(Word(), 50, _OWN_NAME), "Your own fields, at most 50; job groups can filter by them."
    ),
    "publisherFields": Field(
        PublisherFields(), "Allow-list of publishers, and nodes by publisher."
    ),
    "jobSetting": Field(SETTING, "Bids, markdown, caps and dates of this job alone."),
    "placementSettings": Field(
        ListOf(PLACEMENT, most=500), "What holds for this job over single publishers."
    ),
}


def _one_publisher_once(found: dict[str, Any], at: str, faults: Faults) -> None:
    seen: set[str] = set()
    for n, placement in enumerate(found.get("placementSettings") or ()):
        if placement.publisher_id in seen:
            faults.append(Fault(f"{at}/placementSettings/{n}/value", "is there twice"))
        seen.add(placement.publisher_id)


CREATE = Object(
    {
        "refNumber": Field(
            Text(1, 500, r"[^\x00-\x1f\x7f]+", "must not contain control characters"),
            "Reference number, unique in the client.",
            required=True,
        )
    }
    | _FIELDS,
    check=_one_publisher_once,
)
UPDATE = Object(_FIELDS, check=_one_publisher_once)
NAMES = {
    "title": "title", "company": "company", "description": "description", "category": "category",
    "url": "url", "alternateURL": "alternate_url", "city": "city", "state": "state",
    "country": "country", "zip": "zip", "publishedDate": "published_at", "endAtDate": "end_at",
    "jobType": "type", "additionalFields": "additional",
}  # fmt: skip
INSTANTS = {"publishedDate": False, "endAtDate": True}
"""What is read as ``When``, and whether a day alone is its last moment."""
BULK = ListOf(Text(most=100), most=1_000)
