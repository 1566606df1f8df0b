"""Today: whether money runs as planned, and what needs somebody."""

import asyncio
from calendar import monthrange
from collections.abc import Coroutine, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, Declined, Reply, at
from handbill.pages.frame import calls_of, render
from handbill.pages.queries import whole_in
from handbill.pages.rows import Page
from handbill.pages.wording import day_of

_METRICS = "spent,clicks,applies,cpa"
_ON_A_PAGE = 25
_MOST_LOOKED_INTO = 10
_MOST_PUBLISHERS = 30
_WEEK = 7
Need = dict[str, Any]


async def view(request: Request) -> Response:
    """All clients beside the days before. At most about 150 calls, for any number of clients."""
    calls = calls_of(request)
    page = whole_in(request, "page", 0, 0, 100_000)
    lines = await _overview(calls, 30, page, _ON_A_PAGE)
    today, week = await asyncio.gather(*(_overview(calls, days, 0, 1) for days in (1, _WEEK)))
    needs = await _needs(calls, lines.json["data"])
    return render(
        request,
        "today.html",
        lines=lines,
        today=today,
        week=week,
        over=_part_over(lines.json["data"]),
        page=page,
        is_full=len(lines.json["data"]) == _ON_A_PAGE,
        needs=needs,
    )


async def _overview(calls: Calls, days: int, page: int, limit: int) -> Reply:
    asked = {"days": days, "metrics": _METRICS, "page": page, "limit": limit}
    return await calls.get("/overview", asked)


def _part_over(lines: Sequence[Any]) -> dict[str, int]:
    """By client, which part of its monthly budget's days is over, in percent."""
    days = {
        one["id"]: day_of(one["endDate"])
        for one in lines
        if one["budget"] and one["budget"]["cap"] == "Monthly"
    }
    return {id_: 100 * day.day // monthrange(day.year, day.month)[1] for id_, day in days.items()}


async def _needs(calls: Calls, lines: Sequence[Any]) -> list[Need]:
    """What needs somebody, of these clients and of all publishers and rules: each with a title, a
    text, a page, and the fix that the API states.
    """
    may = _allowed
    stopped = [one for one in lines if one["resolvedStatus"]["status"] != "ACTIVE"]
    capped, feeds, rules, publishers = await asyncio.gather(
        asyncio.gather(*(may(_stopped(calls, one)) for one in stopped[:_MOST_LOOKED_INTO])),
        asyncio.gather(*(may(_feeds(calls, one)) for one in lines)),
        asyncio.gather(*(may(_rules(calls, one)) for one in lines)),
        may(_publishers(calls)),
    )
    found = [*(need for some in (*capped, *feeds, *rules) for need in some), *publishers]
    return [{"of": "", "reason": None, **need} for need in found]


async def _allowed(looking: Coroutine[Any, Any, list[Need]]) -> list[Need]:
    """What was found, or nothing where the visitor may not look."""
    try:
        return await looking
    except Declined as declined:
        if declined.status != 403:
            raise
        return []


async def _stopped(calls: Calls, line: Any) -> list[Need]:
    of = at("clients", line["id"])
    standing = await calls.get(f"{of}/resolved-status")
    return [
        {
            "title": line["name"],
            "text": reason["description"],
            "page": of,
            "of": of,
            "reason": reason,
        }
        for reason in standing.json["reasons"]
        if reason["blocking"]
    ]


async def _feeds(calls: Calls, line: Any) -> list[Need]:
    """The feeds of a client whose last run has failed."""
    of = at("clients", line["id"])
    found = []
    for feed in (await calls.get(f"{of}/feeds", {"page": 0, "limit": _WEEK})).json["data"]:
        runs = await calls.get(f"{of}{at('feeds', feed['id'])}/runs", {"page": 0, "limit": 1})
        for run in runs.json["data"]:
            if run["status"] == "FAILED":
                text = f"The import of {feed['source']} has failed: {run['message']}"
                found.append({"title": line["name"], "text": text, "page": f"{of}/feeds"})
    return found


async def _publishers(calls: Calls) -> list[Need]:
    """Publishers that did not fetch when they were expected to, and failed deliveries."""
    listed = await calls.get("/publishers", {"page": 0, "limit": _MOST_PUBLISHERS})
    found = []
    for one in listed.json["data"]:
        path = at("publishers", one["id"])
        if (await calls.get(path)).json.get("notFetched"):
            text = "has not fetched its feed when it was expected to"
            found.append({"title": one["name"], "text": text, "page": path})
        if one.get("deliverFeedByFTP"):
            sent = await calls.get(f"{path}/deliveries", {"page": 0, "limit": 10})
            failed = [file for file in sent.json["data"] if file["failure"]]
            if failed:
                text = f"{failed[0]['path']} cannot be delivered: {failed[0]['failure']}"
                found.append({"title": one["name"], "text": text, "page": path})
    return found


async def _rules(calls: Calls, line: Any) -> list[Need]:
    """The rules of a client that are paused."""
    listed = await calls.get("/rules", {"page": 0, "limit": 100}, client_id=line["id"])
    return [
        {"title": line["name"], "text": f"The rule {one['name']} is paused.", "page": "/rules"}
        for one in listed.json["data"]
        if one["status"] == "P"
    ]


PAGES = [Page("today", "", view, link="Today")]
