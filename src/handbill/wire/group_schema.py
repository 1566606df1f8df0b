"""What a job group looks like when it is answered. **Source**: domain 14.12."""

from handbill.wire.groups import filter_schema
from handbill.wire.shapes import Schema
from handbill.wire.spelling import (
    BUDGET,
    CAPS,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    OBJECT,
    OVERRIDE,
    STATUS,
    TEXT,
    WHOLE,
    described,
    listed,
    mapped,
    whole,
)

_FILTER: Schema = {"anyOf": [filter_schema(), {"type": "object", "maxProperties": 0}]}
_BID = described(NUMBER, "Bid over this publisher.")
_PLACEMENT_CAP = whole(
    {
        "budget": BUDGET,
        "bid": _BID,
        "isActive": described(FLAG, "Whether it runs over this publisher."),
    },
    ("budget", "bid"),
)
_PLACEMENT = whole(
    {
        "value": described(TEXT, "Publisher id."),
        "is_active": described(FLAG, "Whether it runs over this publisher."),
        "bid": _BID,
        "caps": described(whole({"budget": BUDGET}), "Cap over this publisher."),
        "currency": described(TEXT, "As it was said: the publisher's."),
    },
    ("bid", "caps", "currency"),
)
_TARGET = whole(
    {
        "type": described({"enum": ["cpc", "cpa"]}, "What is aimed at."),
        "value": described(NUMBER, "The aim."),
    }
)
_ORDER = whole(
    {
        "number": described(TEXT, "Number of the insertion order."),
        "value": described(WHOLE, "Its value."),
        "startDate": described(DAY, "First day, mm/dd/yyyy."),
        "endDate": described(DAY, "Last day, mm/dd/yyyy."),
    }
)
GROUP: Schema = whole(
    {
        "id": described(TEXT, "The job group's id."),
        "Compound Filters": described(_FILTER, "Which jobs it takes, spelled with ALL and ANY."),
        "name": described(TEXT, "Name of the job group."),
        "placementIds": described(listed(TEXT), "Ids of its publishers."),
        "activeStatus": described(STATUS, "A active, P paused."),
        "settingsOverride": described(OVERRIDE, "What it has other than its campaign."),
        "adWordsMetadata": described(OBJECT, "Kept and given back as it is."),
        "createdOn": described(INSTANT, "When it was created."),
        "isDefault": described(FLAG, "Whether it is the client's default job group."),
        "caps": described(CAPS, "What it may spend and get per period."),
        "placementCaps": described(mapped(_PLACEMENT_CAP), "Budget, bid and switch by publisher."),
        "priority": described(WHOLE, "Of several groups that match a job the lowest wins."),
        "performanceTargets": described(listed(_TARGET), "What is aimed at."),
        "ioDetails": described(listed(_ORDER), "Insertion orders."),
        "categories": described(listed(TEXT), "Categories."),
        "iid": described(WHOLE, "Its number among the client's job groups."),
        "campaignId": described(TEXT, "Id of its campaign."),
        "startDate": described(DAY, "First day, mm/dd/yyyy."),
        "endDate": described(DAY, "Last day, mm/dd/yyyy."),
        "cpcBid": described(NUMBER, "CPC bid."),
        "cpaBid": described(NUMBER, "CPA bid."),
        "filters": described(_FILTER, "Which jobs it takes, spelled with AND and OR."),
        "placements": described(listed(_PLACEMENT), "Its publishers, as they can be sent back."),
        "daysToSchedule": described(listed(WHOLE), "Weekdays on which it trades; 0 is Monday."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)
