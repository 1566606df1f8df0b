"""Changes: who has changed what, and the way back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import at
from handbill.pages.differences import acted, field_difference
from handbill.pages.frame import calls_of, render
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import named_client

_ON_A_PAGE = 50
_MOST_CURSOR = 500
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
    changes = await calls_of(request).get(path, asked)
    return render(
        request,
        "changes.html",
        client=client,
        changes=changes,
        names=changes.json["names"],
        acts=_ACTS,
        acted=acted,
        told=field_difference,
    )


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
