"""A full body and a least one of every noun: all that is documented, and what must be there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract.office import Body
from contract.world import FEED
from handbill.core.feed_mappings import KEYS
from handbill.dialects.outbound import HEAD_NODES, JOB_NODES


def cap(value: float, period: str = "Weekly", **more: Any) -> Body:
    return {
        "cap": period,
        "value": value,
        "pacing": False,
        "thresholdP": 70,
        "locked": False,
    } | more


def full_caps(**more: Any) -> Body:
    return {
        "budget": cap(500, "Monthly", pacing=True),
        "clicks": cap(40),
        "applies": cap(4),
        **more,
    }


@dataclass
class Noun:
    """``at``: where it is made, ``made``: where it is then. ``full``: each field with a value that
    none has by itself, ``least``: what it can be made with. ``named``: fields that come back under
    another name, ``spelled``: in another spelling, or (None) not at all. ``once``: not updated.
    """

    at: str
    full: Body
    made: str = "{at}/{id}"
    spelled: Body = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    least: Body = field(default_factory=dict)
    once: tuple[str, ...] = ()


FILTER = {
    "operator": "OR",
    "rules": [
        {"operator": "IN", "field": "city", "data": ["Bonn", "Ulm"]},
        {
            "operator": "AND",
            "rules": [{"operator": "GREATER_THAN", "field": "postedDate", "data": "3"}],
        },
    ],
}


def _node_names(fields: Iterable[str]) -> dict[str, str]:
    """A name for each node of a publisher's feed."""
    return {name: f"n{number}" for number, name in enumerate(fields)}


