"""Additions to the contract: how a client, campaign, job group, placement or job stands."""

from typing import Any, Final

from handbill.campaigns import service as campaigns
from handbill.contract.standing.models import ResolvedStatus, status_told
from handbill.core.nouns import Campaign
from handbill.groups import service as groups
from handbill.http.operations import Call, Operation
from handbill.listings import resolving
from handbill.listings.resolving import AroundEntity

_CAMPAIGN: Final = "/clients/{client_id}/campaigns/{campaign_id}"
_GROUP: Final = f"{_CAMPAIGN}/jobgroups/{{jobgroup_id}}"
_ABOUT: Final = (
    "The effective state, with the reasons, a request that removes each if there is one, and which "
    "version of its feed each publisher has. Switches, dates and weekdays are read at the time of "
    "the request, all else at the last evaluation (evaluatedAt). Feeds follow within "
    "seconds."
)


def _campaign(call: Call) -> Campaign:
    return campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _of_client(call: Call) -> ResolvedStatus:
    return status_told(resolving.of_client(call.tx, call.client, call.now))


def _of_campaign(call: Call) -> ResolvedStatus:
    campaign = _campaign(call)
    below = groups.children_of(call.tx, [campaign.no])[campaign.no]
    return status_told(resolving.of_campaign(call.tx, call.client, campaign, below, call.now))


def _of_group(call: Call) -> ResolvedStatus:
    campaign = _campaign(call)
    group = groups.group_under(call.tx, campaign, call.path["jobgroup_id"])
    return status_told(resolving.of_group(call.tx, call.client, campaign, group, call.now))


def _of_placement(call: Call) -> ResolvedStatus:
    campaign = _campaign(call)
    group = groups.group_under(call.tx, campaign, call.path["jobgroup_id"])
    around = AroundEntity(call.client, campaign, group)
    publisher_id = call.path["publisher_id"]
    return status_told(resolving.of_placement(call.tx, around, group, publisher_id, call.now))


def _of_job(call: Call) -> ResolvedStatus:
    ref = call.path["job_reference"]
    return status_told(resolving.of_job(call.tx, call.client, ref, call.now))


_GROUP_ID: Final = "df8285cd-2ab4-44ab-8861-9ff3be0c4970"
_CLIENT_ID: Final = "40194b3f-7b49-41e8-b235-4d93a50330f3"
_CAMPAIGN_ID: Final = "8f3142dc-d7b1-4b21-86e5-b151ae862664"
RESOLVED: Final[dict[str, Any]] = {
    "status": "CAPPED",
    "description": "the job group has reached its monthly budget",
    "delivery": "STOPPED",
    "since": "2019-11-29T09:40:00.000Z",
    "evaluatedAt": "2019-11-29T10:00:00.000Z",
    "reasons": [
        {
            "code": "CAP_REACHED",
            "level": "JOBGROUP",
            "entityId": _GROUP_ID,
            "name": "test-jobgroup-200",
            "description": "the job group has reached its monthly budget",
            "blocking": True,
            "since": "2019-11-29T09:40:00.000Z",
            "until": "2019-12-01T00:00:00.000Z",
            "params": {
                "cap": "budget",
                "period": "Monthly",
                "value": 100,
                "used": 99.8,
                "inFlight": 0.2,
            },
            "fix": {
                "method": "PUT",
                "path": f"/clients/{_CLIENT_ID}/campaigns/{_CAMPAIGN_ID}/jobgroups/{_GROUP_ID}",
                "body": {
                    "caps": {
                        "budget": {
                            "cap": "Monthly",
                            "value": 160,
                            "pacing": False,
                            "thresholdP": 80,
                            "locked": False,
                        }
                    }
                },
            },
        }
    ],
    "alsoHolding": [],
    "publishers": [
        {
            "id": "TestExp1",
            "name": "Test Exp 1",
            "writtenOn": "2019-11-29T09:40:05.000Z",
            "heldVersion": "2019-11-29T08:00:01.000Z",
            "fetchedOn": "2019-11-29T08:10:00.000Z",
            "refreshMinutes": 240,
            "nextFetchOn": "2019-11-29T12:10:00.000Z",
            "current": False,
        }
    ],
}
OPERATIONS: Final = [
    Operation(
        name=f"get_resolved_status_of_{what.replace(' ', '_')}",
        verb="GET",
        path=f"{path}/resolved-status",
        title=f"Get the effective state of a {what}.",
        about=_ABOUT + more,
        tag=tag,
        work=work,
        lane="slow" if what == "client" else "quick",
        answer=ResolvedStatus,
        sample_answer=RESOLVED,
    )
    for what, path, tag, work, more in (
        ("client", "/clients/{client_id}", "Clients", _of_client, ""),
        ("campaign", _CAMPAIGN, "Campaigns", _of_campaign, ""),
        ("job group", _GROUP, "Job groups", _of_group, ""),
        ("placement", f"{_GROUP}/placements/{{publisher_id}}", "Job groups", _of_placement, ""),
        (
            "job",
            "/clients/{client_id}/jobs/{job_reference}",
            "Jobs",
            _of_job,
            " So are the job's own switch and settings.",
        ),
    )
]
