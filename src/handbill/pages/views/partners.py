"""What a publisher partner sees: what its publishers brought, and how their feeds are fetched."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import at
from handbill.pages.exports import asked_for
from handbill.pages.frame import calls_of, render, visit_of
from handbill.pages.queries import days_in, page_in
from handbill.pages.wording import CLICK_CLASSES, counted, days_back, number

_ON_A_PAGE, _AT_ONCE, _MOST_LINES, _MOST_DAYS = 50, 1_000, 100, 200
_FIGURES: Final = {**CLICK_CLASSES, "applyStarts": "Starts", "applies": "Applies"}


class DayLine(NamedTuple):
    """What a publisher brought on a day."""

    day: str
    name: str
    currency: str
    figures: Mapping[str, Any]


async def view(request: Request) -> Response:
    """A family's publishers, in one call; as a file: all of them."""
    days, page = days_in(request, _MOST_DAYS), page_in(request)
    path = at("publisher-families", visit_of(request).visitor.family_id, "figures")
    on = (0, _AT_ONCE) if asked_for(request) else (page, _ON_A_PAGE)
    wish = {"days": days, "page": on[0], "limit": on[1]}
    figures = await calls_of(request).get(path, wish)
    publishers = figures.json["data"]
    while asked_for(request) and len(publishers) < figures.json["total"]:
        wish["page"] += 1
        more = (await calls_of(request).get(path, wish)).json["data"]
        if not more:
            break  # some were deleted meanwhile
        publishers += more
    lines = list(_lines(figures.json))
    most = len(lines) if asked_for(request) else _MOST_LINES
    return render(
        request,
        "partner.html",
        days=days,
        page=page,
        figures=figures,
        names=_FIGURES,
        clicks=_of_clicks(publishers),
        fetches=_of_fetches(publishers),
        lines=lines[:most],
        left_out=max(0, len(lines) - most),
        is_full=(page + 1) * _ON_A_PAGE < figures.json["total"],
    )


def _lines(told: Any) -> Iterator[DayLine]:
    """Each day on which a publisher brought anything, the newest first."""
    publishers = told["data"]
    count = len(publishers[0]["values"]["clicks"]) if publishers else 0
    for back, day in enumerate(days_back(told["endDate"], count), 1):
        for one in publishers:
            figures = {name: values[-back] for name, values in one["values"].items()}
            if any(figures.values()):
                yield DayLine(day, one["name"], one["currency"], figures)


def _of_clicks(publishers: Any) -> str:
    """How many of the clicks are paid for, in a sentence."""
    sums = {name: sum(one["total"][name] for one in publishers) for name in CLICK_CLASSES}
    every = sum(sums.values())
    if not every:
        return "No clicks have come in these days."
    text = f"{number(sums['clicks'])} of {counted(every, 'click')} are valid."
    over = sums["overCapClicks"]
    are = "is" if over == 1 else "are"
    return f"{text} {number(over)} came over a cap and {are} not billed." if over else text


def _of_fetches(publishers: Any) -> str:
    """How many feeds nobody fetches any more, in a sentence."""
    feeds = sum(one["feedCount"] for one in publishers)
    lost = sum(one["notFetchedCount"] for one in publishers)
    if not feeds:
        return "There are no feeds yet."
    if not lost:
        return f"{counted(feeds, 'feed')}; none is overdue."
    were = "was" if lost == 1 else "were"
    return f"{number(lost)} of {counted(feeds, 'feed')} {were} not fetched in time."
