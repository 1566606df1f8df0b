"""Operations 2 to 10."""

from typing import Any

from handbill.clients import service
from handbill.contract import examples
from handbill.contract.clients.models import (
    Client,
    ClientChange,
    ClientPage,
    ClientStatus,
    NewClient,
    client_told,
    row_told,
)
from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.switches import switches
from handbill.groups import tree
from handbill.http.kinds import Look
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire.models import spelled

_PATH = "/clients"
_ONE = f"{_PATH}/{{client_id}}"


def _create(call: Call) -> Made:
    new: NewClient = call.body
    agency_no = call.caller.agency_no
    client = tree.found_client(call.tx, call.ids, call.now, agency_no, new.noun(), new.zone)
    return Made.of(result=client.id, message="client created")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    clients, total = service.page(call.tx, call.caller.agency_no, skip, limit)
    below = tree.campaigns_below(call.tx, clients)
    rows = [row_told(client, below[client.no]) for client in clients]
    return with_links(call, ClientPage.of(rows=rows), total)


def _get(call: Call) -> Client:
    return client_told(call.client, tree.campaigns_below(call.tx, [call.client])[call.client.no])


def _update(call: Call) -> Done:
    service.update(call.tx, call.now, call.client, call.body.given())
    return done("Client Updated")


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.client)
    return done("Client Deleted")


def _status(call: Call) -> ClientStatus:
    return ClientStatus.of(result=call.client.status, message="Status fetched successfully")


def _idx_mappings(call: Call) -> dict[str, str]:
    places = service.custom_places(call.tx, call.client.no)
    return {name: f"cif{place}" for name, place in places.items()}


def _switch(call: Call, status: Status) -> None:
    service.switch(call.tx, call.now, call.client, status)


_SAMPLE: dict[str, Any] = {
    "companyName": "New External API-789",
    "exportedName": "external-1",
    "applyConvWindow": 35,
    "timeZone": "UTC-10:00",
    "endDate": "20/04/2020",
    "startDate": "20/03/2020",
    "caps": {"budget": {"cap": "Monthly", "value": 1000, "pacing": False}},
    "clientType": "DirectEmployer",
    "advertiserName": "abc",
}
_CHANGE = {
    "budget": {"cap": "Monthly", "value": 1000, "pacing": True, "thresholdP": 80},
    "applies": {"cap": "Monthly", "value": 200},
}
OPERATIONS = [
    Operation(
        name="create_client",
        number=2,
        verb="POST",
        path=_PATH,
        title="Create a client.",
        about="Creates a client of the agency, active at once, with a default campaign and a "
        "default job group, which holds the jobs that no other job group takes. A start date in "
        "the past is accepted. Dates are read as mm/dd/yyyy, and as dd/mm/yyyy only where mm/dd is "
        "impossible.",
        work=_create,
        body=NewClient,
        answer=Made,
        sample=_SAMPLE,
        sample_answer={
            "result": "7baeb0b8-ae6f-4jed-b80f-az8z86a917d4",
            "message": "client created",
        },
    ),
    Operation(
        name="list_clients",
        number=3,
        verb="GET",
        path=_PATH,
        title="Get all clients.",
        about="The agency's clients, oldest first. Pages count from 0; the Link header names the "
        "first, previous and next page.",
        work=_list,
        query=PAGED,
        answer=ClientPage,
        sample_answer={"data": [spelled(row_told(examples.CLIENT, [examples.CAMPAIGN]))]},
    ),
    Operation(
        name="update_client",
        number=4,
        verb="PUT",
        path=_ONE,
        title="Update a client.",
        about="Changes the client: absent fields stay, null clears an optional field, and an "
        "empty object changes nothing. Caps may be sent at the top level or under caps. Fields "
        "that are fixed at creation (name, time zone, start date, type, ats, country, industry, "
        "frequency, startDefaultCampaign, sjCreate) may only be sent with their present value.",
        work=_update,
        body=ClientChange,
        answer=Done,
        sample=_CHANGE,
        sample_answer={"result": True, "message": "Client Updated"},
    ),
    Operation(
        name="get_client",
        number=5,
        verb="GET",
        path=_ONE,
        title="Get a client.",
        about="The client with its caps, exclusions and campaigns.",
        work=_get,
        kind=Look(timeless=True),
        answer=Client,
        sample_answer=spelled(client_told(examples.CLIENT, [examples.CAMPAIGN])),
    ),
    Operation(
        name="delete_client",
        number=6,
        verb="DELETE",
        path=_ONE,
        title="Delete a client.",
        about="Deletes the client. It and everything below it disappear from reads and from "
        "outbound feeds; past clicks, charges and reports stay.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Client Deleted"},
    ),
    Operation(
        name="get_client_status",
        number=7,
        verb="GET",
        path=f"{_ONE}/status",
        title="Get status of a client.",
        about="Returns whether the client is active (A) or paused (P).",
        work=_status,
        kind=Look(timeless=True),
        answer=ClientStatus,
        sample_answer={"result": "A", "message": "Status fetched successfully"},
    ),
    Operation(
        name="get_client_idx_mappings",
        number=8,
        verb="GET",
        path=f"{_ONE}/idx-mappings",
        title="Fetches custom idx fields mappings of a specific client.",
        about="The client's own job fields, each with its index cifN. Indexes are assigned in the "
        "order in which the fields first appear. They never change and are never reused.",
        work=_idx_mappings,
        kind=Look(timeless=True),
        answer={
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^cif[0-9]+$"},
        },
        sample_answer={"external-data": "cif1", "day": "cif2", "cpc": "cif3"},
    ),
    *switches(
        "client",
        _ONE,
        _switch,
        pause="Pauses the client. All its jobs are removed from the outbound feeds. Pausing a "
        "paused client changes nothing.",
        enable="Enables the client as it was before it was paused. Enabling an active client "
        "changes nothing.",
        number=9,
    ),
]
