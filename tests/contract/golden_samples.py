"""The bodies and answers of the reference's samples, and the matchers of what differs each time."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contract.office import Body

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


ALTERNATE = (
    "https://www.nxtpreprod.monster.com/job-openings/"
    "software-developer-new-york-city-ny--48e3732b -768b-473d-8fce-11bc1f6b1316"
)
JOB: Body = {
    "title": "test title",
    "company": "test company",
    "description": "apply for this single job",
    "category": "Maintenance",
    "alternateURL": ALTERNATE,
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
JOB_ANSWER = Begins(
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
CLIENT_ANSWER = Begins(
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
CAMPAIGN_ANSWER = Begins(
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
GROUP_ANSWER = Begins(
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
FEED_ANSWER = Begins(
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
CONFIG: Body = {
    "cost": 220,
    "startDate": "2020-08-03T05:19:00.000Z",
    "endDate": "2020-08-03T05:13:00.000Z",
    "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
    "availableCount": 100,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
}
LIVE = {"startDate": "2026-11-01T00:00:00.000Z", "endDate": "2026-12-01T00:00:00.000Z"}
LISTED_CONFIG = Begins(
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
ONE_CONFIG = Begins(
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
POSTED = Begins(
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
FEED: Body = {
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
QUESTION: Body = {
    "filters": {"startDate": "2026-11-01", "endDate": "2026-11-17"},
    "aggregationLevel": {"primaryLevel": "CAMPAIGN"},
}
PUBLISHER = "/clients/{client}/publishers/TestExp1"
ONE_POSTING = f"{PUBLISHER}/configs/{{config}}"
S2S_TOLD = "Successfully sent s2s conversion event for further processing."
CLIENT = "/clients/{client}"
ONE_JOB = f"{CLIENT}/jobs/test-job-ref-number-19"
CAMPAIGN = f"{CLIENT}/campaigns/{{campaign}}"
GROUP = f"{CAMPAIGN}/jobgroups/{{group}}"
