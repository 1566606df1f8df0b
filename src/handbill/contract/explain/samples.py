"""Samples of explanations."""

from typing import Any, Final

from handbill.contract.budget.routes import CAP
from handbill.contract.standing.routes import RESOLVED

_SAMPLE_STATE = {"status": "ACTIVE", "description": "trades"}
_SAMPLE_NURSE = {
    "field": "title",
    "operator": "CONTAINS",
    "data": "nurse",
    "value": "Java Developer",
    "holds": False,
}
_SAMPLE_US = {
    "field": "country",
    "operator": "IN",
    "data": ["US", "CA"],
    "value": "US",
    "holds": True,
}
_CAMPAIGN_ID = "8f3142dc-d7b1-4b21-86e5-b151ae862664"
_GROUP_ID = "df8285cd-2ab4-44ab-8861-9ff3be0c4970"
_SAMPLE_PUBLISHER = {
    "id": "TestExp1",
    "name": "Test Exp 1",
    "bidType": "CPC",
    "listed": False,
    "reasons": ["BELOW_MIN_BID"],
    "bid": 0.05,
    "bidSource": "PLACEMENT",
    "markdown": 10,
    "price": None,
    "minBid": 0.1,
    "currency": "USD",
    "priceRate": None,
    "saidBid": 0.05,
    "saidBidCurrency": "USD",
    "saidBidRate": None,
    "caps": {},
    "published": {
        "feedUrl": "https://links.example.com/f/k0f3v1mx8c2b7q9z5n4d6s1h0a.xml",
        "writtenOn": "2019-11-29T10:00:00.000Z",
        "current": True,
        "lookedInto": True,
        "listed": False,
        "bid": None,
        "price": None,
        "jobGroupId": None,
    },
}
JOB: Final[dict[str, Any]] = {
    "refNumber": "test-job-ref-number-19",
    "jobId": "e13cd1d459a7be781712aa2636a9580c",
    "clientId": "40194b3f-7b49-41e8-b235-4d93a50330f3",
    "at": "2019-11-29T10:00:00.000Z",
    "job": {
        "status": "ACTIVE",
        "valid": True,
        "missingFields": [],
        "fromFeed": True,
        "listable": True,
        "reasons": [],
        "caps": {},
    },
    "client": {
        "id": "40194b3f-7b49-41e8-b235-4d93a50330f3",
        "name": "jobgroup-saving",
        "state": _SAMPLE_STATE,
        "caps": {},
    },
    "campaign": {
        "id": _CAMPAIGN_ID,
        "name": "test-campaign-api-1",
        "state": _SAMPLE_STATE,
        "caps": {},
    },
    "jobGroup": {
        "id": _GROUP_ID,
        "name": "test-jobgroup-200",
        "state": _SAMPLE_STATE,
        "caps": {},
        "priority": 1,
        "isDefault": False,
        "campaignId": _CAMPAIGN_ID,
        "filter": {"holds": True, "decidedBy": [_SAMPLE_US]},
        "warnings": [],
    },
    "pending": False,
    "otherJobGroups": [
        {
            "id": "bebdddfc-fcc3-49b2-9390-7a9f2ef52f4d",
            "name": "nurses",
            "priority": 0,
            "campaignId": _CAMPAIGN_ID,
            "reason": "NO_MATCH",
            "state": _SAMPLE_STATE,
            "filter": {"holds": False, "decidedBy": [_SAMPLE_NURSE]},
            "warnings": [],
        }
    ],
    "otherJobGroupsTotal": 1,
    "publishers": [_SAMPLE_PUBLISHER],
}
CLICK: Final[dict[str, Any]] = {
    "clickId": "5f1d7c0c4b3e4d0f9a3b6f3f2d0a9c11",
    "state": "JUDGED",
    "description": "it is judged and booked",
    "receivedOn": "2019-11-29T10:00:00.000Z",
    "bookedFor": "2019-11-29T10:00:00.000Z",
    "clientId": "40194b3f-7b49-41e8-b235-4d93a50330f3",
    "campaignId": _CAMPAIGN_ID,
    "jobGroupId": _GROUP_ID,
    "publisherId": "TestExp1",
    "jobId": "e13cd1d459a7be781712aa2636a9580c",
    "refNumber": "test-job-ref-number-19",
    "link": {
        "bidType": "CPC",
        "bid": 0.5,
        "price": 0.45,
        "countedBid": 0.5,
        "countedPrice": 0.45,
        "listedOn": "2019-11-28T08:00:01.000Z",
        "heldVersion": "2019-11-29T08:00:01.000Z",
        "fetchedOn": "2019-11-29T08:10:00.000Z",
        "endedOn": None,
    },
    "disposition": "over_cap",
    "reason": "group_budget_monthly",
    "visitor": {
        "ip": "203.0.113.0",
        "agent": "9f0c2a7d51e3b846",
        "country": None,
        "city": None,
    },
    "definitionVersion": "1f0e9d8c7b6a5948",
    "rules": {
        "bot": True,
        "byAgent": True,
        "byAddress": True,
        "mostClicks": None,
        "duplicateSeconds": 30,
        "latentSeconds": None,
        "foreign": None,
        "latencyMinutes": 0,
    },
    "checks": [
        {
            "check": "AGENT",
            "result": "PASSED",
            "description": "the program that followed the link is on no list of bots",
            "saw": {"agent": "9f0c2a7d51e3b846"},
        },
        {
            "check": "FOREIGN",
            "result": "OFF",
            "description": "no rule asks for it",
            "saw": {},
        },
    ],
    "caps": [
        {
            "level": "group",
            "entityId": _GROUP_ID,
            "cap": "budget",
            "period": "Monthly",
            "value": 100,
            "used": 99.8,
            "reserved": 0,
            "decided": True,
            "asNow": False,
        }
    ],
    "charge": {
        "charge": 0,
        "spend": 0,
        "markedUp": 0,
        "agencyMarkup": 0,
        "overrideMarkup": 0,
        "currency": "USD",
    },
    "conversions": [
        {
            "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "kind": "APPLY",
            "at": "2019-11-29T10:05:00.000Z",
            "disposition": "counted",
            "reason": None,
            "jobApplicationId": "A-1001",
            "source": "pixel",
            "charge": 0,
            "markedUp": 0,
        }
    ],
    "corrections": [],
    "notKnown": ["the user agent: only a digest of it is told"],
}
ENTITY: Final[dict[str, Any]] = {
    "level": "JOBGROUP",
    "id": _GROUP_ID,
    "name": "test-jobgroup-200",
    "at": "2019-11-29T10:00:00.000Z",
    "resolvedStatus": RESOLVED,
    "listings": [
        {
            "id": "TestExp1",
            "name": "Test Exp 1",
            "listings": 0,
            "resolvedStatus": {
                "status": "PARENT_CAPPED",
                "description": "the job group has reached its monthly budget",
                "delivery": "STOPPED",
            },
        }
    ],
    "caps": [
        CAP
        | {
            "setOn": "2019-11-01T09:00:00.000Z",
            "limitedSince": None,
            "thresholdP": 80,
            "locked": False,
            "reserved": 0,
            "drawnBy": [
                {"level": "PLACEMENT", "id": "TestExp1", "name": "Test Exp 1", "used": 610.5}
            ],
            "drawnByOthers": 0,
        }
    ],
}
