"""An addition to the contract: why a job is, or is not, in each publisher's feed."""

from handbill.contract.explain.models import Explanation, explanation_of
from handbill.http.operations import Call, Operation
from handbill.listings.explaining import explain


def _explain(call: Call) -> Explanation:
    ref = call.path["job_reference"]
    found = explain(call.tx, call.desk.blobs, call.client, ref, call.now)
    return explanation_of(call.tx, call.settings, call.client, found)


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
_SAMPLE = {
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
OPERATIONS = [
    Operation(
        name="explain_job",
        verb="GET",
        path="/clients/{client_id}/jobs/{job_reference}/explain",
        title="Explain a job.",
        about="Why the job is, or is not, in each publisher's feed: the job group that it belongs "
        "to and the comparisons of its filter that decided it, the job groups that do not have it "
        "and why, the effective states, the bid and where it comes from, everything that keeps "
        "the job out, and what each feed contains now.",
        tag="Jobs",
        work=_explain,
        lane="slow",
        answer=Explanation,
        sample_answer=_SAMPLE,
    ),
]
