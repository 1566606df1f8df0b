"""A job group: its placements, its bids over time, and which jobs it takes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from handbill.kit.figures import Number
from handbill.kit.jsons import decode
from handbill.pages.calls import Calls, Declined, Reply, at
from handbill.pages.filters import (
    FIELDS,
    OPERATORS,
    filter_of,
    is_flat,
    rows_of,
    typed_rows,
    words,
)
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import MOST_DAYS_OF_STATS, days_in
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import latest_change, named_client
from handbill.pages.wording import days_back

_PATH = "/clients/{client_id}/campaigns/{campaign_id}/jobgroups/{jobgroup_id}"
_BIDS = 100
_MOST_LOOKED_UP = 25
"""Of more placements, the publishers are looked for in the list of all."""
_LISTED_AT_ONCE = 1_000
_MOST_BYTES = 400_000
_NOTES = {"CPC": "", "CPA": "per apply"}
"""What a bid is paid for, by how publishers are paid where bids count."""
_WITHOUT_BID = {"Organic": "unpaid", "PPP": "per posting"}


_NO_RULE = "Nothing was changed. Choose a field for at least one rule."


class SetBid(NamedTuple):
    """What is bid at a placement. ``amount`` None: no bid of the job group or of the placement
    counts there; the note says why.
    """

    amount: Number | None
    currency: str
    note: str


def _of(request: Request) -> str:
    ids = request.path_params
    return (
        at("clients", ids["client_id"])
        + at("campaigns", ids["campaign_id"])
        + at("jobgroups", ids["jobgroup_id"])
    )


async def view(
    request: Request,
    form: Form | None = None,
    preview: Reply | None = None,
    status: int = 200,
) -> Response:
    """The job group. With ``figures=yes`` also what its placements came to: that takes a second."""
    calls, of = calls_of(request), _of(request)
    client = await named_client(request)
    group, explained, bids, whole = await asyncio.gather(
        calls.get(of),
        calls.get(f"{of}/explain"),
        calls.get(f"{of}/bids", {"page": 0, "limit": _BIDS}),
        calls.get(f"{at('clients', client['id'])}/timeseries", {"days": 1}),
    )
    publishers, known = await _publishers(calls, [one["value"] for one in group.json["placements"]])
    days = days_in(request, MOST_DAYS_OF_STATS)
    figures = None
    if request.query_params.get("figures") == "yes":
        figures = await stats(
            request, days, whole.json["endDate"], {"jobGroupIds": [group.json["id"]]}, "JOBGROUP"
        )
    fields = visit_of(request).fields
    return render(
        request,
        "jobgroup.html",
        status,
        client=client,
        currency=whole.json["currency"],
        set_bids=_set_bids(group.json, known, whole.json["currency"]),
        prices_in={id_: one["currency"] for id_, one in known.items()},
        group=group,
        explained=explained,
        publishers=publishers,
        bids=bids,
        days=days,
        figures=figures,
        by_publisher=by_publisher(figures),
        of=of,
        words=words(group.json["filters"]),
        is_flat=is_flat(group.json["filters"]),
        rows=typed_rows(fields) if fields else rows_of(group.json["filters"]),
        any_of=fields.get("any", str(group.json["filters"].get("operator", "AND"))),
        fields=FIELDS,
        operators=OPERATORS,
        form=form or Form(),
        known=(form.typed if form else fields).get("known") or group.headers["etag"],
        preview=preview,
    )


async def _publishers(calls: Calls, placed: Sequence[str]) -> tuple[list[Reply], dict[str, Any]]:
    """The publishers of placements by their ids, without those that are deleted, and the answers
    that tell of them.
    """
    if len(placed) <= _MOST_LOOKED_UP:
        asked = await asyncio.gather(*(_publisher(calls, id_) for id_ in placed))
        live = [one for one in asked if one]
        return live, {one.json["id"]: one.json for one in live}
    replies: list[Reply] = []
    known: dict[str, Any] = {}
    is_last = False
    while not is_last and not known.keys() >= {*placed}:
        page = {"page": len(replies), "limit": _LISTED_AT_ONCE}
        replies.append(await calls.get("/publishers", page))
        some = replies[-1].json["data"]
        known |= {one["id"]: one for one in some}
        is_last = len(some) < _LISTED_AT_ONCE
    return replies, known


async def _publisher(calls: Calls, id_: str) -> Reply | None:
    """A publisher; None: it is deleted."""
    try:
        return await calls.get(at("publishers", id_))
    except Declined as declined:
        if declined.status != 404:
            raise
        return None


def _set_bids(group: Any, known: Mapping[str, Any], currency: str) -> list[SetBid]:
    """The bid that is set at each placement, in their order. ``known``: the publishers by id."""
    placements = group["placements"]
    return [_set_bid(group, one, known.get(one["value"]), currency) for one in placements]


def _set_bid(group: Any, placement: Any, publisher: Any, currency: str) -> SetBid:
    """``publisher`` None: it is deleted; ``currency``: the agency's."""
    kind = publisher["bidType"]["name"] if publisher else ""
    if kind == "FLAT_CPC":
        return SetBid(publisher["flatBidValue"] or 0, publisher["currency"], "flat price")
    if kind not in _NOTES:
        return SetBid(None, currency, _WITHOUT_BID.get(kind, "deleted"))
    if (own := placement.get("bid")) is not None:
        return SetBid(own, placement.get("currency") or currency, _NOTES[kind])
    set_for_all = group["cpaBid" if kind == "CPA" else "cpcBid"]
    if kind == "CPC" and not set_for_all:
        return SetBid(None, currency, "each job’s own")
    return SetBid(set_for_all, currency, _NOTES[kind])


