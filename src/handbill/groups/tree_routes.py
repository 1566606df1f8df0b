"""Operations 2, 3, 5, 20 to 22 and 52: they found, show or delete what lies below a client or a
campaign, and so stand in the highest of the three rooms.
"""

from typing import Any

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.nouns import Campaign
from handbill.groups import service, tree
from handbill.http.kinds import Look
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire import samples
from handbill.wire.campaigns import CAMPAIGN, spell_campaign
from handbill.wire.clients import CHILD, CLIENT, CLIENT_ROW, CREATE, spell_client
from handbill.wire.spelling import TEXT, described, listed, whole

_CAMPAIGNS = "/clients/{client_id}/campaigns"


def _create_client(call: Call) -> dict[str, Any]:
    client = tree.found_client(call.tx, call.ids, call.now, call.caller.agency_no, call.body)
    return done("client created", client.id)


def _list_clients(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    found, total = clients.page(call.tx, call.caller.agency_no, skip, limit)
    below = tree.names_below(call.tx, found)
    rows = [spell_client(client, below[client.no]) for client in found]
    return with_links(call, {"data": rows}, total)


def _get_client(call: Call) -> dict[str, Any]:
    return spell_client(call.client, tree.children_of_client(call.tx, call.client))


def _campaign(call: Call) -> Campaign:
    return campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _list_campaigns(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    found, total = campaigns.page(call.tx, call.client.no, skip, limit)
    below = tree.children_of_campaigns(call.tx, found)
    rows = [spell_campaign(campaign, below[campaign.no]) for campaign in found]
    return with_links(call, {"data": rows}, total)


def _get_campaign(call: Call) -> dict[str, Any]:
    campaign = _campaign(call)
    below = tree.children_of_campaigns(call.tx, [campaign])
    return spell_campaign(campaign, below[campaign.no])


def _delete_campaign(call: Call) -> dict[str, Any]:
    service.delete_campaign(call.tx, call.now, call.client, _campaign(call))
    return done("Campaign deleted")


def _meta(call: Call) -> dict[str, Any]:
    return {"success": True, "campaigns": tree.meta(call.tx, call.client)}


OPERATIONS = [
    Operation(
        name="create_client",
        number=2,
        verb="POST",
        path="/clients",
        title="Create a client.",
        about="Creates a client of the agency, active at once, with its default campaign and its "
        "default job group, which holds the jobs that no other one takes. A start date in the past "
        "is accepted; dates are read as mm/dd/yyyy, and as dd/mm/yyyy only where mm/dd is "
        "impossible.",
        tag="Clients",
        work=_create_client,
        body=CREATE,
        answer=result_schema(described(TEXT, "The new client's id.")),
        sample={
            "companyName": "New External API-789",
            "exportedName": "external-1",
            "applyConvWindow": 35,
            "timeZone": "UTC-10:00",
            "endDate": "20/04/2020",
            "startDate": "20/03/2020",
            "caps": {"budget": {"cap": "Monthly", "value": 1000, "pacing": False}},
            "clientType": "DirectEmployer",
            "advertiserName": "abc",
        },
        sample_answer={
            "result": "7baeb0b8-ae6f-4jed-b80f-az8z86a917d4",
            "message": "client created",
        },
    ),
    Operation(
        name="list_clients",
        number=3,
        verb="GET",
        path="/clients",
        title="Get all clients.",
        about="The agency's clients, oldest first. Pages count from 0; the Link header leads to "
        "the first, previous and next page.",
        tag="Clients",
        work=_list_clients,
        query=PAGED,
        answer=page_schema(CLIENT_ROW),
        sample_answer={"data": [samples.CLIENT_ROW]},
    ),
    Operation(
        name="get_client",
        number=5,
        verb="GET",
        path="/clients/{client_id}",
        title="Get a client.",
        about="The client with its caps, exclusions and campaigns.",
        tag="Clients",
        work=_get_client,
        kind=Look(timeless=True),
        answer=CLIENT,
        sample_answer=samples.CLIENT,
    ),
    Operation(
        name="list_campaigns",
        number=20,
        verb="GET",
        path=_CAMPAIGNS,
        title="Get all campaigns.",
        about="The client's campaigns, the default one among them, oldest first. Pages count "
        "from 0.",
        tag="Campaigns",
        work=_list_campaigns,
        query=PAGED,
        answer=page_schema(CAMPAIGN),
        sample_answer={"data": [samples.CAMPAIGN]},
    ),
    Operation(
        name="get_campaign",
        number=21,
        verb="GET",
        path=f"{_CAMPAIGNS}/{{campaign_id}}",
        title="Get a campaign.",
        about="The campaign with its caps and job groups.",
        tag="Campaigns",
        work=_get_campaign,
        kind=Look(timeless=True),
        answer=CAMPAIGN,
        sample_answer=samples.CAMPAIGN,
    ),
    Operation(
        name="delete_campaign",
        number=22,
        verb="DELETE",
        path=f"{_CAMPAIGNS}/{{campaign_id}}",
        title="Delete a campaign.",
        about="Deletes the campaign and its job groups; their jobs are matched to others. Clicks, "
        "charges and reports of the past stay. The default campaign cannot be deleted.",
        tag="Campaigns",
        work=_delete_campaign,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Campaign deleted"},
    ),
    Operation(
        name="get_meta",
        number=52,
        verb="GET",
        path="/meta",
        title="Get the meta data.",
        about="The names of the client's campaigns and of the job groups in each.",
        tag="Meta",
        work=_meta,
        client_header="x-client-id",
        answer=whole(
            {
                "success": described({"const": True}, "Always true."),
                "campaigns": described(
                    listed(
                        CHILD
                        | {
                            "properties": CHILD["properties"]
                            | {"jobGroups": described(listed(CHILD), "Its job groups.")},
                            "required": [*CHILD["required"], "jobGroups"],
                        }
                    ),
                    "The client's campaigns, oldest first.",
                ),
            }
        ),
        sample_answer=samples.META,
    ),
]
