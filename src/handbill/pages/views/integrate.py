"""Integrate: what a careers site needs to report events, and what has just been received."""

import asyncio
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import at
from handbill.pages.frame import calls_of, render
from handbill.pages.rows import Page

_RECENT = 20
_NO_EDGE = "https://links.example.com"
EVENTS = (("1", "on each job's page"), ("2", "where the form begins"), ("3", "on the confirmation"))


async def view(request: Request) -> Response:
    """The client's tag and call with its ids filled in, and its last events."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client, recent, publishers = await asyncio.gather(
        calls.get(of),
        calls.get(f"{of}/events/recent", {"limit": _RECENT}),
        calls.get("/publishers", {"page": 0, "limit": 1}),
    )
    told = {"id": client.json["id"], "name": client.json["companyName"]}
    edge = await _edge(request, publishers.json["data"])
    return render(
        request,
        "integrate.html",
        client=told,
        pixel_id=client.json["pixelId"],
        edge=edge or _NO_EDGE,
        is_known=bool(edge),
        events=EVENTS,
        recent=recent,
    )


async def _edge(request: Request, publishers: list[dict[str, str]]) -> str:
    """Where links and the pixel are, as the address of a feed tells; empty: no feed tells it."""
    if not publishers:
        return ""
    found = await calls_of(request).get(at("publishers", publishers[0]["id"]))
    url = urlsplit(found.json.get("feedUrl") or "")
    return f"{url.scheme}://{url.netloc}" if url.netloc else ""


PAGES = [Page("integrate", "/clients/{client_id}/integrate", view, tab="Integrate")]
