"""Mails: what a person has chosen, and the page of the link that ends them."""

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined
from handbill.pages.frame import calls_of, render
from handbill.pages.rows import Page

_ENDED = {"WEEKLY": "weekly report", "DIGEST": "daily digest", "ALERTS": "alerts"}


async def end(request: Request) -> Response:
    """A button, and what becomes of it: scanners of mail follow every link, but press no button.
    Mail programs send the same form by themselves (RFC 8058).
    """
    token = request.query_params.get("token", "")
    if request.method != "POST":
        return render(request, "end_mails.html", token=token, ended="", is_wrong=False)
    try:
        made = await calls_of(request).ask("POST", "/mails/end", {"token": token})
    except Declined as declined:
        if declined.status not in {400, 404}:
            raise
        return render(request, "end_mails.html", 404, token=token, ended="", is_wrong=True)
    ended = _ENDED[made.json["mails"]]
    return render(request, "end_mails.html", token=token, ended=ended, is_wrong=False)


PAGES = [
    Page("end_mails", "/mails/end", end, ("GET", "POST"), is_public=True, by_link=True),
]
