"""Operation 53, and the additions by which rules are read, ordered, paused and deleted."""

from typing import Any

from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import iso_of
from handbill.rules import service
from handbill.rules.rows import Rule
from handbill.wire import room_samples
from handbill.wire import rules as wire
from handbill.wire.spelling import FLAG, TEXT, described, whole

_TAG = "Rules"
_ONE = "/rules/{rule_id}"
_NOT_YET = "Rules are kept and checked in full, but none runs yet."


def _create(call: Call) -> dict[str, Any]:
    rule_id = service.create(call.tx, call.ids, call.now, call.client, call.body)
    return {"data": {"id": rule_id}, "success": True}


def _spelled(call: Call, rule: Rule, order: int) -> dict[str, Any]:
    head = {"id": rule.id, "clientId": call.client.id}
    tail = {
        "status": rule.status,
        "order": order,
        "createdOn": iso_of(rule.created_at),
        "lastUpdated": iso_of(rule.updated_at),
    }
    return head | wire.spell_body(rule.body) | tail


def _list(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    found, total = service.page(call.tx, call.client, skip, limit)
    spelled = [_spelled(call, rule, order) for order, rule in enumerate(found, skip + 1)]
    return with_links(call, {"data": spelled}, total)


def _get(call: Call) -> dict[str, Any]:
    rule = service.rule_of(call.tx, call.client, call.path["rule_id"])
    return _spelled(call, rule, service.place_of(call.tx, call.client, rule))


def _pause(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, [call.path["rule_id"]], "P")
    return done("Rule paused")


def _enable(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, [call.path["rule_id"]], "A")
    return done("Rule enabled")


def _switch(call: Call) -> dict[str, Any]:
    status = call.body["status"]
    service.switch(call.tx, call.now, call.client, call.body["ids"], status)
    return done("Rules paused" if status == "P" else "Rules enabled")


def _order(call: Call) -> dict[str, Any]:
    service.order(call.tx, call.now, call.client, call.body["ids"])
    return done("Rules ordered")


def _delete(call: Call) -> dict[str, Any]:
    service.delete(call.tx, call.now, call.client, call.path["rule_id"])
    return done("Rule deleted")


_RULE_ID = "0b6f2f0e-3c55-4a39-9a43-6f4f7f1a2b11"
OPERATIONS = [
    Operation(
        name="create_rule",
        number=53,
        verb="POST",
        path="/rules",
        title="Apply job rules.",
        about="Keeps a rule, last in the client's order. The ids of client, campaign, job group "
        f"and filters must be the client's own. {_NOT_YET}",
        tag=_TAG,
        work=_create,
        body=wire.CREATE,
        body_names=True,
        client_header="x-client-id",
        answer=whole(
            {
                "data": described(
                    whole({"id": described(TEXT, "The new rule's id.")}), "What was made."
                ),
                "success": described(FLAG, "Always true: the rule is kept."),
            }
        ),
        sample=room_samples.RULE_BODY,
        sample_answer={"data": {"id": _RULE_ID}, "success": True},
    ),
    Operation(
        name="list_rules",
        verb="GET",
        path="/rules",
        title="Get all rules.",
        about=f"The client's rules, in their order. {_NOT_YET}",
        tag=_TAG,
        work=_list,
        query=PAGED,
        client_header="x-client-id",
        answer=page_schema(wire.RULE),
        sample_answer={"data": [room_samples.RULE]},
    ),
    Operation(
        name="get_rule",
        verb="GET",
        path=_ONE,
        title="Get a rule.",
        about=f"One rule. {_NOT_YET}",
        tag=_TAG,
        work=_get,
        client_header="x-client-id",
        answer=wire.RULE,
        sample_answer=room_samples.RULE,
    ),
    Operation(
        name="switch_rules",
        verb="PUT",
        path="/rules/status",
        title="Pause or enable rules.",
        about="Pauses or enables several rules at once; any unknown id refuses the whole.",
        tag=_TAG,
        work=_switch,
        body=wire.STATUS_BODY,
        body_names=True,
        client_header="x-client-id",
        answer=result_schema(),
        sample={"ids": [_RULE_ID], "status": "P"},
        sample_answer={"result": True, "message": "Rules paused"},
    ),
    Operation(
        name="order_rules",
        verb="PUT",
        path="/rules/order",
        title="Put rules into an order.",
        about="Names every rule of the client in the order in which they are to stand.",
        tag=_TAG,
        work=_order,
        body=wire.ORDER_BODY,
        body_names=True,
        client_header="x-client-id",
        answer=result_schema(),
        sample={"ids": [_RULE_ID]},
        sample_answer={"result": True, "message": "Rules ordered"},
    ),
    Operation(
        name="pause_rule",
        verb="PUT",
        path=f"{_ONE}/pause",
        title="Pause a rule.",
        about="A paused rule does nothing; it keeps its place.",
        tag=_TAG,
        work=_pause,
        client_header="x-client-id",
        answer=result_schema(),
        sample_answer={"result": True, "message": "Rule paused"},
    ),
    Operation(
        name="enable_rule",
        verb="PUT",
        path=f"{_ONE}/enable",
        title="Enable a rule.",
        about="Brings a paused rule back.",
        tag=_TAG,
        work=_enable,
        client_header="x-client-id",
        answer=result_schema(),
        sample_answer={"result": True, "message": "Rule enabled"},
    ),
    Operation(
        name="delete_rule",
        verb="DELETE",
        path=_ONE,
        title="Delete a rule.",
        about="Deletes the rule.",
        tag=_TAG,
        work=_delete,
        client_header="x-client-id",
        answer=result_schema(),
        sample_answer={"result": True, "message": "Rule deleted"},
    ),
]
