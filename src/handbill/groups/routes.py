"""Operations 26 to 33, and those of clients and campaigns that need the job groups below them."""

from collections import Counter
from typing import Any

from handbill.campaigns import service as campaigns
from handbill.core.nouns import Campaign, Group
from handbill.groups import previewing, service, tree_routes
from handbill.http.kinds import Ask, Look
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire import samples
from handbill.wire.group_schema import GROUP
from handbill.wire.groups import CREATE, UPDATE, spell_group
from handbill.wire.previews import GROUP_PREVIEW, GROUP_PREVIEWED, spell_warnings
from handbill.wire.spelling import TEXT, described

_TAG = "Job groups"
_PATH = "/clients/{client_id}/campaigns/{campaign_id}/jobgroups"
_ONE = f"{_PATH}/{{jobgroup_id}}"


def _campaign(call: Call) -> Campaign:
    return campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _group(call: Call) -> Group:
    return service.group_under(call.tx, _campaign(call), call.path["jobgroup_id"])


def _create(call: Call) -> dict[str, Any]:
    campaign = _campaign(call)
    group = service.create(call.tx, call.ids, call.now, call.client, campaign, call.body)
    return done("Jobgroup created", group.id)


def _list_of_campaign(call: Call) -> Any:
    campaign = _campaign(call)
    found, total = service.page_of_campaign(call.tx, campaign.no, *skip_and_limit(call))
    rows = [spell_group(group, campaign.id) for group in found]
    return with_links(call, {"data": rows}, total)


def _list_of_client(call: Call) -> Any:
    found, total = service.page(call.tx, call.client.no, *skip_and_limit(call))
    ids = campaigns.campaigns_by_number(call.tx, (group.campaign_no for group in found))
    rows = [spell_group(group, ids[group.campaign_no].id) for group in found]
    return with_links(call, {"data": rows}, total)


def _get(call: Call) -> dict[str, Any]:
    campaign = _campaign(call)
    group = service.group_under(call.tx, campaign, call.path["jobgroup_id"])
    return spell_group(group, campaign.id)


def _delete(call: Call) -> dict[str, Any]:
    service.delete(call.tx, call.now, call.client, _group(call))
    return done("Jobgroup deleted")


def _update(call: Call) -> dict[str, Any]:
    service.update(call.tx, call.now, call.client, _group(call), call.body)
    return done("Jobgroup updated")


def _pause(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _group(call), "P")
    return done("Jobgroup paused")


def _enable(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _group(call), "A")
    return done("Jobgroup enabled")


def _preview(call: Call) -> dict[str, Any]:
    found = previewing.preview(call.tx, call.client, call.now, call.body)
    names = service.groups_by_number(call.tx, found.taken_from | found.kept_by)
    taken = found.taken_from.total()

    def counted(counts: Counter[int]) -> list[dict[str, Any]]:
        return [
            {
                "id": names[no].id, "name": names[no].body.name,
                "isDefault": names[no].is_default, "jobs": jobs,
            }
            for no, jobs in counts.most_common()
        ]  # fmt: skip

    return {
        "lookedAt": found.looked_at,
        "complete": found.complete,
        "matched": taken + found.kept_by.total(),
        "taken": taken,
        "givenUp": found.given_up,
        "takenFrom": counted(found.taken_from),
        "keptBy": counted(found.kept_by),
        "refNumbers": found.refs,
        "warnings": spell_warnings(found.warnings),
    }


_FILTERS = {
    "operator": "AND",
    "rules": [
        {"operator": "IN", "field": "country", "data": ["US", "CA"]},
        {
            "operator": "OR",
            "rules": [
                {"operator": "CONTAINS", "field": "title", "data": "nurse"},
                {"operator": "EQUAL", "field": "category", "data": "Maintenance"},
            ],
        },
    ],
}

