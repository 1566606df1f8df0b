"""Click definitions: an addition to the contract (section 1, below the table)."""

from typing import Any

from handbill.clients.service import clients_by_number
from handbill.contract.definitions.models import (
    ClickDefinition,
    ClickDefinitionPage,
    DefinitionChange,
    definition_told,
)
from handbill.contract.envelopes import Done, done
from handbill.core import click_definitions as core
from handbill.core.click_definitions import DefinitionBody
from handbill.core.nouns import Client, Publisher
from handbill.definitions import service
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import instant_of_iso
from handbill.publishers.service import publisher_of, publisher_to_change
from handbill.store.records import Tx
from handbill.wire.models import spelled

_GENERAL = "/publishers/{publisher_id}/click-definition"
_OWN = "/clients/{client_id}/publishers/{publisher_id}/click-definition"
_SAMPLE = {"preset": "2", "bot": True}
_AT = instant_of_iso("2026-11-18T12:00:00Z")


def _example(client_id: str | None) -> dict[str, Any]:
    kept = core.ClickDefinition(
        no=0,
        publisher_no=0,
        client_no=0,
        body=DefinitionBody(),
        ips_read_at=None,
        ips_failure=None,
        created_at=_AT,
        updated_at=_AT,
    )
    example: dict[str, Any] = spelled(definition_told("TestExp1", client_id, kept, 0))
    return example


def _get(call: Call) -> ClickDefinition:
    publisher = publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])
    client = call.maybe_client
    definition = service.definition_at(call.tx, publisher, client)
    return _definition_model(call.tx, publisher, client, definition)


def _definition_model(
    tx: Tx, publisher: Publisher, client: Client | None, definition: core.ClickDefinition
) -> ClickDefinition:
    listed = service.bot_ips_count(tx, definition)
    return definition_told(publisher.id, client.id if client else None, definition, listed)


def _list(call: Call) -> Answer:
    publisher = publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])
    every = service.definitions_of(call.tx, publisher)
    clients = clients_by_number(call.tx, (one.client_no for one in every))
    live = [one for one in every if not one.client_no or clients[one.client_no].status != "I"]
    skip, limit = skip_and_limit(call)
    page = [
        _definition_model(call.tx, publisher, clients.get(one.client_no), one)
        for one in live[skip : skip + limit]
    ]
    return with_links(call, ClickDefinitionPage.of(rows=page), len(live))


def _put(call: Call) -> Done:
    publisher = publisher_to_change(call.tx, call.caller.agency_no, call.path["publisher_id"])
    service.put(
        call.tx,
        call.now,
        publisher,
        call.maybe_client,
        call.body.given(),
        can_locate=bool(call.settings.geo_file),
    )
    return done("Click definition updated")


def _delete(call: Call) -> Done:
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
            about="Which clicks of this publisher are payable. 404 if none is defined. Then the "
            "more general definition applies, and finally the rules of the installation: "
            "clicks of bots are excluded, HANDBILL_DUPLICATE_SECONDS defines duplicates, "
            "and clicks are latent 48 hours after the job left the feed.",
            work=_get,
            answer=ClickDefinition,
            sample_answer=_example(client_id),
        ),
        Operation(
            name=f"update_click_definition{of}",
            verb="PUT",
            path=path,
            title=f"Define a publisher's clicks{whose}.",
            about="Creates or updates the definition. Omitted fields stay unchanged; null turns a"
            " rule off. Each click is a bot, duplicate, foreign or latent click, in this "
            "order, or it is valid. Every click is redirected; only valid ones are charged."
            " Applies to clicks judged from then on.",
            work=_put,
            body=DefinitionChange,
            answer=Done,
            sample=_SAMPLE,
            sample_answer={"result": True, "message": "Click definition updated"},
        ),
        Operation(
            name=f"delete_click_definition{of}",
            verb="DELETE",
            path=path,
            title=f"Delete a publisher's click definition{whose}.",
            about="Deletes the definition. The more general one applies again. Judged clicks do "
            "not change.",
            work=_delete,
            answer=Done,
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
        about="The definition for all clients first, then those of single clients.",
        work=_list,
        query=PAGED,
        answer=ClickDefinitionPage,
        sample_answer={"data": [_example(None)]},
    ),
    *_operations(_OWN, "_of_client", " for a client", "0b24ce32-5462-9024-a397-de37da501zzz"),
]
