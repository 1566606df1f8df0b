"""The feeds of a client: what each run took in, what was wrong, and how fields are mapped."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, Declined, at
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import page_in
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import latest_change, named_client
from handbill.pages.wording import sentence

_ON_A_PAGE = 10
_RUNS = 14
_MAPPED = {
    "schemaMappingsJobCollection": "List of jobs",
    "schemaMappingsJob": "Job",
    "schemaMappingsTitle": "Title",
    "schemaMappingsDescription": "Description",
    "schemaMappingsURL": "URL",
    "schemaMappingsRefNumber": "Reference",
    "schemaMappingsCompany": "Company",
    "schemaMappingsCity": "City",
    "schemaMappingsState": "State",
    "schemaMappingsCountry": "Country",
    "schemaMappingsZip": "Zip",
    "schemaMappingsCategory": "Category",
    "schemaMappingsType": "Type",
    "schemaMappingsDatePosted": "Posted",
    "schemaMappingsCPCBid": "Bid",
}


async def view(request: Request) -> Response:
    """Its feeds, each with its last runs."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    page = page_in(request)
    feeds = await calls.get(f"{of}/feeds", {"page": page, "limit": _ON_A_PAGE})
    runs = await asyncio.gather(
        *(
            calls.get(f"{of}{at('feeds', one['id'])}/runs", {"page": 0, "limit": _RUNS})
            for one in feeds.json["data"]
        )
    )
    return render(
        request,
        "feeds.html",
        client=client,
        feeds=feeds,
        found=list(zip(feeds.json["data"], runs, strict=True)),
        of=of,
        page=page,
        is_full=len(runs) == _ON_A_PAGE,
    )


async def change(request: Request) -> Response:
    """Run a feed now, or switch it."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    feed = of + at("feeds", request.path_params["feed_id"])
    does = visit_of(request).fields.get("do", "")
    if does == "run":
        await calls.ask("POST", f"{feed}/run")
        return leave(request, f"/app{of}/feeds", "The feed is queued to be imported.")
    if does not in {"pause", "enable"}:
        return leave(request, f"/app{of}/feeds")
    await calls.ask("PUT", f"{feed}/{does}")
    message = "The feed is paused." if does == "pause" else "The feed is enabled."
    return leave(request, f"/app{of}/feeds", message, await latest_change(calls, feed))


async def mapping(request: Request) -> Response:
    """How the fields of a feed are mapped, tried on its beginning."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    path, fields = of + at("feeds", request.path_params["feed_id"]), visit_of(request).fields
    feed = await calls.get(path)
    mapped = {
        name: fields.get(name, feed.json["schemaMappings"].get(name) or "") for name in _MAPPED
    }
    form, preview, asks = Form(), None, fields.get("do", "")
    if request.method == "POST":
        asked = feed.json["schemaMappings"] | {name: text or None for name, text in mapped.items()}
        try:
            if asks == "save":
                body = {"schemaMappings": asked}
                await calls.ask("PUT", path, body, known=fields.get("known", ""))
                changed = await latest_change(calls, path)
                return leave(request, f"/app{of}/feeds", "The mapping is set.", changed)
            preview = await _tried(calls, of, feed.json, asked)
        except Declined as declined:
            if declined.status != 400:
                raise
            names = {f"/schemaMappings/{name}": name for name in _MAPPED}
            form = Form.declined(dict(fields), declined, names)
    return render(
        request,
        "mapping.html",
        400 if form.request_id else 200,
        client=client,
        feed=feed,
        mapped=mapped,
        known=(form.typed or fields).get("known") or feed.headers["etag"],
        titles=_MAPPED,
        preview=preview,
        says=says_of_preview(preview.json) if preview else "",
        form=form,
        file="faults" if preview and preview.json["faults"] and asks == "file" else "",
    )


def says_of_preview(preview: Any) -> str:
    """Whether a feed can be imported as it is mapped, in one sentence."""
    if preview["status"] != "SUCCESS":
        return sentence(preview["message"])
    counts = preview["counts"]
    is_useless = counts["total"] and not counts["valid"]
    return "It can be read, but no job of it is valid." if is_useless else "It can be imported."


async def _tried(calls: Calls, of: str, feed: Any, asked: Any) -> Any:
    body = {"xmlFeedUrl": feed["source"], "schemaMappings": asked}
    return await calls.ask("POST", f"{of}/feeds/preview", body)


PAGES = [
    PageRow("feeds", "/clients/{client_id}/feeds", view, tab="Feeds"),
    PageRow("feed_change", "/clients/{client_id}/feeds/{feed_id}", change, ("POST",)),
    PageRow(
        "feed_mapping", "/clients/{client_id}/feeds/{feed_id}/mapping", mapping, ("GET", "POST")
    ),
]
