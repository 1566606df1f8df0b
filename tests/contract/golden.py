"""The reference's samples, operation by operation: what goes in, and what must come out.

Where the reference left an object's insides out, the request is filled in and the answer is told
by its type. ``{client}`` and the like in a path stand for what an earlier row made.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contract.office import BUDGET, US, Body

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MD5 = re.compile(r"[0-9a-f]{32}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True)
class OneOf:
    """A value of one of these types."""

    types: tuple[type, ...]


NUMBER = OneOf((int, Decimal))
TEXT_OR_NULL = OneOf((str, type(None)))


@dataclass(frozen=True)
class Begins:
    """An object that has these keys first, in this order; what we add stands behind."""

    keys: dict[str, Any]


@dataclass(frozen=True)
class Golden:
    """One row. ``keeps``: under which name later rows find the answer's id."""

    number: int
    verb: str
    path: str
    body: Any = None
    answer: Any = None
    keeps: str = ""
    status: int = 200


def differences(found: Any, wanted: Any, at: str = "") -> list[str]:
    """Where an answer differs from the reference's sample; order of keys counts."""
    if isinstance(wanted, re.Pattern):
        sound = isinstance(found, str) and wanted.fullmatch(found)
        return [] if sound else [f"{at}: {found!r} is not like {wanted.pattern}"]
    if isinstance(wanted, OneOf):
        return [] if type(found) in wanted.types else [f"{at}: {found!r} is none of {wanted.types}"]
    if isinstance(wanted, type):
        return [] if type(found) is wanted else [f"{at}: {found!r} is no {wanted.__name__}"]
    if isinstance(wanted, Begins):
        begun = dict(list(found.items())[: len(wanted.keys)])
        return differences(begun, wanted.keys, at)
    if isinstance(wanted, dict):
        if not isinstance(found, dict) or list(found) != list(wanted):
            return [f"{at}: keys {found!r}, wanted {list(wanted)}"]
        return [
            line for key in wanted for line in differences(found[key], wanted[key], f"{at}/{key}")
        ]
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return [f"{at}: {found!r}, wanted {len(wanted)} items"]
        listed = enumerate(zip(found, wanted, strict=True))
        return [line for n, (one, other) in listed for line in differences(one, other, f"{at}/{n}")]
    same = found == wanted and type(found) is type(wanted)
    return [] if same else [f"{at}: {found!r}, wanted {wanted!r}"]


def _created(message: str, result: Any = UUID) -> Body:
    return {"result": result, "message": message}


def _done(message: str) -> Body:
    return {"result": True, "message": message}


