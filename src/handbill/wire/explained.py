"""What an explanation of a job looks like: an addition to the contract."""

from handbill.wire.group_schema import GROUP
from handbill.wire.groups import leaf_schema
from handbill.wire.previews import WARNING
from handbill.wire.shapes import Schema
from handbill.wire.spelling import (
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    WHOLE,
    described,
    listed,
    nullable,
    whole,
)

_CAPS = GROUP["properties"]["caps"]
_COMPARED = whole(
    leaf_schema()["properties"]
    | {
        "value": described(
            {"type": ["string", "number", "null"]}, "What the job has there; null: nothing."
        ),
        "holds": described(FLAG, "Whether the comparison holds."),
    }
)
_FILTER = whole(
    {
        "holds": described(FLAG, "Whether the job group's filter holds for the job."),
        "decidedBy": described(
            listed(_COMPARED), "The comparisons that decide it, the first 20 of them."
        ),
    }
)
_STATE = whole(
    {
        "status": described(
            {
                "enum": [
                    "ACTIVE", "PAUSED", "PARENT_PAUSED", "NOT_STARTED", "EXPIRED", "CAPPED",
                    "PARENT_CAPPED",
                ]
            },
            "The state in effect.",
        ),
        "description": described(TEXT, "Why, in words."),
    }
)  # fmt: skip
_NAMED = {
    "id": described(TEXT, "Its id."),
    "name": described(TEXT, "Its name."),
}
_WARNINGS = described(
    listed(WARNING), "Fields of its filter that no job of the client has: misspelt, or not yet."
)
_LEVEL = _NAMED | {
    "state": described(_STATE, "Its effective state: its own, then that of what is above it."),
    "caps": described(_CAPS, "Its own caps, those that are set."),
}
_GROUP = _LEVEL | {
    "priority": described(WHOLE, "Of several job groups that match, the lowest wins."),
    "isDefault": described(FLAG, "Whether it holds what no other job group matches."),
    "campaignId": described(TEXT, "Its campaign."),
    "filter": described(nullable(_FILTER), "Why it matches; null: it is the default one."),
    "warnings": _WARNINGS,
}
_LOSER = _NAMED | {
    "priority": _GROUP["priority"],
    "campaignId": _GROUP["campaignId"],
    "reason": described(
        {"enum": ["NOT_ACTIVE", "NO_FILTER", "NO_MATCH", "LOWER_RANK"]},
        "Why it does not have the job.",
    ),
    "state": described(_STATE, "Its own state, and its campaign's."),
    "filter": described(nullable(_FILTER), "What its filter says; null: it was not asked."),
    "warnings": _WARNINGS,
}
_JOB = {
    "status": described({"enum": ["ACTIVE", "PAUSED", "EXPIRED"]}, "The job's own status."),
    "valid": described(FLAG, "Whether it has all mandatory fields."),
    "missingFields": described(listed(TEXT), "Mandatory fields that it lacks."),
    "fromFeed": described(FLAG, "Whether a feed brought it."),
    "listable": described(FLAG, "Whether it may stand in a feed at all."),
    "reasons": described(listed({"enum": ["INVALID", "EXPIRED", "NO_URL"]}), "Why it may not."),
    "caps": described(_CAPS, "Caps of this job alone."),
}
_PUBLISHED = {
    "feedUrl": described(nullable(TEXT), "The publisher's feed of all clients; null: none yet."),
    "writtenOn": described(nullable(INSTANT), "When that file was written; null: not yet."),
    "current": described(FLAG, "Whether it has what the clients were last decided to add to it."),
    "lookedInto": described(FLAG, "False: the client's part is too large to be searched here."),
    "listed": described(nullable(FLAG), "Whether the job is in it; null: not looked into."),
    "bid": described(nullable(NUMBER), "The bid that its link freezes."),
    "price": described(nullable(NUMBER), "The price that its link freezes."),
    "jobGroupId": described(nullable(TEXT), "The job group that its link freezes."),
}
_PUBLISHER = _NAMED | {
    "bidType": described(TEXT, "What the publisher is paid for."),
    "listed": described(FLAG, "Whether the job is to be in its feed, as things stand now."),
    "reasons": described(
        listed(TEXT),
        "All that keeps it out: INVALID, EXPIRED, NO_URL, NO_GROUP, NOT_TRADING (see the states), "
        "PUBLISHER_INACTIVE, PUBLISHER_EXCLUDED (by the client), CLIENT_TYPE (the publisher takes "
        "other clients), NO_PLACEMENT and PLACEMENT_INACTIVE (in the job group), NOT_POSTED, "
        "JOB_PAUSED, JOB_NOT_IN_FORCE, JOB_EXCLUDES (by its allow-list or placement settings), "
        "NO_BID, BELOW_MIN_BID.",
    ),
    "bid": described(nullable(NUMBER), "The strongest bid that was said; null: none could be."),
    "bidSource": described(
        nullable(TEXT),
        "Who said it: FLAT_CPC, JOB_PLACEMENT, PLACEMENT, JOB, JOBGROUP, FEED, ORGANIC, POSTING.",
    ),
    "markdown": described(nullable(NUMBER), "Percent kept back of the bid."),
    "price": described(nullable(NUMBER), "What the publisher is shown; null: it is not listed."),
    "minBid": described(NUMBER, "The publisher's least bid."),
    "caps": described(_CAPS, "Caps of the job group over this publisher."),
    "published": described(whole(_PUBLISHED), "What can be read in its feed right now."),
}
EXPLAINED: Schema = whole(
    {
        "refNumber": described(TEXT, "The job's reference number."),
        "jobId": described(TEXT, "The job's id."),
        "clientId": described(TEXT, "Client of the job."),
        "at": described(INSTANT, "The moment that this holds for."),
        "job": described(whole(_JOB), "What the job itself has to do with it."),
        "client": described(whole(_LEVEL), "The client."),
        "campaign": described(nullable(whole(_LEVEL)), "The campaign of its job group."),
        "jobGroup": described(nullable(whole(_GROUP)), "The job group that it belongs to."),
        "pending": described(FLAG, "Whether a change is still to be matched."),
        "otherJobGroups": described(
            listed(whole(_LOSER)), "Job groups that do not have it: best ranked first, at most 100."
        ),
        "otherJobGroupsTotal": described(WHOLE, "How many there are in all."),
        "publishers": described(listed(whole(_PUBLISHER)), "Each publisher of the agency."),
    }
)
_SAMPLE_STATE = {"status": "ACTIVE", "description": "trades"}
_SAMPLE_NURSE = {
    "field": "title", "operator": "CONTAINS", "data": "nurse", "value": "Java Developer",
    "holds": False,
}  # fmt: skip
_SAMPLE_US = {
    "field": "country", "operator": "IN", "data": ["US", "CA"], "value": "US", "holds": True,
}  # fmt: skip
_CAMPAIGN_ID = "8f3142dc-d7b1-4b21-86e5-b151ae862664"
_GROUP_ID = "df8285cd-2ab4-44ab-8861-9ff3be0c4970"
_SAMPLE_PUBLISHER = {
    "id": "TestExp1", "name": "Test Exp 1", "bidType": "CPC", "listed": False,
    "reasons": ["BELOW_MIN_BID"], "bid": 0.05, "bidSource": "PLACEMENT", "markdown": 10,
    "price": None, "minBid": 0.1, "caps": {},
    "published": {
        "feedUrl": "https://links.example.com/f/k0f3v1mx8c2b7q9z5n4d6s1h0a.xml",
        "writtenOn": "2019-11-29T10:00:00.000Z", "current": True, "lookedInto": True,
        "listed": False, "bid": None, "price": None, "jobGroupId": None,
    },
}  # fmt: skip
SAMPLE = {
    "refNumber": "test-job-ref-number-19",
    "jobId": "e13cd1d459a7be781712aa2636a9580c",
    "clientId": "40194b3f-7b49-41e8-b235-4d93a50330f3",
    "at": "2019-11-29T10:00:00.000Z",
    "job": {
        "status": "ACTIVE", "valid": True, "missingFields": [], "fromFeed": True,
        "listable": True, "reasons": [], "caps": {},
    },
    "client": {
        "id": "40194b3f-7b49-41e8-b235-4d93a50330f3", "name": "jobgroup-saving",
        "state": _SAMPLE_STATE, "caps": {},
    },
    "campaign": {
        "id": _CAMPAIGN_ID, "name": "test-campaign-api-1", "state": _SAMPLE_STATE, "caps": {},
    },
    "jobGroup": {
        "id": _GROUP_ID, "name": "test-jobgroup-200", "state": _SAMPLE_STATE, "caps": {},
        "priority": 1, "isDefault": False, "campaignId": _CAMPAIGN_ID,
        "filter": {"holds": True, "decidedBy": [_SAMPLE_US]}, "warnings": [],
    },
    "pending": False,
    "otherJobGroups": [
        {
            "id": "bebdddfc-fcc3-49b2-9390-7a9f2ef52f4d", "name": "nurses", "priority": 0,
            "campaignId": _CAMPAIGN_ID, "reason": "NO_MATCH", "state": _SAMPLE_STATE,
            "filter": {"holds": False, "decidedBy": [_SAMPLE_NURSE]}, "warnings": [],
        }
    ],
    "otherJobGroupsTotal": 1,
    "publishers": [_SAMPLE_PUBLISHER],
}  # fmt: skip
