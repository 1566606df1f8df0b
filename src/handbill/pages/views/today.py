"""Today: whether money runs as planned, and what needs somebody."""

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.frame import calls_of, render
from handbill.pages.queries import whole_in
from handbill.pages.rows import Page

_METRICS = "spent,clicks,applies,cpa"
_ON_A_PAGE = 25


async def view(request: Request) -> Response:
    """All clients beside the days before."""
    days = whole_in(request, "days", 30, 1, 200)
    page = whole_in(request, "page", 1, 1, 10_000)
    overview = await calls_of(request).get(
        "/overview", {"days": days, "metrics": _METRICS, "page": page, "limit": _ON_A_PAGE}
    )
    return render(request, "today.html", overview=overview, days=days, page=page)


PAGES = [Page("today", "", view, link="Today")]
