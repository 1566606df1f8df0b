"""What many pages offer: undoing a change, doing what removes a reason, all clients by name."""

import re
from itertools import count

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, Declined, at
from handbill.pages.frame import calls_of, leave, visit_of
from handbill.pages.rows import PageRow
from handbill.pages.visitors import return_path

_OF = re.compile(
    r"/clients/[^/?#]+(/campaigns/[^/?#]+(/jobgroups/[^/?#]+(/placements/[^/?#]+)?)?|/jobs/[^/?#]+)?"
)
_LATEST = 10
_MOST_CLIENTS = 1_000


async def undo(request: Request) -> Response:
    """Undo a change, and go back to where that was asked for."""
    visit = visit_of(request)
    back = return_path(visit.fields.get("back", ""))
    path = at("changes", request.path_params["change_id"], "undo")
    try:
        await visit.calls.ask("POST", path, {})
    except Declined as declined:
        if declined.status != 400:
            raise
        why = ". ".join(declined.faults.values()) or declined.message
        return leave(request, back, f"This cannot be undone: {why}.")
    return leave(request, back, "The change is undone.")


async def fix(request: Request) -> Response:
    """Do what removes a reason: the request that resolved-status states for it now. Nothing of the
    request itself comes from the form.
    """
    visit = visit_of(request)
    fields, calls = visit.fields, visit.calls
    back, of = return_path(fields.get("back", "")), fields.get("of", "")
    if not _OF.fullmatch(of) or not of.isascii():
        return leave(request, back, "There is nothing to do any more.")
    standing = (await calls.get(f"{of}/resolved-status")).json
    for reason in standing["reasons"]:
        known = reason["code"] == fields.get("code") and reason["entityId"] == fields.get("entity")
        if known and reason["fix"]:
            ready = reason["fix"]
            await calls.ask(ready["method"], ready["path"], ready.get("body"))
            changed = await latest_change(calls, entity_of(ready["path"]))
            done = f"This is changed: {reason['description']}."
            return leave(request, back, done, changed)
    return leave(request, back, "There is nothing to do any more.")


def entity_of(path: str) -> str:
    """The path of what a request changes."""
    return re.sub(r"/(pause|enable|lift)$", "", path)


async def latest_change(calls: Calls, path: str) -> str:
    """The id of the change that this page has just made to an entity; empty where it may not be
    seen, or has changed nothing.
    """
    try:
        changes = await calls.get(f"{path}/changes", {"limit": _LATEST})
    except Declined:
        return ""
    ours = [one for one in changes.json["data"] if one["requestId"] == calls.request_id]
    return str(ours[0]["id"]) if ours and ours[0]["undo"]["possible"] else ""


async def named_client(request: Request) -> dict[str, str]:
    """The client whose page it is: its id and name. **Refuses** (Declined) all but the visitor's
    own.
    """
    client_id = request.path_params["client_id"]
    client = await calls_of(request).get(at("clients", client_id))
    return {"id": client.json["id"], "name": client.json["companyName"]}


async def every_client(calls: Calls, role: str) -> dict[str, str]:
    """All that a person of the role may see, each with its name: a list that left some out would
    drop them as it is saved.
    """
    names: dict[str, str] = {}
    for page in count():
        few = {"page": page, "limit": _MOST_CLIENTS}
        if role == "EMPLOYER":
            reply = await calls.get("/overview", few | {"days": 1, "metrics": "clicks"})
            names |= {one["id"]: one["name"] for one in reply.json["data"]}
        else:
            reply = await calls.get("/clients", few)
            names |= {one["id"]: one["companyName"] for one in reply.json["data"]}
        if 'rel="next"' not in reply.headers.get("link", ""):
            return names
    raise AssertionError("pages end")


PAGES = [
    PageRow("undo", "/changes/{change_id}/undo", undo, ("POST",)),
    PageRow("fix", "/fixes", fix, ("POST",)),
]
