"""Changes: who has changed what, and the way back."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, allowed, at
from handbill.pages.differences import acted, field_difference
from handbill.pages.frame import calls_of, render
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import named_client

_ON_A_PAGE = 50
_MOST_CURSOR = 500
_MOST_NAMES = 100
_ACTS = {"CREATE": "Created", "CHANGE": "Changed", "DELETE": "Deleted"}


async def every(request: Request) -> Response:
    """The agency's, the newest first."""
    return await _listed(request, "/changes", None)


async def of_client(request: Request) -> Response:
    """A client's own, and those of what it has."""
    client = await named_client(request)
    return await _listed(request, at("clients", client["id"], "changes"), client)


async def _listed(request: Request, path: str, client: dict[str, str] | None) -> Response:
    asked: dict[str, Any] = {"limit": _ON_A_PAGE}
    cursor = request.query_params.get("cursor", "")
    if cursor.isascii() and len(cursor) <= _MOST_CURSOR:
        asked["cursor"] = cursor
    calls = calls_of(request)
    changes, *found = await asyncio.gather(
        calls.get(path, asked), _people(calls), _rules(calls, client), _names(calls, client)
    )
    names = {id_: name for some in found for id_, name in some.items()}
    return render(
        request,
        "changes.html",
        client=client,
        changes=changes,
        names=names,
        acts=_ACTS,
        acted=acted,
        told=field_difference,
    )


async def _people(calls: Calls) -> dict[str, str]:
    """The names of the agency's people by their ids, where the visitor may see them."""
    found = await allowed(calls.get("/people", {"page": 0, "limit": _MOST_NAMES}))
    people = found.json["data"] if found else []
    return {one["id"]: one["name"] or one["mail"] for one in people}


async def _rules(calls: Calls, client: dict[str, str] | None) -> dict[str, str]:
    """The names of a client's rules by their ids."""
    if client is None:
        return {}
    found = await calls.get("/rules", {"page": 0, "limit": _MOST_NAMES}, client_id=client["id"])
    return {one["id"]: one["name"] for one in found.json["data"]}


async def _names(calls: Calls, client: dict[str, str] | None) -> dict[str, str]:
    """The names of clients, or those of what a client has, by their ids."""
    if client is None:
        found = await allowed(calls.get("/clients", {"page": 0, "limit": _MOST_NAMES}))
        return {one["id"]: one["companyName"] for one in found.json["data"]} if found else {}
    budget = await allowed(calls.get(at("clients", client["id"], "budget")))
    names = {client["id"]: client["name"]}
    for campaign in budget.json["campaigns"] if budget else ():
        names[campaign["id"]] = campaign["name"]
        names |= {group["id"]: group["name"] for group in campaign["jobGroups"]}
    return names


PAGES = [
    PageRow("changes", "/changes", every, link="Changes", for_whom="traders"),
    PageRow(
        "client_changes",
        "/clients/{client_id}/changes",
        of_client,
        tab="Changes",
        for_whom="traders",
    ),
]
