"""Health: how the installation runs, for its operator."""

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.frame import calls_of, render
from handbill.pages.rows import PageRow


async def view(request: Request) -> Response:
    """Each verdict with what to do, and what it was made of, in one call."""
    return render(request, "health.html", health=await calls_of(request).get("/health"))


PAGES = [PageRow("health", "/health", view, link="Health", for_whom="operators")]
