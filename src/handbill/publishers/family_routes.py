"""Publisher families that an agency minds: additions to the contract (section 1)."""

from typing import Any

from handbill.access import service as access
from handbill.core.nouns import Family
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.publishers import families
from handbill.wire.families import CREATE, FAMILY, MADE, SAMPLE, SAMPLE_MADE, UPDATE

_TAG = "Publishers"
_PATH = "/publisher-families"
_ONE = f"{_PATH}/{{publisher_family_id}}"


def _family(call: Call) -> Family:
    return access.family_of(call.tx, call.caller.agency_no, call.path["publisher_family_id"])


def _create(call: Call) -> dict[str, Any]:
    family_id, api_key, api_client_id = families.create(
        call.tx, call.ids, call.now, call.caller.agency_no, call.body
    )
    made = {"result": family_id, "apiKey": api_key, "apiClientId": api_client_id}
    return made | {"message": "Publisher family created"}


def _list(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    found, total = access.page_of_families(call.tx, call.caller.agency_no, skip, limit)
    return with_links(call, {"data": [families.spelled(call.tx, one) for one in found]}, total)


def _get(call: Call) -> dict[str, Any]:
    return families.spelled(call.tx, _family(call))


def _update(call: Call) -> dict[str, Any]:
    families.update(call.tx, call.now, _family(call), call.body)
    return done("Publisher family updated")


def _delete(call: Call) -> dict[str, Any]:
    access.delete_family(call.tx, call.now, _family(call))
    return done("Publisher family deleted")


OPERATIONS = [
    Operation(
        name="create_publisher_family",
        verb="POST",
        path=_PATH,
        title="Create a publisher family.",
        about="Makes a login for the vendor behind some of the agency's publishers, with which it "
        "asks for publisher reports. Its key is answered this once.",
        tag=_TAG,
        work=_create,
        body=CREATE,
        shows_once=True,
        answer=MADE,
        sample={"name": "Test Exp Group", "publishers": ["TestExp1"]},
        sample_answer=SAMPLE_MADE,
    ),
    Operation(
        name="list_publisher_families",
        verb="GET",
        path=_PATH,
        title="Get all publisher families.",
        about="The agency's publisher families, oldest first. Families that the operator made "
        "without naming an agency are not among them.",
        tag=_TAG,
        work=_list,
        query=PAGED,
        answer=page_schema(FAMILY),
        sample_answer={"data": [SAMPLE]},
    ),
    Operation(
        name="get_publisher_family",
        verb="GET",
        path=_ONE,
        title="Get a publisher family.",
        about="The family, and which publishers belong to it.",
        tag=_TAG,
        work=_get,
        answer=FAMILY,
        sample_answer=SAMPLE,
    ),
    Operation(
        name="update_publisher_family",
        verb="PUT",
        path=_ONE,
        title="Update a publisher family.",
        about="Changes the family: what is absent stays; the list of publishers is replaced as a "
        "whole.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(),
        sample={"publishers": ["TestExp1"]},
        sample_answer={"result": True, "message": "Publisher family updated"},
    ),
    Operation(
        name="delete_publisher_family",
        verb="DELETE",
        path=_ONE,
        title="Delete a publisher family.",
        about="Deletes the family; its keys and tokens are dead at once. Its publishers stay.",
        tag=_TAG,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Publisher family deleted"},
    ),
]
