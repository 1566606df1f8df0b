"""Operations 26 to 33, and previews of job groups."""

from handbill.campaigns import service as campaigns
from handbill.contract import examples
from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.jobgroups.models import (
    GroupChange,
    JobGroup,
    JobGroupPage,
    NewJobGroup,
    group_told,
)
from handbill.contract.jobgroups.previews import JobGroupPreview, NewJobGroupPreview, preview_told
from handbill.contract.switches import switches
from handbill.core import nouns
from handbill.groups import previewing, service
from handbill.http.kinds import Ask, Look
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire.models import spelled

_PATH = "/clients/{client_id}/campaigns/{campaign_id}/jobgroups"
_ONE = f"{_PATH}/{{jobgroup_id}}"


def _campaign(call: Call) -> nouns.Campaign:
    return campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])


def _group(call: Call) -> nouns.Group:
    return service.group_under(call.tx, _campaign(call), call.path["jobgroup_id"])


def _create(call: Call) -> Made:
    new: NewJobGroup = call.body
    group = service.create(
        call.tx, call.ids, call.now, call.client, _campaign(call), new.noun(), new.priority
    )
    return Made.of(result=group.id, message="Jobgroup created")


def _list_of_campaign(call: Call) -> Answer:
    campaign = _campaign(call)
    groups, total = service.page_of_campaign(call.tx, campaign.no, *skip_and_limit(call))
    rows = [group_told(group, campaign.id) for group in groups]
    return with_links(call, JobGroupPage.of(rows=rows), total)


def _list_of_client(call: Call) -> Answer:
    groups, total = service.page(call.tx, call.client.no, *skip_and_limit(call))
    above = campaigns.campaigns_by_number(call.tx, (group.campaign_no for group in groups))
    rows = [group_told(group, above[group.campaign_no].id) for group in groups]
    return with_links(call, JobGroupPage.of(rows=rows), total)


def _get(call: Call) -> JobGroup:
    campaign = _campaign(call)
    group = service.group_under(call.tx, campaign, call.path["jobgroup_id"])
    return group_told(group, campaign.id)


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.client, _group(call))
    return done("Jobgroup deleted")


def _update(call: Call) -> Done:
    service.update(call.tx, call.now, call.client, _group(call), call.body.given())
    return done("Jobgroup updated")


def _switch(call: Call, status: Status) -> None:
    service.switch(call.tx, call.now, call.client, _group(call), status)


def _preview(call: Call) -> JobGroupPreview:
    asked: NewJobGroupPreview = call.body
    preview = previewing.preview(
        call.tx, call.client, call.now, asked.body(), asked.priority, asked.group_id
    )
    groups = service.groups_by_number(call.tx, preview.taken_from | preview.kept_by)
    return preview_told(preview, groups)


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
_ANSWER = spelled(group_told(examples.GROUP, examples.CAMPAIGN.id))
OPERATIONS = [
    Operation(
        name="create_jobgroup",
        number=26,
        verb="POST",
        path=_PATH,
        title="Create a job group.",
        about="Creates a job group of the campaign, active at once. Its filters decide which jobs "
        "it takes: of several job groups that match a job, the lowest priority number wins, then "
        "the oldest. Its placements name the publishers; its bids and caps set the price and the "
        "limits. A publisher must belong to the agency and not be excluded by the client, its bid "
        "must reach the publisher's minimum bid, and its budget must fit into the job group's.",
        work=_create,
        body=NewJobGroup,
        answer=Made,
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
        work=_list_of_campaign,
        query=PAGED,
        answer=JobGroupPage,
        sample_answer={"data": [_ANSWER]},
    ),
    Operation(
        name="list_jobgroups",
        number=28,
        verb="GET",
        path="/clients/{client_id}/jobgroups",
        title="Get all job groups.",
        about="The job groups of all the client's campaigns, oldest first. Pages count from 0.",
        work=_list_of_client,
        query=PAGED,
        answer=JobGroupPage,
        sample_answer={"data": [_ANSWER]},
    ),
    Operation(
        name="preview_jobgroup",
        verb="POST",
        path="/clients/{client_id}/jobgroups/preview",
        title="See what a job group would take.",
        about="Returns which of the client's jobs a job group with these filters and this "
        "priority would have, and from which groups they would come. Nothing is saved. With"
        " jobGroupId, the preview is for a change of that group, whether it is active or "
        "not.",
        work=_preview,
        body=NewJobGroupPreview,
        kind=Ask(),
        lane="slow",
        answer=JobGroupPreview,
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
        about="The job group. Its filters are returned twice: as Compound Filters, with ALL and "
        "ANY, and as filters, with AND and OR. Either can be sent back.",
        work=_get,
        kind=Look(timeless=True),
        answer=JobGroup,
        sample_answer=_ANSWER,
    ),
    Operation(
        name="delete_jobgroup",
        number=30,
        verb="DELETE",
        path=_ONE,
        title="Delete a job group.",
        about="Deletes the job group; its jobs are matched to others. Past clicks, charges and "
        "reports stay. The default job group cannot be deleted.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Jobgroup deleted"},
    ),
    Operation(
        name="update_jobgroup",
        number=31,
        verb="PUT",
        path=_ONE,
        title="Update a job group.",
        about="Changes the job group: absent fields stay, null clears an optional field, and "
        "placements replace the whole list. The start date and the default job group cannot be "
        "changed.",
        work=_update,
        body=GroupChange,
        answer=Done,
        sample={"name": "test jobgroup updated1", "cpaBid": 0.22, "filters": _FILTERS},
        sample_answer={"result": True, "message": "Jobgroup updated"},
    ),
    *switches(
        "jobgroup",
        _ONE,
        _switch,
        pause="Stops the job group from advertising; its jobs are matched to others. Pausing a "
        "paused job group changes nothing.",
        enable="Enables the job group. Enabling an active one changes nothing.",
        number=32,
        word="job group",
    ),
]
