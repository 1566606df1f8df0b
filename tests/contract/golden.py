"""The reference's samples, operation by operation: what goes in, and what must come out.

Where the reference left an object's insides out, the request is filled in and the answer is told
by its type. ``{client}`` and the like in a path stand for what an earlier row made.
"""

import re
from dataclasses import dataclass
from typing import Any

from contract.golden_samples import (
    CAMPAIGN,
    CAMPAIGN_ANSWER,
    CLIENT,
    CLIENT_ANSWER,
    CONFIG,
    FEED,
    FEED_ANSWER,
    GROUP,
    GROUP_ANSWER,
    JOB,
    JOB_ANSWER,
    JWT,
    LISTED_CONFIG,
    LIVE,
    MD5,
    ONE_CONFIG,
    ONE_JOB,
    ONE_POSTING,
    POSTED,
    PUBLISHER,
    QUESTION,
    S2S_TOLD,
    UUID,
    Begins,
    OneOf,
)
from contract.office import BUDGET, US, Body


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
    Golden(3, "GET", "/clients?page=0&limit=10", None, {"data": [CLIENT_ANSWER]}),
    Golden(5, "GET", CLIENT, None, CLIENT_ANSWER),
    Golden(
        4,
        "PUT",
        CLIENT,
        {"budget": {"value": 10}, "applies": {"value": 5}},
        _done("Client Updated"),
    ),
    Golden(9, "PUT", f"{CLIENT}/pause", None, _done("Client paused")),
    Golden(10, "PUT", f"{CLIENT}/enable", None, _done("Client enabled")),
    Golden(7, "GET", f"{CLIENT}/status", None, _created("Status fetched successfully", "A")),
    Golden(
        11,
        "POST",
        f"{CLIENT}/jobs",
        {"refNumber": "test-job-ref-number-19"} | JOB,
        _created("Job created", MD5),
        keeps="job",
    ),
    Golden(
        8,
        "GET",
        f"{CLIENT}/idx-mappings",
        None,
        {"external-data": "cif1", "day": "cif2", "cpc": "cif3"},
    ),
    Golden(12, "GET", f"{CLIENT}/jobs?page=1&limit=10", None, {"data": [JOB_ANSWER], "summary": 0}),
    Golden(13, "GET", ONE_JOB, None, JOB_ANSWER),
    Golden(15, "PUT", ONE_JOB, JOB, _created("Job updated", MD5)),
    Golden(16, "PUT", f"{ONE_JOB}/pause", None, _done("Job paused")),
    Golden(17, "PUT", f"{ONE_JOB}/enable", None, _done("Job enabled")),
    Golden(
        18,
        "POST",
        "/jobs/bulk?client_id={client}",
        ["{job}", "e13cd1d459a7be781712aa2636a9580d"],
        [JOB_ANSWER],
    ),
    Golden(
        19,
        "POST",
        f"{CLIENT}/campaigns",
        {
            "name": "test-campaign-api-1",
            "startDate": "01/10/2020",
            "endDate": "07/30/2020",
            "Caps": {},
        },
        _created("campaign created"),
        keeps="campaign",
    ),
    Golden(20, "GET", f"{CLIENT}/campaigns?page=1&limit=1", None, {"data": [CAMPAIGN_ANSWER]}),
    Golden(21, "GET", CAMPAIGN, None, CAMPAIGN_ANSWER),
    Golden(23, "PUT", CAMPAIGN, {"caps": {}}, _done("Campaign updated")),
    Golden(24, "PUT", f"{CAMPAIGN}/pause", None, _done("Campaign paused")),
    Golden(25, "PUT", f"{CAMPAIGN}/enable", None, _done("Campaign enabled")),
    Golden(
        26,
        "POST",
        f"{CAMPAIGN}/jobgroups",
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
    Golden(27, "GET", f"{CAMPAIGN}/jobgroups?page=0&limit=10", None, {"data": [GROUP_ANSWER]}),
    Golden(28, "GET", f"{CLIENT}/jobgroups?page=1&limit=1", None, {"data": [GROUP_ANSWER]}),
    Golden(29, "GET", GROUP, None, GROUP_ANSWER),
    Golden(
        31,
        "PUT",
        GROUP,
        {"name": "test jobgroup updated1", "cpaBid": 0.22, "filters": US},
        _done("Jobgroup updated"),
    ),
    Golden(32, "PUT", f"{GROUP}/pause", None, _done("Jobgroup paused")),
    Golden(33, "PUT", f"{GROUP}/enable", None, _done("Jobgroup enabled")),
    Golden(52, "GET", "/meta", None, {"success": True, "campaigns": list}),
    Golden(34, "POST", f"{CLIENT}/feeds", FEED, _created("Feed created"), keeps="feed"),
    Golden(35, "GET", f"{CLIENT}/feeds?page=0&limit=10", None, {"data": [FEED_ANSWER]}),
    Golden(36, "GET", f"{CLIENT}/feeds/{{feed}}", None, FEED_ANSWER),
    Golden(38, "PUT", f"{CLIENT}/feeds/{{feed}}", {}, _created("Feed updated")),
    Golden(37, "DELETE", f"{CLIENT}/feeds/{{feed}}", None, _done("Feed deleted")),
    Golden(41, "POST", f"{PUBLISHER}/configs", CONFIG, _created("Config created")),
    Golden(
        41,
        "POST",
        f"{PUBLISHER}/configs",
        CONFIG | LIVE,
        _created("Config created"),
        keeps="config",
    ),
    Golden(42, "GET", f"{PUBLISHER}/configs", None, LISTED_CONFIG),
    Golden(48, "GET", f"{CLIENT}/configs?page=1&limit=1", None, {"data": [LISTED_CONFIG]}),
    Golden(44, "GET", ONE_POSTING, None, ONE_CONFIG),
    Golden(
        11,
        "POST",
        f"{CLIENT}/jobs",
        JOB | {"refNumber": "test-job-ref-number-108", "endAtDate": None},
        _created("Job created", MD5),
    ),
    Golden(
        40,
        "POST",
        f"{CLIENT}/configs/{{config}}/jobs",
        ["test-job-ref-number-108", "test-job-ref-number-109"],
        {"result": dict, "message": "Create request processed"},
    ),
    Golden(46, "GET", f"{ONE_POSTING}/jobs", None, {"data": [POSTED]}),
    Golden(47, "GET", f"{ONE_POSTING}/jobs/test-job-ref-number-108", None, POSTED),
    Golden(39, "GET", f"{PUBLISHER}/jobs?page=0&limit=10", None, {"data": [POSTED]}),
    Golden(
        43,
        "PUT",
        ONE_POSTING,
        {
            "cost": 1000,
            "availableCount": 50,
            "rotateFreqInDays": 5,
            "jobDuration": 20,
            "minJobDurationInDays": 2,
        },
        _done("Config update processed"),
    ),
    Golden(45, "DELETE", ONE_POSTING, None, _done("Config update processed")),
    # 49 has no JSON sample, only the text NO_CONTENT: contract 4.
    Golden(
        49,
        "POST",
        "/stats",
        QUESTION,
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
        {"statusCode": 200, "body": S2S_TOLD},
    ),
    Golden(30, "DELETE", GROUP, None, _done("Jobgroup deleted")),
    Golden(22, "DELETE", CAMPAIGN, None, _done("Campaign deleted")),
    Golden(14, "DELETE", ONE_JOB, None, _done("Job deleted")),
    Golden(6, "DELETE", CLIENT, None, _done("Client Deleted")),
]
