"""Operation 53, and the additions by which rules are read, ordered, paused and deleted."""

from typing import Any

from handbill.contract.envelopes import Done, Status, done
from handbill.contract.rules.conflicts import conflicts_told, warnings_told
from handbill.contract.rules.models import (
    NewRule,
    Rule,
    RuleId,
    RuleMade,
    RuleOrder,
    RulePage,
    RuleSwitch,
)
from handbill.contract.rules.telling import rules_told
from handbill.contract.switches import switches
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.rules import service

_ONE = "/rules/{rule_id}"
_RUNS = "GET /rules/control says what rules may do, GET /rules/{rule_id}/runs what they did."


def _create(call: Call) -> RuleMade:
    new: NewRule = call.body
    rule_id = service.create(
        call.tx, call.ids, call.now, call.client, new.noun(), client_id=new.client_id
    )
    every = service.rules_of(call.tx, call.client)
    body = every[-1].body
    return RuleMade.of(
        made=RuleId.of(id=rule_id),
        success=True,
        conflicts=conflicts_told(every, body, rule_id),
        warnings=warnings_told(call.tx, call.client, body),
    )


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    every = service.rules_of(call.tx, call.client)
    rows = rules_told(every[skip : skip + limit], call.client.id, every)
    return with_links(call, RulePage.of(rows=rows), len(every))


def _get(call: Call) -> Rule:
    rule = service.rule_of(call.tx, call.client, call.path["rule_id"])
    (answer,) = rules_told([rule], call.client.id, service.rules_of(call.tx, call.client))
    return answer


def _switched(call: Call, status: Status) -> None:
    service.switch(call.tx, call.now, call.client, [call.path["rule_id"]], status)


def _switch(call: Call) -> Done:
    asked: RuleSwitch = call.body
    service.switch(call.tx, call.now, call.client, asked.ids, asked.status)
    return done("Rules paused" if asked.status == "P" else "Rules enabled")


def _order(call: Call) -> Done:
    service.order(call.tx, call.now, call.client, call.body.ids)
    return done("Rules ordered")


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.client, call.path["rule_id"])
    return done("Rule deleted")


_RULE_ID = "0b6f2f0e-3c55-4a39-9a43-6f4f7f1a2b11"
BODY: dict[str, Any] = {
    "clientId": "63051e4d-1595-428e-892e-748e5a7fa9c8",
    "campaignId": "df8285cd-2ab4-44ab-8861-9ff3be0c4970",
    "jobGroupId": "sd8285dd-2ab4-44ab-8861-9ff3blhgdgs1m",
    "filterLevel": "jobs",
    "applyToChildren": True,
    "conditions": [
        {
            "parameter": "clicks",
            "condition": "greater than",
            "value": 100,
            "unit": "#",
            "conditionDuration": "last_7_days",
        }
    ],
    "conditionOp": "AND",
    "actionType": "administration",
    "name": "Pause Job",
    "startDate": "05/10/2021",
    "endDate": "05/31/2021",
    "jobFilter": {
        "filter": {
            "operator": "AND",
            "rules": [{"operator": "EQUAL", "field": "country", "data": "US"}],
        }
    },
    "jobFilterLevel": "clients",
    "adminActions": {"type": "pause"},
    "filters": [],
}
_RULE: dict[str, Any] = (
    {"id": "a98b8ded-5a0e-4a25-8f1b-2f5c3b7e2c11"}
    | BODY
    | {"clientId": "3788ba55-a0c5-43ec-9982-65bb1344fa2b", "campaignId": "0", "jobGroupId": "0"}
    | {
        "actions": None,
        "repeatActionDuration": None,
        "allIds": False,
        "notifyUser": False,
        "status": "A",
        "order": 1,
        "createdOn": "2021-05-03T08:58:42.000Z",
        "lastUpdated": "2021-05-03T08:58:42.000Z",
    }
)
OPERATIONS = [
    Operation(
        name="create_rule",
        number=53,
        verb="POST",
        path="/rules",
        title="Apply job rules.",
        about="Creates a rule as the last one of the client. The ids of client, campaign, job "
        f"group and filters must belong to the client. {_RUNS}",
        work=_create,
        body=NewRule,
        body_names=True,
        client_header="x-client-id",
        answer=RuleMade,
        sample=BODY,
        sample_answer={"data": {"id": _RULE_ID}, "success": True},
    ),
    Operation(
        name="list_rules",
        verb="GET",
        path="/rules",
        title="Get all rules.",
        about=f"The client's rules, in their order. {_RUNS}",
        work=_list,
        query=PAGED,
        client_header="x-client-id",
        answer=RulePage,
        sample_answer={"data": [_RULE]},
    ),
    Operation(
        name="get_rule",
        verb="GET",
        path=_ONE,
        title="Get a rule.",
        about=f"One rule. {_RUNS}",
        work=_get,
        client_header="x-client-id",
        answer=Rule,
        sample_answer=_RULE,
    ),
    Operation(
        name="switch_rules",
        verb="PUT",
        path="/rules/status",
        title="Pause or enable rules.",
        about="Pauses or enables several rules at once. If any id is unknown, the whole request "
        "is refused.",
        work=_switch,
        body=RuleSwitch,
        body_names=True,
        client_header="x-client-id",
        answer=Done,
        sample={"ids": [_RULE_ID], "status": "P"},
        sample_answer={"result": True, "message": "Rules paused"},
    ),
    Operation(
        name="order_rules",
        verb="PUT",
        path="/rules/order",
        title="Reorder rules.",
        about="Sets the order of all rules of the client.",
        work=_order,
        body=RuleOrder,
        body_names=True,
        client_header="x-client-id",
        answer=Done,
        sample={"ids": [_RULE_ID]},
        sample_answer={"result": True, "message": "Rules ordered"},
    ),
    *switches(
        "rule",
        _ONE,
        _switched,
        pause="Pauses the rule. Its position and holds are kept.",
        enable="Enables a paused rule.",
        client_header="x-client-id",
    ),
    Operation(
        name="delete_rule",
        verb="DELETE",
        path=_ONE,
        title="Delete a rule.",
        about="Deletes the rule, and lifts its holds.",
        work=_delete,
        client_header="x-client-id",
        answer=Done,
        sample_answer={"result": True, "message": "Rule deleted"},
    ),
]
