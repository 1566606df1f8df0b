"""Operations 41 to 45 and 48: purchases of slots and durations. Their jobs: ``jobs``."""

from handbill.contract.envelopes import Done, Made, done
from handbill.contract.postings.jobs import OF_CLIENT, OF_PUBLISHER, posting, publisher
from handbill.contract.postings.models import (
    NewestPosting,
    NewPosting,
    OptionalPage,
    Posting,
    PostingChange,
    PostingPage,
    PostingRow,
    posting_told,
    row_told,
)
from handbill.core import postings as core
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.postings import service
from handbill.publishers.service import publishers_by_number

_ONE = f"{OF_PUBLISHER}/{{config_id}}"


def _posting_rows(call: Call, found: list[core.Posting]) -> list[PostingRow]:
    publishers = publishers_by_number(call.tx, (one.publisher_no for one in found))
    agency_id = call.caller.owner_id
    return [row_told(one, agency_id, publishers[one.publisher_no], call.now) for one in found]


def _create(call: Call) -> Made:
    made = service.create(
        call.tx, call.ids, call.now, call.client, publisher(call), **call.body.given()
    )
    return Made.of(result=made, message="Config created")


def _list_at(call: Call) -> Answer:
    """The newest at the top level as in the sample, and all of them in ``data``."""
    at = publisher(call)
    postings, total = service.page_at(call.tx, call.client, at, *skip_and_limit(call))
    newest, rows = service.newest_at(call.tx, call.client, at), _posting_rows(call, postings)
    if newest is None:
        return with_links(call, PostingPage.of(rows=rows), total)
    (top,) = _posting_rows(call, [newest])
    return with_links(call, NewestPosting.of(top, rows=rows), total)


def _list_of_client(call: Call) -> Answer:
    postings, total = service.page(call.tx, call.client, *skip_and_limit(call))
    return with_links(call, PostingPage.of(rows=_posting_rows(call, postings)), total)


def _get(call: Call) -> Posting:
    here, at = posting(call), publisher(call)
    return posting_told(here, call.caller.owner_id, at, call.now)


def _update(call: Call) -> Done:
    service.update(call.tx, call.now, call.client, posting(call), call.body.given())
    return done("Config update processed")


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.client, posting(call))
    return done("Config update processed")


_SAMPLE_ID = "213d2dcb-d72b-43fb-85bc-71e1aaa8fe8a"
_CLIENT_ID = "3788ba55-a0c5-43ec-9982-65bb1344fa2b"
_CONFIG_ID = "d21ba8ff-c7f5-4b25-b5fc-5fbd1ba7f8fe"
_POSTING = {
    "id": _CONFIG_ID,
    "agencyId": "acme",
    "clientIds": [_CLIENT_ID],
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "startDate": "2021-05-03T05:19:04.000Z",
    "endDate": "2021-06-02T05:19:04.000Z",
    "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
    "availableCount": 10,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
    "billingType": "PREPAID",
    "purchaseType": "ClientBilled",
    "isActive": True,
    "usedCount": 1,
}
_ROW = {
    "id": _CONFIG_ID,
    "agencyId": "acme",
    "clientIds": [_CLIENT_ID],
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "costPerJobPerDay": 2.2,
    "costPerSlotPerHour": 0.030556,
    "startDate": "2021-05-03T05:19:04.000Z",
    "endDate": "2021-06-02T05:19:04.000Z",
    "duration": 720,
    "availableCount": 10,
    "rotateFreqInDays": 2,
    "usedCount": 1,
    "lastRotated": "2021-05-03T08:58:42.000Z",
    "isActive": True,
    "lastUpdated": "2021-05-03T08:58:42.000Z",
    "createdOn": "2021-05-03T08:58:42.000Z",
    "jobDuration": 10,
    "postedJobsCount": 1,
    "configType": "SLOT",
    "minJobDurationInDays": 2,
    "billingType": {"name": "PREPAID"},
    "purchaseType": {"name": "ClientBilled"},
}
OPERATIONS = [
    Operation(
        name="create_posting_config",
        number=41,
        verb="POST",
        path=OF_PUBLISHER,
        title="Create a config/posting.",
        about="Buys slots (rotateFreqInDays above 0) or durations at the publisher. Start and end "
        "are compared by day; a past start is accepted. Nothing is active before the start and "
        "after the end.",
        work=_create,
        body=NewPosting,
        answer=Made,
        sample={
            "cost": 220,
            "startDate": "2020-08-03T05:19:00.000Z",
            "endDate": "2020-08-03T05:13:00.000Z",
            "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
            "availableCount": 100,
            "rotateFreqInDays": 2,
            "jobDuration": 10,
            "minJobDurationInDays": 2,
        },
        sample_answer={"result": _SAMPLE_ID, "message": "Config created"},
    ),
    Operation(
        name="list_posting_configs_of_publisher",
        number=42,
        verb="GET",
        path=OF_PUBLISHER,
        title="Get all config/posting.",
        about="The newest posting at the top level, as in the reference's sample, and every "
        "posting in data, oldest first. If there are none, the answer contains only an empty data.",
        work=_list_at,
        query=OptionalPage,
        answer=NewestPosting,
        sample_answer=_ROW | {"data": [_ROW]},
    ),
    Operation(
        name="update_posting_config",
        number=43,
        verb="PUT",
        path=_ONE,
        title="Update a config/posting.",
        about="Changes the posting. Absent fields stay. Slots in use cannot be removed, and slots "
        "cannot become durations. Clients left out of clientIds lose their jobs.",
        work=_update,
        body=PostingChange,
        answer=Done,
        sample={
            "cost": 1000,
            "endDate": "2020-08-03T05:13:00.000Z",
            "availableCount": 50,
            "rotateFreqInDays": 5,
            "jobDuration": 20,
            "minJobDurationInDays": 2,
        },
        sample_answer={"result": True, "message": "Config update processed"},
    ),
    Operation(
        name="get_posting_config",
        number=44,
        verb="GET",
        path=_ONE,
        title="Get a config/posting.",
        about="A posting; its times are in ISO 8601, whatever its dateFormat.",
        work=_get,
        answer=Posting,
        sample_answer=_POSTING,
    ),
    Operation(
        name="delete_posting_config",
        number=45,
        verb="DELETE",
        path=_ONE,
        title="Delete a config/posting.",
        about="Deletes the posting; its jobs leave the publisher's feed.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Config update processed"},
    ),
    Operation(
        name="list_posting_configs",
        number=48,
        verb="GET",
        path=OF_CLIENT,
        title="Get all configs/postings.",
        about="The client's postings at all publishers, oldest first.",
        work=_list_of_client,
        query=PAGED,
        answer=PostingPage,
        sample_answer={"data": [_ROW]},
    ),
]