_ALTERNATE = (
    "https://www.nxtpreprod.monster.com/job-openings/"
    "software-developer-new-york-city-ny--48e3732b -768b-473d-8fce-11bc1f6b1316"
)
_JOB: Body = {
    "title": "test title",
    "company": "test company",
    "description": "apply for this single job",
    "category": "Maintenance",
    "alternateURL": _ALTERNATE,
    "city": "Eluru",
    "state": "Telangana",
    "country": "US",
    "zip": 500081,
    "publishedDate": "2019-11-29T10:00:00.000Z",
    "endAtDate": "2019-11-29T10:00:00.000Z",
    "jobType": "FULL_TIME",
    "additionalFields": {"external-data": "x", "day": "Monday", "cpc": "0.3"},
    "publisherFields": {"TestExp1": {"sponsored": "yes"}},
    "jobSetting": {"cpcBid": 0.4},
    "placementSettings": [{"value": "TestExp1", "cpcBid": 0.5}],
}
_JOB_ANSWER = Begins(
    {
        "refNumber": "test-job-ref-number-19",
        "title": "test title",
        "company": "test company",
        "description": "apply for this single job",
        "category": "Maintenance",
        "city": "Eluru",
        "state": "Telangana",
        "country": "US",
        "jobId": MD5,
        "zip": 500081,
        "createdAtDate": INSTANT,
        "updatedAtDate": INSTANT,
        "pubDate": "2019-11-29T10:00:00.000Z",
        "postedDate": INSTANT,
        "modifiedDate": INSTANT,
        "type": "FULL_TIME",
        "additionalFields": dict,
        "publisherFields": dict,
        "jobSetting": dict,
        "placementSettings": list,
        "clientId": UUID,
        "valid": True,
        # The sample's endAtDate lies in the past: contract 3 calls such a job EXPIRED.
        "status": "EXPIRED",
    }
)
_CLIENT_ANSWER = Begins(
    {
        "id": UUID,
        "children": dict,
        "companyName": "New External API-789",
        "exportedName": "external-1",
        "startDate": "03/20/2020",
        "endDate": "04/20/2020",
        "timeZone": "UTC-10:00",
        "ats": "Other",
        "caps": dict,
        "startDefaultCampaign": False,
        "clientType": "DirectEmployer",
        "markdown": 0,
        "applyConvWindow": 35,
        "excludedPublishers": list,
        "globallyExcludedPublishers": list,
    }
)
_CAMPAIGN_ANSWER = Begins(
    {
        "id": UUID,
        "name": "test-campaign-api-1",
        "activeStatus": "A",
        "settingsOverride": dict,
        "createdOn": INSTANT,
        "children": dict,
        "isDefault": False,
        "caps": dict,
        "placementCaps": dict,
    }
)
_GROUP_ANSWER = Begins(
    {
        "id": UUID,
        "Compound Filters": dict,
        "name": "test-jobgroup-200",
        "placementIds": list,
        "activeStatus": "A",
        "settingsOverride": dict,
        "adWordsMetadata": dict,
        "createdOn": INSTANT,
        "isDefault": False,
        "caps": dict,
        "placementCaps": dict,
        "priority": 1,
        "performanceTargets": list,
        "ioDetails": list,
        "categories": list,
        "iid": 1,
    }
)
_FEED_ANSWER = Begins(
    {
        "clientId": UUID,
        "source": str,
        "config": dict,
        "createdOn": INSTANT,
        "lastUpdated": INSTANT,
        "active": True,
        "schemaMappings": dict,
        "urlParamsToStrip": list,
        "id": UUID,
        "deleted": False,
        "schemaValueOverrides": dict,
        "schemaValueDefaults": dict,
        "mandatoryFields": list,
    }
)
_CONFIG: Body = {
    "cost": 220,
    "startDate": "2020-08-03T05:19:00.000Z",
    "endDate": "2020-08-03T05:13:00.000Z",
    "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
    "availableCount": 100,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
}
_LIVE = {"startDate": "2026-11-01T00:00:00.000Z", "endDate": "2026-12-01T00:00:00.000Z"}
_LISTED_CONFIG = Begins(
    {
        "id": UUID,
        "agencyId": "acme",
        "clientIds": [UUID],
        "placement": "TestExp1",
        "placementName": "TestExp1",
        "cost": 220,
        "costPerJobPerDay": NUMBER,
        "costPerSlotPerHour": NUMBER,
        "startDate": str,
        "endDate": str,
        "duration": NUMBER,
        "availableCount": 100,
        "rotateFreqInDays": 2,
        "usedCount": int,
        "lastRotated": TEXT_OR_NULL,
        "isActive": bool,
        "lastUpdated": INSTANT,
        "createdOn": INSTANT,
        "jobDuration": 10,
        "postedJobsCount": int,
        "configType": str,
        "minJobDurationInDays": 2,
        "billingType": dict,
        "purchaseType": dict,
    }
)
_ONE_CONFIG = Begins(
    {
        "id": UUID,
        "agencyId": "acme",
        "clientIds": [UUID],
        "placement": "TestExp1",
        "placementName": "TestExp1",
        "cost": 220,
        "startDate": str,
        "endDate": str,
        "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
        "availableCount": 100,
        "rotateFreqInDays": 2,
        "jobDuration": 10,
        "minJobDurationInDays": 2,
        "billingType": "PREPAID",
        "purchaseType": "ClientBilled",
        "isActive": bool,
        "usedCount": int,
    }
)
_POSTED = Begins(
    {
        "id": UUID,
        "clientId": UUID,
        "jobId": MD5,
        "placement": "TestExp1",
        "refNumber": "test-job-ref-number-108",
        "isPosted": bool,
        "isPinned": bool,
        "isPaused": bool,
        "lastModified": INSTANT,
        "createdOn": INSTANT,
        "status": "A",
    }
)
# The reference's own address "string" is refused (contract 3, safety.md 2).
_FEED: Body = {
    "xmlFeedUrl": "https://feeds.example.com/jobs.xml",
    "schemaMappings": {
        "schemaMappingsJobCollection": "source",
        "schemaMappingsJob": "job",
        "schemaMappingsTitle": "title",
        "schemaMappingsDescription": "description",
        "schemaMappingsURL": "url",
        "schemaMappingsRefNumber": "referencenumber",
    },
}
_QUESTION: Body = {
    "filters": {"startDate": "2026-11-01", "endDate": "2026-11-17"},
    "aggregationLevel": {"primaryLevel": "CAMPAIGN"},
}
_PUBLISHER = "/clients/{client}/publishers/TestExp1"
_ONE_POSTING = f"{_PUBLISHER}/configs/{{config}}"
_S2S_TOLD = "Successfully sent s2s conversion event for further processing."
_CLIENT = "/clients/{client}"
_ONE_JOB = f"{_CLIENT}/jobs/test-job-ref-number-19"
_CAMPAIGN = f"{_CLIENT}/campaigns/{{campaign}}"
_GROUP = f"{_CAMPAIGN}/jobgroups/{{group}}"

