"""Settings of the agency: its keys, markups, rates, and what makes clicks payable."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls, Reply, allowed, at
from handbill.pages.frame import calls_of, render
from handbill.pages.rows import Page

_MOST = 100
_MOST_PUBLISHERS = 20


async def view(request: Request) -> Response:
    """What the visitor may see of it; panels of what another role sees are left out."""
    calls = calls_of(request)
    first = {"page": 0, "limit": _MOST}
    keys, programs, markups, rates, definitions = await asyncio.gather(
        allowed(calls.get("/api-keys", first)),
        allowed(calls.get("/api-clients", first)),
        allowed(calls.get("/markups", first)),
        allowed(calls.get("/rates", first)),
        _definitions(calls),
    )
    return render(
        request,
        "settings.html",
        keys=keys,
        programs=programs,
        markups=markups,
        rates=rates,
        definitions=definitions,
    )


async def _definitions(calls: Calls) -> list[tuple[str, Reply]]:
    """The click definitions of the first publishers, by the publisher's name."""
    listed = await allowed(calls.get("/publishers", {"page": 0, "limit": _MOST_PUBLISHERS}))
    publishers = listed.json["data"] if listed else []
    found = await asyncio.gather(
        *(
            allowed(
                calls.get(at("publishers", one["id"], "click-definitions"), {"page": 0, "limit": 5})
            )
            for one in publishers
        )
    )
    pairs = zip(publishers, found, strict=True)
    return [(one["name"], reply) for one, reply in pairs if reply and reply.json["data"]]


PAGES = [Page("settings", "/settings", view, link="Settings")]
