"""Publisher families that an agency minds: additions to the contract (section 1)."""

from handbill.access.families import delete_family, family_of, page_of_families
from handbill.contract.envelopes import Done, done
from handbill.contract.publisher_families.models import (
    FamilyChange,
    FamilyMade,
    NewFamily,
    PublisherFamily,
    PublisherFamilyPage,
    family_told,
)
from handbill.core.nouns import Family
from handbill.http.kinds import Change
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.publishers import families

_PATH = "/publisher-families"
_ONE = f"{_PATH}/{{publisher_family_id}}"


def _family(call: Call) -> Family:
    return family_of(call.tx, call.caller.agency_no, call.path["publisher_family_id"])


def _create(call: Call) -> FamilyMade:
    made = families.create(call.tx, call.ids, call.now, call.caller.agency_no, **call.body.given())
    return FamilyMade.of(made, result=made.id, message="Publisher family created")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    page, total = page_of_families(call.tx, call.caller.agency_no, skip, limit)
    rows = [family_told(call.tx, one) for one in page]
    return with_links(call, PublisherFamilyPage.of(rows=rows), total)


def _get(call: Call) -> PublisherFamily:
    return family_told(call.tx, _family(call))


def _update(call: Call) -> Done:
    families.update(call.tx, call.now, _family(call), call.body.given())
    return done("Publisher family updated")


def _delete(call: Call) -> Done:
    delete_family(call.tx, call.now, _family(call))
    return done("Publisher family deleted")


_ID = "6576baba2f1c4d0e8a9b7c6d"
_SAMPLE = {
    "id": _ID,
    "name": "Test Exp Group",
    "publishers": ["TestExp1"],
    "createdOn": "2019-11-29T10:00:00.000Z",
    "lastUpdated": "2019-11-29T10:00:00.000Z",
}
_SAMPLE_MADE = {
    "result": _ID,
    "apiKey": "hb_k0f3v1mx8c2b_7q9z5n4d6s1h0ak0f3v1mx8c2b7q9z5n4d6s1h0",
    "apiClientId": "l81n0sqr0la15s23g78h8aqaf",
    "message": "Publisher family created",
}
OPERATIONS = [
    Operation(
        name="create_publisher_family",
        open_to="owner",
        verb="POST",
        path=_PATH,
        title="Create a publisher family.",
        about="Creates a login for the vendor of some of the agency's publishers, used to request"
        " publisher reports. The key is returned only this once.",
        work=_create,
        body=NewFamily,
        kind=Change(shows_once=True),
        answer=FamilyMade,
        sample={"name": "Test Exp Group", "publishers": ["TestExp1"]},
        sample_answer=_SAMPLE_MADE,
    ),
    Operation(
        name="list_publisher_families",
        verb="GET",
        path=_PATH,
        title="Get all publisher families.",
        about="The agency's publisher families, oldest first. Families created by the operator "
        "without an agency are not included.",
        work=_list,
        query=PAGED,
        answer=PublisherFamilyPage,
        sample_answer={"data": [_SAMPLE]},
    ),
    Operation(
        name="get_publisher_family",
        verb="GET",
        path=_ONE,
        title="Get a publisher family.",
        about="The family, with the publishers that belong to it.",
        work=_get,
        answer=PublisherFamily,
        sample_answer=_SAMPLE,
    ),
    Operation(
        name="update_publisher_family",
        verb="PUT",
        path=_ONE,
        title="Update a publisher family.",
        about="Updates the family. Omitted fields stay unchanged; the list of publishers is "
        "replaced as a whole.",
        work=_update,
        body=FamilyChange,
        answer=Done,
        sample={"publishers": ["TestExp1"]},
        sample_answer={"result": True, "message": "Publisher family updated"},
    ),
    Operation(
        name="delete_publisher_family",
        verb="DELETE",
        path=_ONE,
        title="Delete a publisher family.",
        about="Deletes the family and revokes its keys and tokens at once. Its publishers remain.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Publisher family deleted"},
    ),
]
