"""Click definitions: an addition to the contract (section 1, below the table)."""

from typing import Any

from handbill.clients.service import clients_by_number
from handbill.core.click_definitions import DefinitionBody
from handbill.definitions import service
from handbill.definitions.rows import ClickDefinition
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import instant_of_iso, iso_of
from handbill.publishers.service import publisher_of, publisher_to_change
from handbill.store.records import Tx
from handbill.wire.click_definitions import DEFINITION, UPDATE, spell_definition

_TAG = "Click definitions"
_GENERAL = "/publishers/{publisher_id}/click-definition"
_OWN = "/clients/{client_id}/publishers/{publisher_id}/click-definition"
_SAMPLE = {"preset": "2", "bot": True}
_AT = instant_of_iso("2026-11-18T12:00:00Z")


def _spell(
    tx: Tx, publisher_id: str, client_id: str | None, definition: ClickDefinition
) -> dict[str, Any]:
    read_at = definition.ips_read_at
    return spell_definition(publisher_id, client_id, definition.body) | {
        "botIps": {
            "count": service.bot_ips_count(tx, definition),
            "readOn": iso_of(read_at) if read_at is not None else None,
            "failure": definition.ips_failure,
        },
        "status": "Approved",
        "createdAt": iso_of(definition.created_at),
        "updatedAt": iso_of(definition.updated_at),
    }


def _example(client_id: str | None) -> dict[str, Any]:
    body = DefinitionBody()
    return spell_definition("TestExp1", client_id, body) | {
        "botIps": {"count": 0, "readOn": None, "failure": None},
        "status": "Approved",
        "createdAt": iso_of(_AT),
        "updatedAt": iso_of(_AT),
    }


def _get(call: Call) -> dict[str, Any]:
    publisher = publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])
    client = call.maybe_client
    definition = service.definition_at(call.tx, publisher, client)
    return _spell(call.tx, publisher.id, client.id if client else None, definition)


def _list(call: Call) -> Any:
    publisher = publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])
    every = service.definitions_of(call.tx, publisher)
    clients = clients_by_number(call.tx, (one.client_no for one in every))
    live = [one for one in every if not one.client_no or clients[one.client_no].status != "I"]
    skip, limit = skip_and_limit(call)
    page = [
        _spell(call.tx, publisher.id, clients[one.client_no].id if one.client_no else None, one)
        for one in live[skip : skip + limit]
    ]
    return with_links(call, {"data": page}, len(live))


def _put(call: Call) -> dict[str, Any]:
    publisher = publisher_to_change(call.tx, call.caller.agency_no, call.path["publisher_id"])
    service.put(
        call.tx, call.now, publisher, call.maybe_client, call.body,
        can_locate=bool(call.settings.geo_file),
    )  # fmt: skip
    return done("Click definition updated")


def _delete(call: Call) -> dict[str, Any]:
    publisher = publisher_to_change(call.tx, call.caller.agency_no, call.path["publisher_id"])
    service.delete(call.tx, call.now, publisher, call.maybe_client)
    return done("Click definition deleted")


def _operations(path: str, of: str, whose: str, client_id: str | None) -> list[Operation]:
    return [
        Operation(
            name=f"get_click_definition{of}",
            verb="GET",
            path=path,
            title=f"Get a publisher's click definition{whose}.",
            about="What makes a click of this publisher payable. 404 while none is defined: then "
            "what is more general holds, and in the end the installation's own rules: bots are "
            "dropped, duplicates are told by HANDBILL_DUPLICATE_SECONDS, and clicks are latent 48 "
            "hours after the job left the feed.",
            tag=_TAG,
            work=_get,
            answer=DEFINITION,
            sample_answer=_example(client_id),
        ),
        Operation(
            name=f"update_click_definition{of}",
            verb="PUT",
            path=path,
            title=f"Define a publisher's clicks{whose}.",
            about="Makes or changes the definition: what is absent stays, null switches a rule "
            "off. Each click is classed as bot, duplicate, foreign or latent, in this order, or is "
            "valid; only valid ones are charged, and every one is redirected. Holds for clicks "
            "that are judged from then on.",
            tag=_TAG,
            work=_put,
            body=UPDATE,
            answer=result_schema(),
            sample=_SAMPLE,
            sample_answer={"result": True, "message": "Click definition updated"},
        ),
        Operation(
            name=f"delete_click_definition{of}",
            verb="DELETE",
            path=path,
            title=f"Delete a publisher's click definition{whose}.",
            about="What is more general holds again. Clicks that are judged stay as they are.",
            tag=_TAG,
            work=_delete,
            answer=result_schema(),
            sample_answer={"result": True, "message": "Click definition deleted"},
        ),
    ]


OPERATIONS = [
    *_operations(_GENERAL, "", "", None),
    Operation(
        name="list_click_definitions",
        verb="GET",
        path="/publishers/{publisher_id}/click-definitions",
        title="Get all click definitions of a publisher.",
        about="The one for every client first, then those of single clients.",
        tag=_TAG,
        work=_list,
        query=PAGED,
        answer=page_schema(DEFINITION),
        sample_answer={"data": [_example(None)]},
    ),
    *_operations(_OWN, "_of_client", " for a client", "0b24ce32-5462-9024-a397-de37da501zzz"),
]
