"""Operations of rules that run: what they may do, would do, have done and hold."""

from typing import Any, Final

from handbill.clients import service as clients
from handbill.contract.answering import answering_of
from handbill.contract.envelopes import Done
from handbill.contract.rules.changing import RuleChange, changed_rule
from handbill.contract.rules.conflicts import conflicts_told, warnings_told
from handbill.contract.rules.holds import RuleHolds, holds_told
from handbill.contract.rules.models import PreviewedRule
from handbill.contract.rules.routes import BODY
from handbill.contract.rules.runs import (
    NamedRunPage,
    RuleBackTest,
    RulePreview,
    RuleRunPage,
    RulesControl,
    RulesControlTold,
    RuleUpdated,
    RunUndone,
    backtest_told,
    preview_told,
    run_told,
    runs_told,
    undone_told,
)
from handbill.control import backtesting, rule_ticks, ruling
from handbill.http.kinds import Ask
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.rules import history, holding, service, undoing

_ONE: Final = "/rules/{rule_id}"


def _preview(call: Call) -> RulePreview:
    new: PreviewedRule = call.body
    stood = service.rule_of(call.tx, call.client, new.rule_id).body if new.rule_id else None
    body = service.checked(call.tx, call.now, call.client, new.noun(), new.client_id, stood)
    run = ruling.preview(call.tx, answering_of(call), call.client, call.now, body)
    return preview_told(call.tx, call.client, body, run)


def _backtest(call: Call) -> RuleBackTest:
    body = service.rule_of(call.tx, call.client, call.path["rule_id"]).body
    back_test = backtesting.backtest(call.tx, answering_of(call), call.client, call.now, body)
    return backtest_told(body, back_test)


def _update(call: Call) -> RuleUpdated:
    rule_id = call.path["rule_id"]
    stands = service.rule_of(call.tx, call.client, rule_id)
    new = changed_rule(stands, call.client.id, call.body)
    service.update(call.tx, call.now, call.client, rule_id, new.noun(), client_id=new.client_id)
    body = service.rule_of(call.tx, call.client, rule_id).body
    conflicts = conflicts_told(service.rules_of(call.tx, call.client), body, rule_id)
    return RuleUpdated.of(
        result=True,
        message="Rule updated",
        conflicts=conflicts,
        warnings=warnings_told(call.tx, call.client, body),
    )