OPERATIONS = [
    *tree_routes.OPERATIONS,
    Operation(
        name="create_jobgroup",
        number=26,
        verb="POST",
        path=_PATH,
        title="Create a job group.",
        about="Creates a job group of the campaign, active at once. Its filters say which jobs it "
        "takes: of several groups that match a job the lowest priority number wins, then the "
        "oldest. Its placements say to which publishers, its bids and caps for how much. A "
        "publisher must be the agency's own and not excluded by the client, its bid at least the "
        "publisher's least, and its budget within the job group's.",
        tag=_TAG,
        work=_create,
        body=CREATE,
        answer=result_schema(described(TEXT, "The new job group's id.")),
        sample={
            "name": "test-jobgroup-200",
            "startDate": "01/27/2020",
            "endDate": "11/11/2038",
            "cpcBid": 0.12,
            "cpaBid": 1.5,
            "filters": _FILTERS,
            "caps": {"budget": {"cap": "Monthly", "value": 300, "thresholdP": 80}},
            "placements": [{"value": "TestExp1", "bid": 0.25}],
        },
        sample_answer={
            "result": "bebdddfc-fcc3-49b2-9390-7a9f2ef52f4d",
            "message": "Jobgroup created",
        },
    ),
    Operation(
        name="list_jobgroups_of_campaign",
        number=27,
        verb="GET",
        path=_PATH,
        title="Get all job groups.",
        about="The campaign's job groups, oldest first. Pages count from 0.",
        tag=_TAG,
        work=_list_of_campaign,
        query=PAGED,
        answer=page_schema(GROUP),
        sample_answer={"data": [samples.GROUP]},
    ),
    Operation(
        name="list_jobgroups",
        number=28,
        verb="GET",
        path="/clients/{client_id}/jobgroups",
        title="Get all job groups.",
        about="The job groups of all the client's campaigns, oldest first. Pages count from 0.",
        tag=_TAG,
        work=_list_of_client,
        query=PAGED,
        answer=page_schema(GROUP),
        sample_answer={"data": [samples.GROUP]},
    ),
    Operation(
        name="preview_jobgroup",
        verb="POST",
        path="/clients/{client_id}/jobgroups/preview",
        title="See what a job group would take.",
        about="Which of the client's jobs a job group with these filters and this priority would "
        "have, and from which job groups they would come. Nothing is saved. With jobGroupId it is "
        "told for a change of that one, whether it is active or not.",
        tag=_TAG,
        work=_preview,
        body=GROUP_PREVIEW,
        kind=Ask(),
        lane="slow",
        answer=GROUP_PREVIEWED,
        sample={"filters": _FILTERS, "priority": 1, "placements": [{"value": "TestExp1"}]},
        sample_answer={
            "lookedAt": 1200,
            "complete": True,
            "matched": 90,
            "taken": 80,
            "givenUp": 0,
            "takenFrom": [
                {
                    "id": "bebdddfc-fcc3-49b2-9390-7a9f2ef52f4d",
                    "name": "test-jobgroup-200",
                    "isDefault": False,
                    "jobs": 80,
                }
            ],
            "keptBy": [
                {
                    "id": "f0b7f2c5-8f3e-4d53-a6c4-5d8d1a3a7f10",
                    "name": "nurses",
                    "isDefault": False,
                    "jobs": 10,
                }
            ],
            "refNumbers": ["test-job-ref-number-108"],
            "warnings": [],
        },
    ),
    Operation(
        name="get_jobgroup",
        number=29,
        verb="GET",
        path=_ONE,
        title="Get a job group.",
        about="The job group. Its filters come twice: as the contract spells them (Compound "
        "Filters, ALL and ANY), and as they can be sent back (filters, AND and OR).",
        tag=_TAG,
        work=_get,
        kind=Look(timeless=True),
        answer=GROUP,
        sample_answer=samples.GROUP,
    ),
    Operation(
        name="delete_jobgroup",
        number=30,
        verb="DELETE",
        path=_ONE,
        title="Delete a job group.",
        about="Deletes the job group; its jobs are matched to others. Clicks, charges and reports "
        "of the past stay. The default job group cannot be deleted.",
        tag=_TAG,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Jobgroup deleted"},
    ),
    Operation(
        name="update_jobgroup",
        number=31,
        verb="PUT",
        path=_ONE,
        title="Update a job group.",
        about="Changes the job group: what is absent stays, null clears what is optional, and the "
        "placements replace the whole list. The start date cannot be changed, nor the default job "
        "group.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(),
        sample={"name": "test jobgroup updated1", "cpaBid": 0.22, "filters": _FILTERS},
        sample_answer={"result": True, "message": "Jobgroup updated"},
    ),
    Operation(
        name="pause_jobgroup",
        number=32,
        verb="PUT",
        path=f"{_ONE}/pause",
        title="Pause a job group.",
        about="Takes the job group out of trade; its jobs are matched to others. A paused one "
        "stays so.",
        tag=_TAG,
        work=_pause,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Jobgroup paused"},
    ),
    Operation(
        name="enable_jobgroup",
        number=33,
        verb="PUT",
        path=f"{_ONE}/enable",
        title="Enable a job group.",
        about="Brings the job group back. An active one stays so.",
        tag=_TAG,
        work=_enable,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Jobgroup enabled"},
    ),
]
