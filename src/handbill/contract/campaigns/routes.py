"""Operations 19 to 25."""

from typing import Any

from handbill.campaigns import service
from handbill.contract import examples
from handbill.contract.campaigns.models import (
    Campaign,
    CampaignChange,
    CampaignPage,
    NewCampaign,
    campaign_told,
)
from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.switches import switches
from handbill.core import nouns
from handbill.groups import service as groups
from handbill.http.kinds import Look
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire.models import spelled

_PATH = "/clients/{client_id}/campaigns"
_ONE = f"{_PATH}/{{campaign_id}}"


def _campaign(call: Call) -> nouns.Campaign:
    return service.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _create(call: Call) -> Made:
    new: NewCampaign = call.body
    made = service.create(call.tx, call.ids, call.now, call.client, new.noun())
    return Made.of(result=made.id, message="campaign created")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    campaigns, total = service.page(call.tx, call.client.no, skip, limit)
    below = groups.children_of(call.tx, (campaign.no for campaign in campaigns))
    rows = [campaign_told(campaign, below[campaign.no]) for campaign in campaigns]
    return with_links(call, CampaignPage.of(rows=rows), total)


def _get(call: Call) -> Campaign:
    campaign = _campaign(call)
    return campaign_told(campaign, groups.children_of(call.tx, [campaign.no])[campaign.no])


def _delete(call: Call) -> Done:
    groups.delete_campaign(call.tx, call.now, call.client, _campaign(call))
    return done("Campaign deleted")


def _update(call: Call) -> Done:
    service.update(call.tx, call.now, call.client, _campaign(call), call.body.given())
    return done("Campaign updated")


def _switch(call: Call, status: Status) -> None:
    service.switch(call.tx, call.now, call.client, _campaign(call), status)


_SAMPLE: dict[str, Any] = {
    "name": "test-campaign-api-1",
    "startDate": "01/10/2020",
    "endDate": "07/30/2020",
    "Caps": {"budget": {"cap": "Monthly", "value": 500}},
}
_ANSWER = spelled(campaign_told(examples.CAMPAIGN, [examples.GROUP]))
OPERATIONS = [
    Operation(
        name="create_campaign",
        number=19,
        verb="POST",
        path=_PATH,
        title="Create a campaign.",
        about="Creates a campaign of the client, active at once. Its job groups advertise between "
        "its first and last day, within its caps.",
        work=_create,
        body=NewCampaign,
        answer=Made,
        sample=_SAMPLE,
        sample_answer={
            "result": "f2fb5642-668b-4579-82c4-0f0cb889c21e",
            "message": "campaign created",
        },
    ),
    Operation(
        name="list_campaigns",
        number=20,
        verb="GET",
        path=_PATH,
        title="Get all campaigns.",
        about="The client's campaigns, including the default one, oldest first. Pages count "
        "from 0.",
        work=_list,
        query=PAGED,
        answer=CampaignPage,
        sample_answer={"data": [_ANSWER]},
    ),
    Operation(
        name="get_campaign",
        number=21,
        verb="GET",
        path=_ONE,
        title="Get a campaign.",
        about="The campaign with its caps and job groups.",
        work=_get,
        kind=Look(timeless=True),
        answer=Campaign,
        sample_answer=_ANSWER,
    ),
    Operation(
        name="delete_campaign",
        number=22,
        verb="DELETE",
        path=_ONE,
        title="Delete a campaign.",
        about="Deletes the campaign and its job groups; their jobs are matched to others. Past "
        "clicks, charges and reports stay. The default campaign cannot be deleted.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Campaign deleted"},
    ),
    Operation(
        name="update_campaign",
        number=23,
        verb="PUT",
        path=_ONE,
        title="Update a campaign.",
        about="Changes the campaign: absent fields stay, null clears an optional field. The start "
        "date cannot be changed.",
        work=_update,
        body=CampaignChange,
        answer=Done,
        sample={"caps": {"budget": {"cap": "Monthly", "value": 750}}},
        sample_answer={"result": True, "message": "Campaign updated"},
    ),
    *switches(
        "campaign",
        _ONE,
        _switch,
        pause="Pauses the campaign. Its jobs are matched to other job groups. Pausing a paused "
        "campaign changes nothing.",
        enable="Enables the campaign as it was before it was paused. Enabling an active campaign "
        "changes nothing.",
        number=24,
    ),
]
