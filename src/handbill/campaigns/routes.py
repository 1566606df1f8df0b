"""Operations 19 and 23 to 25. Those that show or delete a campaign's job groups (20 to 22) stand
above, in ``groups.tree_routes``.
"""

from typing import Any

from handbill.campaigns import service
from handbill.core.nouns import Campaign
from handbill.http.operations import Call, Operation, done, result_schema
from handbill.wire.campaigns import CREATE, UPDATE
from handbill.wire.spelling import TEXT, described

_TAG = "Campaigns"
_PATH = "/clients/{client_id}/campaigns"
_ONE = f"{_PATH}/{{campaign_id}}"


def _campaign(call: Call) -> Campaign:
    return service.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _create(call: Call) -> dict[str, Any]:
    campaign = service.create(call.tx, call.ids, call.now, call.client, call.body)
    return done("campaign created", campaign.id)


def _update(call: Call) -> dict[str, Any]:
    service.update(call.tx, call.now, call.client, _campaign(call), call.body)
    return done("Campaign updated")


def _pause(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _campaign(call), "P")
    return done("Campaign paused")


def _enable(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _campaign(call), "A")
    return done("Campaign enabled")


OPERATIONS = [
    Operation(
        name="create_campaign",
        number=19,
        verb="POST",
        path=_PATH,
        title="Create a campaign.",
        about="Creates a campaign of the client, active at once. It trades between its first and "
        "last day, up to its caps, through its job groups. Caps may be spelled caps or Caps.",
        tag=_TAG,
        work=_create,
        body=CREATE,
        answer=result_schema(described(TEXT, "The new campaign's id.")),
        sample={
            "name": "test-campaign-api-1",
            "startDate": "01/10/2020",
            "endDate": "07/30/2020",
            "Caps": {"budget": {"cap": "Monthly", "value": 500}},
        },
        sample_answer={
            "result": "f2fb5642-668b-4579-82c4-0f0cb889c21e",
            "message": "campaign created",
        },
    ),
    Operation(
        name="update_campaign",
        number=23,
        verb="PUT",
        path=_ONE,
        title="Update a campaign.",
        about="Changes the campaign: what is absent stays, null clears what is optional. The start "
        "date cannot be changed.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(),
        sample={"caps": {"budget": {"cap": "Monthly", "value": 750}}},
        sample_answer={"result": True, "message": "Campaign updated"},
    ),
    Operation(
        name="pause_campaign",
        number=24,
        verb="PUT",
        path=f"{_ONE}/pause",
        title="Pause a campaign.",
        about="Takes the campaign's jobs out of the outbound feeds; they are matched to other job "
        "groups. A paused campaign stays so.",
        tag=_TAG,
        work=_pause,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Campaign paused"},
    ),
    Operation(
        name="enable_campaign",
        number=25,
        verb="PUT",
        path=f"{_ONE}/enable",
        title="Enable a campaign.",
        about="Brings the campaign back as it was before it was paused. An active one stays so.",
        tag=_TAG,
        work=_enable,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Campaign enabled"},
    ),
]