# In an order in which each row finds what it needs: created, read, changed, deleted.
GOLDEN = [
    Golden(
        1,
        "POST",
        "/token",
        {"client_id": "{api_client}"},
        {"access_token": JWT, "expires_in": 86400, "token_type": "Bearer"},
    ),
    Golden(
        2,
        "POST",
        "/clients",
        {
            "companyName": "New External API-789",
            "exportedName": "external-1",
            "applyConvWindow": 35,
            "timeZone": "UTC-10:00",
            "endDate": "20/04/2020",
            "startDate": "20/03/2020",
            "caps": BUDGET,
            "clientType": "DirectEmployer",
            "advertiserName": "abc",
        },
        _created("client created"),
        keeps="client",
    ),
    Golden(3, "GET", "/clients?page=0&limit=10", None, {"data": [_CLIENT_ANSWER]}),
    Golden(5, "GET", _CLIENT, None, _CLIENT_ANSWER),
    Golden(
        4,
        "PUT",
        _CLIENT,
        {"budget": {"value": 10}, "applies": {"value": 5}},
        _done("Client Updated"),
    ),
    Golden(9, "PUT", f"{_CLIENT}/pause", None, _done("Client paused")),
    Golden(10, "PUT", f"{_CLIENT}/enable", None, _done("Client enabled")),
    Golden(7, "GET", f"{_CLIENT}/status", None, _created("Status fetched successfully", "A")),
    Golden(
        11,
        "POST",
        f"{_CLIENT}/jobs",
        {"refNumber": "test-job-ref-number-19"} | _JOB,
        _created("Job created", MD5),
        keeps="job",
    ),
    Golden(
        8,
        "GET",
        f"{_CLIENT}/idx-mappings",
        None,
        {"external-data": "cif1", "day": "cif2", "cpc": "cif3"},
    ),
    Golden(
        12, "GET", f"{_CLIENT}/jobs?page=1&limit=10", None, {"data": [_JOB_ANSWER], "summary": 0}
    ),
    Golden(13, "GET", _ONE_JOB, None, _JOB_ANSWER),
    Golden(15, "PUT", _ONE_JOB, _JOB, _created("Job updated", MD5)),
    Golden(16, "PUT", f"{_ONE_JOB}/pause", None, _done("Job paused")),
    Golden(17, "PUT", f"{_ONE_JOB}/enable", None, _done("Job enabled")),
    Golden(
        18,
        "POST",
        "/jobs/bulk?client_id={client}",
        ["{job}", "e13cd1d459a7be781712aa2636a9580d"],
        [_JOB_ANSWER],
    ),
    Golden(
        19,
        "POST",
        f"{_CLIENT}/campaigns",
        {
            "name": "test-campaign-api-1",
            "startDate": "01/10/2020",
            "endDate": "07/30/2020",
            "Caps": {},
        },
        _created("campaign created"),
        keeps="campaign",
    ),
    Golden(20, "GET", f"{_CLIENT}/campaigns?page=1&limit=1", None, {"data": [_CAMPAIGN_ANSWER]}),
    Golden(21, "GET", _CAMPAIGN, None, _CAMPAIGN_ANSWER),
    Golden(23, "PUT", _CAMPAIGN, {"caps": {}}, _done("Campaign updated")),
    Golden(24, "PUT", f"{_CAMPAIGN}/pause", None, _done("Campaign paused")),
    Golden(25, "PUT", f"{_CAMPAIGN}/enable", None, _done("Campaign enabled")),
    Golden(
        26,
        "POST",
        f"{_CAMPAIGN}/jobgroups",
        {
            "name": "test-jobgroup-200",
            "startDate": "01/27/2020",
            "endDate": "11/11/2038",
            "cpcBid": 0.12,
            "cpaBid": 1.5,
            "filters": US,
            "caps": BUDGET,
            "placements": [{"value": "TestExp1"}],
        },
        _created("Jobgroup created"),
        keeps="group",
    ),
    Golden(27, "GET", f"{_CAMPAIGN}/jobgroups?page=0&limit=10", None, {"data": [_GROUP_ANSWER]}),
    Golden(28, "GET", f"{_CLIENT}/jobgroups?page=1&limit=1", None, {"data": [_GROUP_ANSWER]}),
    Golden(29, "GET", _GROUP, None, _GROUP_ANSWER),
    Golden(
        31,
        "PUT",
        _GROUP,
        {"name": "test jobgroup updated1", "cpaBid": 0.22, "filters": US},
        _done("Jobgroup updated"),
    ),
    Golden(32, "PUT", f"{_GROUP}/pause", None, _done("Jobgroup paused")),
    Golden(33, "PUT", f"{_GROUP}/enable", None, _done("Jobgroup enabled")),
    Golden(52, "GET", "/meta", None, {"success": True, "campaigns": list}),
    Golden(34, "POST", f"{_CLIENT}/feeds", _FEED, _created("Feed created"), keeps="feed"),
    Golden(35, "GET", f"{_CLIENT}/feeds?page=0&limit=10", None, {"data": [_FEED_ANSWER]}),
    Golden(36, "GET", f"{_CLIENT}/feeds/{{feed}}", None, _FEED_ANSWER),
    Golden(38, "PUT", f"{_CLIENT}/feeds/{{feed}}", {}, _created("Feed updated")),
    Golden(37, "DELETE", f"{_CLIENT}/feeds/{{feed}}", None, _done("Feed deleted")),
    Golden(41, "POST", f"{_PUBLISHER}/configs", _CONFIG, _created("Config created")),
    Golden(
        41,
        "POST",
        f"{_PUBLISHER}/configs",
        _CONFIG | _LIVE,
        _created("Config created"),
        keeps="config",
    ),
    Golden(42, "GET", f"{_PUBLISHER}/configs", None, _LISTED_CONFIG),
    Golden(48, "GET", f"{_CLIENT}/configs?page=1&limit=1", None, {"data": [_LISTED_CONFIG]}),
    Golden(44, "GET", _ONE_POSTING, None, _ONE_CONFIG),
    Golden(
        11,
        "POST",
        f"{_CLIENT}/jobs",
        _JOB | {"refNumber": "test-job-ref-number-108", "endAtDate": None},
        _created("Job created", MD5),
    ),
    Golden(
        40,
        "POST",
        f"{_CLIENT}/configs/{{config}}/jobs",
        ["test-job-ref-number-108", "test-job-ref-number-109"],
        {"result": dict, "message": "Create request processed"},
    ),
    Golden(46, "GET", f"{_ONE_POSTING}/jobs", None, {"data": [_POSTED]}),
    Golden(47, "GET", f"{_ONE_POSTING}/jobs/test-job-ref-number-108", None, _POSTED),
    Golden(39, "GET", f"{_PUBLISHER}/jobs?page=0&limit=10", None, {"data": [_POSTED]}),
    Golden(
        43,
        "PUT",
        _ONE_POSTING,
        {
            "cost": 1000,
            "availableCount": 50,
            "rotateFreqInDays": 5,
            "jobDuration": 20,
            "minJobDurationInDays": 2,
        },
        _done("Config update processed"),
    ),
    Golden(45, "DELETE", _ONE_POSTING, None, _done("Config update processed")),
    # 49 has no JSON sample, only the text NO_CONTENT: contract 4.
    Golden(
        49,
        "POST",
        "/stats",
        _QUESTION,
        {"taskId": UUID, "status": "SUBMITTED"},
        keeps="task",
        status=202,
    ),
    Golden(50, "GET", "/stats/{task}", None, Begins({"status": "SUBMITTED", "location": []})),
    Golden(
        58,
        "POST",
        "/s2s/events",
        {"clickId": "{click}", "a": "3", "candidateId": "string", "jobApplicationId": "string"},
        {"statusCode": 200, "body": _S2S_TOLD},
    ),
    Golden(30, "DELETE", _GROUP, None, _done("Jobgroup deleted")),
    Golden(22, "DELETE", _CAMPAIGN, None, _done("Campaign deleted")),
    Golden(14, "DELETE", _ONE_JOB, None, _done("Job deleted")),
    Golden(6, "DELETE", _CLIENT, None, _done("Client Deleted")),
]
