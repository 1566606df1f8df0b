"""Operations 4 and 6 to 10. Those that show or found a client's campaigns (2, 3, 5) stand above, in
``groups.tree_routes``.
"""

from typing import Any

from handbill.clients import service
from handbill.http.kinds import Look
from handbill.http.operations import Call, Operation, done, result_schema
from handbill.wire.clients import UPDATE
from handbill.wire.spelling import STATUS, TEXT, described, mapped, whole

_TAG = "Clients"
_PATH = "/clients/{client_id}"


def _update(call: Call) -> dict[str, Any]:
    service.update(call.tx, call.now, call.client, call.body)
    return done("Client Updated")


def _delete(call: Call) -> dict[str, Any]:
    service.delete(call.tx, call.now, call.client)
    return done("Client Deleted")


def _status(call: Call) -> dict[str, Any]:
    return done("Status fetched successfully", call.client.status)


def _idx_mappings(call: Call) -> dict[str, str]:
    places = service.custom_places(call.tx, call.client.no)
    return {name: f"cif{place}" for name, place in places.items()}


def _pause(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, "P")
    return done("Client paused")


def _enable(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, "A")
    return done("Client enabled")


OPERATIONS = [
    Operation(
        name="update_client",
        number=4,
        verb="PUT",
        path=_PATH,
        title="Update a client.",
        about="Changes the client: what is absent stays, null clears what is optional, and an "
        "empty object changes nothing. The caps may stand at the top level or under caps. What is "
        "fixed at creation (name, time zone, start date, type, ats, country, industry, frequency) "
        "is refused unless it is sent as it stands.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(),
        sample={
            "budget": {"cap": "Monthly", "value": 1000, "pacing": True, "thresholdP": 80},
            "applies": {"cap": "Monthly", "value": 200},
        },
        sample_answer={"result": True, "message": "Client Updated"},
    ),
    Operation(
        name="delete_client",
        number=6,
        verb="DELETE",
        path=_PATH,
        title="Delete a client.",
        about="Deletes the client. It and all below it vanish from reads and from outbound feeds; "
        "clicks, charges and reports of the past stay.",
        tag=_TAG,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Client Deleted"},
    ),
    Operation(
        name="get_client_status",
        number=7,
        verb="GET",
        path=f"{_PATH}/status",
        title="Get status of a client.",
        about="Tells whether the client is active (A) or paused (P).",
        tag=_TAG,
        work=_status,
        kind=Look(timeless=True),
        answer=whole(
            {
                "result": described(STATUS, "A active, P paused."),
                "message": described(TEXT, "What was done."),
            }
        ),
        sample_answer={"result": "A", "message": "Status fetched successfully"},
    ),
    Operation(
        name="get_client_idx_mappings",
        number=8,
        verb="GET",
        path=f"{_PATH}/idx-mappings",
        title="Fetches custom idx fields mappings of a specific client.",
        about="The client's own job fields, each with its index cifN: numbered in the order in "
        "which they first came, never renumbered, never used again.",
        tag=_TAG,
        work=_idx_mappings,
        kind=Look(timeless=True),
        answer=mapped({"type": "string", "pattern": "^cif[0-9]+$"}),
        sample_answer={"external-data": "cif1", "day": "cif2", "cpc": "cif3"},
    ),
    Operation(
        name="pause_client",
        number=9,
        verb="PUT",
        path=f"{_PATH}/pause",
        title="Pause a client.",
        about="Takes all jobs of the client out of the outbound feeds. A paused client stays so.",
        tag=_TAG,
        work=_pause,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Client paused"},
    ),
    Operation(
        name="enable_client",
        number=10,
        verb="PUT",
        path=f"{_PATH}/enable",
        title="Enable a client.",
        about="Brings the client back as it was before it was paused. An active one stays so.",
        tag=_TAG,
        work=_enable,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Client enabled"},
    ),
]
