"""Integrate: what a careers site needs to report events, what has just been received, and what
became of callbacks.
"""

import asyncio
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import at
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.rows import Page

_RECENT = 20
_GIVEN_UP = {"DEAD", "DISABLED"}
_NO_EDGE = "https://links.example.com"
EVENTS = (("1", "on each job's page"), ("2", "where the form begins"), ("3", "on the confirmation"))


async def view(request: Request) -> Response:
    """The client's tag and call with its ids filled in, and its last events."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client, recent, publishers, callbacks = await asyncio.gather(
        calls.get(of),
        calls.get(f"{of}/events/recent", {"limit": _RECENT}),
        calls.get("/publishers", {"page": 0, "limit": 1}),
        calls.get("/callbacks", {"page": 0, "limit": _RECENT}),
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
        callbacks=callbacks,
        given_up=_GIVEN_UP,
    )


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
    found = await calls_of(request).get(at("publishers", publishers[0]["id"]))
    url = urlsplit(found.json.get("feedUrl") or "")
    return f"{url.scheme}://{url.netloc}" if url.netloc else ""


PAGES = [
    Page("integrate", "/clients/{client_id}/integrate", view, tab="Integrate"),
    Page("callbacks", "/clients/{client_id}/integrate/callbacks", send_again, ("POST",)),
]
