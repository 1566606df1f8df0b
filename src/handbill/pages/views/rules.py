"""Rules: which there are, what each has done, and what it would do."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined, Reply, at
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import page_in
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import named_client
from handbill.pages.wording import counted, money, number, percent

_ON_A_PAGE = 100
_MOST_RULES = 1_000
_RUNS = 20
_SWITCHES = {"pause": "The rule is paused.", "enable": "The rule is enabled."}
_MODES = {
    "ACT": "Rules act",
    "ADVISE": "Rules advise: runs are recorded, and nothing is changed",
    "OFF": "Rules do not run",
}
_LEVELS = {"CLIENT": "Client", "JOBGROUP": "Job group"}
_STATED = (
    "clientId",
    "campaignId",
    "jobGroupId",
    "filterLevel",
    "applyToChildren",
    "conditions",
    "conditionOp",
    "actionType",
    "name",
    "startDate",
    "endDate",
    "jobFilter",
    "jobFilterLevel",
    "adminActions",
    "filters",
    "actions",
    "repeatActionDuration",
    "allIds",
)


async def every(request: Request) -> Response:
    """A client's rules in the order in which they run."""
    calls, client = calls_of(request), await named_client(request)
    page = page_in(request)
    of = at("clients", client["id"])
    rules, control, holds, whole = await asyncio.gather(
        calls.get("/rules", {"page": page, "limit": _ON_A_PAGE}, client_id=client["id"]),
        calls.get("/rules/control", client_id=client["id"]),
        calls.get(f"{of}/holds"),
        calls.get(f"{of}/timeseries", {"days": 1}),
    )
    return render(
        request,
        "rules.html",
        client=client,
        rules=rules,
        control=control,
        modes=_MODES,
        holds=holds,
        levels=_LEVELS,
        page=page,
        is_full=len(rules.json["data"]) == _ON_A_PAGE,
        words=words_of,
        currency=whole.json["currency"],
    )


async def one(request: Request) -> Response:
    """A rule and its last runs; with ``try``, what it would do now or would have done."""
    calls, client = calls_of(request), await named_client(request)
    path = at("rules", request.path_params["rule_id"])
    rule, runs, whole = await asyncio.gather(
        calls.get(path, client_id=client["id"]),
        calls.get(f"{path}/runs", {"page": 0, "limit": _RUNS}, client_id=client["id"]),
        calls.get(f"{at('clients', client['id'])}/timeseries", {"days": 1}),
    )
    tried, refused = await _tried(request, path, rule.json, client["id"])
    return render(
        request,
        "rule.html",
        client=client,
        rule=rule,
        runs=runs,
        words=words_of(rule.json, whole.json["currency"]),
        does=deed_of(rule.json, whole.json["currency"]),
        asked_for=request.query_params.get("try", ""),
        tried=tried,
        refused=refused,
        acts_of=acts_of,
        currency=whole.json["currency"],
    )


async def _tried(
    request: Request, path: str, rule: Any, client_id: str
) -> tuple[Reply | None, str]:
    """What a preview or a back-test tells, or why there is none."""
    calls, asked_for = calls_of(request), request.query_params.get("try", "")
    stated = {name: rule[name] for name in _STATED if rule.get(name) is not None}
    stated["ruleId"] = rule["id"]
    questions: dict[str, tuple[str, Any]] = {
        "preview": ("/rules/preview", stated),
        "backtest": (f"{path}/backtest", {}),
    }
    if asked_for not in questions:
        return None, ""
    url, body = questions[asked_for]
    try:
        return await calls.ask("POST", url, body, client_id=client_id), ""
    except Declined as declined:
        if declined.status != 400:
            raise
        return None, ". ".join(declined.faults.values()) or declined.message


async def set_control(request: Request) -> Response:
    """Let the client's rules act, only advise, or not run."""
    visit, client = visit_of(request), await named_client(request)
    back, mode = f"/app{at('clients', client['id'], 'rules')}", visit.fields.get("mode", "")
    if mode not in _MODES:
        return leave(request, back, "Nothing was changed.")
    asked = {"control": mode}
    await visit.calls.ask("PUT", "/rules/control", asked, client_id=client["id"])
    return leave(request, back, f"{_MODES[mode]}.")


async def lift(request: Request) -> Response:
    """Lift a hold of a rule."""
    visit, client = visit_of(request), await named_client(request)
    back = f"/app{at('clients', client['id'], 'rules')}"
    path = at("clients", client["id"], "holds", visit.fields.get("hold", ""), "lift")
    try:
        await visit.calls.ask("PUT", path)
    except Declined as declined:
        if declined.status != 404:
            raise
        return leave(request, back, "It is not held any more.")
    return leave(request, back, "The hold is lifted.")


