"""Clients on the wire. **Source**: contract 1 (2 to 10), domain 1.3, 14.2 to 14.6."""

from dataclasses import dataclass, replace
from typing import Any

from handbill.core.nouns import Client
from handbill.kit.faults import Fault
from handbill.kit.instants import iso_of
from handbill.kit.money import number_of
from handbill.wire.caps import cap_shape, caps_shape, spell_caps
from handbill.wire.changes import caps_change_shape
from handbill.wire.shapes import (
    Choice,
    Day,
    Faults,
    Field,
    Flag,
    Integer,
    ListOf,
    Object,
    Percent,
    Schema,
    Shape,
    Text,
    Zone,
    spell_day,
)
from handbill.wire.spelling import (
    CAPS,
    DAY,
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

HOURS = {"1 hour": 1, "3 hours": 3, "6 hours": 6, "12 hours": 12, "24 hours": 24}
_SPELLED_HOURS = {hours: text for text, hours in HOURS.items()}
_PUBLISHERS = ListOf(Text(1, 100), most=1_000, unique=True)


@dataclass(frozen=True)
class Frequency(Shape):
    """How often feeds are fetched, read as hours."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        return HOURS[Choice(tuple(HOURS)).read(value, at, faults)]

    def schema(self) -> Schema:
        return Choice(tuple(HOURS)).schema()


# What may be changed later (domain 1.3, and the switches that act at once).
_EDITABLE = {
    "exportedName": Field(
        Text(1, 200), "Names the files that publishers get; the company's name if absent."
    ),
    "advertiserName": Field(Text(most=200), "Fills the advertiser node of outbound jobs."),
    "applyConvWindow": Field(
        Integer(1, 90), "Days after its click within which an apply counts, 1 to 90; 30 if absent."
    ),
    "endDate": Field(Day(), "Last day, mm/dd/yyyy."),
    "atsUrl": Field(
        Text(most=2_000), "Address of the applicant tracking system. Kept; nothing acts on it."
    ),
    "markdown": Field(Percent(), "Percent taken off the bid that publishers see; 0 if absent."),
    "enforceMinimumMarkdown": Field(Flag(), "Keep the markdown where a lower one is set below."),
    "excludedPublishers": Field(_PUBLISHERS, "Publishers that get none of the client's jobs."),
    "globallyExcludedPublishers": Field(
        _PUBLISHERS,
        "Publishers that get none of the client's jobs, as those of excludedPublishers; resellers "
        "are not told apart.",
    ),
}
_FIXED = {
    "companyName": Field(Text(1, 200), "Name of the client. It cannot be changed.", required=True),
    "timeZone": Field(Zone(), "Time zone in which its days are counted; UTC if absent."),
    "startDate": Field(Day(), "First day, mm/dd/yyyy; today if absent. It cannot be changed."),
    "clientType": Field(
        Choice(("DirectEmployer", "JobBoard")), "Type of client; DirectEmployer if absent."
    ),
    "ats": Field(
        Text(1, 100),
        "Name of the applicant tracking system; Other if absent. Kept; nothing acts on it.",
    ),
    "country": Field(
        Text(most=2, pattern=r"[A-Za-z]{2}|", says="must be two letters of ISO 3166"),
        "Country, two letters of ISO 3166. Kept; nothing acts on it.",
    ),
    "industry": Field(Text(most=100), "Code of the industry. Kept; nothing acts on it."),
    "frequency": Field(Frequency(), "How often its feeds are fetched; 24 hours if absent."),
    "startDefaultCampaign": Field(Flag(), "Whether the default campaign runs; false if absent."),
    "sjCreate": Field(
        Flag(), "Whether its jobs are added one by one, without a feed. Kept; nothing acts on it."
    ),
}
NAMES = {
    "companyName": "company_name", "exportedName": "exported_name",
    "advertiserName": "advertiser_name", "clientType": "client_type",
    "applyConvWindow": "apply_window_days", "startDate": "start_on", "endDate": "end_on",
    "caps": "caps", "ats": "ats", "atsUrl": "ats_url", "country": "country",
    "industry": "industry", "frequency": "frequency_hours", "markdown": "markdown_ppm",
    "enforceMinimumMarkdown": "enforce_minimum_markdown",
    "excludedPublishers": "excluded_publishers",
    "globallyExcludedPublishers": "globally_excluded_publishers",
    "startDefaultCampaign": "start_default_campaign", "sjCreate": "sj_create",
}  # fmt: skip
FIXED_NAMES = {key: NAMES[key] for key in _FIXED if key in NAMES}
"""What is fixed at creation and can only be sent again as it is; the time zone is fixed too."""


def dates_in_order(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Check startDate ≤ endDate, where both are given."""
    start, end = found.get("startDate"), found.get("endDate")
    if start and end and end < start:
        faults.append(Fault(f"{at}/endDate", "must not be before startDate"))


CREATE = Object(
    _FIXED
    | _EDITABLE
    | {
        "caps": Field(
            caps_shape(budget_required=True),
            "What it may spend and get per period; the budget is required.",
            required=True,
        )
    },
    check=dates_in_order,
)
UPDATE = Object(
    {key: replace(field, required=False) for key, field in _FIXED.items()}
    | {
        "budget": Field(cap_shape(money=True), "New budget cap; it cannot be cleared."),
        "applies": Field(cap_shape(money=False), "New cap of applies; null clears it."),
        "clicks": Field(cap_shape(money=False), "New cap of clicks; null clears it."),
        "caps": Field(caps_change_shape(), "The same three caps, under one key."),
    }
    | _EDITABLE
)


def spell_child(child: Any) -> dict[str, Any]:
    """A campaign or job group as its parent lists it (domain 14.5, 14.8)."""
    return {
        "id": child.id,
        "name": child.body.name,
        "activeStatus": child.status,
        "isDefault": child.is_default,
    }


def spell_client(client: Client, children: dict[str, Any]) -> dict[str, Any]:
    """A client as the contract writes it; what we add stands behind."""
    body = client.body
    return {
        "id": client.id,
        "children": children,
        "companyName": body.company_name,
        "exportedName": body.exported_name,
        "startDate": spell_day(body.start_on),
        "endDate": spell_day(body.end_on),
        "timeZone": client.zone,
        "ats": body.ats,
        "caps": spell_caps(body.caps),
        "startDefaultCampaign": body.start_default_campaign,
        "clientType": body.client_type,
        "markdown": number_of(body.markdown_ppm * 100),
        "applyConvWindow": body.apply_window_days,
        "excludedPublishers": body.excluded_publishers,
        "globallyExcludedPublishers": body.globally_excluded_publishers,
        "advertiserName": body.advertiser_name,
        "atsUrl": body.ats_url,
        "country": body.country,
        "industry": body.industry,
        "frequency": _SPELLED_HOURS[body.frequency_hours],
        "enforceMinimumMarkdown": body.enforce_minimum_markdown,
        "sjCreate": body.sj_create,
        "pixelId": client.pixel_id,
        "activeStatus": client.status,
        "createdOn": iso_of(client.created_at),
        "lastUpdated": iso_of(client.updated_at),
    }


CHILD: Schema = whole(
    {
        "id": described(TEXT, "Its id."),
        "name": described(TEXT, "Its name."),
        "activeStatus": described(STATUS, "A active, P paused."),
        "isDefault": described(FLAG, "Whether it is the default one."),
    }
)
CHILD_NAME: Schema = whole({name: CHILD["properties"][name] for name in ("id", "name")})
CLIENT: Schema = whole(
    {
        "id": described(TEXT, "The client's id."),
        "children": described(mapped(CHILD), "Its campaigns by id."),
        "companyName": described(TEXT, "Name of the client."),
        "exportedName": described(TEXT, "Names the files that publishers get."),
        "startDate": described(DAY, "First day, mm/dd/yyyy."),
        "endDate": described(DAY, "Last day, mm/dd/yyyy."),
        "timeZone": described(TEXT, "Time zone in which its days are counted."),
        "ats": described(TEXT, "Name of the applicant tracking system."),
        "caps": described(CAPS, "What it may spend and get per period."),
        "startDefaultCampaign": described(FLAG, "Whether the default campaign was started."),
        "clientType": described(TEXT, "Type of client."),
        "markdown": described(NUMBER, "Percent taken off the bid that publishers see."),
        "applyConvWindow": described(WHOLE, "Days after its click within which an apply counts."),
        "excludedPublishers": described(listed(TEXT), "Publishers that get none of its jobs."),
        "globallyExcludedPublishers": described(
            listed(TEXT), "Publishers excluded for reseller traffic too."
        ),
        "advertiserName": described(TEXT, "Fills the advertiser node of outbound jobs."),
        "atsUrl": described(
            TEXT, "Address of the applicant tracking system. Kept; nothing acts on it."
        ),
        "country": described(TEXT, "Country, two letters of ISO 3166."),
        "industry": described(TEXT, "Code of the industry. Kept; nothing acts on it."),
        "frequency": described({"enum": list(HOURS)}, "How often its feeds are fetched."),
        "enforceMinimumMarkdown": described(FLAG, "Whether a lower markdown below is not used."),
        "sjCreate": described(
            FLAG, "Whether its jobs are added one by one, without a feed. Kept; nothing acts on it."
        ),
        "pixelId": described(TEXT, "The id that its pixels send."),
        "activeStatus": described(STATUS, "A active, P paused."),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)
CLIENT_ROW: Schema = CLIENT | {
    "properties": CLIENT["properties"]
    | {"children": described(mapped(CHILD_NAME), "Its campaigns by id.")}
}
