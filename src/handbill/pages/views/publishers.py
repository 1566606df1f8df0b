"""Publishers: what each brings a client, what is not paid for, and how often each fetches."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import at
from handbill.pages.frame import calls_of, render
from handbill.pages.queries import days_in, page_in
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import named_client

_FUNNEL = "spent,clicks,applyStarts,applies,hires,cpc,cpa,cta"
_SPLIT = "clicks,botClicks,duplicateClicks,foreignClicks,latentClicks,overCapClicks"
_ON_A_PAGE = 30


async def of_client(request: Request) -> Response:
    """A client's publishers, in six calls."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    days = days_in(request)
    asked = {"days": days, "by": "publisher"}
    funnel, split, whole_funnel, whole_split, standing = await asyncio.gather(
        calls.get(f"{of}/timeseries", asked | {"metrics": _FUNNEL}),
        calls.get(f"{of}/timeseries", asked | {"metrics": _SPLIT}),
        calls.get(f"{of}/timeseries", {"days": days, "metrics": _FUNNEL}),
        calls.get(f"{of}/timeseries", {"days": days, "metrics": _SPLIT}),
        calls.get(f"{of}/resolved-status"),
    )
    return render(
        request,
        "publishers.html",
        client=client,
        days=days,
        funnel=funnel,
        split=split,
        whole_funnel=whole_funnel,
        whole_split=whole_split,
        standing=standing,
    )


async def every(request: Request) -> Response:
    """The agency's publishers with the rhythm of their fetches, in a call for each of a page."""
    calls, page = calls_of(request), page_in(request)
    listed = await calls.get("/publishers", {"page": page, "limit": _ON_A_PAGE})
    replies = await calls.all_of(*(at("publishers", one["id"]) for one in listed.json["data"]))
    return render(
        request,
        "all_publishers.html",
        listed=listed,
        found=replies,
        page=page,
        is_full=len(replies) == _ON_A_PAGE,
    )


async def one(request: Request) -> Response:
    """A publisher: its feed and its deliveries."""
    calls, of = calls_of(request), at("publishers", request.path_params["publisher_id"])
    page = page_in(request)
    publisher, deliveries = await asyncio.gather(
        calls.get(of), calls.get(f"{of}/deliveries", {"page": page, "limit": _ON_A_PAGE})
    )
    return render(
        request,
        "publisher.html",
        publisher=publisher,
        deliveries=deliveries,
        page=page,
        is_full=len(deliveries.json["data"]) == _ON_A_PAGE,
    )


PAGES = [
    PageRow("publishers", "/publishers", every, link="Publishers"),
    PageRow("publisher", "/publishers/{publisher_id}", one),
    PageRow("client_publishers", "/clients/{client_id}/publishers", of_client, tab="Publishers"),
]
