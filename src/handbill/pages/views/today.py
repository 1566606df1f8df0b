"""Today: whether money runs as planned, and what needs somebody."""

import asyncio
from calendar import monthrange
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handbill.pages.calls import at
from handbill.pages.exports import asked_for
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import page_in, whole_in
from handbill.pages.rows import PageRow
from handbill.pages.views import partners
from handbill.pages.views.changing import entity_of, latest_change
from handbill.pages.visitors import HOME
from handbill.pages.wording import day_of

_METRICS = "spent,clicks,applies,cpa"
_ON_A_PAGE = 25
_MOST_NEEDS = 1_000
_WEEK = 7
Need = dict[str, Any]


async def view(request: Request) -> Response:
    """All clients beside the days before, and what needs somebody, in two calls."""
    if not visit_of(request).visitor.is_among("employers"):
        return RedirectResponse(f"{HOME}/account", 303)
    calls = calls_of(request)
    page = page_in(request)
    needs_on = whole_in(request, "needs", 0, 0, 100_000)
    on = (0, _MOST_NEEDS) if asked_for(request) else (page, _ON_A_PAGE)
    asked = {"days": 30, "also": f"1,{_WEEK}", "metrics": _METRICS, "page": on[0], "limit": on[1]}
    lines, needs = await asyncio.gather(
        calls.get("/overview", asked),
        calls.get("/needs", {"page": needs_on, "limit": _ON_A_PAGE}),
    )
    return render(
        request,
        "today.html",
        lines=lines,
        today=lines.json["also"][0],
        week=lines.json["also"][1],
        over=_part_over(lines.json["data"]),
        page=page,
        is_full=len(lines.json["data"]) == _ON_A_PAGE,
        needs=needs,
        needs_on=needs_on,
        more_needs=needs.json["total"] > (needs_on + 1) * _ON_A_PAGE,
        page_of=page_of,
    )


def _part_over(lines: Sequence[Any]) -> dict[str, int]:
    """By client, which part of its monthly budget's days is over, in percent."""
    days = {
        one["id"]: day_of(one["endDate"])
        for one in lines
        if one["budget"] and one["budget"]["cap"] == "Monthly"
    }
    return {id_: 100 * day.day // monthrange(day.year, day.month)[1] for id_, day in days.items()}


def page_of(need: Need) -> str:
    """The page, beneath /app, of what needs somebody; empty where it has none."""
    client, kind, id_ = need["client"], need["entity"]["kind"], need["entity"]["id"]
    if client is None:
        return at("publishers", id_) if kind == "PUBLISHER" else ""
    of = at("clients", client["id"])
    beneath = {
        "JOBGROUP": at("campaigns", need["campaignId"], "jobgroups", id_),
        "FEED": "/feeds",
        "RULE": at("rules", id_),
    }
    return of + beneath.get(kind, "")


async def mend(request: Request) -> Response:
    """Do what mends a need: the request that the API states for it now. Nothing of the request
    itself comes from the form.
    """
    visit = visit_of(request)
    fields, calls = visit.fields, visit.calls
    known = (await calls.get("/needs", {"page": 0, "limit": _MOST_NEEDS})).json["data"]
    wanted = fields.get("cause", ""), fields.get("kind", ""), fields.get("id", "")
    for need in known:
        is_it = (need["cause"], need["entity"]["kind"], need["entity"]["id"]) == wanted
        if is_it and need["fix"]:
            ready = need["fix"]
            client_id = ready["headers"].get("x-client-id", "")
            await calls.ask(ready["method"], ready["path"], ready["body"], client_id=client_id)
            changed = await latest_change(calls, entity_of(ready["path"]))
            return leave(request, "/app", f"This is done: {need['description']}.", changed)
    return leave(request, "/app", "There is nothing to do any more.")


PAGES = [
    PageRow("today", "", view, link="Today", for_whom="everybody", of_publishers=partners.view),
    PageRow("mend", "/needs", mend, ("POST",)),
]