async def order(request: Request) -> Response:
    """Have a rule run one place earlier or later."""
    visit, client = visit_of(request), await named_client(request)
    back = f"/app{at('clients', client['id'], 'rules')}"
    listed = await visit.calls.get(
        "/rules", {"page": 0, "limit": _MOST_RULES}, client_id=client["id"]
    )
    rules = listed.json["data"]
    ids, moved = [one["id"] for one in rules], visit.fields.get("rule", "")
    step = {"earlier": -1, "later": 1}.get(visit.fields.get("do", ""), 0)
    place = ids.index(moved) if moved in ids else -1
    if place < 0 or not step or not 0 <= place + step < len(ids):
        return leave(request, back, "There is nothing to move any more.")
    ids.insert(place + step, ids.pop(place))
    await visit.calls.ask("PUT", "/rules/order", {"ids": ids}, client_id=client["id"])
    return leave(request, back, f"{rules[place]['name']} is now in place {place + step + 1}.")


async def change(request: Request) -> Response:
    """Switch a rule, or undo one of its runs."""
    visit = visit_of(request)
    await named_client(request)
    ids, does = request.path_params, visit.fields.get("do", "")
    path = at("rules", ids["rule_id"])
    back = f"/app{at('clients', ids['client_id'])}{path}"
    if does in _SWITCHES:
        await visit.calls.ask("PUT", f"{path}/{does}", client_id=ids["client_id"])
        return leave(request, back, _SWITCHES[does])
    url = path + at("runs", visit.fields.get("run", ""), "undo")
    try:
        undone = await visit.calls.ask("POST", url, client_id=ids["client_id"])
    except Declined as declined:
        if declined.status not in {400, 409}:
            raise
        return leave(request, back, f"This run is not undone: {declined.message}.")
    return leave(request, back, _undone(undone.json["undone"], undone.json["left"]))


def _undone(undone: list[Any], left: list[Any]) -> str:
    """What an undo of a run has done, and what it has not, as sentences."""
    if not left:
        return "The run is undone."
    why = "; ".join(
        f"{one['act']['action']} {one['act']['name']}: {one['why']}" for one in left[:3]
    )
    more = f"; and {len(left) - 3} more" if len(left) > 3 else ""
    return f"{len(undone)} of {len(undone) + len(left)} acts are undone. Not undone: {why}{more}."


def words_of(rule: Any, currency: str) -> str:
    """When a rule acts, as a phrase. ``currency``: the agency's."""
    word = f" {str(rule['conditionOp'] or 'AND').lower()} "
    return word.join(
        f"{one['parameter']} {one['condition']} {_figure(one, currency)}"
        f" in {str(one['conditionDuration']).replace('_', ' ')}"
        for one in rule["conditions"]
    )


def deed_of(rule: Any, currency: str) -> str:
    """What a rule does then, as a phrase."""
    if admin := rule["adminActions"]:
        return str(admin["type"])
    action, again = rule["actions"], rule["repeatActionDuration"]
    if not action:
        return ""
    often = f", every {counted(again['value'], 'day')}" if again else ""
    return f"{action['action']} {action['parameter']} by {_figure(action, currency)}{often}"


def _figure(of: Any, currency: str) -> str:
    """A value in its unit."""
    if of["unit"] == "$":
        return money(of["value"], currency)
    return percent(of["value"], 4) if of["unit"] == "%" else number(of["value"], 6)


def acts_of(entities: list[Any], currency: str) -> list[str]:
    """What was done to each that matched, and why nothing was done to others, as phrases.
    ``currency``: the agency's.
    """
    done = [_done(act, currency) for one in entities for act in one["acts"] if not act["skip"]]
    others = [one for one in entities if one["matched"] and all(a["skip"] for a in one["acts"])]
    return done + [
        f"not {one['name'] or one['id']}: {why}" for one in others if (why := _why_not(one))
    ]


def _done(act: Any, currency: str) -> str:
    name, undone = act["name"] or act["id"], ", undone" if act["undone"] else ""
    if act.get("after") is None:
        return f"{act['action']} {name}{undone}"
    place = f" at {act['publisherId']}" if act.get("publisherId") else ""
    currency = act.get("currency") or currency
    amounts = f"{money(act.get('before'), currency)} → {money(act['after'], currency)}"
    return f"{act['action']} of {name}{place}: {amounts}{undone}"


def _why_not(entity: Any) -> str:
    told = [entity, *entity["acts"]]
    return next((one["description"] for one in told if one.get("description")), "")


PAGES = [
    PageRow("rules", "/clients/{client_id}/rules", every, tab="Rules"),
    PageRow("rule", "/clients/{client_id}/rules/{rule_id}", one),
    PageRow("rules_control", "/clients/{client_id}/rules/control", set_control, ("POST",)),
    PageRow("rule_lift", "/clients/{client_id}/rules/lift", lift, ("POST",)),
    PageRow("rule_order", "/clients/{client_id}/rules/order", order, ("POST",)),
    PageRow("rule_change", "/clients/{client_id}/rules/{rule_id}/change", change, ("POST",)),
]
