"""Integrate: what a careers site needs to report events, what has just been received, and what
became of callbacks.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, Declined, Reply, at
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.rows import PageRow

_RECENT = 20
_GIVEN_UP = {"DEAD", "DISABLED"}
_MOST_GROUPS = 100
_CLICK = re.compile("[0-9a-f]{32}")
_NOT_FOUND = Form(faults={"job": "No job of this client has this reference."})
_NO_EDGE = "https://links.example.com"
EVENTS = (("1", "on each job's page"), ("2", "where the form begins"), ("3", "on the confirmation"))


async def view(request: Request) -> Response:
    """The client's tag and call with its ids filled in, and its last events."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    form, link = Form(), None
    try:
        link = await _test_link(calls, of, request.query_params)
    except Declined as declined:
        if declined.status not in {400, 404}:
            raise
        form = _NOT_FOUND
    click = request.query_params.get("click", "")
    explained = await _explained(calls, of, click) if _CLICK.fullmatch(click) else None
    client, recent, publishers, callbacks, groups, first = await asyncio.gather(
        calls.get(of),
        calls.get(f"{of}/events/recent", {"limit": _RECENT}),
        calls.get("/publishers", {"page": 0, "limit": 1}),
        calls.get("/callbacks", {"page": 0, "limit": _RECENT}),
        calls.get(f"{of}/jobgroups", {"page": 0, "limit": _MOST_GROUPS}),
        calls.get(f"{of}/jobs", {"page": 1, "limit": 1}),
    )
    named = {"id": client.json["id"], "name": client.json["companyName"]}
    edge = await _edge(request, publishers.json["data"])
    return render(
        request,
        "integrate.html",
        client=named,
        pixel_id=client.json["pixelId"],
        edge=edge or _NO_EDGE,
        is_known=bool(edge),
        events=EVENTS,
        recent=recent,
        callbacks=callbacks,
        given_up=_GIVEN_UP,
        form=form,
        link=link,
        found=explained,
        is_lost=bool(click) and explained is None,
        places=_places(groups.json["data"]),
        job=request.query_params.get("job") or _reference(first.json["data"]),
        place=request.query_params.get("place", ""),
    )


async def _explained(calls: Calls, of: str, click: str) -> Reply | None:
    """What became of a click; None: it is not known, though a conversion may name it."""
    try:
        return await calls.get(f"{of}{at('clicks', click, 'explain')}")
    except Declined as declined:
        if declined.status != 404:
            raise
    return None


async def _test_link(calls: Calls, of: str, asked: Mapping[str, str]) -> Reply | None:
    """The link of the job and the placement that are asked for; None: none is."""
    campaign, _, rest = asked.get("place", "").partition("/")
    group, _, publisher = rest.partition("/")
    if not (campaign and group and publisher):
        return None
    path = at("campaigns", campaign, "jobgroups", group, "placements", publisher, "test-link")
    return await calls.ask("POST", of + path, {"refNumber": asked.get("job", "")})


def _places(groups: list[Any]) -> dict[str, str]:
    """The placements of job groups by what names them in a form, with their names."""
    return {
        f"{group['campaignId']}/{group['id']}/{one['value']}": f"{group['name']}, {one['value']}"
        for group in groups
        for one in group["placements"]
    }


def _reference(jobs: list[Any]) -> str:
    return str(jobs[0]["refNumber"]) if jobs else ""


async def send_again(request: Request) -> Response:
    """Send a callback again that was given up."""
    visit = visit_of(request)
    of = at("callbacks", visit.fields.get("callback", ""), "send-again")
    done = (await visit.calls.ask("POST", of)).json["message"]
    back = at("clients", request.path_params["client_id"], "integrate")
    return leave(request, f"/app{back}", f"{done}.")


async def _edge(request: Request, publishers: list[dict[str, str]]) -> str:
    """Where links and the pixel are, as the address of a feed tells; empty: no feed tells it."""
    if not publishers:
        return ""
    publisher = await calls_of(request).get(at("publishers", publishers[0]["id"]))
    url = urlsplit(publisher.json.get("feedUrl") or "")
    return f"{url.scheme}://{url.netloc}" if url.netloc else ""


PAGES = [
    PageRow("integrate", "/clients/{client_id}/integrate", view, tab="Integrate"),
    PageRow("callbacks", "/clients/{client_id}/integrate/callbacks", send_again, ("POST",)),
]
