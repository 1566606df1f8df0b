"""Answers as examples for the OpenAPI document: feeds.

Names and values are those of the reference's samples where it has them.
"""

from typing import Any

from handbill.core.nouns import Feed, FeedBody
from handbill.kit.instants import instant_of_iso, iso_of
from handbill.wire.feeds import COUNTS, spell_feed

_AT = instant_of_iso("2021-05-03T08:58:42Z")
_CLIENT_ID = "3788ba55-a0c5-43ec-9982-65bb1344fa2b"
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
