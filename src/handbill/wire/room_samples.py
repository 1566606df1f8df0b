"""Answers as examples for the OpenAPI document: feeds and postings.

Names and values are those of the reference's samples where it has them.
"""

from typing import Any

from handbill.core.nouns import Feed, FeedBody
from handbill.kit.instants import instant_of_iso, iso_of
from handbill.wire.feeds import COUNTS, spell_feed

_AT = instant_of_iso("2021-05-03T08:58:42Z")
_CLIENT_ID = "3788ba55-a0c5-43ec-9982-65bb1344fa2b"
_CONFIG_ID = "d21ba8ff-c7f5-4b25-b5fc-5fbd1ba7f8fe"
_FEED_ID = "5cb2ccb9-c7f5-4b25-b5fc-5fbd1ba7f8fe"
_REF = "test-job-ref-number-19"
_FEED = Feed(
    no=0, id=_FEED_ID, client_no=0, status="A", created_at=_AT, updated_at=_AT,
    body=FeedBody(
        "https://feeds.example.com/jobs.xml",
        mappings={
            "schemaMappingsJobCollection": "source", "schemaMappingsJob": "job",
            "schemaMappingsTitle": "title", "schemaMappingsDescription": "description",
            "schemaMappingsURL": "url", "schemaMappingsRefNumber": "referencenumber",
        },
    ),
)  # fmt: skip
FEED: dict[str, Any] = spell_feed(_FEED, _CLIENT_ID)
FEED_RUN: dict[str, Any] = {
    "id": "bb30b2fb-253c-449d-8de3-da970d560394",
    "status": "SUCCESS",
    "percent": 100,
    "reason": "",
    "message": "",
    "line": 0,
    "createdOn": iso_of(_AT),
    "endedOn": "2021-05-03T08:58:44.120Z",
    "bytes": 181_204,
    "counts": dict.fromkeys(COUNTS, 0) | {"total": 102, "added": 2, "unchanged": 100},
    "faultCounts": {"missing": 1},
    "faults": [
        {
            "job": _REF, "field": "title", "line": 1_204, "reason": "missing",
            "message": "is empty",
        }
    ],
}  # fmt: skip
RUN_STARTED: dict[str, Any] = {"result": FEED_RUN["id"], "message": "Feed run started"}

POSTING: dict[str, Any] = {
    "id": _CONFIG_ID,
    "agencyId": "acme",
    "clientIds": [_CLIENT_ID],
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "startDate": "2021-05-03T05:19:04.000Z",
    "endDate": "2021-06-02T05:19:04.000Z",
    "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
    "availableCount": 10,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
    "billingType": "PREPAID",
    "purchaseType": "ClientBilled",
    "isActive": True,
    "usedCount": 1,
}
POSTING_ROW: dict[str, Any] = {
    "id": _CONFIG_ID,
    "agencyId": "acme",
    "clientIds": [_CLIENT_ID],
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "costPerJobPerDay": 2.2,
    "costPerSlotPerHour": 0.030556,
    "startDate": "2021-05-03T05:19:04.000Z",
    "endDate": "2021-06-02T05:19:04.000Z",
    "duration": 720,
    "availableCount": 10,
    "rotateFreqInDays": 2,
    "usedCount": 1,
    "lastRotated": iso_of(_AT),
    "isActive": True,
    "lastUpdated": iso_of(_AT),
    "createdOn": iso_of(_AT),
    "jobDuration": 10,
    "postedJobsCount": 1,
    "configType": "SLOT",
    "minJobDurationInDays": 2,
    "billingType": {"name": "PREPAID"},
    "purchaseType": {"name": "ClientBilled"},
}
POSTING_JOB: dict[str, Any] = {
    "id": "f4f71332-5013-44f3-9e66-1e732149aa09",
    "clientId": _CLIENT_ID,
    "jobId": "1b123575a6037f46f0c2327e2cfad81b",
    "placement": "TestExp1",
    "refNumber": _REF,
    "isPosted": True,
    "isPinned": True,
    "isPaused": True,
    "lastModified": iso_of(_AT),
    "createdOn": iso_of(_AT),
    "status": "A",
}
POSTED_JOB: dict[str, Any] = POSTING_JOB | {"isPaused": False, "configId": _CONFIG_ID}


def processed(word: str) -> dict[str, Any]:
    """What became of two references: one was done, one is not in the posting."""
    return {
        "result": {
            "test-job-ref-number-108": {"success": True, "id": POSTING_JOB["id"]},
            "test-job-ref-number-109": {"success": False, "message": "JOB_NOT_FOUND"},
        },
        "message": f"{word} request processed",
    }
