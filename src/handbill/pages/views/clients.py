"""A client: how its money runs by day and publisher, and its campaigns and job groups."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.amounts import amount
from handbill.pages.calls import Declined, at
from handbill.pages.exports import asked_for
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import days_in, page_in
from handbill.pages.rows import PageRow
from handbill.pages.views import employers
from handbill.pages.views.changing import latest_change, named_client
from handbill.pages.wording import counted

_METRICS = "spent,clicks,applies,cpa"
_MOST_GROUPS = 1_000
_MOST_PUBLISHERS = 1_000
_ON_A_PAGE = 100
_SWITCHES = {"pause": "is paused", "enable": "is enabled"}


async def view(request: Request, form: Form | None = None, status: int = 200) -> Response:
    """Its figures by day, its caps and its job groups, in ten calls."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    days = days_in(request)
    page = page_in(request)
    by = {"days": days, "metrics": _METRICS}
    whole, publishers, by_group, budget, standing, groups, paid = await asyncio.gather(
        calls.get(f"{of}/timeseries", by),
        calls.get(f"{of}/timeseries", by | {"by": "publisher"}),
        calls.get(f"{of}/timeseries", by | {"by": "jobgroup"}),
        calls.get(f"{of}/budget"),
        calls.get(f"{of}/resolved-status"),
        calls.get(f"{of}/jobgroups", {"page": 0, "limit": _MOST_GROUPS}),
        calls.get("/publishers", {"page": 0, "limit": _MOST_PUBLISHERS}),
    )
    rows = _rows(budget.json, groups.json["data"], by_group.json["series"])
    first, most = (0, _MOST_GROUPS) if asked_for(request) else (page * _ON_A_PAGE, _ON_A_PAGE)
    cap = next((one for one in budget.json["caps"] if one["cap"] == "budget"), None)
    return render(
        request,
        "client.html",
        status,
        client=client,
        cap=cap,
        days=days,
        page=page,
        whole=whole,
        publishers=publishers,
        by_group=by_group,
        budget=budget,
        standing=standing,
        groups=groups,
        rows=rows[first : first + most],
        is_by_apply=_is_by_apply(groups.json["data"], paid.json["data"]),
        is_full=len(rows) > first + most,
        beside=_beside(rows, by_group.json),
        form=form or Form(),
        form_of=visit_of(request).fields.get("jobgroup", ""),
        change_to=f"/app{of}/jobgroups",
    )


def _is_by_apply(groups: list[Any], publishers: list[Any]) -> bool:
    """Whether any job group bids for applies, or is placed where only those are paid."""
    by_apply = {one["id"] for one in publishers if one["bidType"]["name"] == "CPA"}
    return any(one["cpaBid"] or by_apply & {*one["placementIds"]} for one in groups)


def _rows(budget: Any, groups: list[Any], series: list[Any]) -> list[dict[str, Any]]:
    """Each job group with its campaign, its caps and its figures, where it is among the largest."""
    bodies = {one["id"]: one for one in groups}
    figures = {one["id"]: one["total"] for one in series}
    return [
        {
            "campaign": campaign,
            "group": group,
            "body": bodies[group["id"]],
            "total": figures.get(group["id"]),
            "cap": next((cap for cap in group["caps"] if cap["cap"] == "budget"), None),
        }
        for campaign in budget["campaigns"]
        for group in campaign["jobGroups"]
        if group["id"] in bodies
    ]


def _beside(rows: list[dict[str, Any]], told: Any) -> list[tuple[str, Any]]:
    """What else the client's figures are made of, by name: bought slots, the default job group,
    deleted ones, and those that are too many to be told one by one.
    """
    listed = {row["group"]["id"] for row in rows}
    rest = [one for one in told["series"] if one["id"] not in listed]
    some = [(one["name"] or "No job group", one["total"]) for one in rest]
    others = told["others"]
    some += [(counted(others["count"], "other"), others["total"])] if others else []
    return [(name, total) for name, total in some if any(total.values())]


async def change(request: Request) -> Response:
    """Set the bid or the budget of a job group, or switch it."""
    visit = visit_of(request)
    fields, of = visit.fields, at("clients", request.path_params["client_id"])
    path = (
        of
        + at("campaigns", fields.get("campaign", ""))
        + at("jobgroups", fields.get("jobgroup", ""))
    )
    try:
        done = await _changed(request, path)
    except Declined as declined:
        if declined.status != 400:
            raise
        names = {"/cpcBid": "bid", "/cpaBid": "applyBid", "/caps/budget": "cap", "/caps": "cap"}
        return await view(request, Form.declined(dict(fields), declined, names), 400)
    return leave(request, f"/app{of}", done, await latest_change(visit.calls, path))


async def _changed(request: Request, path: str) -> str:
    """What was changed, in words."""
    calls, fields = calls_of(request), visit_of(request).fields
    if fields.get("do") in _SWITCHES:
        await calls.ask("PUT", f"{path}/{fields['do']}")
        return f"The job group {_SWITCHES[fields['do']]}."
    if "bid" in fields:
        await calls.ask("PUT", path, {"cpcBid": amount(fields["bid"])})
        return "The bid is set."
    if "applyBid" in fields:
        await calls.ask("PUT", path, {"cpaBid": amount(fields["applyBid"])})
        return "The bid per apply is set."
    caps = (await calls.get(path)).json["caps"]
    former = caps.get("budget", {"cap": "Monthly"})
    value = {"value": amount(fields.get("cap", ""))}
    await calls.ask("PUT", path, {"caps": {**caps, "budget": {**former, **value}}})
    return "The budget is set."


PAGES = [
    PageRow(
        "client",
        "/clients/{client_id}",
        view,
        tab="Overview",
        for_whom="employers",
        of_employers=employers.client,
    ),
    PageRow("client_change", "/clients/{client_id}/jobgroups", change, ("POST",)),
]
