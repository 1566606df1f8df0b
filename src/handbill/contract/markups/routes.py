"""Markups: an addition to the contract (section 1), with the manners of the rest."""

from typing import Any

from handbill.contract.envelopes import Done, Made, done
from handbill.contract.markups.models import (
    Markup,
    MarkupChange,
    MarkupPage,
    NewMarkup,
    shown_markups,
)
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.markups import service

_PATH = "/markups"
_ONE = f"{_PATH}/{{markup_id}}"
_BOOKED = "Booked entries do not change."


def _create(call: Call) -> Made:
    made = service.create(call.tx, call.ids, call.now, call.caller.agency_no, **call.body.given())
    return Made.of(result=made.id, message="Markup created")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    markups, total = service.page(call.tx, call.caller.agency_no, skip, limit)
    return with_links(call, MarkupPage.of(rows=shown_markups(call.tx, markups)), total)


def _list_of_client(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    markups, total = service.page_of_client(call.tx, call.client.no, skip, limit)
    return with_links(call, MarkupPage.of(rows=shown_markups(call.tx, markups)), total)


def _get(call: Call) -> Markup:
    markup = service.markup_of(call.tx, call.caller.agency_no, call.path["markup_id"])
    return shown_markups(call.tx, [markup])[0]


def _update(call: Call) -> Done:
    changes = call.body.given()
    service.update(call.tx, call.now, call.caller.agency_no, call.path["markup_id"], changes)
    return done("Markup updated")


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.caller.agency_no, call.path["markup_id"])
    return done("Markup deleted")


_ID = "5f8b1c1e-9a52-4c0c-8d2b-0a4f2f6d7c33"
_SAMPLE: dict[str, Any] = {
    "name": "Managed service",
    "effectiveFrom": 1_793_491_200,
    "value": 10,
    "entities": [
        {
            "clientId": "63051e4d-1595-428e-892e-748e5a7fa9c8",
            "entityId": "df8285cd-2ab4-44ab-8861-9ff3be0c4970",
            "level": "Campaign",
            "placementId": "TestExp1",
        }
    ],
}
_ANSWER: dict[str, Any] = {
    "id": _ID,
    **_SAMPLE,
    "createdOn": "2026-10-28T09:30:00.000Z",
    "lastUpdated": "2026-10-28T09:30:00.000Z",
}
OPERATIONS = [
    Operation(
        name="create_markup",
        verb="POST",
        path=_PATH,
        title="Create a markup.",
        about="Adds a percentage to what the customer pays, from effectiveFrom on, for the given "
        "entities: clients, campaigns or job groups of the agency, at all publishers or at one. "
        "For each event the most specific entity applies (job group before campaign before "
        "client, and with a publisher before without), then the newest effectiveFrom in the past, "
        "then the newest markup. Budget caps are compared with the marked-up spend. With a start "
        f"in the past, it applies to events judged from now on. {_BOOKED}",
        work=_create,
        body=NewMarkup,
        body_names=True,
        answer=Made,
        sample=_SAMPLE,
        sample_answer={"result": _ID, "message": "Markup created"},
    ),
    Operation(
        name="list_markups",
        verb="GET",
        path=_PATH,
        title="Get all markups.",
        about="The agency's markups, oldest first.",
        work=_list,
        query=PAGED,
        answer=MarkupPage,
        sample_answer={"data": [_ANSWER]},
    ),
    Operation(
        name="get_markup",
        verb="GET",
        path=_ONE,
        title="Get a markup.",
        about="A markup. Entities that were deleted since are included by their id.",
        work=_get,
        answer=Markup,
        sample_answer=_ANSWER,
    ),
    Operation(
        name="update_markup",
        verb="PUT",
        path=_ONE,
        title="Update a markup.",
        about=f"Updates the markup for events judged from now on. {_BOOKED}",
        work=_update,
        body=MarkupChange,
        body_names=True,
        answer=Done,
        sample={"value": 12.5},
        sample_answer={"result": True, "message": "Markup updated"},
    ),
    Operation(
        name="delete_markup",
        verb="DELETE",
        path=_ONE,
        title="Delete a markup.",
        about=f"Deletes the markup for events judged from now on. {_BOOKED}",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Markup deleted"},
    ),
    Operation(
        name="list_client_markups",
        verb="GET",
        path="/clients/{client_id}/markups",
        title="Get the markups of a client.",
        about="The agency's markups for this client, or for its campaigns or job groups, oldest "
        "first.",
        work=_list_of_client,
        query=PAGED,
        answer=MarkupPage,
        sample_answer={"data": [_ANSWER]},
    ),
]