def _runs(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    rule = service.rule_of(call.tx, call.client, call.path["rule_id"])
    runs, total = history.page(call.tx, rule.no, skip, limit)
    return with_links(call, RuleRunPage.of(rows=list(map(run_told, runs))), total)


def _all_runs(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    runs, total = history.page_of_client(call.tx, call.client.no, skip, limit)
    return with_links(call, NamedRunPage.of(rows=runs_told(call.tx, call.client, runs)), total)


def _undo(call: Call) -> RunUndone:
    undone = undoing.undo(
        call.tx, call.now, call.client, call.path["rule_id"], call.path["rule_run_id"]
    )
    return undone_told(undone)


def _control(call: Call) -> RulesControlTold:
    return RulesControlTold.of(
        control=call.client.body.control,
        effective=rule_ticks.mode_of(call.client, call.settings.rules_mode),
    )


def _set_control(call: Call) -> Done:
    clients.update(call.tx, call.now, call.client, call.body.given())
    return Done.of(result=True, message="Control updated")


def _holds(call: Call) -> RuleHolds:
    return holds_told(call.tx, call.client, holding.holds_of(call.tx, call.client.no))


def _lift(call: Call) -> Done:
    holding.lift_one(call.tx, call.now, call.client, call.path["hold_id"])
    return Done.of(result=True, message="Hold lifted")


_ID = "0b6f2f0e-3c55-4a39-9a43-6f4f7f1a2b11"
_RUN_ID = "a98b8ded-5a0e-4a25-8f1b-2f5c3b7e2c11"
_GROUP = "7a1d9f5e-3b0c-4f5e-9d0c-5c1b2a3d4e5f"
_CONDITION: dict[str, Any] = BODY["conditions"][0]
_ACT: dict[str, Any] = {
    "level": "JOBGROUP",
    "id": _GROUP,
    "name": "Nurses",
    "action": "pause",
    "clamped": False,
    "skip": None,
    "undone": False,
}
_SEEN: dict[str, Any] = {
    "evaluated": 12,
    "matched": 1,
    "conditions": [_CONDITION],
    "questions": [
        {
            "filters": {"startDate": "05/03/2021", "endDate": "05/09/2021", "publisherIds": []},
            "aggregationLevel": {"primaryLevel": "JOBGROUP"},
        }
    ],
    "entities": [
        {
            "level": "JOBGROUP",
            "id": _GROUP,
            "name": "Nurses",
            "publisherIds": [],
            "seen": [140],
            "matched": True,
            "skip": None,
            "acts": [_ACT],
        }
    ],
}
OPERATIONS = [
    Operation(
        name="preview_rule",
        verb="POST",
        path="/rules/preview",
        title="See what a rule would do.",
        about="Evaluates a rule on the current figures, as if it came first and had never run. "
        "Nothing is saved or changed.",
        work=_preview,
        kind=Ask(),
        lane="slow",
        body=PreviewedRule,
        body_names=True,
        client_header="x-client-id",
        answer=RulePreview,
        sample=BODY,
        sample_answer=_SEEN | {"conflicts": []},
    ),
    Operation(
        name="backtest_rule",
        verb="POST",
        path=f"{_ONE}/backtest",
        title="See what a rule would have done.",
        about="Runs a rule over the last 30 days as it would have been run then, on the entities, "
        "budgets, bids and holds of now, as if it had been there alone and had only advised: when "
        "it would have acted, on what, with which numbers. The runs of a rule have seen the same "
        "numbers at these times; they may have acted at other times, because of other rules, "
        "holds, undone runs and former amounts. Its startDate and endDate are ignored. Nothing is "
        "saved or changed.",
        work=_backtest,
        kind=Ask(),
        lane="slow",
        client_header="x-client-id",
        answer=RuleBackTest,
        sample_answer={
            "from": "2021-04-10T01:00:00.000Z",
            "until": "2021-05-10T01:00:00.000Z",
            "runs": 31,
            "evaluated": 12,
            "count": 1,
            "complete": True,
            "conditions": [_CONDITION],
            "firings": [
                _SEEN["entities"][0]
                | {
                    "ranOn": "2021-05-01T01:00:00.000Z",
                    "before": {"spent": 70, "applies": 0},
                    "after": {"spent": 12.5, "applies": 2},
                }
            ],
        },
    ),
    Operation(
        name="get_rules_control",
        verb="GET",
        path="/rules/control",
        title="Get what rules may do.",
        about="Whether the client's rules run, and whether they act or only advise. "
        "Default: ADVISE.",
        work=_control,
        client_header="x-client-id",
        answer=RulesControlTold,
        sample_answer={"control": "ADVISE", "effective": "ADVISE"},
    ),
    Operation(
        name="set_rules_control",
        verb="PUT",
        path="/rules/control",
        title="Set what rules may do.",
        about="Lets the client's rules act, only advise, or not run. It holds once it is answered: "
        "a run that is under way is finished before.",
        work=_set_control,
        body=RulesControl,
        client_header="x-client-id",
        answer=Done,
        sample={"control": "ACT"},
        sample_answer={"result": True, "message": "Control updated"},
    ),
    Operation(
        name="update_rule",
        verb="PUT",
        path=_ONE,
        title="Update a rule.",
        about="Changes the rule: absent fields stay, null sets a field to its default, and lists "
        "are replaced as a whole. Its position, status and holds are kept. What the rule names "
        "already may have been deleted since.",
        work=_update,
        body=RuleChange,
        body_names=True,
        client_header="x-client-id",
        answer=RuleUpdated,
        sample=BODY,
        sample_answer={"result": True, "message": "Rule updated", "conflicts": []},
    ),
    Operation(
        name="list_rule_runs",
        verb="GET",
        path=f"{_ONE}/runs",
        title="Get the runs of a rule.",
        about="What the rule saw and did, newest first; kept for 400 days. Rules run every 15 "
        "minutes, rules on past days only once a day. A run is not kept if it did nothing and its "
        "result is the same as before.",
        work=_runs,
        query=PAGED,
        client_header="x-client-id",
        answer=RuleRunPage,
        sample_answer={
            "data": [
                {"id": _ID}
                | _SEEN
                | {"ranOn": "2021-05-10T06:15:00.000Z", "mode": "ACT", "undoneOn": None}
            ]
        },
    ),
    Operation(
        name="list_client_runs",
        verb="GET",
        path="/rules/runs",
        title="Get the runs of all rules.",
        about="What the client's rules saw and did, newest first, as in GET /rules/{rule_id}/runs. "
        "Runs of deleted rules are included.",
        work=_all_runs,
        query=PAGED,
        client_header="x-client-id",
        answer=NamedRunPage,
        sample_answer={
            "data": [
                {"id": _RUN_ID}
                | _SEEN
                | {
                    "ranOn": "2021-05-10T06:15:00.000Z",
                    "mode": "ACT",
                    "undoneOn": None,
                    "ruleId": _ID,
                    "ruleName": "Pause Job",
                }
            ]
        },
    ),
    Operation(
        name="list_holds",
        verb="GET",
        path="/clients/{client_id}/holds",
        title="Get the holds of rules.",
        about="What the client's rules keep from being listed. Holds are independent of the "
        "users' own switches.",
        work=_holds,
        answer=RuleHolds,
        sample_answer={
            "data": [
                {
                    "id": "d0c1b2a3-5f4e-4d3c-8b2a-1f0e9d8c7b6a",
                    "ruleId": _ID,
                    "ruleName": "Pause Job",
                    "runId": _RUN_ID,
                    "level": "JOBGROUP",
                    "entityId": _GROUP,
                    "name": "Nurses",
                    "since": "2021-05-10T06:15:00.000Z",
                }
            ]
        },
    ),
    Operation(
        name="lift_hold",
        verb="PUT",
        path="/clients/{client_id}/holds/{hold_id}/lift",
        title="Lift a hold.",
        about="Lifts a hold of a rule. The rule can hold the same again only after its conditions "
        "have stopped being met and are met again.",
        work=_lift,
        answer=Done,
        sample_answer={"result": True, "message": "Hold lifted"},
    ),
    Operation(
        name="undo_rule_run",
        verb="POST",
        path=f"{_ONE}/runs/{{rule_run_id}}/undo",
        title="Undo a run.",
        about="Lifts the holds of the run, and restores what it changed, except what was changed "
        "again since; the answer lists that. A run can be undone once. If nothing of it can be "
        "undone, the answer is 400 with the reasons, and the run may be undone later.",
        work=_undo,
        client_header="x-client-id",
        answer=RunUndone,
        sample_answer={
            "result": True,
            "message": "Run undone",
            "undone": [_ACT | {"undone": True}],
            "left": [],
        },
    ),
]