PLACE: Body = {
    "value": "TestExp1",
    "bid": 0.7,
    "is_active": False,
    "currency": "USD",
    "caps": {"budget": cap(2, "Monthly", locked=True)},
}
NOUNS = {
    "client": Noun(
        "/clients",
        {
            "companyName": "Mills",
            "timeZone": "UTC-10:00",
            "startDate": "11/01/2026",
            "clientType": "JobBoard",
            "ats": "Zoho",
            "country": "DE",
            "industry": "i7",
            "frequency": "6 hours",
            "startDefaultCampaign": True,
            "sjCreate": True,
            "exportedName": "mills_x",
            "advertiserName": "Mills AG",
            "applyConvWindow": 7,
            "endDate": "12/31/2030",
            "atsUrl": "https://ats.example.com/x",
            "markdown": 12.5,
            "enforceMinimumMarkdown": True,
            "excludedPublishers": ["TestExp1"],
            "globallyExcludedPublishers": ["TestExp1"],
            "caps": full_caps(),
        },
        least={"companyName": "Mills", "caps": {"budget": cap(1)}},
        once=(
            "timeZone",
            "startDate",
            "clientType",
            "ats",
            "country",
            "industry",
            "frequency",
            "startDefaultCampaign",
            "sjCreate",
            "companyName",
        ),
    ),
    "job": Noun(
        "{client}/jobs",
        {
            "refNumber": "R1",
            "title": "Nurse",
            "company": "Mills",
            "description": "<p>d</p>",
            "category": "Care",
            "url": "https://e.example.com/1",
            "city": "Bonn",
            "state": "NW",
            "alternateURL": "https://e.example.com/2",
            "country": "DE",
            "zip": 53111,
            "publishedDate": "2026-11-01T10:00:00.000Z",
            "endAtDate": "2027-11-01T10:00:00.000Z",
            "jobType": "PART_TIME",
            "additionalFields": {"shift": "night"},
            "publisherFields": {"publishers": ["TestExp1"], "TestExp1": {"logo": "x.png"}},
            "jobSetting": {
                "cpcBid": 0.31,
                "cpaBid": 3.1,
                "markdown": 5,
                "caps": full_caps(budget=cap(9)),
                "startDate": "11/02/2026",
                "endDate": "11/20/2027",
            },
            "placementSettings": [
                {
                    "value": "TestExp1",
                    "cpcBid": 0.32,
                    "cpaBid": 3.2,
                    "isActive": False,
                    "caps": {"budget": cap(3)},
                    "currency": "USD",
                }
            ],
        },
        made="{at}/R1",
        named={"publishedDate": "pubDate", "jobType": "type"},
        least={
            "refNumber": "R1",
            "title": "t",
            "description": "d",
            "url": "https://e.example.com/",
        },
        once=("refNumber",),
        spelled={"placementSettings/0/currency": None},
    ),
    "campaign": Noun(
        "{client}/campaigns",
        {
            "name": "autumn",
            "startDate": "11/02/2026",
            "caps": full_caps(),
            "endDate": "11/30/2027",
            "settingsOverride": {"markdown": 1.5, "markup": 2.5, "applyConvWindow": 9},
            "placementCaps": {"TestExp1": {"budget": cap(3)}},
        },
        least={"name": "x"},
        once=("startDate",),
    ),
    "jobgroup": Noun(
        "{client}/campaigns/{campaign}/jobgroups",
        {
            "name": "nurses",
            "startDate": "11/02/2026",
            "endDate": "11/29/2027",
            "cpcBid": 0.4,
            "cpaBid": 4,
            "filters": FILTER,
            "priority": 3,
            "daysToSchedule": [0, 2],
            "delivery": "ASAP",
            "caps": full_caps(jobBudget=cap(5, "Lifetime"), jobClicks=cap(6), jobApplies=cap(7)),
            "placements": [PLACE | {"budget": cap(2, "Monthly", locked=True)}],
            "performanceTargets": [{"type": "cpa", "value": 4.5}],
            "ioDetails": [
                {"number": "IO", "value": 5, "startDate": "11/03/2026", "endDate": "11/04/2026"}
            ],
            "categories": ["care"],
            "adWordsMetadata": {"id": 7},
            "settingsOverride": {"markdown": 1.5, "markup": 2.5, "applyConvWindow": 9},
        },
        least={
            "name": "x",
            "filters": FILTER,
            "caps": {"budget": cap(1)},
            "placements": [{"value": "TestExp1"}],
        },
        once=("startDate",),
        spelled={"placements/0/currency": None, "placements/0/budget": None},
    ),
    "feed": Noun(
        "{client}/feeds",
        {
            "xmlFeedUrl": "https://feeds.example.com/jobs.xml",
            "schemaMappings": {key: f"n{number}" for number, key in enumerate(KEYS)}
            | {
                "schemaMappingAdditional": {"shift": "shift"},
                "schemaMappingPublisher": {"boards": "publishers"},
            },
            "schemaMappingPublisher": {"boards": "publishers"},
            "urlParamsToStrip": ["utm_source"],
            "schemaValueOverrides": {"company": "Mills"},
            "schemaValueDefaults": {"country": "DE"},
            "mandatoryFields": ["title", "url"],
            "config": {"userAgent": "Mills/1", "auth": {"username": "u", "password": "p"}},
        },
        least=FEED,
        named={"xmlFeedUrl": "source"},
        spelled={"config/auth": None, "schemaMappingPublisher": None},
    ),
    "posting": Noun(
        "{client}/publishers/TestExp1/configs",
        {
            "startDate": "2026-11-01",
            "cost": 220.5,
            "endDate": "2026-12-01",
            "dateFormat": "yyyy-MM-dd",
            "availableCount": 9,
            "rotateFreqInDays": 2,
            "jobDuration": 10,
            "minJobDurationInDays": 3,
            "clientIds": ["{other}"],
            "billingType": "POSTPAID",
            "purchaseType": "AgencyBilled",
        },
        least={
            "startDate": "2026-11-01",
            "cost": 1,
            "endDate": "2026-12-02",
            "availableCount": 1,
            "rotateFreqInDays": 1,
        },
        once=("startDate",),
        spelled={
            "clientIds": ["{client_id}", "{other}"],
            "startDate": "2026-11-01T00:00:00.000Z",
            "endDate": "2026-12-01T23:59:59.999Z",
        },
    ),
    "publisher": Noun(
        "/publishers",
        {
            "id": "Board{n}",
            "name": "Board",
            "bidType": "FLAT_CPC",
            "minBid": 0.05,
            "flatBidValue": 0.25,
            "currency": "USD",
            "url": "https://board.example.com/",
            "country": "DE",
            "industry": ["care"],
            "placementType": "JobBoard",
            "placementAlias": "B",
            "perClientPlacements": True,
            "isCompressedFeed": True,
            "schema": {
                "headerSchema": _node_names(HEAD_NODES),
                "jobSchema": _node_names(JOB_NODES),
                "additionalFieldsV2": {"logo": "x"},
                "additionalFields": ["shift"],
                "fieldsWrappedInCdata": ["title"],
                "includeCurrencyInBidTag": True,
            },
            "payEveryApply": True,
            "feedIndexLatency": 30,
            "deliverFeedByFTP": True,
            "ftpConfig": {
                "credentials": {
                    "host": "ftp.example.com",
                    "port": 2121,
                    "username": "u",
                    "password": "p",
                    "tls": True,
                },
                "pathTemplate": "in/{{exportedName}}.xml",
                "alertRecipients": ["a@b.org"],
            },
            "publisherContactDetailsRevamp": [
                {
                    "email": "a@b.org",
                    "vpAccessEnabled": True,
                    "notificationEnabled": True,
                    "notificationAlertThreshold": 12.5,
                }
            ],
            "vendorPortalDetails": [
                {"url": "https://v.example.com/", "username": "u", "password": "p"}
            ],
            "publisherPortalDetails": {
                "url": "https://p.example.com/",
                "username": "u",
                "password": "p",
            },
            "publisherReconciliationDetails": {
                "mode": "Manual",
                "startDate": "11/02/2026",
                "frequency": "Weekly",
                "timezone": "UTC+1:00",
            },
        },
        least={"id": "Board{n}", "bidType": "FLAT_CPC", "flatBidValue": 1},
        once=("id",),
        spelled={
            "bidType": {"name": "FLAT_CPC"},
            "schema/additionalFields": None,
            "schema/additionalFieldsV2": {"logo": "x", "shift": "shift"},
        },
    ),
    "family": Noun(
        "/publisher-families",
        {"name": "Vendor", "publishers": ["TestExp1"]},
        least={"publishers": ["TestExp1"]},
    ),
    "markup": Noun(
        "/markups",
        {
            "effectiveFrom": 1_793_577_600,
            "value": 7.25,
            "name": "autumn",
            "entities": [
                {
                    "clientId": "{client_id}",
                    "entityId": "{campaign}",
                    "level": "Campaign",
                    "placementId": "TestExp1",
                }
            ],
        },
        least={
            "effectiveFrom": 1_793_577_601,
            "value": 1,
            "entities": [{"clientId": "{client_id}", "level": "Client"}],
        },
    ),
}
