"""Settings of the agency: its keys, markups, rates, and what makes clicks payable."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.kit.batches import batches
from handbill.pages.amounts import plain_number
from handbill.pages.calls import Calls, Declined, Reply, allowed, at
from handbill.pages.exports import asked_for
from handbill.pages.forms import Fields, Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import whole_in
from handbill.pages.rows import PageRow

_MOST = 100
_TO_CHOOSE = 1_000
_PUBLISHERS_AT_ONCE = 20
"""The publishers whose click definitions are shown on a page, and asked for at a time."""
_RATE = ("date", "from", "to", "rate")
_TYPED = (*_RATE, "name", "value", "effectiveFrom", "client", "publisher", "preset")
_OF_MARKUP = ("name", "value", "effectiveFrom")
_NAMES = {"/entities": "client"}
_BELOW = {"Campaign": "a campaign of ", "JobGroup": "a job group of "}
_ENDED = {
    "end-key": ("api-keys", "The key is revoked."),
    "end-program": ("api-clients", "The API client is revoked."),
    "end-markup": ("markups", "The markup is deleted."),
    "end-rate": ("rates", "The rate is deleted."),
}


async def view(request: Request) -> Response:
    """What the visitor may see of it; panels of what another role sees are left out. A new key is
    shown on the page that answers, and never again.
    """
    calls, fields = calls_of(request), visit_of(request).fields
    typed = {name: fields.get(name, "") for name in _TYPED}
    if fields.get("act") == "change-markup":
        typed["of"] = fields.get("of", "")
    form, key, message = Form(), "", ""
    if request.method == "POST":
        try:
            key, message = await _done(calls, fields, typed)
        except Declined as declined:
            if declined.status not in {400, 404}:
                raise
            form = Form.declined(typed, declined, _NAMES)
        else:
            if not key:
                return leave(request, "/app/settings", message)
    page = whole_in(request, "definitions", 0, 0, _TO_CHOOSE // _PUBLISHERS_AT_ONCE)
    first, all_ = {"page": 0, "limit": _MOST}, {"page": 0, "limit": _TO_CHOOSE}
    keys, programs, markups, rates, clients, publishers = await asyncio.gather(
        allowed(calls.get("/api-keys", first)),
        allowed(calls.get("/api-clients", first)),
        allowed(calls.get("/markups", first)),
        allowed(calls.get("/rates", first)),
        allowed(calls.get("/clients", all_)),
        calls.get("/publishers", all_),
    )
    return render(
        request,
        "settings.html",
        400 if form.message else 200,
        form=form,
        adding=Form() if "of" in form.typed else form,
        key=key,
        keys=keys,
        programs=programs,
        markups=markups,
        rates=rates,
        clients=clients,
        publishers=publishers,
        names={one["id"]: one["companyName"] for one in clients.json["data"]} if clients else {},
        marked_up=_marked_up,
        definitions=await _definitions(calls, publishers, asked_for(request), page),
        definitions_on=page,
        more_definitions=_count(publishers) > (page + 1) * _PUBLISHERS_AT_ONCE,
    )


async def _done(calls: Calls, fields: Fields, typed: dict[str, str]) -> tuple[str, str]:
    """A new key, if one was made, and what was done."""
    act, of = fields.get("act", ""), fields.get("of", "")
    if act == "add-key":
        return (await calls.ask("POST", "/api-keys")).json["result"], ""
    if act == "set-rate":
        rate: dict[str, Any] = {name: typed[name] for name in _RATE}
        await calls.ask("POST", "/rates", rate | {"rate": plain_number(rate["rate"])})
        return "", "The rate is set."
    if act == "add-markup":
        entities = [{"clientId": typed["client"], "level": "Client"}]
        markup = {"name": typed["name"], "effectiveFrom": typed["effectiveFrom"]}
        more = {"value": plain_number(typed["value"]), "entities": entities}
        await calls.ask("POST", "/markups", markup | more)
        return "", "The markup is added."
    if act == "change-markup" and of:
        changed = {name: typed[name] for name in _OF_MARKUP}
        await calls.ask("PUT", at("markups", of), changed | {"value": plain_number(typed["value"])})
        return "", "The markup is changed."
    if act == "set-definition":
        path = at("publishers", typed["publisher"], "click-definition")
        await calls.ask("PUT", path, {"preset": typed["preset"]})
        return "", "The click definition is set."
    if act == "end-definition":
        whose = at("clients", typed["client"]) if typed["client"] else ""
        await calls.ask("DELETE", whose + at("publishers", of, "click-definition"))
        return "", "The click definition is deleted."
    if act not in _ENDED or not of:
        return "", "Nothing was changed."
    place, done = _ENDED[act]
    await calls.ask("DELETE", at(place, of))
    return "", done


def _marked_up(markup: Any, names: Mapping[str, str]) -> list[str]:
    """Whose spend a markup is added to. ``names``: of clients, by id."""
    return [_entity(one, names) for one in markup["entities"]]


def _entity(entity: Any, names: Mapping[str, str]) -> str:
    name: str = names.get(entity["clientId"], entity["clientId"])
    below = _BELOW.get(entity["level"], "")
    at_publisher = f" at {entity['placementId']}" if entity["placementId"] else ""
    return below + name + at_publisher


def _count(listed: Reply | None) -> int:
    return len(listed.json["data"]) if listed else 0


async def _definitions(
    calls: Calls, listed: Reply | None, file: str, page: int
) -> list[tuple[str, Reply]]:
    """The click definitions of some publishers, by the publisher's name: those of a page; all for
    their file; none for another one.
    """
    if file not in {"", "definitions"}:
        return []
    shown = batches(listed.json["data"] if listed else [], _PUBLISHERS_AT_ONCE)
    some = shown if file else islice(shown, page, page + 1)
    return [pair for publishers in some for pair in await _definitions_of(calls, publishers)]


async def _definitions_of(calls: Calls, publishers: Sequence[Any]) -> list[tuple[str, Reply]]:
    """Those of these publishers: of each its own, and its clients', the first 100."""
    first = {"page": 0, "limit": _MOST}
    paths = [at("publishers", one["id"], "click-definitions") for one in publishers]
    replies = await asyncio.gather(*(allowed(calls.get(path, first)) for path in paths))
    pairs = zip(publishers, replies, strict=True)
    return [(one["name"], reply) for one, reply in pairs if reply and reply.json["data"]]


PAGES = [PageRow("settings", "/settings", view, ("GET", "POST"), link="Settings")]