async def stats(
    request: Request, days: int, last: str, filters: dict[str, Any], level: str
) -> Reply:
    """The figures of stats for the days up to the last one, by publisher too unless by job."""
    on = days_back(last, days)
    asked = {
        "filterBy": {"startDate": on[-1], "endDate": on[0], **filters},
        "groupBy": level,
        "groupByPublisher": level != "JOB",
    }
    client_id = request.path_params["client_id"]
    return await calls_of(request).ask("POST", "/stats/stream", asked, client_id=client_id)


def lines_of(reply: Reply | None) -> list[Any]:
    """The lines of a stream of stats. **Refuses** (TooMany) more than a page can show."""
    if reply is None:
        return []
    if len(reply.raw) > _MOST_BYTES:
        raise TooMany
    return [one for line in reply.raw.splitlines() if line for one in decode(line)["stats"]]


class TooMany(Exception):
    """There are more lines than a page can show."""


def by_publisher(reply: Reply | None) -> dict[str, Any]:
    """The lines by their publishers' ids."""
    return {one["publisherId"]: one for one in lines_of(reply) if one["publisherId"]}


async def change(request: Request) -> Response:
    """Show what a filter would take, or set it."""
    visit, of = visit_of(request), _of(request)
    fields, calls = visit.fields, visit.calls
    asked: dict[str, Any] = {"filters": filter_of(fields)}
    if not asked["filters"]["rules"]:
        return await view(request, Form(dict(fields), {}, _NO_RULE), None, 400)
    try:
        if fields.get("do") == "save":
            await calls.ask("PUT", of, asked, known=fields.get("known", ""))
            changed = await latest_change(calls, of)
            return leave(request, f"/app{of}", "The filter is set.", changed)
        group = (await calls.get(of)).json
        about = {"jobGroupId": group["id"], "priority": group["priority"]}
        places = {"placements": _placements(group["placements"])}
        path = at("clients", request.path_params["client_id"], "jobgroups", "preview")
        preview = await calls.ask("POST", path, asked | about | places)
    except Declined as declined:
        if declined.status != 400:
            raise
        return await view(request, Form.declined(dict(fields), declined, _names(fields)), None, 400)
    return await view(request, None, preview)


def _placements(placements: Sequence[Any]) -> list[dict[str, str]]:
    return [{"value": one["value"]} for one in placements]


def _names(fields: Any) -> dict[str, str]:
    """Which row of the form each rule of the filter comes from."""
    places = [place for place, row in enumerate(typed_rows(fields)) if row["field"]]
    return {f"/filters/rules/{number}": f"data{place}" for number, place in enumerate(places)}


PAGES = [
    PageRow("jobgroup", _PATH, view),
    PageRow("jobgroup_filter", f"{_PATH}/filter", change, ("POST",)),
]
